//! The ID of an episode: a hash of its subject and of when it opened, so that every run that reads the
//! same logs gives it the same.

use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The ID of an episode, written as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EpisodeId(pub u64);

impl EpisodeId {
    pub(super) fn of(subject: u64, opened: Timestamp) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&subject.to_le_bytes());
        bytes[8..].copy_from_slice(&opened.as_nanos().to_le_bytes());
        Self(xxhash_rust::xxh3::xxh3_64(&bytes))
    }
}

impl fmt::Display for EpisodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The text is no ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an episode's ID has 16 digits and letters from a to f")]
pub struct NoEpisodeId;

impl FromStr for EpisodeId {
    type Err = NoEpisodeId;

    fn from_str(text: &str) -> Result<Self, NoEpisodeId> {
        let number = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
        number.filter(|_| !text.starts_with('+')).map(Self).ok_or(NoEpisodeId)
    }
}

impl From<EpisodeId> for String {
    fn from(id: EpisodeId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for EpisodeId {
    type Error = NoEpisodeId;

    fn try_from(text: String) -> Result<Self, NoEpisodeId> {
        text.parse()
    }
}
