//! A z-score: by how many standard deviations the requests of this hour exceed the mean of the
//! subject's hours before, of all of them or of those at the same time of day.

use super::{Asked, Baseline};
use crate::measure::{Alarm, Grouper};
use std::collections::{HashMap, VecDeque};

const HOUR: i64 = 3_600_000_000_000;
/// Standard deviations below this would make a lone request of a quiet subject an outlier.
const LEAST_DEVIATION: f64 = 1.0;

#[derive(Debug)]
pub(super) struct Zscore {
    name: &'static str,
    /// How many hours back it looks, in steps of `step`, and how many of them it needs.
    hours: usize,
    step: usize,
    least: usize,
    subjects: HashMap<String, Hours>,
    alarms: Grouper,
}

/// One subject's counts.
#[derive(Debug)]
struct Hours {
    /// The hour now, since the epoch, and its count.
    now: i64,
    count: f64,
    /// The hours before it, the latest first.
    past: VecDeque<f64>,
    /// Mean and deviation of those that the hour now is compared with, once it is asked for.
    usual: Option<(f64, f64)>,
}

impl Zscore {
    /// Against all hours of 14 days.
    pub(super) fn hourly() -> Self {
        Self::new("z-score of the hour, 14 days", 14 * 24, 1, 24)
    }

    /// Against the same hour of 28 days.
    pub(super) fn by_hour_of_day() -> Self {
        Self::new("z-score by hour of day, 28 days", 28 * 24, 24, 7)
    }

    fn new(name: &'static str, hours: usize, step: usize, least: usize) -> Self {
        Self { name, hours, step, least, subjects: HashMap::new(), alarms: Grouper::default() }
    }
}

impl Hours {
    fn advance(&mut self, hour: i64, most: usize) {
        if hour <= self.now {
            return;
        }
        let passed = usize::try_from(hour - self.now).unwrap_or(most).min(most + 1);
        for number in 0..passed {
            self.past.push_front(if number == 0 { self.count } else { 0.0 });
        }
        self.past.truncate(most);
        (self.now, self.count, self.usual) = (hour, 0.0, None);
    }

    fn usual(&mut self, step: usize, least: usize) -> Option<(f64, f64)> {
        if self.usual.is_none() {
            let of = || self.past.iter().skip(step - 1).step_by(step);
            let n = of().count();
            if n < least {
                return None;
            }
            let mean = of().sum::<f64>() / n as f64;
            let variance = of().map(|count| (count - mean).powi(2)).sum::<f64>() / n as f64;
            self.usual = Some((mean, variance.sqrt().max(LEAST_DEVIATION)));
        }
        self.usual
    }
}

impl Baseline for Zscore {
    fn name(&self) -> &'static str {
        self.name
    }

    fn see(&mut self, asked: &Asked<'_>) {
        let hour = asked.at.as_nanos().div_euclid(HOUR);
        if !self.subjects.contains_key(asked.subject) {
            let fresh = Hours { now: hour, count: 0.0, past: VecDeque::new(), usual: None };
            self.subjects.insert(asked.subject.to_string(), fresh);
        }
        let Some(hours) = self.subjects.get_mut(asked.subject) else { return };
        hours.advance(hour, self.hours);
        hours.count += 1.0;
        if let Some((mean, deviation)) = hours.usual(self.step, self.least) {
            self.alarms.score(asked.subject, asked.at, (hours.count - mean) / deviation);
        }
    }

    fn finish(self: Box<Self>) -> Vec<Alarm> {
        self.alarms.finish()
    }
}
