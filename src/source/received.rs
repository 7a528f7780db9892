//! Received logs: a spool in which lines of peers stand beside our own word that some are missing.

use super::{LineSource, Notice, Position, Status, Step};
use std::time::Instant;

/// How our own word begins. A peer's line never does: whoever writes the spool sees to that.
pub const OWN_WORD: u8 = 0x1e;

/// The line that says that lines were lost in its place.
pub const LOST: &[u8] = b"\x1elost";

/// A source of received lines.
pub struct Received<S>(S);

impl<S: LineSource> Received<S> {
    /// Wraps `inner`, which reads the spool.
    pub fn new(inner: S) -> Self {
        Self(inner)
    }
}

impl<S: LineSource> LineSource for Received<S> {
    fn next(&mut self, now: Instant, line: &mut Vec<u8>) -> Step {
        match self.0.next(now, line) {
            Step::Line if line == LOST => Step::Notice(Notice::Gap),
            step => step,
        }
    }

    fn position(&self) -> Position {
        self.0.position()
    }

    fn next_position(&self) -> Position {
        self.0.next_position()
    }

    fn status(&self) -> Status {
        self.0.status()
    }
}
