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

    /// Somebody has said that what this subject does now is known.
    pub fn acknowledge(&mut self, _subject: u64) {}

    /// Of the subjects, those that are not fully believed yet.
    pub fn learning(&self) -> usize {
        0
    }

    /// Subjects that made room for others, ever.
    pub fn evictions(&self) -> u64 {
        0
    }

    /// One address stands for nearly all clients: where they come from says nothing.
    pub fn source_model_is_off(&self) -> bool {
        false
    }

    /// Credentials a second that a role is expected to issue, and what it exceeds in one hour of a
    /// thousand; `None` before two days.
    pub fn expected_rate(
        &self,
        _namespace: &str,
        _mount: &str,
        _role: &str,
        _as_of: Timestamp,
    ) -> Option<(f64, f64)> {
        None
    }

    /// A baseline takes the place of what is here, if that is nothing yet.
    pub fn adopt(&mut self, _baseline: Self) -> bool {
        true
    }
}
