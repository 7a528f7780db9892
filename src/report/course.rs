//! A course: how the numbers that matter went over the time of the logs, in a few hundred steps.
//! How long the logs are is not known before they are read: where there are too many steps,
//! a few become one.

use crate::contract::{credentials, leases};
use crate::event::Timestamp;
use crate::snapshot::{Family, Metric};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Steps at most; every factor between two of [`STEPS`] divides it.
const MOST: usize = 240;
/// Lengths of a step that people think in, in seconds; beyond the last, each is twice the one before.
const STEPS: [i64; 11] = [10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];

/// A metric whose course is kept, and the labels by which it is told apart.
pub struct Tracked {
    /// The metric.
    pub metric: &'static Metric,
    /// Its labels that matter; over the others it is added up.
    pub by: &'static [&'static str],
}

const ROLE: &[&str] = &["vault_namespace", "mount", "role"];
const REASON: &[&str] = &["reason"];

/// What is kept.
pub const TRACKED: [Tracked; 6] = [
    Tracked { metric: &credentials::ISSUED, by: ROLE },
    Tracked { metric: &credentials::FAILURES, by: REASON },
    Tracked { metric: &leases::LEASES, by: ROLE },
    Tracked { metric: &leases::REVOCATIONS, by: &["cause"] },
    Tracked { metric: &credentials::REVOCATION_FAILURES, by: REASON },
    Tracked { metric: &credentials::DENIED, by: &["vault_namespace", "mount"] },
];

/// Values at the end of each step; a series that began late has zeros before.
type Values = BTreeMap<Vec<Arc<str>>, Vec<f64>>;

/// The course of every tracked metric.
#[derive(Debug)]
pub struct Course {
    /// When the first step begins.
    pub from: Timestamp,
    /// How long each is, in seconds.
    pub step: i64,
    /// How many there are.
    pub steps: usize,
    values: [Values; TRACKED.len()],
}

/// One line of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its label values; empty for all that have no place of their own.
    pub labels: Vec<Arc<str>>,
    /// One a step.
    pub values: Vec<f64>,
}

impl Course {
    /// Begins before the first event.
    pub fn new(first: Timestamp) -> Self {
        let step = STEPS[0];
        let from = Timestamp::from_secs(first.as_nanos().div_euclid(1_000_000_000 * step) * step);
        Self { from, step, steps: 0, values: Default::default() }
    }

    /// When the current step ends: up to then events are applied before [`Course::add`].
    pub fn next(&self) -> Timestamp {
        self.from.plus_secs(self.step * i64::try_from(self.steps + 1).unwrap_or(i64::MAX))
    }

    /// Ends the current step with these numbers.
    pub fn add(&mut self, families: &[Family]) {
        for (tracked, values) in TRACKED.iter().zip(&mut self.values) {
            let places: Vec<_> = tracked
                .by
                .iter()
                .filter_map(|label| tracked.metric.labels.iter().position(|name| name == label))
                .collect();
            for family in families.iter().filter(|family| family.metric == tracked.metric) {
                for series in &family.series {
                    let Some(value) = series.value.number() else { continue };
                    let key: Vec<_> = places.iter().map(|place| Arc::clone(&series.labels[*place])).collect();
                    let line = values.entry(key).or_default();
                    line.resize(self.steps + 1, 0.0);
                    line[self.steps] += value;
                }
            }
        }
        self.steps += 1;
        if self.steps >= MOST {
            self.join();
        }
    }

    /// A few steps become one: what holds at the end of the last of them.
    fn join(&mut self) {
        let longer = STEPS.into_iter().find(|step| *step > self.step).unwrap_or(2 * self.step);
        let few = usize::try_from(longer / self.step).unwrap_or(2);
        for line in self.values.iter_mut().flat_map(BTreeMap::values_mut) {
            line.resize(self.steps, 0.0);
            *line = line.iter().skip(few - 1).step_by(few).copied().collect();
        }
        self.steps /= few;
        self.step = longer;
    }

    /// What a gauge was at the end of each step, the highest lines first; beyond `most` they are one.
    pub fn levels(&self, of: &Metric, most: usize) -> Vec<Line> {
        self.lines(of, most, |line| line)
    }

    /// How much a counter rose in each step, likewise.
    pub fn rises(&self, of: &Metric, most: usize) -> Vec<Line> {
        self.lines(of, most, |line| {
            let before = [0.0].into_iter().chain(line.iter().copied());
            line.iter().zip(before).map(|(now, before)| (now - before).max(0.0)).collect()
        })
    }

    fn lines(&self, of: &Metric, most: usize, change: impl Fn(Vec<f64>) -> Vec<f64>) -> Vec<Line> {
        let Some(place) = TRACKED.iter().position(|tracked| tracked.metric == of) else { return Vec::new() };
        let mut lines: Vec<_> = self.values[place]
            .iter()
            .map(|(labels, line)| {
                let mut line = line.clone();
                line.resize(self.steps, 0.0);
                Line { labels: labels.clone(), values: change(line) }
            })
            .filter(|line| line.values.iter().any(|value| *value > 0.0))
            .collect();
        let size = |line: &Line| line.values.iter().sum::<f64>();
        lines.sort_by(|a, b| size(b).total_cmp(&size(a)).then_with(|| a.labels.cmp(&b.labels)));
        if lines.len() > most {
            let mut rest = Line { labels: Vec::new(), values: vec![0.0; self.steps] };
            for line in lines.drain(most - 1..) {
                for (sum, value) in rest.values.iter_mut().zip(line.values) {
                    *sum += value;
                }
            }
            lines.push(rest);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(count: u64) -> Vec<Family> {
        let mut family = Family::new(&credentials::FAILURES);
        for role in ["app", "web"] {
            family.count(["root", "db/", "database", role, "backend"], count);
        }
        vec![family]
    }

    #[test]
    fn however_long_it_is_there_are_no_more_steps() {
        let mut course = Course::new(Timestamp::from_secs(1_005));
        assert_eq!(course.from, Timestamp::from_secs(1_000));
        for step in 0..1_000 {
            assert!(course.steps < MOST);
            let elapsed = course.next().nanos_since(course.from) / 1_000_000_000;
            course.add(&failed(u64::try_from(elapsed).unwrap()));
            assert!(STEPS.contains(&course.step) && elapsed % course.step == 0, "step {step}");
        }
        let lines = course.rises(&credentials::FAILURES, 8);
        assert_eq!(lines.len(), 1);
        assert_eq!(*lines[0].labels[0], *"backend");
        // Two roles, one a second each.
        let expected = 2.0 * course.step as f64;
        assert!(lines[0].values.iter().all(|rise| (rise - expected).abs() < 1e-9), "{lines:?}");
    }

    #[test]
    fn what_begins_late_was_nothing_before_and_the_small_ones_are_one() {
        let mut course = Course::new(Timestamp::from_secs(0));
        let all = |counts: &[u64]| {
            let mut family = Family::new(&leases::LEASES);
            for (role, count) in counts.iter().enumerate() {
                family.number(["root", "db/", "database", &role.to_string()], *count as f64);
            }
            vec![family]
        };
        course.add(&all(&[1]));
        course.add(&all(&[1, 7, 2, 3]));
        course.add(&[]);
        let levels = course.levels(&leases::LEASES, 3);
        let values: Vec<_> = levels.iter().map(|line| line.values.clone()).collect();
        assert_eq!(values, [[0.0, 7.0, 0.0], [0.0, 3.0, 0.0], [1.0, 3.0, 0.0]]);
        assert!(levels[2].labels.is_empty());
    }
}
