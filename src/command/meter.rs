//! A meter: how far the reading of finished logs is, for a person who waits.

use crate::pipeline::{Input, Pipeline};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often progress is shown on a terminal.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Progress for a person who waits: on a terminal only.
pub(super) struct Meter {
    started: Instant,
    next: Instant,
    shows: bool,
}

impl Meter {
    /// Begins now.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self { started: now, next: now + PROGRESS_EVERY, shows: std::io::stderr().is_terminal() }
    }

    /// Shows how far it is, now and then.
    pub(super) fn show(&mut self, pipeline: &Pipeline) {
        if !self.shows || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + PROGRESS_EVERY;
        let sum = |of: fn(&Input) -> u64| pipeline.inputs().iter().map(of).sum::<u64>();
        let lines = sum(|input| input.stats().lines);
        let megabytes = sum(|input| input.stats().bytes) as f64 / 1e6;
        let rate = megabytes / self.started.elapsed().as_secs_f64();
        eprint!("\r\x1b[K{lines} lines, {megabytes:.0} MB, {rate:.0} MB/s, at {}", pipeline.front());
    }

    /// Leaves the terminal as it was.
    pub(super) fn clear(&self) {
        if self.shows {
            eprint!("\r\x1b[K");
        }
    }
}
