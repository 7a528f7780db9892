//! Metrics about the exporter itself.

use crate::snapshot::Metric;

/// All of this file.
pub static ALL: &[&Metric] = &[];
