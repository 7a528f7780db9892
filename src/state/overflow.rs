//! Overflow of the label budget, by the metric that wanted a place.

use super::families::Out;
use crate::contract::own::LABEL_OVERFLOW;
use crate::snapshot::Metric;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often a label set fell under `(other)`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Overflow(BTreeMap<String, u64>);

impl Overflow {
    /// One more time, for this metric.
    pub fn count(&mut self, metric: &'static Metric) {
        if let Some(times) = self.0.get_mut(metric.name) {
            *times += 1;
        } else {
            self.0.insert(metric.name.to_owned(), 1);
        }
    }

    pub(super) fn families(&self, out: &mut Out) {
        let family = out.family(&LABEL_OVERFLOW);
        for (metric, times) in &self.0 {
            family.count([metric.as_str()], *times);
        }
    }
}
