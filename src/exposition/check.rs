//! The check: Prometheus rejects a whole scrape for one duplicate series, so no such page is served.
//!
//! Families and series come sorted; one pass over neighbours finds what is double.

use crate::snapshot::{Family, Kind, Snapshot, Value};

/// Why a snapshot cannot be shown. A fault in leasewatch, never in its input.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{metric}: {fault}; this is a fault in leasewatch, please report it")]
pub struct InvalidSnapshot {
    /// Name of the metric. Label values are not told: they may be long, and are not needed.
    pub metric: String,
    /// What is wrong.
    pub fault: &'static str,
}

/// Checks order, uniqueness and form of all families.
pub(super) fn check(snapshot: &Snapshot) -> Result<(), InvalidSnapshot> {
    for pair in snapshot.families.windows(2) {
        if pair[0].metric.name >= pair[1].metric.name {
            return Err(invalid(&pair[1], "families are double or out of order"));
        }
    }
    snapshot.families.iter().try_for_each(family)
}

fn family(family: &Family) -> Result<(), InvalidSnapshot> {
    for pair in family.series.windows(2) {
        if pair[0].labels >= pair[1].labels {
            return Err(invalid(family, "series are double or out of order"));
        }
    }
    for series in &family.series {
        if series.labels.len() != family.metric.labels.len() {
            return Err(invalid(family, "a series has not as many label values as the metric has labels"));
        }
        let fits = match (&series.value, family.metric.kind) {
            (Value::Count(_), Kind::Counter) | (Value::Number(_), Kind::Gauge) => true,
            (Value::Number(number), Kind::Counter) => *number >= 0.0,
            (Value::Histogram(histogram), Kind::Histogram) => {
                histogram.counts.len() == histogram.bounds.len() + 1
                    && histogram.bounds.windows(2).all(|pair| pair[0] < pair[1])
            }
            _ => false,
        };
        if !fits {
            return Err(invalid(family, "a value does not fit the kind of the metric"));
        }
    }
    Ok(())
}

fn invalid(family: &Family, fault: &'static str) -> InvalidSnapshot {
    InvalidSnapshot { metric: family.metric.name.to_owned(), fault }
}
