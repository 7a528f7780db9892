//! What goes wrong at a mount and is nobody's in particular: failures of a database, revocations
//! that fail, and logins and tokens that are refused. A mount has a history of its own.

use super::now::{Now, of_hour};
use super::ring::Ring;
use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::count::Counts;
use crate::anomaly::stat::decay::remains;
use crate::anomaly::stat::extremes::Extremes;
use crate::anomaly::stat::strength_of_ln;
use serde::{Deserialize, Serialize};

/// Faults of one kind at one mount.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Faults {
    #[serde(rename = "c", default)]
    last_hour: Ring<12>,
    /// The largest sliding count of this clock hour.
    #[serde(rename = "p", default)]
    peak: u32,
    #[serde(rename = "x", default)]
    own: Extremes,
    #[serde(rename = "s", default)]
    sum: f32,
    #[serde(rename = "q", default)]
    squares: f32,
    #[serde(rename = "n", default)]
    hours: f32,
    #[serde(rename = "h", default)]
    hour: i32,
    #[serde(rename = "f", default)]
    first: i32,
}

impl Faults {
    /// Counts one; gives evidence where it is a new maximum of the hour and rare. `began`: since
    /// that hour any would have been seen.
    pub fn add(&mut self, now: &Now, began: i32, component: Component) -> Option<Evidence> {
        if self.first == 0 {
            (self.first, self.hour) = (began, began);
        }
        self.close(now.hour);
        let count = self.last_hour.add(now.secs / 300);
        if count <= self.peak {
            return None;
        }
        self.peak = count;
        let counts = self.counts();
        let formula = strength_of_ln(counts.ln_sf(count.into()));
        let mut own = self.own.ln_sf_in_steps(count, self.hours.into(), p::FAULTS_AT_ONCE);
        if self.own.largest().is_none() {
            // Of a first time only the number tells a hiccup from an outage.
            own -= (f64::from(count) / p::FAULTS_AT_ONCE - 1.0).max(0.0);
        }
        let own = strength_of_ln(own);
        let maturity = (f64::from(now.hour - self.first) / p::MATURE_AFTER).clamp(0.0, 1.0);
        let strength = formula.min(own) * maturity;
        if strength < p::KEEP {
            return None;
        }
        let below = |p| counts.first_rarer(p, 1 << 24).saturating_sub(1) as f64;
        let largest = self.own.largest();
        Some(Evidence {
            component,
            strength,
            observed: count.into(),
            expected: below(0.5),
            upper: below(1e-3).max(largest.map_or(0.0, |own| own.count.into())),
            own_max: largest.map(|own| (f64::from(own.count), of_hour(own.hour))),
            last_seen: None,
            peers: None,
            detail: crate::event::Text::default(),
        })
    }

    fn counts(&self) -> Counts {
        let hours = f64::from(self.hours);
        let mean = (f64::from(self.sum) + p::FAULTS * p::COUNT_WEIGHT) / (hours + p::COUNT_WEIGHT);
        let average = f64::from(self.sum) / hours.max(1.0);
        let variance = (f64::from(self.squares) / hours.max(1.0) - average * average).max(0.0);
        let phi = (variance / mean.max(0.05) * hours + p::FAULTS_PHI * 48.0) / (hours + 48.0);
        Counts { mean, phi: phi.max(p::LEAST_PHI) }
    }

    /// Ends the hours before `hour`.
    fn close(&mut self, hour: i32) {
        let passed = hour - self.hour;
        if passed <= 0 {
            return;
        }
        let left = remains(passed.into(), p::LIFE) as f32;
        for sum in [&mut self.sum, &mut self.squares, &mut self.hours] {
            *sum *= left;
        }
        let peak = std::mem::take(&mut self.peak);
        // An outage of a day is learnt as far as it has shown; what is operational is not poisoned.
        self.own.add(peak, self.hour, p::EXTREMES_MEMORY);
        self.sum += peak as f32;
        self.squares += (peak as f32).powi(2);
        self.hours += passed as f32;
        self.hour = hour;
    }

    /// When one was last counted, and how unusual the count of the last hour is.
    pub fn last_hour(&self) -> u32 {
        self.last_hour.sum()
    }
}
