//! The notebook: where what cannot be read again is written down, to be read from there like any log.

use super::bell::Bell;
use crate::event::Observation;
use crate::observed::encode;
use crate::store::Spool;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The observations, to write to.
#[derive(Clone, Debug)]
pub(super) struct Notebook {
    spool: Arc<Mutex<Spool>>,
    path: PathBuf,
    bell: Arc<Bell>,
}

impl Notebook {
    pub(super) fn new(observations: Spool, bell: Arc<Bell>) -> Self {
        Self { path: observations.path().to_owned(), spool: Arc::new(Mutex::new(observations)), bell }
    }

    /// The live file, for the tail.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one down.
    ///
    /// # Errors
    /// That it could not be, such as on a full disk.
    pub(super) fn write(&self, observation: &Observation) -> io::Result<()> {
        let line = encode(observation);
        // Appending is all that is done under this lock.
        self.spool.lock().unwrap_or_else(PoisonError::into_inner).append(line.as_bytes())?;
        self.bell.ring();
        Ok(())
    }
}
