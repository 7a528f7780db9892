//! Seeking: no file is open, and the one to read is chosen, by the position or as the first.

use super::super::content::has_head;
use super::super::find::{self, Trouble};
use super::super::position::{After, Position};
use super::super::segment::Segment;
use super::super::siblings::{self, Sibling, is_of_one_moment};
use super::{Flow, Notice, Reading, Tail};
use crate::config::StartAt;
use crate::source::Rotation;
use crate::source::content::Content;
use std::time::Instant;

impl Tail {
    /// Finds the file to read next.
    pub(super) fn seek(&mut self, now: Instant) -> Result<Flow, Trouble> {
        let list = siblings::list(&self.log).map_err(|error| Trouble::at(self.log.path(), &error))?;
        if self.searched.as_ref() == Some(&list) {
            return Ok(Flow::Idle);
        }
        let flow = if !self.started {
            self.first(&list, now)?
        } else if self.main.file.is_some() {
            self.resume(&list, now)?
        } else {
            self.begin(&list, now)?
        };
        if let Flow::Idle = flow {
            self.searched = Some(list);
        } else {
            self.searched = None;
            let id = self.reading.as_ref().map(|reading| reading.segment.id());
            let at = list.iter().position(|sibling| Some(sibling.id) == id);
            self.backlog = at.map_or(0, |at| list[at + 1..].iter().map(|file| file.len).sum());
        }
        Ok(flow)
    }

    /// The first start: from the beginning of what the user asked for, or after all there is.
    fn first(&mut self, list: &[Sibling], now: Instant) -> Result<Flow, Trouble> {
        let newest_of = |skipped: &dyn Fn(&Sibling) -> bool| {
            let times = list.iter().filter(|sibling| skipped(sibling));
            times.map(|sibling| sibling.modified).max().unwrap_or(0)
        };
        match self.options.start_at {
            StartAt::Beginning => {
                let base = Position::before_all(newest_of(&|sibling| !sibling.wanted));
                let wanted = list.iter().filter(|sibling| sibling.wanted);
                if let Some(sibling) = first_with_bytes(wanted)? {
                    let Some(segment) = self.open(sibling)? else {
                        return Ok(Flow::Again);
                    };
                    self.reading = Some(Reading::new(segment, base.clone(), now));
                }
                self.main = base;
            }
            StartAt::End => {
                let newest = list.last();
                let end = match newest {
                    Some(newest) => Segment::open_at_end(newest, self.options.max_line_bytes)
                        .map_err(|error| Trouble::at(&newest.path, &error))?,
                    None => None,
                };
                if let Some(segment) = end {
                    let reading = Reading::new(segment, Position::default(), now);
                    self.main = reading.position();
                    self.reading = Some(reading);
                } else {
                    // Nothing whole is there to be skipped in the live file.
                    self.main = Position::before_all(newest_of(&|sibling| !sibling.live));
                }
            }
        }
        self.started = true;
        Ok(Flow::Again)
    }

