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
    /// Of the last day or so, fading: credentials, and what was expected.
    #[serde(rename = "l", default)]
    lately: (f32, f32),
    /// Of today: credentials, and what was expected.
    #[serde(rename = "q", default)]
    today: (f32, f32),
    /// Squared residuals of whole days, and what was expected of them.
    #[serde(rename = "w", default)]
    days: (f32, f32),
    /// Roles taken up lately, and what an hour brings of each.
    #[serde(rename = "y", default)]
    young: Vec<(u32, f32)>,
    /// Credentials since the excursion began, and what was expected.
    #[serde(rename = "o", default)]
    observed: f32,
    #[serde(rename = "e", default)]
    expected: f32,
    /// Of this day of the excursion: the credentials beyond what was expected.
    #[serde(rename = "x", default)]
    beyond: f32,
    /// Days of the excursion before this one that brought clearly more than usual.
    #[serde(rename = "z", default)]
    raised: u16,
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
                self.rise(f64::from(rate));
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

    /// This hour's clients restarted: it counts as a usual one.
    pub fn say_nothing(&mut self) {
        self.now.0 = u32::MAX;
    }

    /// How many times as much as usual it took in the last day or so.
    pub fn times(&self) -> f64 {
        f64::from(self.lately.0) / f64::from(self.lately.1).max(1e-3)
    }

    /// The same, and whether it is clearly more; `None` where there is too little to judge by.
    pub fn lately(&self, hour: i32) -> Option<(f64, bool)> {
        let expected = f64::from(self.lately.1);
        let is_known = self.season.hours() >= p::SLOW_AFTER && hour - self.hour < p::EPISODE_HOURS;
        if !is_known || expected < p::LATELY_LEAST {
            return None;
        }
        let times = self.times();
        let beyond = (times - 1.0) * expected / (self.phi() * expected).sqrt();
        Some((times, times >= p::CLEARLY.0 && beyond >= p::CLEARLY.1))
    }

    /// Takes an hour in, and the idle hours before it that were not silence of the log. As many times as
    /// much is explained. Gives the peak of an excursion that is over.
    pub fn add(&mut self, hour: i32, explained: f64, was_live: impl Fn(i32) -> bool) -> Option<f32> {
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
            over = self.one(count, hour, explained).or(over);
            self.hour = hour;
        }
        over
    }

    fn one(&mut self, count: u32, hour: i32, explained: f64) -> Option<f32> {
        for (_, rate) in &mut self.young {
            *rate *= 1.0 - YOUNG_RATE;
        }
        self.young.retain(|(_, rate)| *rate > 1e-4);
        let mean = self.season.mean(hour.into(), p::SEASON_KAPPA, 0.0, 1e-3);
        let phi = self.phi();
        // A deploy is one hour's matter: it is no reason to believe less in all the others.
        let most = mean + 4.0 * (mean * phi).sqrt() + 4.0;
        let counted = if count == u32::MAX { mean } else { f64::from(count).min(most) };
        let known = self.season.hours() >= p::SLOW_AFTER;
        let settled = self.season.hours() >= p::SLOW_SETTLED;
        let reference = self.reference(hour, settled);
        let factor = if known && self.season.level(0.0, 1e-3) > 0.0 {
            (reference / self.season.level(0.0, 1e-3)).clamp(0.1, 1.0)
        } else {
            1.0
        };
        let expected = (mean * factor * explained).max(1e-3);
        self.season.add(counted, mean, hour.into(), p::SLOW_LIFE);
        let left = remains(1, p::LATELY) as f32;
        self.lately.0 = self.lately.0 * left + counted as f32;
        self.lately.1 = self.lately.1 * left + (mean * factor) as f32;
        self.today.0 += counted as f32;
        self.today.1 += mean as f32;
        if hour.rem_euclid(24) == 23 {
            self.close_day(phi);
        }
        if !known {
            return None;
        }
        let over = self.sum.add(step(counted, expected, phi, p::SLOW_FACTOR), p::SLOW_STEP, hour);
        self.sum.sum = self.sum.sum.min(p::SLOW_MOST);
        if self.sum.sum <= 0.0 {
            self.settle();
        } else {
            self.observed += counted as f32;
            self.expected += expected as f32;
            self.beyond += (counted - expected) as f32;
            if hour.rem_euclid(24) == 23 {
                self.raised += u16::from(self.is_raised());
                self.beyond = 0.0;
            }
            if hour - self.sum.since > p::SLOW_LASTS {
                self.believe();
            }
        }
        over
    }

    /// Whether this day has brought clearly more than usual so far.
    fn is_raised(&self) -> bool {
        let usual = self.level() * 24.0;
        f64::from(self.beyond) >= p::SLOW_DAY.0.max(usual * p::SLOW_DAY.1)
    }

    /// The excursion is over.
    fn settle(&mut self) {
        (self.observed, self.expected, self.told) = (0.0, 0.0, 0.0);
        (self.beyond, self.raised) = (0.0, 0);
    }

    /// Overdispersion: of hours, or of whole days where that is more. People have busy days.
    fn phi(&self) -> f64 {
        let hours = self.season.phi(p::SLOW_PHI.0, p::SLOW_PHI.1, p::LEAST_PHI);
        let (prior, weight) = p::SLOW_PHI;
        let days = (f64::from(self.days.0) + prior * weight) / (f64::from(self.days.1) + weight);
        hours.max(days)
    }

    fn close_day(&mut self, phi: f64) {
        let (count, expected) = std::mem::take(&mut self.today);
        let residual = f64::from(count - expected);
        // What is looked for is not to excuse itself.
        let most = 3.0 * (phi * f64::from(expected.max(1.0))).sqrt();
        let left = remains(24, p::SLOW_LIFE) as f32;
        self.days.0 = self.days.0 * left + residual.clamp(-most, most).powi(2) as f32;
        self.days.1 = self.days.1 * left + expected;
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
            let most = f64::from(self.reference) * p::GROWTH_A_WEEK.powf(f64::from(days) / 7.0);
            self.reference = level.min(most.max(0.02)) as f32;
        }
        f64::from(self.reference)
    }

    /// The excursion that goes on, if one does and if more than one day was raised: its peak, and
    /// credentials seen and expected since it began in that hour. What comes at once, and be it a
    /// deploy that goes on for hours, is a burst's matter.
    pub fn excursion(&self) -> Option<(f64, f64, f64, i32)> {
        let days = self.raised + u16::from(self.is_raised());
        (self.sum.sum > 0.0 && days >= p::SLOW_DAYS)
            .then(|| (self.sum.peak.into(), self.observed.into(), self.expected.into(), self.sum.since))
    }

    /// What an hour usually brings, and its overdispersion.
    pub fn usual(&self, hour: i32) -> (f64, f64) {
        let mean = self.season.mean(hour.into(), p::SEASON_KAPPA, 0.0, 1e-3);
        (mean, self.phi())
    }

    /// The level of all hours.
    pub fn level(&self) -> f64 {
        self.season.level(0.0, 1e-3)
    }

    /// As much more in an hour is usual from now on.
    fn rise(&mut self, by: f64) {
        let level = self.level();
        if level > 0.0 {
            self.season.scale(((level + by) / level).min(20.0));
            self.reference = self.level() as f32;
        }
    }

    /// What is now, is usual.
    pub fn believe(&mut self) {
        if self.expected > 0.0 && self.observed > self.expected {
            // The season is as much below what is now as the expectation was.
            let level = self.level();
            let now = level.min(f64::from(self.reference)) * f64::from(self.observed / self.expected);
            self.rise((now - level).max(0.0));
        }
        self.sum = Cusum::default();
        self.settle();
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.season.heap()
    }
}
