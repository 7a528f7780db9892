//! What is counted of a source itself, as far as its lines are applied.

use crate::event::Timestamp;
use crate::source::{Notice, Rotation};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Every reason why a line, or a part of one, may not be read: the values of the label `reason`.
pub const REASONS: [&str; 11] = [
    "broken_archive",
    "jsonx",
    "no_time",
    "not_json",
    "not_utf8",
    "too_long",
    "torn",
    "torn_end",
    "truncated",
    "wrong_shape",
    "wrong_time",
];

/// Counts of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Lines, unreadable ones included.
    pub lines: u64,
    /// Bytes of these lines, their ends included.
    pub bytes: u64,
    /// Lines, or parts of lines, that could not be read, by reason.
    pub unreadable: BTreeMap<String, u64>,
    /// Events that came when a later one of another source was already applied.
    pub late: u64,
    /// Rotations, by kind.
    pub rotations: BTreeMap<String, u64>,
    /// Times that lines were lost.
    pub gaps: u64,
    /// Time of the last line that had one.
    pub last_entry: Option<Timestamp>,
}

impl Stats {
    /// One more piece that could not be read.
    pub(super) fn unreadable(&mut self, reason: &str) {
        count(&mut self.unreadable, reason);
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::TooLong => self.unreadable("too_long"),
            Notice::Torn => self.unreadable("torn_end"),
            Notice::BrokenArchive => self.unreadable("broken_archive"),
            Notice::Rotated(Rotation::Renamed) => count(&mut self.rotations, "renamed"),
            Notice::Rotated(Rotation::Truncated) => count(&mut self.rotations, "truncated"),
            Notice::Gap => self.gaps += 1,
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, key: &str) {
    if let Some(times) = counts.get_mut(key) {
        *times += 1;
    } else {
        counts.insert(key.to_owned(), 1);
    }
}
