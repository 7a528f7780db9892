//! What is configured of the scores: whether and how often they may page, what is kept of them, and
//! who may see whom they are about.

use crate::event::Timestamp;
use std::path::PathBuf;

/// Pages a week: below one in a year nothing can be said, and above one in ten minutes nobody reads them.
pub const ALARM_BUDGET: std::ops::RangeInclusive<f64> = 0.02..=1_000.0;

/// How requests are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct AnomalyConfig {
    /// Whether they are, and what comes of it.
    pub mode: AnomalyMode,
    /// Pages a week, in the whole cluster, that may come by chance.
    pub alarm_budget: f64,
    /// Clients, roles and mounts with a model of their own.
    pub subjects: usize,
    /// Episodes that are kept.
    pub episodes: usize,
    /// What `analyze --learn` wrote, to begin with.
    pub baseline: Option<PathBuf>,
    /// Episodes that somebody vouches for.
    pub acknowledged: Vec<Acknowledged>,
}

/// What comes of a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnomalyMode {
    /// Notices and pages.
    #[default]
    On,
    /// Notices alone: the first month.
    Shadow,
    /// There is none.
    Off,
}

/// An episode that somebody vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Its ID: 16 hexadecimal digits.
    pub episode: String,
    /// Who vouches.
    pub author: String,
    /// Why it is no reason to worry.
    pub reason: String,
    /// Until when the same is expected again.
    pub expires: Timestamp,
}

/// Who may see names of clients on the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identities {
    /// Whoever asks from this machine, by a name of the loopback.
    #[default]
    Loopback,
    /// No page shows them.
    Nobody,
}
