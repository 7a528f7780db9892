//! A meter: how far the reading of finished logs is, for a person who waits.

use crate::event::Timestamp;
use crate::pipeline::{Input, Pipeline};
use crate::report::span;
use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often progress is shown on a terminal.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);
/// Before so much is read, in seconds, what is left is anyone's guess.
const GUESS_AFTER: f64 = 2.0;

/// Progress for a person who waits: on a terminal only.
pub(super) struct Meter {
    started: Instant,
    next: Instant,
    shows: bool,
    /// Bytes of the files that are read, as they are on disk.
    read: Arc<AtomicU64>,
    /// Bytes of the files; nothing where it is not known.
    whole: Option<u64>,
}

impl Meter {
    /// Begins now, with files of so many bytes.
    pub(super) fn new(whole: Option<u64>) -> Self {
        let now = Instant::now();
        let shows = std::io::stderr().is_terminal();
        Self { started: now, next: now + PROGRESS_EVERY, shows, read: Arc::default(), whole }
    }

    /// Where those who read say how many bytes they have read.
    pub(super) fn read(&self) -> &Arc<AtomicU64> {
        &self.read
    }

    /// Shows how far it is, now and then.
    pub(super) fn show(&mut self, pipeline: &Pipeline) {
        if !self.shows || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + PROGRESS_EVERY;
        let sum = |of: fn(&Input) -> u64| pipeline.inputs().iter().map(of).sum::<u64>();
        let (lines, bytes) = (sum(|input| input.stats().lines), sum(|input| input.stats().bytes));
        eprint!(
            "\r\x1b[K{}",
            self.line(lines, bytes, pipeline.front(), self.started.elapsed().as_secs_f64())
        );
    }

    /// What it shows after so many seconds.
    fn line(&self, lines: u64, bytes: u64, front: Timestamp, elapsed: f64) -> String {
        let megabytes = bytes as f64 / 1e6;
        let mut line = format!("{lines} lines, {megabytes:.0} MB, {:.0} MB/s", megabytes / elapsed);
        let read = self.read.load(Ordering::Relaxed) as f64;
        if let Some(whole) = self.whole.filter(|whole| *whole > 0).map(|whole| whole as f64) {
            // Writing to a String cannot fail.
            let _ = write!(line, ", {:.0} %", (100.0 * read / whole).min(100.0).floor());
            if elapsed >= GUESS_AFTER && read > 0.0 {
                let left = Duration::from_secs_f64(elapsed * (whole - read).max(0.0) / read);
                let _ = write!(line, ", {} left", span(i64::try_from(left.as_nanos()).unwrap_or(i64::MAX)));
            }
        }
        if front > Timestamp::MIN {
            let _ = write!(line, ", at {front}");
        }
        line
    }

    /// Leaves the terminal as it was.
    pub(super) fn clear(&self) {
        if self.shows {
            eprint!("\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_is_left_where_that_is_known() {
        let at = Timestamp::from_secs(1_767_323_045);
        let meter = Meter::new(Some(1_000_000_000));
        meter.read.store(250_000_000, Ordering::Relaxed);
        assert_eq!(
            meter.line(1_000, 500_000_000, at, 30.0),
            "1000 lines, 500 MB, 17 MB/s, 25 %, 1m30s left, at 2026-01-02T03:04:05Z"
        );
        assert_eq!(
            meter.line(1_000, 500_000_000, Timestamp::MIN, 1.0),
            "1000 lines, 500 MB, 500 MB/s, 25 %",
            "nobody knows yet"
        );
        assert_eq!(
            Meter::new(None).line(1, 2_000_000, at, 4.0),
            "1 lines, 2 MB, 0 MB/s, at 2026-01-02T03:04:05Z"
        );
    }
}
