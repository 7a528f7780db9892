//! A crew: threads that read finished logs ahead, as long as somebody wants their lines.

use crate::pipeline::Ahead;
use anyhow::Context;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// Threads that read ahead; dropping it sends them home.
pub(super) struct Crew {
    ahead: Arc<Ahead>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// `threads` in all, the one that applies what they read among them; 0 is one for each core.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(super) fn of(threads: usize) -> anyhow::Result<Self> {
        let threads = match threads {
            0 => thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let mut crew = Self { ahead: Arc::default(), threads: Vec::new() };
        for number in 1..threads {
            let ahead = Arc::clone(&crew.ahead);
            let thread = thread::Builder::new().name(format!("ahead-{number}"));
            let started = thread.spawn(move || ahead.work());
            crew.threads.push(started.context("cannot start a thread: allow more, or set --threads 1")?);
        }
        Ok(crew)
    }

    /// Where they work.
    pub(super) fn ahead(&self) -> &Arc<Ahead> {
        &self.ahead
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.ahead.stop();
        for thread in self.threads.drain(..) {
            // One that fell over has said so.
            let _ = thread.join();
        }
    }
}
