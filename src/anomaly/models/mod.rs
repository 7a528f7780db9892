//! Models: activities to findings.

use super::{Activity, Finding, Settings};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// All that is learnt.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Models {}

impl Models {
    /// Nothing learnt yet.
    pub fn new(_settings: &Settings) -> Self {
        Self::default()
    }

    /// To be called after loading.
    pub fn restore(&mut self, _settings: &Settings) {}

    /// Learns from an activity, and adds what it makes unusual.
    pub fn see(&mut self, _activity: &Activity<'_>, _findings: &mut Vec<Finding>) {}

    /// Event time passes. What is done at a boundary between the two is the same however many
    /// steps time takes to get there.
    pub fn advance(&mut self, _from: Timestamp, _to: Timestamp, _findings: &mut Vec<Finding>) {}

    /// Lines of an audit log were lost before then.
    pub fn gap(&mut self, _at: Timestamp) {}

    /// Subjects that are known.
    pub fn subjects(&self) -> usize {
        0
    }
}
