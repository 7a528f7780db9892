//! A block: lines that stand one behind the other in a finished log, and what came of them.

use super::TOLD_MOST;
use crate::pipeline::decode::{Lines, decode};
use crate::pipeline::input::Taken;
use crate::source::{LineSource, Notice, Step};
use std::time::Instant;

/// Bytes of a block: so many that handing it on costs nothing, so few that it stays in the cache.
const BLOCK_BYTES: usize = 256 << 10;
/// Lines of a block, for logs of short ones.
const BLOCK_LINES: usize = 1 << 10;

/// What came of a block.
#[derive(Default)]
pub(super) struct Block {
    pub(super) steps: Vec<Taken>,
    pub(super) unreadable: Vec<Unreadable>,
}

/// A line that could not be read.
pub(super) struct Unreadable {
    pub(super) reason: &'static str,
    pub(super) place: Place,
}

/// Where a line begins.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Which of the log's files.
    pub(super) file: u64,
    /// Byte of its content, uncompressed.
    pub(super) byte: u64,
}

/// Lines that stand one behind the other, and what is no line.
#[derive(Default)]
pub(super) struct Raw {
    bytes: Vec<u8>,
    steps: Vec<RawStep>,
}

struct RawStep {
    what: RawKind,
    place: Place,
}

enum RawKind {
    /// Its end in `bytes`.
    Line(usize),
    Notice(Notice),
}

impl Raw {
    /// Empties it, for the next block.
    pub(super) fn clear(&mut self) {
        self.steps.clear();
        self.bytes.clear();
        // One line of many megabytes must not hold its memory for ever.
        self.bytes.shrink_to(4 * BLOCK_BYTES);
    }

    /// Reads a block; whether the log ends behind it.
    pub(super) fn fill(&mut self, source: &mut dyn LineSource) -> bool {
        let mut line = Vec::new();
        while self.bytes.len() < BLOCK_BYTES && self.steps.len() < BLOCK_LINES {
            let what = match source.next(Instant::now(), &mut line) {
                Step::Line => {
                    if self.bytes.is_empty() && line.len() > BLOCK_BYTES {
                        // No second copy of many megabytes.
                        std::mem::swap(&mut self.bytes, &mut line);
                    } else {
                        self.bytes.extend_from_slice(&line);
                    }
                    RawKind::Line(self.bytes.len())
                }
                Step::Notice(notice) => RawKind::Notice(notice),
                // A finished log waits for nothing.
                Step::Idle | Step::End => return true,
            };
            let position = source.position();
            let place = Place { file: position.input, byte: position.offset };
            self.steps.push(RawStep { what, place });
        }
        false
    }

    /// Decodes what was read.
    pub(super) fn decode(&self, lines: Lines) -> Block {
        let mut block = Block { steps: Vec::with_capacity(self.steps.len()), unreadable: Vec::new() };
        let mut start = 0;
        for RawStep { what, place } in &self.steps {
            let (step, reason) = match what {
                RawKind::Line(end) => {
                    let line = &self.bytes[std::mem::replace(&mut start, *end)..*end];
                    let decoded = decode(lines, line);
                    let reason = decoded.unreadable;
                    (Taken::Line { bytes: line.len() as u64 + 1, decoded }, reason)
                }
                RawKind::Notice(notice) => {
                    let reason = (*notice == Notice::TooLong).then_some("too_long");
                    (Taken::Notice(*notice), reason)
                }
            };
            block.steps.push(step);
            if let Some(reason) = reason.filter(|_| block.unreadable.len() <= TOLD_MOST) {
                block.unreadable.push(Unreadable { reason, place: *place });
            }
        }
        block
    }
}
