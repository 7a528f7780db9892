//! A spool: lines that cannot be read again, appended to a file of our own
//! that is then tailed like any log. Observations, standard input of `serve`, and what is received.

use super::{Store, private};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that has grown so far, in bytes, makes room for a new one.
const ROTATE_AT: u64 = 16 << 20;

/// An append-only file, rotated by size: the live one is `NAME`, older ones
/// `NAME.00000001` and so on, oldest first.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: File,
    size: u64,
    rotate_at: u64,
}

impl Spool {
    /// Opens the spool of this name.
    ///
    /// # Errors
    /// That the file cannot be used.
    pub fn open(store: &Store, name: &str) -> io::Result<Self> {
        Self::at(&store.path(name), ROTATE_AT)
    }

    fn at(path: &Path, rotate_at: u64) -> io::Result<Self> {
        let mut spool = Self { path: path.to_owned(), file: append(path)?, size: 0, rotate_at };
        spool.size = spool.file.metadata()?.len();
        // A process that was killed in the middle of a line leaves it without its end.
        if spool.size > 0 && !ends_whole(path)? {
            spool.put(b"\n")?;
        }
        Ok(spool)
    }

    /// The live file, for the tail.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line in one write, so that a kill leaves it whole or not at all.
    ///
    /// # Errors
    /// That it could not be written, such as on a full disk.
    pub fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let mut whole = Vec::with_capacity(line.len() + 1);
        whole.extend_from_slice(line);
        whole.push(b'\n');
        self.append_lines(&whole)
    }

    /// Appends whole lines, each with its end, in one write.
    ///
    /// # Errors
    /// That they could not be written; then none of them is there.
    pub fn append_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.size >= self.rotate_at {
            self.rotate()?;
        }
        self.put(lines)
    }

    /// Bytes of all its files, as far as they are not deleted yet.
    ///
    /// # Errors
    /// That the folder cannot be read.
    pub fn bytes(&self) -> io::Result<u64> {
        let length = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
        Ok(self.size + older(&self.path)?.iter().map(|(_, path)| length(path)).sum::<u64>())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // What was written of it on a full disk must not spoil the line after it.
            let _ = self.file.set_len(self.size);
            return Err(error);
        }
        self.size += bytes.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let number = older(&self.path)?.last().map_or(0, |(number, _)| *number) + 1;
        fs::rename(&self.path, sibling(&self.path, number))?;
        self.file = append(&self.path)?;
        self.size = 0;
        Ok(())
    }
}

/// The files of a spool before the live one, as they were at one moment: what may go once
/// reading has come to that live file.
#[derive(Debug)]
pub struct Older {
    live: (u64, u64),
    files: Vec<PathBuf>,
}

impl Older {
    /// Looks at the spool whose live file is `path`.
    ///
    /// # Errors
    /// That the folder cannot be read.
    pub fn of(path: &Path) -> io::Result<Self> {
        // In this order: a rotation in between makes the live file a later one, never a listed one.
        let files = older(path)?.into_iter().map(|(_, path)| path).collect();
        let live = fs::metadata(path)?;
        Ok(Self { live: (live.dev(), live.ino()), files })
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Device and inode of the live file at that moment.
    pub fn live(&self) -> (u64, u64) {
        self.live
    }

    /// Deletes them. To be called once a checkpoint stands whose position in this spool is in
    /// the live file.
    ///
    /// # Errors
    /// That a file could not be deleted.
    pub fn delete(self) -> io::Result<()> {
        self.files.into_iter().try_for_each(fs::remove_file)
    }
}

/// The files of a spool before the live one, oldest first, by number.
fn older(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(Vec::new());
    };
    let mut older = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let number = entry
            .file_name()
            .to_str()
            .and_then(|found| found.strip_prefix(name.to_str()?)?.strip_prefix('.')?.parse().ok());
        if let Some(number) = number {
            older.push((number, entry.path()));
        }
    }
    older.sort();
    Ok(older)
}

fn append(path: &Path) -> io::Result<File> {
    private().append(true).create(true).open(path)
}

fn sibling(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number:08}"));
    name.into()
}

fn ends_whole(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let file = File::open(path)?;
    let mut last = [0];
    file.read_exact_at(&mut last, file.metadata()?.len() - 1)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_in_a_new_file_and_old_files_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("observations");
        let mut spool = Spool::at(&path, 10).unwrap();
        for line in ["first line", "second line", "third line"] {
            spool.append(line.as_bytes()).unwrap();
        }
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["observations", "observations.00000001", "observations.00000002"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), "third line\n");
        let older = || Older::of(&path).unwrap();
        let before = older();
        assert_eq!(older().live(), before.live());
        spool.append(b"fourth line").unwrap();
        // What was the live file then stays.
        assert_ne!(older().live(), before.live());
        before.delete().unwrap();
        assert_eq!(names(), ["observations", "observations.00000003"]);
        older().delete().unwrap();
        assert_eq!(names(), ["observations"]);
    }

    #[test]
    fn a_line_cut_by_a_kill_does_not_spoil_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("observations");
        fs::write(&path, "whole\nhal").unwrap();
        Spool::at(&path, 1000).unwrap().append(b"next").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nhal\nnext\n");
    }
}
