//! The truth: what the clients saw, in the terms of the metrics contract, and the page of
//! metrics held against it.

use crate::support::Metrics;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;

/// Metric name and the labels that a client can know.
type Key = (&'static str, Vec<(&'static str, String)>);

/// Counts of what the clients saw; shared by all of them.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    counts: Mutex<BTreeMap<Key, u64>>,
}

impl Truth {
    /// Something happened once that this metric counts under these labels. No two keys of
    /// one metric may overlap, or the sum below would count an event twice.
    pub(crate) fn count(&self, metric: &'static str, labels: &[(&'static str, &str)]) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_string())).collect();
        *self.counts.lock().unwrap().entry((metric, labels)).or_default() += 1;
    }

    /// How often it happened, over all keys of this metric that have these labels.
    pub(crate) fn total(&self, metric: &str, labels: &[(&'static str, &str)]) -> u64 {
        let counts = self.counts.lock().unwrap();
        let fits = |key: &Key| {
            key.0 == metric
                && labels
                    .iter()
                    .all(|(name, value)| key.1.iter().any(|(own, found)| own == name && found == value))
        };
        counts.iter().filter(|(key, _)| fits(key)).map(|(_, count)| count).sum()
    }

    /// Holds a page against the truth: every count equal, and nothing on top of them.
    /// `skip` leaves series out of the second part that no client can know about.
    ///
    /// # Errors
    /// Every difference, in words.
    pub(crate) fn hold(
        &self,
        page: &Metrics,
        skip: impl Fn(&BTreeMap<String, String>) -> bool,
    ) -> Result<(), String> {
        let counts = self.counts.lock().unwrap();
        let mut wrong = String::new();
        for ((metric, labels), expected) in counts.iter() {
            let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let shown = page.sum(metric, &labels);
            if !equal(shown, *expected) {
                writeln!(wrong, "{metric}{labels:?}: {shown} shown, {expected} seen by the clients").unwrap();
            }
        }
        let metrics: BTreeSet<_> = counts.keys().map(|key| key.0).collect();
        for metric in metrics {
            let shown: f64 =
                page.matching(metric, &[]).filter(|(labels, _)| !skip(labels)).map(|(_, value)| value).sum();
            let expected: u64 =
                counts.iter().filter(|(key, _)| key.0 == metric).map(|(_, count)| count).sum();
            if !equal(shown, expected) {
                writeln!(
                    wrong,
                    "{metric} in total: {shown} shown, {expected} seen by the clients\n{}",
                    page.lines(metric)
                )
                .unwrap();
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// Counters are whole numbers far below 2^53.
fn equal(shown: f64, expected: u64) -> bool {
    (shown - expected as f64).abs() < 0.5
}
