//! An input: one source with the one line of it that is read but not yet applied.

use super::ahead::{Ahead, Reading};
use super::decode::{Decoded, Lines, decode};
use super::doubt::{Doubt, Waiting};
use super::stats::Stats;
use crate::event::{Event, Timestamp};
use crate::source::{LineSource, Notice, Position, Status, Step};
use std::sync::Arc;
use std::time::Instant;

/// One source of the pipeline.
pub struct Input {
    /// The label `source`.
    pub name: String,
    /// What kind of lines it has.
    pub lines: Lines,
    /// The node whose log it is; empty where it is of none in particular.
    pub(super) node: String,
    source: Source,
    pub(super) stats: Stats,
    /// Time of the last line read: none is earlier, whatever it says.
    floor: Timestamp,
    /// The same for the last line applied.
    applied_floor: Timestamp,
    pub(super) head: Option<Head>,
    pub(super) rest: Rest,
    doubt: Doubt,
    /// How far the source's clock was seen ahead of ours, in nanoseconds.
    ahead: i64,
}

/// Where steps come from.
enum Source {
    /// One by one, when they are asked for.
    Direct { source: Box<dyn LineSource>, buffer: Vec<u8> },
    /// From blocks that are read ahead.
    Ahead(Reading),
}

/// A step of a source, its line decoded.
pub(super) enum Taken {
    Line { bytes: u64, decoded: Decoded },
    Notice(Notice),
    Idle,
    End,
}

/// A step that was taken but not applied.
pub(super) struct Head {
    pub(super) at: Timestamp,
    pub(super) read: Instant,
    pub(super) item: Item,
    /// Where it begins, if it is not what the source gave last.
    position: Option<Position>,
}

/// What is applied.
pub(super) enum Item {
    Line { bytes: u64, event: Option<Event>, unreadable: Option<&'static str> },
    Notice(Notice),
}

/// What there is behind the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Not looked at since.
    Unseen,
    /// Nothing at that moment of wall time.
    Idle(Timestamp),
    /// Nothing ever again.
    Ended,
}

impl Input {
    /// An input that begins where its source does.
    pub fn new(name: impl Into<String>, lines: Lines, source: Box<dyn LineSource>) -> Self {
        Self::of(name.into(), lines, Source::Direct { source, buffer: Vec::new() })
    }

    /// An input whose source of those files is finished, and read `ahead`. It has no position: it is
    /// read to its end, or begun anew.
    pub fn finished(
        name: impl Into<String>,
        lines: Lines,
        source: Box<dyn LineSource>,
        files: Vec<String>,
        ahead: &Arc<Ahead>,
    ) -> Self {
        Self::of(name.into(), lines, Source::Ahead(Reading::new(ahead, lines, source, files)))
    }

    fn of(name: String, lines: Lines, source: Source) -> Self {
        Self {
            name,
            lines,
            node: String::new(),
            source,
            stats: Stats::default(),
            floor: Timestamp::MIN,
            applied_floor: Timestamp::MIN,
            head: None,
            rest: Rest::Unseen,
            doubt: Doubt::default(),
            ahead: 0,
        }
    }

    /// It is the log of this node.
    #[must_use]
    pub fn of_node(mut self, node: Option<&str>) -> Self {
        node.unwrap_or("").clone_into(&mut self.node);
        self
    }

    /// Takes up what was counted of it before.
    #[must_use]
    pub fn resumed(mut self, stats: Stats, floor: Timestamp) -> Self {
        self.stats = stats;
        self.floor = floor;
        self.applied_floor = floor;
        self
    }

