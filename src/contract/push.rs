//! Metrics about what is pushed.

use super::metric;
use crate::snapshot::Kind::{Counter, Gauge};
use crate::snapshot::Metric;

/// By target and outcome.
pub static BATCHES: Metric = metric(
    "leasewatch_push_batches_total",
    Counter,
    &["target", "outcome"],
    "Requests that pushed something, by target and outcome; dropped counts what was given up.",
);

/// By target.
pub static LAST_SUCCESS: Metric = metric(
    "leasewatch_push_last_success_timestamp_seconds",
    Gauge,
    &["target"],
    "Time at which the target last took something.",
);

/// All of this file.
pub static ALL: &[&Metric] = &[&BATCHES, &LAST_SUCCESS];
