//! What came of reading the configuration: since when what is in force holds, and why what was read last does not.

use crate::clock::wall;
use crate::event::Timestamp;
use crate::web::Gate;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The last reading, for pages and metrics.
#[derive(Debug)]
pub(super) struct Reloads {
    last: Mutex<Last>,
    /// The web configuration file is read by itself, whenever it changes.
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct Last {
    since: Timestamp,
    trouble: Option<String>,
}

impl Reloads {
    /// The first reading, which succeeded.
    pub(super) fn new(gate: Arc<Gate>) -> Self {
        Self { last: Mutex::new(Last { since: wall(), trouble: None }), gate }
    }

    /// It was read again.
    pub(super) fn read(&self, outcome: &Result<(), String>) {
        let mut last = self.lock();
        match outcome {
            Ok(()) => *last = Last { since: wall(), trouble: None },
            Err(why) => last.trouble = Some(why.clone()),
        }
    }

    /// When what is in force was read.
    pub(super) fn since(&self) -> Timestamp {
        self.lock().since
    }

    /// Why something that was read is not in force.
    pub(super) fn trouble(&self) -> Option<String> {
        let own = self.lock().trouble.clone();
        own.or_else(|| self.gate.trouble())
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
