//! When: the hours of the week in which a subject is usually active, in UTC and without calendars
//! or time zones. A change of zone or of daylight saving time moves a habit by an hour or a few,
//! and the farther from any usual hour, the less usual.

use crate::anomaly::parameters as p;
use crate::anomaly::stat::season::{BINS, bin};
use serde::{Deserialize, Serialize};

/// Active hours by hour of day, of weekdays and of weekends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Clock {
    #[serde(rename = "b", default)]
    bins: Vec<f32>,
    #[serde(rename = "n", default)]
    total: f32,
    /// The likeliest hour's smoothed count, as of the last fading.
    #[serde(rename = "m", default)]
    most: f32,
}

const HOURS: usize = 24;

impl Clock {
    /// Counts an active hour.
    pub fn add(&mut self, hour: i32) {
        if self.bins.is_empty() {
            self.bins = vec![0.0; BINS];
        }
        self.bins[bin(hour.into())] += 1.0;
        self.total += 1.0;
    }

    /// Lets time pass: what remains of each count.
    pub fn fade(&mut self, left: f32) {
        for count in &mut self.bins {
            *count *= left;
        }
        self.total *= left;
        if !self.bins.is_empty() {
            self.most = (0..BINS).map(|bin| self.smooth(bin)).fold(0.0, f64::max) as f32;
        }
    }

    /// How unusual an hour is, by its distance from habits; `None` while there are none.
    /// -log10 of the part of the active hours that were at hours no likelier than this one.
    pub fn unusual(&self, hour: i32) -> Option<f64> {
        if self.total < p::CLOCK_AFTER || self.bins.is_empty() {
            return None;
        }
        let density = self.density(bin(hour.into()));
        Some(-(density.max(1e-6)).log10())
    }

    /// The strength that so much of a past can carry, whatever its peers do.
    pub fn most(&self) -> f64 {
        (f64::from(self.total) * p::CLOCK_PEERS + 1.0).log10().min(p::CLOCK_MOST)
    }

    /// The likelihood of an active hour in that bin against that of the likeliest one, smoothed over its neighbours.
    fn density(&self, at: usize) -> f64 {
        let here = self.smooth(at);
        // Half an hour somewhere: nobody is known for ever.
        (here + 0.5 * p::CLOCK_KERNEL[8]) / (f64::from(self.most).max(here) + 0.5)
    }

    fn smooth(&self, at: usize) -> f64 {
        let (day, hour) = (at / HOURS, at % HOURS);
        let mut sum = 0.0;
        for (distance, weight) in p::CLOCK_KERNEL.iter().enumerate() {
            for (kind, part) in [(day, 1.0), (1 - day, p::CLOCK_OTHER_DAYS)] {
                let later = self.bins[kind * HOURS + (hour + distance) % HOURS];
                let earlier = self.bins[kind * HOURS + (hour + HOURS - distance) % HOURS];
                sum += weight * part * f64::from(if distance == 0 { later } else { later + earlier });
            }
        }
        sum
    }

    /// Whether any hour was ever active in that bin of the week, and what part of them.
    pub fn part(&self, hour: i32) -> f64 {
        let here = self.bins.get(bin(hour.into())).copied().unwrap_or_default();
        f64::from(here) / f64::from(self.total.max(1.0))
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.bins.capacity() * size_of::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weekdays from 8 to 16 UTC, four weeks.
    fn office() -> Clock {
        let mut clock = Clock::default();
        for day in (0..28).filter(|day| !matches!(day % 7, 2 | 3)) {
            for hour in 8..16 {
                clock.add(day * 24 + hour);
            }
        }
        clock.fade(1.0);
        clock
    }

    #[test]
    fn the_farther_from_habits_the_less_usual() {
        let clock = office();
        let unusual = |hour: i32| clock.unusual(28 * 24 + hour).unwrap();
        assert!(unusual(11) < 0.1);
        let away: Vec<f64> = (15..24).map(unusual).collect();
        assert!(away.windows(2).all(|pair| pair[1] > pair[0]), "{away:?}");
        assert!(unusual(3) > 2.0 && unusual(16) < 0.7, "{away:?}");
        assert!(unusual(2 * 24 + 12) > 0.6, "a weekend");
    }

    #[test]
    fn who_is_always_active_is_never_unusual_and_nobody_is_judged_at_once() {
        let mut clock = Clock::default();
        assert_eq!(clock.unusual(0), None);
        for hour in 0..24 * 14 {
            clock.add(hour);
        }
        clock.fade(1.0);
        assert!((0..24 * 7).all(|hour| clock.unusual(hour).unwrap() < 0.5));
    }
}
