//! A side: the numbers of one of two periods, slice by slice.

use super::change::Counts;
use crate::contract::{credentials, leases};
use crate::event::Timestamp;
use crate::snapshot::{Family, Metric, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A counter that is compared.
pub(super) struct Compared {
    pub(super) metric: &'static Metric,
    /// What it counts, in words; what a label says beside the place follows.
    pub(super) what: &'static str,
}

/// What is compared.
pub(super) const COMPARED: &[Compared] = &[
    Compared { metric: &credentials::ISSUED, what: "credentials issued" },
    Compared { metric: &credentials::STATIC_READ, what: "static credentials read" },
    Compared { metric: &credentials::FAILURES, what: "credentials refused" },
    Compared { metric: &credentials::RENEWALS, what: "renewals" },
    Compared { metric: &leases::REVOCATIONS, what: "leases ended" },
    Compared { metric: &credentials::REVOCATION_FAILURES, what: "failed revocations" },
    Compared { metric: &credentials::REVOCATION_REQUESTS, what: "requests to revoke" },
    Compared { metric: &credentials::LOGINS, what: "logins" },
    Compared { metric: &credentials::DENIED, what: "requests denied" },
    Compared { metric: &credentials::PRIVILEGED, what: "privileged operations" },
];

/// Which of [`COMPARED`], and its labels. Without the type of the mount: that may become known in between.
pub(super) type Key = (usize, Vec<(&'static str, Arc<str>)>);

/// The numbers of one period.
#[derive(Debug)]
pub struct Side {
    /// Its first moment.
    pub since: Timestamp,
    /// Its last one.
    pub until: Timestamp,
    /// What was counted up to the end of each slice.
    counted: BTreeMap<Key, Vec<u64>>,
    /// Leases that were out at the end of a slice, at most.
    pub(super) peaks: BTreeMap<Vec<(&'static str, Arc<str>)>, f64>,
    slices: usize,
}

impl Side {
    /// Of a period, with nothing in it yet.
    pub fn new(since: Timestamp, until: Timestamp) -> Self {
        Self { since, until, counted: BTreeMap::new(), peaks: BTreeMap::new(), slices: 0 }
    }

    /// Ends the next slice: counters are those since the period began.
    pub fn add(&mut self, families: &[Family]) {
        for family in families {
            let key = |series: &crate::snapshot::Series| {
                let labels = family.metric.labels.iter().zip(&series.labels);
                let told = labels.filter(|(name, _)| !["engine", "auth_method"].contains(*name));
                told.map(|(name, value)| (*name, Arc::clone(value))).collect::<Vec<_>>()
            };
            if let Some(of) = COMPARED.iter().position(|compared| compared.metric == family.metric) {
                for series in &family.series {
                    let Value::Count(count) = series.value else { continue };
                    let counts = self.counted.entry((of, key(series))).or_default();
                    counts.resize(self.slices, 0);
                    counts.push(count);
                }
            } else if *family.metric == leases::LEASES {
                for series in &family.series {
                    let peak = self.peaks.entry(key(series)).or_default();
                    *peak = peak.max(series.value.number().unwrap_or(0.0));
                }
            }
        }
        self.slices += 1;
    }

    /// In seconds, and never nothing.
    pub(super) fn seconds(&self) -> f64 {
        (self.until.nanos_since(self.since).max(1)) as f64 / 1e9
    }

    /// What there are counts of, if they are not all nothing.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        let some = |(_, counts): &(&Key, &Vec<u64>)| counts.last().is_some_and(|count| *count > 0);
        self.counted.iter().filter(some).map(|(key, _)| key)
    }

    /// What was counted of one thing.
    pub(super) fn counts(&self, key: &Key) -> Counts {
        let none = Vec::new();
        let counted = self.counted.get(key).unwrap_or(&none);
        let mut before = 0;
        let slices = (0..self.slices).map(|slice| {
            // Whoever gave its place back has nothing more.
            let now = counted.get(slice).copied().unwrap_or(before).max(before);
            now - std::mem::replace(&mut before, now)
        });
        Counts { slices: slices.collect(), seconds: self.seconds() }
    }
}