    /// Reads on after what stands before the position.
    fn resume(&mut self, list: &[Sibling], now: Instant) -> Result<Flow, Trouble> {
        let found = find::locate(list, &self.main, self.options.max_line_bytes)?;
        if found.is_none() {
            // A rotation while it was sought may have moved it to where it was not sought any more.
            let again = siblings::list(&self.log).map_err(|error| Trouble::at(self.log.path(), &error))?;
            if !is_of_one_moment(list, &again) {
                return Ok(Flow::Again);
            }
        }
        if found.is_none()
            && list.is_empty()
            && self.cut.is_none()
            && self.main.after != Some(After::Released)
        {
            // Its volume may come yet: there is nothing to go on with anyway.
            return Err(Trouble(format!(
                "{}: neither the log, which was read before, nor any rotated file of it is there. Remedy: mount its \
                 volume; if its files were deleted, reading goes on when there is a new one",
                self.log.path().display()
            )));
        }
        self.resume_late(list, now);
        let cut = self.cut.take();
        let had_cut = cut.is_some();
        if let Some(segment) = found {
            let mut reading = Reading::new(segment, self.main.clone(), now);
            reading.told = self.main.after == Some(After::Rotated);
            reading.broken = self.main.after == Some(After::Broken);
            // If nothing of the truncated file was read but the start of a line, that start is
            // torn should no copy follow.
            self.cut = cut.filter(|cut| !self.main.is_in(cut.id));
            reading.copy = had_cut && self.cut.is_none();
            self.reading = Some(reading);
            return Ok(Flow::Again);
        }
        if let Some(segment) = self.shortened(list)? {
            if cut.is_some_and(|cut| cut.rest) {
                self.notices.push_back((Notice::Torn, self.main.clone()));
            }
            let reading = Reading::new(segment, self.main.clone(), now);
            let notice = Notice::Rotated(Rotation::Truncated);
            self.notices.push_back((notice, reading.position()));
            self.reading = Some(reading);
            return Ok(Flow::Again);
        }
        let base = Position::before_all(self.main.at);
        if let Some(cut) = cut {
            if cut.rest {
                self.notices.push_back((Notice::Torn, self.main.clone()));
            }
            if cut.unread {
                self.lost("it was truncated, and no copy of it was found beside it");
                self.notices.push_back((Notice::Gap, self.main.clone()));
            }
            let notice = Notice::Rotated(Rotation::Truncated);
            self.notices.push_back((notice, base));
        } else if self.main.after == Some(After::Released) {
            if first_with_bytes(find::later(list, base.at))?.is_none() {
                return Ok(Flow::Idle);
            }
            let notice = Notice::Rotated(Rotation::Renamed);
            self.notices.push_back((notice, base));
        } else {
            self.lost("neither it nor its content is there any more");
            self.notices.push_back((Notice::Gap, base));
        }
        Ok(Flow::Again)
    }

    /// Reads the oldest file after the position, which is in none.
    fn begin(&mut self, list: &[Sibling], now: Instant) -> Result<Flow, Trouble> {
        let Some(sibling) = first_with_bytes(find::later(list, self.main.at))? else {
            return Ok(Flow::Idle);
        };
        let Some(segment) = self.open(sibling)? else {
            return Ok(Flow::Idle);
        };
        self.resume_late(list, now);
        if let Some(cut) = self.cut.take()
            && cut.id == segment.id()
        {
            if cut.rest {
                self.notices.push_back((Notice::Torn, self.main.clone()));
            }
            let notice = Notice::Rotated(Rotation::Truncated);
            self.notices.push_back((notice, self.main.clone()));
        }
        self.reading = Some(Reading::new(segment, self.main.clone(), now));
        Ok(Flow::Again)
    }

    /// The file of the position, if it only lost its end: the part before is not read again.
    fn shortened(&self, list: &[Sibling]) -> Result<Option<Segment>, Trouble> {
        let Some(file) = &self.main.file else {
            return Ok(None);
        };
        let Some(sibling) = list.iter().find(|sibling| sibling.id == file.id) else {
            return Ok(None);
        };
        let same_head = |content: &mut Content| {
            content.is_plain()
                && sibling.len < self.main.offset
                && has_head(content, file.head).unwrap_or(false)
        };
        let open = || {
            if same_head(&mut Content::open(&sibling.path)?) {
                Segment::open_at_end(sibling, self.options.max_line_bytes)
            } else {
                Ok(None)
            }
        };
        open().map_err(|error: std::io::Error| Trouble::at(&sibling.path, &error))
    }

    fn lost(&self, reason: &str) {
        let file = self.main.file.as_ref().map_or("", |file| &file.path);
        tracing::error!(
            log = %self.log.path().display(),
            file,
            offset = self.main.offset,
            "Lines of the log were lost: {reason}. Keep rotated files longer than leasewatch is \
             ever down, beside the log, and prefer `create` to `copytruncate`"
        );
    }
}

fn first_with_bytes<'a>(
    siblings: impl IntoIterator<Item = &'a Sibling>,
) -> Result<Option<&'a Sibling>, Trouble> {
    for sibling in siblings {
        if find::holds_bytes(sibling)? {
            return Ok(Some(sibling));
        }
    }
    Ok(None)
}
