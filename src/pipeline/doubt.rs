//! Doubt: lines whose time leaps ahead of the line before them. One line with a
//! time of the next century must not carry all the others there, where every
//! role is idle and every request given up. So a leap is only believed once the
//! lines behind it are there too. Whether it is depends on the log alone, not on
//! when it is read; the clock only spares the last line of a live log the wait.

use super::input::Item;
use crate::event::Timestamp;
use crate::source::Position;
use std::collections::VecDeque;
use std::time::Instant;

/// A step ahead of more than this, in nanoseconds, is a leap. Shorter ones do little harm.
const LEAP: i64 = 3_600_000_000_000;
/// So many lines with a time, the first included, prove a leap.
const PROOF: usize = 8;
/// So many steps of any kind, so that lines without a time cannot pile up here.
const WAITING_MOST: usize = 1_024;
/// At the end of a finished log a leap of at most so much, in nanoseconds, needs no proof:
/// a quiet month is nothing strange.
const QUIET: i64 = 30 * 86_400_000_000_000;
/// Why the time of a line that leapt for no reason could not be used: the label `reason`.
const WRONG_TIME: &str = "wrong_time";

/// A step that was read and waits for those behind it.
pub(super) struct Waiting {
    /// Its time, where it has one.
    pub(super) at: Option<Timestamp>,
    pub(super) read: Instant,
    pub(super) item: Item,
    /// Where it begins.
    pub(super) position: Position,
}

/// The steps from a leap on, in their order; none for most of the time.
#[derive(Default)]
pub(super) struct Doubt {
    waiting: VecDeque<Waiting>,
    end: Option<End>,
}

/// Why no step comes now.
enum End {
    /// The log may grow; that was the wall time.
    Idle(Timestamp),
    Ended,
}

/// What the lines behind a leap say of it.
enum Verdict {
    Believed,
    /// The log goes on where it was, at that time.
    Refuted(Timestamp),
    Open,
}

impl Doubt {
    /// Whether a line of that time, after one of the time `floor`, has to wait here.
    pub(super) fn holds(&self, at: Option<Timestamp>, floor: Timestamp) -> bool {
        !self.waiting.is_empty() || at.is_some_and(|at| leaps(at, floor))
    }

    /// Takes a step that has to wait.
    pub(super) fn push(&mut self, next: Waiting) {
        self.end = None;
        self.waiting.push_back(next);
    }

    /// The log is at its end at that moment of wall time, and may grow.
    pub(super) fn idle(&mut self, wall: Timestamp) {
        self.end = Some(End::Idle(wall));
    }

    /// The log has ended.
    pub(super) fn end(&mut self) {
        self.end = Some(End::Ended);
    }

    /// The first step, if it need not wait any more after a line of the time `floor`.
    pub(super) fn pop(&mut self, floor: Timestamp) -> Option<Waiting> {
        let told = self.waiting.front()?.at.filter(|at| leaps(*at, floor));
        let verdict = told.map_or(Verdict::Believed, |told| self.verdict(told, floor));
        if matches!(verdict, Verdict::Open) {
            return None;
        }
        let mut first = self.waiting.pop_front()?;
        if let Verdict::Refuted(at) = verdict {
            first.at = Some(at);
            if let Item::Line { unreadable, .. } = &mut first.item {
                unreadable.get_or_insert(WRONG_TIME);
            }
        }
        Some(first)
    }

    /// Where the first step begins.
    pub(super) fn position(&self) -> Option<&Position> {
        self.waiting.front().map(|first| &first.position)
    }

    fn verdict(&self, told: Timestamp, floor: Timestamp) -> Verdict {
        let mut behind = self.waiting.iter().filter_map(|line| line.at);
        if let Some(back) = behind.find(|at| leaps(told, *at)) {
            return Verdict::Refuted(back.max(floor));
        }
        let proven = self.waiting.len() >= WAITING_MOST
            || self.waiting.iter().filter(|line| line.at.is_some()).count() >= PROOF;
        match self.end {
            _ if proven => Verdict::Believed,
            None => Verdict::Open,
            Some(End::Idle(wall)) if leaps(told, wall) => Verdict::Open,
            Some(End::Ended) if floor > Timestamp::MIN && told.nanos_since(floor) > QUIET => {
                Verdict::Refuted(floor)
            }
            Some(End::Idle(_) | End::Ended) => Verdict::Believed,
        }
    }
}

fn leaps(to: Timestamp, from: Timestamp) -> bool {
    to.nanos_since(from) > LEAP
}
