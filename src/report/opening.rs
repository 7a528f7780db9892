//! An opening: what was counted before the period of a report begins, to be taken off from what is
//! counted at its end. What holds at a moment (a gauge) stays as it is.

use crate::pipeline::Stats;
use crate::snapshot::{Family, Histogram, Kind, Metric, Series, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Counts at the beginning of a period.
#[derive(Debug)]
pub struct Opening {
    counts: HashMap<(&'static str, Vec<Arc<str>>), Value>,
    sources: Vec<Stats>,
}

impl Opening {
    /// What was counted so far: every series, and every log in the order of the inputs.
    pub fn new(families: Vec<Family>, sources: Vec<Stats>) -> Self {
        let families = families.into_iter().filter(|family| counts(family.metric));
        let counts = families.flat_map(|family| {
            let metric = family.metric;
            family.series.into_iter().map(move |series| ((metric.name, key(metric, &series)), series.value))
        });
        Self { counts: counts.collect(), sources }
    }

    /// What came on top of it.
    pub fn rest(&self, mut families: Vec<Family>) -> Vec<Family> {
        for family in families.iter_mut().filter(|family| counts(family.metric)) {
            let metric = family.metric;
            for series in &mut family.series {
                if let Some(before) = self.counts.get(&(metric.name, key(metric, series))) {
                    series.value = minus(&series.value, before);
                }
            }
        }
        families
    }

    /// The same of a log, by its place.
    pub fn rest_of(&self, place: usize, stats: &Stats) -> Stats {
        let Some(before) = self.sources.get(place) else { return stats.clone() };
        let each = |now: &BTreeMap<String, u64>, before: &BTreeMap<String, u64>| {
            let rest = now.iter().map(|(why, count)| {
                (why.clone(), count.saturating_sub(before.get(why).copied().unwrap_or(0)))
            });
            rest.filter(|(_, count)| *count > 0).collect()
        };
        Stats {
            lines: stats.lines - before.lines,
            bytes: stats.bytes - before.bytes,
            unreadable: each(&stats.unreadable, &before.unreadable),
            late: stats.late - before.late,
            rotations: each(&stats.rotations, &before.rotations),
            gaps: stats.gaps - before.gaps,
            last_entry: stats.last_entry,
        }
    }

    /// Lines before the period, of all logs.
    pub fn lines(&self) -> u64 {
        self.sources.iter().map(|stats| stats.lines).sum()
    }
}

fn counts(metric: &Metric) -> bool {
    metric.kind != Kind::Gauge
}

/// The type of a mount may have become known within the period: it makes no other series.
fn key(metric: &Metric, series: &Series) -> Vec<Arc<str>> {
    let labels = metric.labels.iter().zip(&series.labels);
    labels.filter(|(name, _)| **name != "engine").map(|(_, value)| Arc::clone(value)).collect()
}

fn minus(now: &Value, before: &Value) -> Value {
    match (now, before) {
        (Value::Count(now), Value::Count(before)) => Value::Count(now.saturating_sub(*before)),
        (Value::Number(now), Value::Number(before)) => Value::Number((now - before).max(0.0)),
        (Value::Histogram(now), Value::Histogram(before)) => Value::Histogram(Histogram {
            bounds: now.bounds,
            counts: now
                .counts
                .iter()
                .zip(&before.counts)
                .map(|(now, before)| now.saturating_sub(*before))
                .collect(),
            sum: (now.sum - before.sum).max(0.0),
        }),
        (now, _) => now.clone(),
    }
}
