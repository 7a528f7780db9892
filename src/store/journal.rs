//! A journal: lines of our own in one file, appended one by one and read whole at the start. What is past
//! is dropped by writing it anew in one step.

use super::{Store, StoreError, private, replace};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;

/// An append-only file of lines for its owner alone.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Journal {
    /// Bytes that a journal of totals may come to before [`Self::compact`] writes it anew.
    pub const LENGTH: u64 = 64 << 10;

    /// Opens the journal of this name; with its lines, but for one that a kill has cut.
    ///
    /// # Errors
    /// That the file cannot be used.
    pub fn open(store: &Store, name: &str) -> Result<(Self, Vec<String>), StoreError> {
        let path = store.path(name);
        let error = |error| StoreError::Io { path: store.path(name), doing: "use it", error };
        let mut file = private().append(true).create(true).open(&path).map_err(error)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(error)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(error)?;
            bytes.truncate(whole);
        }
        let lines = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        Ok((Self { path, file, size: whole as u64 }, lines))
    }

    /// Appends a line in one write.
    ///
    /// # Errors
    /// That it could not be written; then nothing of it is there.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        let mut whole = String::with_capacity(line.len() + 1);
        whole.push_str(line);
        whole.push('\n');
        if let Err(error) = self.file.write_all(whole.as_bytes()) {
            // Half a line must not spoil the next one.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += whole.len() as u64;
        Ok(())
    }

    /// Waits until what was appended outlives a power cut.
    ///
    /// # Errors
    /// That this cannot be said.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// These lines and no others, in one step.
    ///
    /// # Errors
    /// That they could not be written; the lines before are still there.
    pub fn rewrite(&mut self, lines: impl Iterator<Item = String>) -> io::Result<()> {
        let mut size = 0;
        let pieces = lines.map(|mut line| {
            line.push('\n');
            size += line.len() as u64;
            line.into_bytes()
        });
        replace(&self.path, pieces, true)?;
        self.file = private().append(true).open(&self.path)?;
        self.size = size;
        Ok(())
    }

    /// These lines and no others once it has come to [`Self::LENGTH`].
    ///
    /// # Errors
    /// As [`Self::rewrite`].
    pub fn compact(&mut self, lines: impl Iterator<Item = String>) -> io::Result<()> {
        if self.size < Self::LENGTH { Ok(()) } else { self.rewrite(lines) }
    }

    /// Bytes in it.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_outlive_their_process_and_half_ones_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (mut journal, lines) = Journal::open(&store, "push-x").unwrap();
        assert!(lines.is_empty());
        journal.append("one").unwrap();
        journal.append("two").unwrap();
        std::fs::OpenOptions::new()
            .append(true)
            .open(store.path("push-x"))
            .unwrap()
            .write_all(b"thr")
            .unwrap();
        let (mut journal, lines) = Journal::open(&store, "push-x").unwrap();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(journal.size(), 8);
        journal.append("three").unwrap();
        journal.rewrite(["four".to_owned()].into_iter()).unwrap();
        journal.append("five").unwrap();
        assert_eq!(Journal::open(&store, "push-x").unwrap().1, ["four", "five"]);
        assert_eq!(journal.size(), 10);
    }

    #[test]
    fn a_name_with_a_dot_does_not_meet_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (mut journal, _) = Journal::open(&store, "push-a").unwrap();
        journal.rewrite(["kept".to_owned()].into_iter()).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the lock and the journal");
    }
}
