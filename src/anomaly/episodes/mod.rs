//! Episodes: findings about one subject, as one story.

use super::{Finding, Settings};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// All that are kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Episodes {}

impl Episodes {
    /// None yet.
    pub fn new(_settings: &Settings) -> Self {
        Self::default()
    }

    /// To be called after loading.
    pub fn restore(&mut self, _settings: &Settings) {}

    /// Opens an episode, or goes on with one.
    pub fn take(&mut self, _finding: Finding) {}

    /// Event time passes.
    pub fn advance(&mut self, _to: Timestamp) {}
}
