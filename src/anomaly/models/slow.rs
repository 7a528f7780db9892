//! Low and slow: a rate that is raised for days, found by a sum of log likelihood ratios against
//! a reference that grows no faster than services do.

use crate::anomaly::parameters as p;
use crate::anomaly::stat::cusum::{Cusum, step};
use crate::anomaly::stat::decay::remains;
use crate::anomaly::stat::season::Season;
use serde::{Deserialize, Serialize};

/// The slow model of one subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    #[serde(rename = "s", default)]
    season: Season,
    #[serde(rename = "c", default)]
    sum: Cusum,
    /// The level that growth is held against; 0 until there is one.
    #[serde(rename = "r", default)]
    reference: f32,
    /// The day it was moved last.
    #[serde(rename = "d", default)]
    day: i32,
    /// The hour up to which hours were taken in.
    #[serde(rename = "h", default)]
    hour: i32,
    /// The strength of this excursion that was told last.
    #[serde(rename = "t", default)]
    pub told: f32,
    /// Credentials of this hour: of roles used for long, and of those taken up lately.
    #[serde(rename = "n", default)]
    now: (u32, u32),
    /// Roles taken up lately, and what an hour brings of each.
    #[serde(rename = "y", default)]
    young: Vec<(u32, f32)>,
    /// What an hour brings of roles that were young, until the season has learnt it.
    #[serde(rename = "g", default)]
    grown: f32,
    /// By how much more is usual since somebody said so, until the season has learnt it; 0 is not at all.
    #[serde(rename = "u", default)]
    boost: f32,
    /// Credentials since the excursion began, and what was expected.
    #[serde(rename = "o", default)]
    observed: f32,
    #[serde(rename = "e", default)]
    expected: f32,
}

/// Roles taken up lately that are followed.
const YOUNG: usize = 6;
/// What one credential adds to a mean over three days.
const YOUNG_RATE: f32 = 1.0 / 72.0;

/// Hours that may be missed before the sum begins anew.
const MOST_MISSED: i32 = 5 * 7 * 24;

impl Slow {
    /// Counts a credential of a role, which was taken up lately or not.
    pub fn issue(&mut self, is_young: bool, role: u32) {
        if !is_young {
            if let Some(at) = self.young.iter().position(|(young, _)| *young == role) {
                // Grown up: from now on it counts, and as much is usual.
                let (_, rate) = self.young.swap_remove(at);
                self.grown += rate;
            }
            self.now.0 += 1;
            return;
        }
        self.now.1 += 1;
        if let Some((_, rate)) = self.young.iter_mut().find(|(young, _)| *young == role) {
            *rate += YOUNG_RATE;
        } else if self.young.len() < YOUNG {
            self.young.push((role, YOUNG_RATE));
        }
    }

    /// Takes an hour in, and the idle hours before it that were not silence of the log. Gives the
    /// peak of an excursion that is over.
    pub fn add(&mut self, hour: i32, scale_out: f64, was_live: impl Fn(i32) -> bool) -> Option<f32> {
        let mut over = None;
        if self.hour == 0 || hour - self.hour > MOST_MISSED {
            self.hour = hour - 1;
            self.sum = Cusum::default();
        }
        for idle in self.hour + 1..hour {
            if was_live(idle) {
                over = self.one(0, idle, 1.0).or(over);
            }
        }
        let (count, _) = std::mem::take(&mut self.now);
        if hour > self.hour {
            over = self.one(count, hour, scale_out).or(over);
            self.hour = hour;
        }
        over
    }

    fn one(&mut self, count: u32, hour: i32, scale_out: f64) -> Option<f32> {
        for (_, rate) in &mut self.young {
            *rate *= 1.0 - YOUNG_RATE;
        }
        self.young.retain(|(_, rate)| *rate > 1e-4);
        let mean = self.season.mean(hour.into(), p::SEASON_KAPPA, 0.0, 1e-3);
        let phi = self.season.phi(p::SLOW_PHI.0, p::SLOW_PHI.1, p::LEAST_PHI);
        // A deploy is one hour's matter: it is no reason to believe less in all the others.
        let most = mean + f64::from(self.grown) + 4.0 * (mean * phi).sqrt() + 4.0;
        let counted = f64::from(count).min(most);
        let known = self.season.hours() >= p::SLOW_AFTER;
        let settled = self.season.hours() >= p::SLOW_SETTLED;
        let reference = self.reference(hour, settled);
        let factor = if known && self.season.level(0.0, 1e-3) > 0.0 {
            (reference / self.season.level(0.0, 1e-3)).clamp(0.1, 1.0)
        } else {
            1.0
        };
        let usual = mean * factor * f64::from(1.0 + self.boost) + f64::from(self.grown);
        let expected = (usual * scale_out).max(1e-3);
        self.season.add(counted, mean, hour.into(), p::SLOW_LIFE);
        if !known {
            return None;
        }
        let over = self.sum.add(step(counted, expected, phi, p::SLOW_FACTOR), p::SLOW_STEP, hour);
        self.sum.sum = self.sum.sum.min(p::SLOW_MOST);
        if self.sum.sum <= 0.0 {
            (self.observed, self.expected, self.told) = (0.0, 0.0, 0.0);
        } else {
            self.observed += count as f32;
            self.expected += expected as f32;
            if hour - self.sum.since > p::SLOW_LASTS {
                self.believe();
            }
        }
        over
    }

    /// The level growth is held against: the season's, but no faster than allowed.
    fn reference(&mut self, hour: i32, settled: bool) -> f64 {
        let level = self.season.level(0.0, 1e-3);
        if !settled {
            self.reference = level as f32;
            return level;
        }
        let day = hour.div_euclid(24);
        let days = (day - self.day).clamp(0, 7);
        if days > 0 {
            self.day = day;
            let left = remains(i64::from(days) * 24, p::SLOW_LIFE / 2.0) as f32;
            self.boost *= left;
            self.grown *= left;
            let most = f64::from(self.reference) * p::GROWTH_A_WEEK.powf(f64::from(days) / 7.0);
            self.reference = level.min(most.max(0.02)) as f32;
        }
        f64::from(self.reference)
    }

    /// The excursion that goes on, if one does: its peak, and credentials seen and expected since
    /// it began in that hour.
    pub fn excursion(&self) -> Option<(f64, f64, f64, i32)> {
        (self.sum.sum > 0.0)
            .then(|| (self.sum.peak.into(), self.observed.into(), self.expected.into(), self.sum.since))
    }

    /// What an hour usually brings, and its overdispersion.
    pub fn usual(&self, hour: i32) -> (f64, f64) {
        let mean = self.season.mean(hour.into(), p::SEASON_KAPPA, 0.0, 1e-3);
        (mean, self.season.phi(p::SLOW_PHI.0, p::SLOW_PHI.1, p::LEAST_PHI))
    }

    /// The level of all hours.
    pub fn level(&self) -> f64 {
        self.season.level(0.0, 1e-3)
    }

    /// What is now, is usual.
    pub fn believe(&mut self) {
        if self.expected > 0.0 && self.observed > self.expected {
            self.boost = ((1.0 + self.boost) * self.observed / self.expected).min(10.0) - 1.0;
        }
        self.sum = Cusum::default();
        (self.observed, self.expected, self.told) = (0.0, 0.0, 0.0);
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.season.heap()
    }
}
