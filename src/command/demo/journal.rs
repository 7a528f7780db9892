//! A journal: one log file as Vault and logrotate leave it. The past lies in compressed files
//! with dates in their names, the present in the plain file beside them.

use crate::event::Timestamp;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use zstd::Encoder;

/// Bytes after which the plain file is rotated. A day of the demo is less.
const ROTATE_AT: u64 = 64 << 20;
/// Plain files that rotations leave behind.
const LEFT_BEHIND: usize = 3;
/// How hard the past is compressed: hardly, as nobody wants to wait for it.
const LEVEL: i32 = 1;

/// One log.
pub(super) struct Journal {
    path: PathBuf,
    to: Target,
    /// Written to the plain file so far.
    bytes: u64,
    /// Plain rotated files, oldest first.
    rotated: VecDeque<PathBuf>,
}

enum Target {
    /// A file of the past, under another name until it is whole.
    Past(Encoder<'static, BufWriter<File>>),
    Live(BufWriter<File>),
    Closed,
}

impl Journal {
    /// A new log whose lines belong to the past as yet; `path` is that of the plain file.
    pub(super) fn of_the_past(path: &Path) -> io::Result<Self> {
        let to = past(path)?;
        Ok(Self { path: path.to_owned(), to, bytes: 0, rotated: VecDeque::new() })
    }

    /// Adds a line.
    pub(super) fn write(&mut self, line: &str) -> io::Result<()> {
        self.bytes += line.len() as u64 + 1;
        match &mut self.to {
            Target::Past(file) => file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")),
            Target::Live(file) => file.write_all(line.as_bytes()).and_then(|()| file.write_all(b"\n")),
            Target::Closed => Err(io::Error::other("the log is closed")),
        }
    }

    /// A part of the past ends at `at`, and another one begins.
    pub(super) fn next_past(&mut self, at: Timestamp) -> io::Result<()> {
        self.close_past(at)?;
        self.to = past(&self.path)?;
        Ok(())
    }

    /// The past ends at `at`; what is written from now on is there once it is flushed.
    pub(super) fn go_live(&mut self, at: Timestamp) -> io::Result<()> {
        self.close_past(at)?;
        self.to = live(&self.path)?;
        self.bytes = 0;
        Ok(())
    }

    fn close_past(&mut self, at: Timestamp) -> io::Result<()> {
        if let Target::Past(file) = std::mem::replace(&mut self.to, Target::Closed) {
            file.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            let name = format!("{}.zst", self.dated(at));
            std::fs::rename(unfinished(&self.path), self.path.with_file_name(name))?;
        }
        Ok(())
    }

    /// Makes what was written readable, and rotates where it is time.
    pub(super) fn flush(&mut self, at: Timestamp) -> io::Result<()> {
        let Target::Live(file) = &mut self.to else { return Ok(()) };
        file.flush()?;
        if self.bytes < ROTATE_AT {
            return Ok(());
        }
        let rotated = self.path.with_file_name(self.dated(at));
        std::fs::rename(&self.path, &rotated)?;
        self.to = live(&self.path)?;
        self.bytes = 0;
        self.rotated.push_back(rotated);
        if self.rotated.len() > LEFT_BEHIND
            && let Some(oldest) = self.rotated.pop_front()
        {
            std::fs::remove_file(oldest)?;
        }
        Ok(())
    }

    /// The file's name with a moment behind it, as `logrotate` writes dates.
    fn dated(&self, at: Timestamp) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let moment: String = at.to_string().chars().filter(char::is_ascii_digit).take(14).collect();
        format!("{name}-{moment}")
    }
}

/// No name that a reader of the log takes for one of its files.
fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("unfinished")
}

fn past(path: &Path) -> io::Result<Target> {
    let file = BufWriter::with_capacity(1 << 18, File::create(unfinished(path))?);
    Ok(Target::Past(Encoder::new(file, LEVEL)?))
}

fn live(path: &Path) -> io::Result<Target> {
    Ok(Target::Live(BufWriter::with_capacity(1 << 16, File::create_new(path)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(dir).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn the_past_is_compressed_by_date_and_the_present_is_plain() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("audit.log");
        let mut journal = Journal::of_the_past(&path).expect("made");
        journal.write("one").expect("written");
        journal.next_past(at("2026-11-01T00:00:00Z")).expect("closed");
        journal.write("two").expect("written");
        journal.go_live(at("2026-11-08T00:00:00.5Z")).expect("closed");
        journal.write("three").expect("written");
        journal.flush(at("2026-11-08T00:00:01Z")).expect("flushed");
        let archives = ["audit.log-20261101000000.zst", "audit.log-20261108000000.zst"];
        assert_eq!(names(dir.path()), ["audit.log", archives[0], archives[1]]);
        for (name, content) in archives.iter().zip(["one\n", "two\n"]) {
            let packed = std::fs::read(dir.path().join(name)).expect("read");
            assert_eq!(zstd::decode_all(&packed[..]).expect("whole"), content.as_bytes());
        }
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "three\n");
    }

    #[test]
    fn long_logs_are_rotated_and_the_oldest_rotation_goes() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut journal = Journal::of_the_past(&dir.path().join("audit.log")).expect("made");
        let start = at("2026-11-08T00:00:00Z");
        journal.go_live(start).expect("closed");
        for second in 1..=5 {
            journal.bytes = ROTATE_AT;
            journal.write("line").expect("written");
            journal.flush(start.plus_secs(second)).expect("rotated");
        }
        let left = ["audit.log", "audit.log-20261108000000.zst", "audit.log-20261108000003"];
        assert_eq!(names(dir.path())[..3], left);
        assert_eq!(names(dir.path()).len(), 2 + LEFT_BEHIND);
    }
}
