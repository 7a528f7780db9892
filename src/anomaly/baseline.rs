//! A baseline: what was learnt from old logs, to begin with somewhere else.

use super::Anomalies;
use super::models::Models;
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of what is written.
const VERSION: u32 = 1;

/// What was learnt, and from when to when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Baseline {
    version: u32,
    /// The first moment that was learnt from.
    pub from: Timestamp,
    /// The last: what is read of that time or before it is known already.
    pub until: Timestamp,
    models: Models,
}

/// Why a baseline cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum NoBaseline {
    /// It is something else, or damaged.
    #[error("it is no baseline")]
    Unclear(#[from] serde_json::Error),
    /// It is of another version.
    #[error(
        "it has version {0}, and this leasewatch knows version {VERSION}; learn anew by `leasewatch analyze --learn`"
    )]
    Version(u32),
}

impl Baseline {
    /// Reads what [`Self::bytes`] wrote.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(bytes: &[u8]) -> Result<Self, NoBaseline> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(bytes)?;
        if version == VERSION {
            Ok(serde_json::from_slice(bytes)?)
        } else {
            Err(NoBaseline::Version(version))
        }
    }

    /// The bytes of a file. They name clients.
    ///
    /// # Errors
    /// Never for what models hold; a serializer's error all the same.
    pub fn bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// How many clients, roles and mounts it knows.
    pub fn subjects(&self) -> usize {
        self.models.subjects()
    }
}

impl Anomalies {
    /// What is learnt so far; `None` where nothing is.
    pub fn baseline(&self, until: Timestamp) -> Option<Baseline> {
        let from = self.episodes.began()?;
        Some(Baseline { version: VERSION, from, until, models: self.models.clone() })
    }

    /// Begins with what was learnt elsewhere, unless something is learnt here already. True if it does.
    pub fn adopt(&mut self, baseline: Baseline) -> bool {
        if self.episodes.began().is_some() || !self.models.adopt(baseline.models) {
            return false;
        }
        self.episodes.learnt_since(baseline.from);
        self.learnt_until = Some(baseline.until);
        true
    }
}
