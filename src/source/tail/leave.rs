//! Leaving: the file being read has no more, and what follows from that.

use super::super::content::id_of;
use super::super::find::{self, Trouble};
use super::super::position::After;
use super::super::siblings::{Sibling, list};
use super::keep::Next;
use super::late::Late;
use super::{Cut, Flow, Notice, Reading, Tail};
use crate::source::Rotation;
use std::io::ErrorKind;
use std::time::Instant;

impl Tail {
    /// The file being read has no more now. Is it still the log's, or has another followed?
    pub(super) fn at_end(&mut self, now: Instant, line: &mut Vec<u8>) -> Result<Flow, Trouble> {
        if let Some(step) = self.read_late(now, line) {
            return Ok(Flow::Step(step));
        }
        let Some(reading) = &mut self.reading else {
            return Ok(Flow::Again);
        };
        let segment = &mut reading.segment;
        let names = segment.look().map_err(|error| Trouble::at(segment.path().as_ref(), &error))?;
        if segment.unread() != reading.seen || (names == 0) != reading.nameless {
            reading.seen = segment.unread();
            reading.nameless = names == 0;
            reading.last_sign = now;
        }
        match std::fs::metadata(self.log.path()) {
            Ok(metadata) if id_of(&metadata) == segment.id() => {
                reading.draining = false;
                self.backlog = 0;
                self.kept.caught_up(segment.id());
                return Ok(Flow::Idle);
            }
            Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(Trouble::at(self.log.path(), &error));
            }
            _ => {}
        }
        let list = list(&self.log).map_err(|error| Trouble::at(self.log.path(), &error))?;
        let max_line = self.options.max_line_bytes;
        let listed = find::after(&list, segment, max_line)?;
        let next = self.kept.join(&list, listed, max_line);
        let candidates: Vec<&Sibling> = next.iter().map(Next::sibling).collect();
        self.backlog = candidates.iter().map(|sibling| sibling.len).sum();
        match find::successor(&candidates, segment)? {
            Some(_) if segment.is_plain() && !reading.draining => {
                reading.draining = true;
                Ok(Flow::Again)
            }
            Some(sibling) => self.switch(sibling, now, line),
            None if reading.nameless
                && now.saturating_duration_since(reading.last_sign) >= self.options.release_after =>
            {
                self.release(line);
                Ok(Flow::Again)
            }
            None => Ok(Flow::Idle),
        }
    }

    /// Goes on in the file after the one being read.
    fn switch(&mut self, sibling: &Sibling, now: Instant, line: &mut Vec<u8>) -> Result<Flow, Trouble> {
        let Some(new) = self.open(sibling)? else {
            return Ok(Flow::Idle);
        };
        let Some(mut old) = self.reading.take() else {
            return Ok(Flow::Again);
        };
        self.kept.passed(new.id());
        let torn = self.cut.take().is_some_and(|cut| cut.rest && cut.id == new.id());
        if Self::tear(&mut old, line) || torn {
            self.notices.push_back((Notice::Torn, old.position()));
        }
        let mut after = old.position();
        after.after = Some(After::Rotated);
        if old.told {
            self.main = after.clone();
        } else {
            let rotation = if old.copy { Rotation::Truncated } else { Rotation::Renamed };
            self.notices.push_back((Notice::Rotated(rotation), after.clone()));
        }
        if self.kept.take_lost() {
            self.notices.push_back((Notice::Gap, after.clone()));
        }
        self.backlog = self.backlog.saturating_sub(sibling.len);
        self.late = Late::new(old.segment, now + self.options.release_after);
        self.reading = Some(Reading::new(new, after, now));
        Ok(Flow::Again)
    }

    /// Lets a deleted file go, so that its space on the disk becomes free.
    fn release(&mut self, line: &mut Vec<u8>) {
        let Some(mut old) = self.reading.take() else {
            return;
        };
        tracing::info!(file = old.segment.path(), "The file was deleted and is read out; it is closed");
        let torn = Self::tear(&mut old, line);
        let mut after = old.position();
        after.after = Some(After::Released);
        self.late = None;
        if torn {
            self.notices.push_back((Notice::Torn, after));
        } else {
            self.main = after;
        }
    }

    /// Takes an unfinished line that nobody will finish; says whether there was one.
    fn tear(old: &mut Reading, line: &mut Vec<u8>) -> bool {
        // Where an archive breaks was told already. An error can only come from reading a too
        // long first line again to mark it: then the position stays before the line, and it is
        // torn once more after a restart.
        !old.broken && old.segment.has_rest() && old.segment.take_rest(line).is_ok()
    }

    /// The file no longer holds what was read: its unread end has to be sought in a copy.
    pub(super) fn truncated(&mut self) {
        if let Some(old) = self.reading.take() {
            self.main = old.position();
            self.cut = Some(Cut {
                id: old.segment.id(),
                rest: old.segment.has_rest(),
                unread: old.segment.unseen() > 0,
            });
            self.searched = None;
        }
    }

    /// A compressed file ends or breaks in the middle, or is still being written.
    pub(super) fn breaks(&mut self, error: &std::io::Error) -> Result<Flow, Trouble> {
        let Some(reading) = &mut self.reading else {
            return Ok(Flow::Again);
        };
        let len = reading.segment.len();
        let segment = &mut reading.segment;
        if let Err(error) = segment.look() {
            return Err(Trouble::at(segment.path().as_ref(), &error));
        }
        if segment.len() != len {
            // It grew: decode it anew, from where it was left.
            self.main = reading.position();
            self.reading = None;
            self.searched = None;
            return Ok(Flow::Idle);
        }
        tracing::error!(
            file = segment.path(),
            %error,
            "The compressed file breaks in the middle; the lines after that place are lost. \
             Restore it from a backup and analyze it by itself"
        );
        reading.broken = true;
        let mut after = reading.position();
        after.after = Some(After::Broken);
        self.notices.push_back((Notice::BrokenArchive, after));
        Ok(Flow::Again)
    }
}
