//! From combined strengths to how often they occur: an empirical tail of what hours came to,
//! fitted in its middle, where attacks are few. What was told once is never told differently
//! afterwards: the fit is for the next finding.

use crate::anomaly::parameters as p;
use crate::anomaly::stat::decay::Fading;
use crate::anomaly::stat::tail::Tail;
use serde::{Deserialize, Serialize};

/// The tail of combined strengths, and the number of active subject-hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    tail: Tail,
    hours: Fading,
    /// The hour in which it began; 0 before.
    #[serde(default)]
    since: i32,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { tail: Tail::new(p::COMBINED_BINS.0, p::COMBINED_BINS.1), hours: Fading::default(), since: 0 }
    }
}

/// How long active hours are averaged over: two weeks.
const LIFE: f64 = 14.0 * 24.0;

impl Calibration {
    /// An active subject-hour came to this, or to nothing (0), and counts with this weight. `is_known`: its subject is learnt.
    pub fn add(&mut self, combined: f64, weight: f64, hour: i32, is_known: bool) {
        if self.since == 0 {
            self.since = hour;
        }
        self.hours.add(1.0, hour.into(), LIFE);
        if is_known {
            self.tail.try_again(1.0, hour.into(), p::LIFE);
            if combined > 0.0 {
                self.tail.add(combined, weight);
            }
        }
    }

    /// Active subject-hours a day.
    pub fn hours_a_day(&self, hour: i32) -> f64 {
        if self.since == 0 {
            return p::HOURS_A_DAY;
        }
        // What an average over so short a time would hold of a steady stream.
        let age = f64::from(hour - self.since).max(0.0);
        let days = LIFE * (1.0 - (-age / LIFE).exp()) / 24.0;
        (self.hours.at(hour.into(), LIFE) + p::HOURS_A_DAY) / (days + 1.0)
    }

    /// -log10 of the part of active hours that come to as much.
    pub fn strength(&self, combined: f64) -> f64 {
        let known = self.tail.trials();
        let weight = known / (known + p::COMBINED_AFTER);
        weight * self.tail.strength(combined, &p::COMBINED_TAIL) + (1.0 - weight) * combined
    }

    /// Days between two such hours in the cluster.
    pub fn recurrence_days(&self, strength: f64, hour: i32) -> f64 {
        10f64.powf(strength) / self.hours_a_day(hour)
    }

    /// The strength of what comes once a week.
    pub fn weekly(&self, hour: i32) -> f64 {
        (7.0 * self.hours_a_day(hour)).log10()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_counted_from_its_first_days_on() {
        let mut calibration = Calibration::default();
        for hour in 1_000..1_000 + 24 * 21 {
            for _ in 0..50 {
                calibration.add(0.0, 1.0, hour, true);
            }
            if hour == 1_000 + 72 {
                assert!((calibration.hours_a_day(hour) - 1_200.0).abs() < 300.0);
            }
        }
        assert!((calibration.hours_a_day(1_000 + 24 * 21) - 1_200.0).abs() < 120.0);
    }

    #[test]
    fn optimistic_strengths_are_brought_down_to_what_occurs() {
        let mut calibration = Calibration::default();
        // One in ten hours comes to 2, one in a hundred to 3: a decade more than they say.
        for i in 0..100_000u32 {
            let p = (f64::from(i) + 0.5) / 100_000.0;
            calibration.add((1.0 - p.log10()).max(0.0), 1.0, 1_000, true);
        }
        for combined in [3.0, 4.0, 5.0] {
            assert!((calibration.strength(combined) - (combined - 1.0)).abs() < 0.35, "{combined}");
        }
        assert!((Calibration::default().strength(4.0) - 4.0).abs() < 1e-9);
    }
}