    /// Takes the next step, if there is no head and there may be something.
    pub(super) fn fill(&mut self, now: Instant, wall: Timestamp) {
        while self.head.is_none() {
            if let Some(Waiting { at, read, item, position }) = self.doubt.pop(self.floor) {
                self.put(at, read, wall, item, Some(position));
                return;
            }
            if self.rest != Rest::Unseen {
                return;
            }
            let (at, item) = match self.source.next(self.lines, now) {
                Taken::Line { bytes, decoded: Decoded { event, unreadable } } => {
                    // A line that only goes on with the one before says nothing about the time.
                    let at = event.as_ref().map(|event| event.at).filter(|at| *at > Timestamp::MIN);
                    (at, Item::Line { bytes, event, unreadable })
                }
                Taken::Notice(notice) => (None, Item::Notice(notice)),
                Taken::Idle => {
                    self.rest = Rest::Idle(wall);
                    self.doubt.idle(wall);
                    continue;
                }
                Taken::End => {
                    self.rest = Rest::Ended;
                    self.doubt.end();
                    continue;
                }
            };
            if self.doubt.holds(at, self.floor) {
                let position = self.source.position();
                self.doubt.push(Waiting { at, read: now, item, position });
            } else {
                self.put(at, now, wall, item, None);
            }
        }
    }

    fn put(
        &mut self,
        at: Option<Timestamp>,
        read: Instant,
        wall: Timestamp,
        item: Item,
        position: Option<Position>,
    ) {
        if let Some(at) = at {
            self.floor = self.floor.max(at);
            self.ahead = self.ahead.max(at.nanos_since(wall));
        }
        self.head = Some(Head { at: self.floor, read, item, position });
    }

    /// Another input has a head of that time. Whether this one, which has none,
    /// can still come up with something earlier.
    pub(super) fn may_precede(
        &self,
        head: &Head,
        ahead: i64,
        now: Instant,
        settle: std::time::Duration,
    ) -> bool {
        match self.rest {
            Rest::Ended => false,
            Rest::Unseen => true,
            Rest::Idle(seen) => {
                let settled = now.duration_since(head.read) >= settle;
                let settle = i64::try_from(settle.as_nanos()).unwrap_or(i64::MAX);
                !settled && head.at.plus_nanos(-ahead) > seen.plus_nanos(-settle)
            }
        }
    }

    /// How far its clock is ahead of ours, in nanoseconds.
    pub(super) fn ahead(&self) -> i64 {
        self.ahead
    }

    /// It may have something again.
    pub(super) fn look_again(&mut self, now: Instant) {
        if let Source::Direct { source, .. } = &mut self.source {
            source.keep_up(now);
        }
        if self.rest != Rest::Ended {
            self.rest = Rest::Unseen;
        }
    }

    /// Takes the head off, to be applied.
    pub(super) fn take(&mut self) -> Option<Head> {
        let head = self.head.take()?;
        self.applied_floor = head.at;
        Some(head)
    }

    /// Time of the last line applied.
    pub(super) fn applied_to(&self) -> Timestamp {
        self.applied_floor
    }

    /// How the source is.
    pub fn status(&self) -> Status {
        match &self.source {
            Source::Direct { source, .. } => source.status(),
            Source::Ahead(reading) => reading.status(),
        }
    }

    /// What is counted of it.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The first line that is not applied.
    pub fn position(&self) -> Position {
        match &self.head {
            Some(Head { position: Some(position), .. }) => position.clone(),
            Some(_) => self.source.position(),
            None => self.doubt.position().cloned().unwrap_or_else(|| self.source.next_position()),
        }
    }
}

impl Source {
    fn next(&mut self, lines: Lines, now: Instant) -> Taken {
        let (source, buffer) = match self {
            Self::Ahead(reading) => return reading.next(),
            Self::Direct { source, buffer } => (source, buffer),
        };
        match source.next(now, buffer) {
            Step::Line => {
                let taken = Taken::Line { bytes: buffer.len() as u64 + 1, decoded: decode(lines, buffer) };
                // One line of many megabytes must not hold its memory for ever.
                if buffer.capacity() > 1 << 20 {
                    *buffer = Vec::new();
                }
                taken
            }
            Step::Notice(notice) => Taken::Notice(notice),
            Step::Idle => Taken::Idle,
            Step::End => Taken::End,
        }
    }

    /// Where the step that was taken last begins.
    fn position(&self) -> Position {
        match self {
            Self::Direct { source, .. } => source.position(),
            Self::Ahead(_) => Position::default(),
        }
    }

    /// Where the next one begins.
    fn next_position(&self) -> Position {
        match self {
            Self::Direct { source, .. } => source.next_position(),
            Self::Ahead(_) => Position::default(),
        }
    }
}
