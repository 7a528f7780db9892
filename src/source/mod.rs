//! A source: bytes to whole lines, each with its position. Knows files; knows no JSON.
//!
//! Reading never blocks and never waits: `next` says what is there now. When
//! to look again is decided elsewhere.

use serde::{Deserialize, Serialize};

/// A place in a log to which reading can return, across rotation, compression and restarts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Bytes (uncompressed) before the next line to be read.
    pub offset: u64,
}

/// What a source has to give now.
#[derive(Debug)]
pub enum Step {
    /// A whole line was put into the caller's buffer, without its end.
    Line,
    /// Nothing at the moment; the log may grow.
    Idle,
    /// Nothing ever again: a finite source is read out.
    End,
}
