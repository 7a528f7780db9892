//! News: what has just happened to an episode, for the program's own log. It names nobody: a log is
//! shipped to where audit logs are not.

use super::id::EpisodeId;
use super::record::Record;
use crate::anomaly::Severity;
use crate::event::Timestamp;

/// News of one episode.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// What happened.
    pub what: Change,
    /// When.
    pub at: Timestamp,
    /// To which.
    pub episode: EpisodeId,
    /// How much somebody should care.
    pub severity: Severity,
    /// The highest score so far.
    pub score: f64,
    /// What it rests on, the strongest first.
    pub components: Vec<&'static str>,
    /// Namespace, mount and role that it was about when it was highest; the role may be empty.
    pub about: Option<[String; 3]>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It began.
    Opened,
    /// It became more severe.
    Rose,
    /// Nothing more came of it.
    Closed,
}

/// More than anybody takes are not kept.
pub(super) const MOST: usize = 256;

impl News {
    pub(super) fn of(what: Change, at: Timestamp, episode: EpisodeId, record: &Record) -> Self {
        let about = record.about.and_then(|place| record.touched.get(place));
        Self {
            what,
            at,
            episode,
            severity: record.severity_at(at),
            score: record.score,
            components: record.components().map(|held| held.evidence.component.name()).collect(),
            about: about
                .map(|touched| [&touched.namespace, &touched.mount, &touched.role].map(ToString::to_string)),
        }
    }
}
