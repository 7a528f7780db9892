//! The mark of what was last served: how far the numbers of the last page went.
//! After a crash no page is served before the replay has passed it, so that no
//! scraper sees a counter fall.

use super::{Store, private};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

const NAME: &str = "served";
/// The mark is written over itself, always as long.
const LENGTH: usize = 128;

/// How far the numbers of a page went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Steps applied.
    pub applied: u64,
    /// Event time up to which they counted: requests without an answer end with time alone.
    pub front: Timestamp,
}

impl Mark {
    /// This one, but in nothing less than `other`.
    #[must_use]
    pub fn or_later(self, other: Self) -> Self {
        Self { applied: self.applied.max(other.applied), front: self.front.max(other.front) }
    }
}

/// The file with the mark.
#[derive(Debug)]
pub struct Served {
    file: File,
    last: Mark,
}

impl Served {
    /// Opens it, and reads the mark of the process before this one.
    ///
    /// # Errors
    /// That the file cannot be used.
    pub fn open(store: &Store) -> io::Result<Self> {
        let path = store.path(NAME);
        let last = fs::read_to_string(&path)
            .ok()
            .and_then(|text| serde_json::from_str(text.trim()).ok())
            .unwrap_or_default();
        let file = private().create(true).truncate(false).open(path)?;
        let mut served = Self { file, last };
        // Its room is taken now: a disk that is full later must not keep pages from being served.
        let _ = served.write(last);
        Ok(served)
    }

    /// The mark last set.
    pub fn last(&self) -> Mark {
        self.last
    }

    /// Sets the mark, before the page leaves. A kill does not undo it (a power cut may).
    ///
    /// # Errors
    /// That it could not be written; then the page must not leave.
    pub fn set(&mut self, mark: Mark) -> io::Result<()> {
        if mark == self.last {
            return Ok(());
        }
        self.write(mark)?;
        self.last = mark;
        Ok(())
    }

    fn write(&mut self, mark: Mark) -> io::Result<()> {
        let mut text = serde_json::to_vec(&mark)?;
        text.resize(LENGTH - 1, b' ');
        text.push(b'\n');
        self.file.write_all_at(&text, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_outlives_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut served = Served::open(&store).unwrap();
        assert_eq!(served.last(), Mark::default());
        assert_eq!(fs::metadata(store.path(NAME)).unwrap().len(), 128, "its room is taken at once");
        served.set(Mark { applied: 12_345, front: Timestamp::from_secs(9) }).unwrap();
        let mark = Mark { applied: 7, front: Timestamp::from_secs(1) };
        served.set(mark).unwrap();
        assert_eq!(Served::open(&store).unwrap().last(), mark);
    }
}
