//! Late bytes: what a writer puts into a file after its successor has a byte.
//!
//! A writer that closes before it opens never does; two processes at a handover may. The file
//! that was left is watched for some seconds, and positions name both places meanwhile.

use super::super::find;
use super::super::position::{After, Position};
use super::super::segment::{Piece, Segment};
use super::super::siblings::Sibling;
use super::{Step, Tail, step};
use std::sync::Arc;
use std::time::Instant;

/// The file that was left last.
pub(super) struct Late {
    segment: Segment,
    position: Arc<Position>,
    until: Instant,
}

impl Late {
    /// Watches `segment`; none if it cannot grow or no position can name it.
    pub(super) fn new(segment: Segment, until: Instant) -> Option<Self> {
        if !segment.is_plain() {
            return None;
        }
        let position = Arc::new(segment.next_position()?);
        Some(Self { segment, position, until })
    }

    /// Adds the place in the file that was left to one in its successor.
    pub(super) fn join(&self, mut main: Position) -> Position {
        // Until the successor has a line, the position is in this file anyway.
        if !main.is_in(self.segment.id()) {
            main.late = Some(self.position.clone());
        }
        main
    }
}

impl Tail {
    /// Takes what has come into the file that was left.
    pub(super) fn read_late(&mut self, now: Instant, line: &mut Vec<u8>) -> Option<Step> {
        let late = self.late.as_mut()?;
        let piece = late.segment.next(line);
        let piece = match piece {
            Ok(piece @ (Piece::Line | Piece::TooLong)) => piece,
            Ok(Piece::End) if now < late.until => return None,
            // Over, or no longer the file that it was: it had been read to its end.
            Ok(_) | Err(_) => {
                let torn = late.segment.has_rest();
                self.late = None;
                self.here = std::mem::replace(&mut self.next, self.main.clone());
                return torn.then_some(Step::Notice(super::Notice::Torn));
            }
        };
        late.until = now + self.options.release_after;
        late.position = Arc::new(late.segment.next_position()?);
        if self.main.is_in(late.segment.id()) && self.main.after == Some(After::Rotated) {
            self.main = Position { after: Some(After::Rotated), ..Position::clone(&late.position) };
            if let Some(reading) = &mut self.reading {
                reading.arrival = self.main.clone();
            }
        }
        self.here = std::mem::take(&mut self.next);
        self.next = self.compose(self.main.clone());
        Some(step(&piece))
    }

    /// Opens the file that was left before a restart, if it is still there.
    pub(super) fn resume_late(&mut self, list: &[Sibling], now: Instant) {
        if let Some(position) = self.late_from.take() {
            let found = find::locate(list, &position, self.options.max_line_bytes);
            let until = now + self.options.release_after;
            self.late = found.ok().flatten().and_then(|segment| Late::new(segment, until));
        }
    }
}
