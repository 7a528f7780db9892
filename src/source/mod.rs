//! A source: bytes to whole lines, each with its position. Knows files; knows no audit log.
//!
//! Reading never waits: `next` says what is there now. When to look again is
//! decided elsewhere (the doorbell only says that it may be worth it).

mod archive;
mod buffer;
mod container;
mod content;
mod doorbell;
mod find;
mod logs;
mod names;
mod numbers;
mod position;
mod received;
mod segment;
mod siblings;
mod tail;
mod trouble;

pub use archive::{Archive, ArchiveError, Input};
pub use container::Container;
pub use doorbell::Doorbell;
pub use logs::{GlobError, LogPath, expand, log_of};
pub use position::{After, FileId, FileMark, Mark, Position};
pub use received::{LOST, OWN_WORD, Received};
pub use tail::{Tail, TailOptions};

use std::time::Instant;

/// One log as a sequence of lines.
pub trait LineSource: Send {
    /// Takes the next step. For `Step::Line`, `line` holds the line without its end;
    /// for any other step its content means nothing.
    ///
    /// `now` is a monotonic time, for what has to wait (releasing a deleted file).
    fn next(&mut self, now: Instant, line: &mut Vec<u8>) -> Step;

    /// Looks at the files while nothing is taken, so that none comes and goes unseen.
    fn keep_up(&mut self, _now: Instant) {}

    /// Where the step that `next` gave last begins: a source made anew from here gives it again.
    fn position(&self) -> Position;

    /// Where the step after it begins.
    fn next_position(&self) -> Position;

    /// How the source is, for the pages and metrics about the exporter itself.
    fn status(&self) -> Status;
}

/// What a source has to give now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A whole line.
    Line,
    /// Something that is not a line but has to be counted.
    Notice(Notice),
    /// Nothing at the moment; the log may grow.
    Idle,
    /// Nothing ever again: a finite source is read out.
    End,
}

/// What has to be counted though it is no line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// A line longer than the cap was skipped.
    TooLong,
    /// A last line without its end, in a file that nobody will write to any more.
    Torn,
    /// A compressed file that ends or breaks in the middle.
    BrokenArchive,
    /// Reading went on in another file than before.
    Rotated(Rotation),
    /// Lines were lost: the file that the position names is gone and no sibling has its content, or
    /// what was sent was not received.
    Gap,
}

/// How a file gave way to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// The path names another file now.
    Renamed,
    /// The same file was cut to nothing, or to less than was read.
    Truncated,
}

/// How a source is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Bytes known to lie unread in the files of this source.
    pub lag_bytes: u64,
    /// The file being read.
    pub path: Option<String>,
    /// Why it cannot be read now, with the remedy, for the operator.
    pub trouble: Option<String>,
}
