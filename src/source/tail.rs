//! A tail: one live log across its rotations, whole and without repetition.
//!
//! The rule that makes a rotation lossless: the writer closes the old file before it writes to
//! the new one, so the old one is read until a newer one holds a byte, then once more to its
//! end, and left then. For writers of other habits it is watched a while longer (`late`).
//! Whatever else happens (truncation, a copy, compression, a deleted file, a restart) is one
//! thing here: `seek` looks for the content that stands before the position, in whatever file it
//! lies by now, and reads on there.
//!
//! It knows neither when to look again (`doorbell`) nor what the lines mean.

mod keep;
mod late;
mod leave;
mod seek;

use self::keep::Kept;
use self::late::Late;
use super::find::{Trouble, is_broken};
use super::logs::LogPath;
use super::position::{FileId, Position};
use super::segment::{Piece, Segment};
use super::siblings::Sibling;
use super::{LineSource, Notice, Status, Step};
use crate::config::StartAt;
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// How a log is tailed.
#[derive(Clone, Debug)]
pub struct TailOptions {
    /// Where to begin on the first start.
    pub start_at: StartAt,
    /// A longer line is skipped. Bytes, without the line's end.
    pub max_line_bytes: usize,
    /// How long after its last byte a deleted file is let go, and how long a file that was left
    /// is watched for late bytes.
    pub release_after: Duration,
}

impl Default for TailOptions {
    fn default() -> Self {
        Self {
            start_at: StartAt::Beginning,
            max_line_bytes: 32 * 1024 * 1024,
            release_after: Duration::from_secs(5),
        }
    }
}

/// One live log across its rotations.
pub struct Tail {
    log: LogPath,
    options: TailOptions,
    /// False until the files of a first start were chosen.
    started: bool,
    reading: Option<Reading>,
    late: Option<Late>,
    kept: Kept,
    /// Of the position this was resumed from, not yet opened.
    late_from: Option<Position>,
    /// A truncated file, while its unread end is sought.
    cut: Option<Cut>,
    /// Where the next step begins, leaving out `late`.
    main: Position,
    /// The same with it.
    next: Position,
    /// Where the last step began.
    here: Position,
    /// What is told before reading goes on, each with the position after it.
    notices: VecDeque<(Notice, Position)>,
    trouble: Option<String>,
    /// Bytes of the files after the one being read.
    backlog: u64,
    /// The last listing in which nothing was found.
    searched: Option<Vec<Sibling>>,
}

/// The file being read.
#[allow(clippy::struct_excessive_bools)] // independent facts
struct Reading {
    segment: Segment,
    /// The position until its first line is known by its content.
    arrival: Position,
    /// That reading goes on after this file was told.
    told: bool,
    /// It is the copy of a truncated file.
    copy: bool,
    /// A newer file holds a byte, and this is read to its end for the last time.
    draining: bool,
    /// It is compressed and breaks here.
    broken: bool,
    /// When a byte last came, or the file was seen to have lost its last name.
    last_sign: Instant,
    /// Its last name is gone.
    nameless: bool,
    /// Bytes unread when last looked, to notice new ones.
    seen: u64,
}

impl Reading {
    fn new(segment: Segment, arrival: Position, now: Instant) -> Self {
        Self {
            segment,
            arrival,
            told: false,
            copy: false,
            draining: false,
            broken: false,
            last_sign: now,
            nameless: false,
            seen: 0,
        }
    }

    fn position(&self) -> Position {
        self.segment.next_position().unwrap_or_else(|| self.arrival.clone())
    }
}

/// A truncated file.
struct Cut {
    id: FileId,
    /// A line had begun.
    rest: bool,
    /// Bytes are known to have been unread.
    unread: bool,
}

/// How it goes on inside `next`.
enum Flow {
    Step(Step),
    Again,
    Idle,
}

/// More rounds without a line than any real state of files needs: what is left waits for the
/// next look.
const MOST_ROUNDS: usize = 1000;

impl LineSource for Tail {
    fn next(&mut self, now: Instant, line: &mut Vec<u8>) -> Step {
        for _ in 0..MOST_ROUNDS {
            if let Some((notice, after)) = self.notices.pop_front() {
                self.main = after;
                let next = self.compose(self.main.clone());
                self.here = std::mem::replace(&mut self.next, next);
                return Step::Notice(notice);
            }
            let flow = if self.reading.is_some() { self.read(now, line) } else { self.seek(now) };
            match flow {
                Ok(Flow::Step(step)) => {
                    self.cured();
                    return step;
                }
                Ok(Flow::Again) => {}
                Ok(Flow::Idle) => {
                    self.cured();
                    break;
                }
                Err(Trouble(text)) => {
                    self.let_go_of_the_dead();
                    if self.trouble.as_ref() != Some(&text) {
                        tracing::warn!(trouble = %text, "The log cannot be read; nothing is lost while its files stay");
                    }
                    self.trouble = Some(text);
                    break;
                }
            }
        }
        if self.notices.is_empty() {
            self.next = self.compose(self.main.clone());
        }
        self.here = self.next.clone();
        Step::Idle
    }

