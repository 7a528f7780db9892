//! The checkpoint: one file with the positions in the logs and the numbers
//! they came to, so that the two cannot disagree. Its first line is JSON, what
//! follows is the ledger's leases.

use super::{Store, StoreError, replace};
use crate::pipeline::Saved;
use std::fs;
use std::io;
use std::path::PathBuf;

const NAME: &str = "checkpoint";

/// The checkpoint file of a store.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
}

/// What was found.
#[derive(Debug)]
pub enum Loaded {
    /// None: this is the first start.
    Nothing,
    /// One, to go on from.
    Saved(Box<Saved>),
    /// One that this version cannot read. It was moved aside, and counting begins anew.
    SetAside {
        /// Where it is now.
        path: PathBuf,
        /// Why it cannot be read.
        reason: String,
    },
}

impl Checkpoint {
    /// The checkpoint of this store.
    pub fn new(store: &Store) -> Self {
        Self { path: store.path(NAME) }
    }

    /// Reads it.
    ///
    /// # Errors
    /// That the file is there but cannot be read or moved.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        let content = match fs::read(&self.path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Loaded::Nothing),
            Err(error) => return Err(self.error("read it", error)),
        };
        let reason = match Saved::read(&content) {
            Ok(saved) => return Ok(Loaded::Saved(Box::new(saved))),
            Err(reason) => reason,
        };
        let aside = (1..10_000)
            .map(|number| self.path.with_extension(format!("unreadable-{number}")))
            .find(|path| !path.exists())
            .unwrap_or_else(|| self.path.with_extension("unreadable"));
        fs::rename(&self.path, &aside).map_err(|error| self.error("move it aside", error))?;
        Ok(Loaded::SetAside { path: aside, reason })
    }

    /// Writes it, durably and in one step.
    ///
    /// # Errors
    /// That it cannot be written; the one before it is still there.
    pub fn save(&self, pieces: impl Iterator<Item = Vec<u8>>) -> Result<(), StoreError> {
        replace(&self.path, pieces, true).map_err(|error| self.error("write it", error))
    }

    fn error(&self, doing: &'static str, error: io::Error) -> StoreError {
        StoreError::Io { path: self.path.clone(), doing, error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_moved_aside_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let checkpoint = Checkpoint::new(&store);
        assert!(matches!(checkpoint.load().unwrap(), Loaded::Nothing));
        for (content, word) in
            [("{\"version\":99}", "version 99"), ("{\"version\":2}", "damaged"), ("{", "damaged")]
        {
            checkpoint.save(std::iter::once(content.as_bytes().to_vec())).unwrap();
            let Loaded::SetAside { path, reason } = checkpoint.load().unwrap() else { panic!("{content}") };
            assert!(reason.contains(word), "{reason}");
            assert_eq!(fs::read_to_string(path).unwrap(), content);
            assert!(matches!(checkpoint.load().unwrap(), Loaded::Nothing));
        }
    }
}
