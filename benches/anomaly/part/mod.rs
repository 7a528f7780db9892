//! The parts of the evaluation, each with its own tables and goals.

pub(crate) mod cost;
pub(crate) mod flood;
pub(crate) mod learn;
pub(crate) mod poison;
pub(crate) mod quiet;
pub(crate) mod recall;

use leasewatch::anomaly::{Severity, score};

/// Alarms a week that figures are given at.
const RATES: [f64; 4] = [0.5, 1.0, 2.0, 7.0];

/// The score from which on a page is sent, with that budget.
fn page_at(budget: f64) -> f64 {
    score::threshold(Severity::Page, budget)
}

/// The cut that a score passes from a threshold on.
fn below(threshold: f64) -> f64 {
    threshold.next_down()
}
