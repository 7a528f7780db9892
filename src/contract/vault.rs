//! Metrics about Vault itself, scraped from its API.

use crate::snapshot::Metric;

/// All of this file.
pub static ALL: &[&Metric] = &[];