    fn keep_up(&mut self, now: Instant) {
        self.keep(now);
    }

    fn position(&self) -> Position {
        self.here.clone()
    }

    fn next_position(&self) -> Position {
        self.next.clone()
    }

    fn status(&self) -> Status {
        let segment = self.reading.as_ref().map(|reading| &reading.segment);
        Status {
            lag_bytes: self.backlog + segment.map_or(0, Segment::unread),
            path: segment.map(|segment| segment.path().to_owned()),
            trouble: self.trouble.clone(),
        }
    }
}

impl Tail {
    /// A tail of `log`, from the position of an earlier run on if there was one. Opens nothing
    /// yet: whatever is wrong with the files shows in the status.
    pub fn new(log: LogPath, options: TailOptions, from: Option<Position>) -> Self {
        if !log.can_be_listed() {
            tracing::warn!(
                log = %log.path().display(),
                "The folder of this log may not be listed: after a rotation its rotated files \
                 cannot be found. Allow the group of leasewatch to read the folder"
            );
        }
        let started = from.is_some();
        let mut main = from.unwrap_or_default();
        (main.skip, main.input) = (0, 0);
        let next = main.clone();
        let late_from = main.late.take().map(|late| Position::clone(&late));
        Self {
            log,
            options,
            started,
            reading: None,
            late: None,
            kept: Kept::default(),
            late_from,
            cut: None,
            here: next.clone(),
            next,
            main,
            notices: VecDeque::new(),
            trouble: None,
            backlog: 0,
            searched: None,
        }
    }

    fn read(&mut self, now: Instant, line: &mut Vec<u8>) -> Result<Flow, Trouble> {
        let Some(reading) = &mut self.reading else {
            return Ok(Flow::Again);
        };
        let piece = if reading.broken { Ok(Piece::End) } else { reading.segment.next(line) };
        match piece {
            Ok(piece @ (Piece::Line | Piece::TooLong)) => {
                reading.last_sign = now;
                let here = reading.segment.last_position();
                self.main = reading.position();
                self.next = self.compose(self.main.clone());
                self.here = self.compose(here.unwrap_or_default());
                Ok(Flow::Step(step(&piece)))
            }
            Ok(Piece::Changed) => {
                self.truncated();
                Ok(Flow::Again)
            }
            Ok(Piece::End) => self.at_end(now, line),
            Err(error) if !reading.segment.is_plain() && is_broken(&error) => self.breaks(&error),
            Err(error) => Err(Trouble::at(reading.segment.path().as_ref(), &error)),
        }
    }

    fn cured(&mut self) {
        if self.trouble.take().is_some() {
            tracing::info!(log = %self.log.path().display(), "The log can be read again");
        }
    }

    /// A server of files that went away, or deleted a file, leaves open ones that nothing can be read from ever again:
    /// the content is sought anew then.
    fn let_go_of_the_dead(&mut self) {
        let Some(reading) = &mut self.reading else { return };
        if reading.segment.look().is_err_and(|error| is_dead(&error)) {
            self.main = reading.position();
            self.reading = None;
            self.late = None;
            self.kept = Kept::default();
            self.searched = None;
        }
    }

    /// Opens a file from its beginning. None if it is another by now.
    fn open(&self, sibling: &Sibling) -> Result<Option<Segment>, Trouble> {
        match Segment::open(sibling, self.options.max_line_bytes) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            result => result.map_err(|error| Trouble::at(&sibling.path, &error)),
        }
    }

    /// A position of the file being read, with that of the file before it.
    fn compose(&self, main: Position) -> Position {
        match &self.late {
            Some(late) => late.join(main),
            None => main,
        }
    }
}

/// Whether an open file is of no use any more: NFS says that its handle is stale, FUSE that nobody serves it.
fn is_dead(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StaleNetworkFileHandle | ErrorKind::NotConnected)
}

fn step(piece: &Piece) -> Step {
    match piece {
        Piece::TooLong => Step::Notice(Notice::TooLong),
        _ => Step::Line,
    }
}
