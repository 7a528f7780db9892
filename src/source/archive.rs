//! An archive: finite input, read once to its end. Files, plain or compressed, in the order in
//! which they are given, or a stream such as standard input.
//!
//! It waits for nothing and follows no rotation. Which files, and in which order, is the caller's.

use super::buffer::{Found, LineBuffer};
use super::content::Compression;
use super::find::is_broken;
use super::position::Position;
use super::trouble::describe;
use super::{LineSource, Notice, Status, Step};
use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use thiserror::Error;

/// Finite input.
pub struct Archive {
    inputs: Vec<Input>,
    max_line: usize,
    reading: Option<Reading>,
    here: Position,
    next: Position,
    /// Bytes that were read, as they are on disk.
    read: Arc<AtomicU64>,
}

/// One piece of finite input.
pub enum Input {
    /// A file; whether it is compressed shows in its first bytes.
    File(PathBuf),
    /// A stream, under a name for messages.
    Stream(String, Box<dyn Read + Send>),
    /// A stream that was taken.
    Taken,
}

impl Input {
    /// Its name for messages.
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Stream(name, _) => name.clone(),
            Self::Taken => "the stream".to_owned(),
        }
    }
}

/// An input that cannot be opened.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct ArchiveError(String);

struct Reading {
    name: String,
    reader: Box<dyn Read + Send>,
    buffer: LineBuffer,
    /// Bytes of the file; 0 for a stream.
    len: u64,
}

impl Archive {
    /// Reads `inputs` one after the other; lines of more than `max_line` bytes are skipped.
    ///
    /// # Errors
    /// A file cannot be opened: told before the first line, not after an hour.
    pub fn new(inputs: Vec<Input>, max_line: usize) -> Result<Self, ArchiveError> {
        for input in &inputs {
            if let Input::File(path) = input {
                open_file(path).map_err(|error| ArchiveError(describe(path, &error)))?;
            }
        }
        Ok(Self {
            inputs,
            max_line,
            reading: None,
            here: Position::default(),
            next: Position::default(),
            read: Arc::default(),
        })
    }

    /// Adds to `read` how many bytes it has read, as they are on disk.
    #[must_use]
    pub fn telling(mut self, read: &Arc<AtomicU64>) -> Self {
        self.read = Arc::clone(read);
        self
    }

    /// Begins at a position that an archive of the same inputs gave.
    #[must_use]
    pub fn starting_at(mut self, position: &Position) -> Self {
        self.next = Position { input: position.input, offset: position.offset, ..Position::default() };
        self.here = self.next.clone();
        self
    }

    fn current(&mut self) -> Option<&mut Input> {
        self.inputs.get_mut(usize::try_from(self.next.input).ok()?)
    }

    fn step(&mut self, step: Step, next: Position) -> Step {
        self.here = std::mem::replace(&mut self.next, next);
        step
    }

    fn after_this(&self) -> Position {
        Position { input: self.next.input + 1, ..Position::default() }
    }

    fn open(&mut self) -> io::Result<Option<Reading>> {
        let (offset, max_line) = (self.next.offset, self.max_line);
        let Some(input) = self.current() else {
            return Ok(None);
        };
        let (name, len, path, raw): (_, _, _, Box<dyn Read + Send>) = match input {
            Input::File(path) => {
                let file = open_file(path)?;
                let len = file.metadata()?.len();
                (path.display().to_string(), len, path.clone(), Box::new(file))
            }
            stream => match std::mem::replace(stream, Input::Taken) {
                Input::Stream(name, reader) => (name, 0, PathBuf::new(), reader),
                _ => return Err(io::Error::other("a stream cannot be read twice")),
            },
        };
        let raw = Box::new(Counted { raw, read: Arc::clone(&self.read) });
        let mut reader = decode(raw, &path)?;
        let skipped = io::copy(&mut reader.by_ref().take(offset), &mut io::sink())?;
        Ok(Some(Reading { name, reader, buffer: LineBuffer::new(skipped, &[], max_line), len }))
    }

    fn breaks(&mut self, name: &str, error: &io::Error) -> Step {
        let byte = self.next.offset;
        if is_broken(error) {
            tracing::error!(
                input = name,
                byte,
                %error,
                "The compressed input ends or breaks in the middle: restore it from a backup. Reading goes on with \
                 the next"
            );
        } else {
            let trouble = describe(name.as_ref(), error);
            tracing::error!(
                byte,
                "The input cannot be read any further, and reading goes on with the next. {trouble}"
            );
        }
        self.reading = None;
        let next = self.after_this();
        self.step(Step::Notice(Notice::BrokenArchive), next)
    }
}

impl LineSource for Archive {
    fn next(&mut self, _now: Instant, line: &mut Vec<u8>) -> Step {
        loop {
            let Some(reading) = &mut self.reading else {
                match self.open() {
                    Ok(Some(reading)) => self.reading = Some(reading),
                    Ok(None) => {
                        self.here = self.next.clone();
                        return Step::End;
                    }
                    Err(error) => {
                        let name = self.current().map_or_else(String::new, |input| input.name());
                        return self.breaks(&name, &error);
                    }
                }
                continue;
            };
            let mut found = reading.buffer.next();
            if found.is_none() {
                match reading.reader.read(reading.buffer.room()) {
                    // A last line without its end is a line: finite input ends anywhere.
                    Ok(0) => found = reading.buffer.take_rest(),
                    Ok(n) => {
                        reading.buffer.filled(n);
                        continue;
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    Err(error) => {
                        let name = reading.name.clone();
                        return self.breaks(&name, &error);
                    }
                }
            }
            let Some(found) = found else {
                self.reading = None;
                self.next = self.after_this();
                continue;
            };
            let step = match found {
                Found::Line(range) => {
                    line.clear();
                    line.extend_from_slice(reading.buffer.bytes(range));
                    Step::Line
                }
                Found::TooLong => Step::Notice(Notice::TooLong),
            };
            let next = Position {
                offset: reading.buffer.next_offset(),
                input: self.next.input,
                ..Position::default()
            };
            return self.step(step, next);
        }
    }

    fn position(&self) -> Position {
        self.here.clone()
    }

    fn next_position(&self) -> Position {
        self.next.clone()
    }

    fn status(&self) -> Status {
        let later = usize::try_from(self.next.input).unwrap_or(usize::MAX);
        let later = later.saturating_add(usize::from(self.reading.is_some()));
        let ahead = self.inputs.iter().skip(later).map(|input| match input {
            Input::File(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
            _ => 0,
        });
        let rest = self.reading.as_ref().map_or(0, |reading| reading.len.saturating_sub(self.next.offset));
        Status {
            lag_bytes: ahead.sum::<u64>() + rest,
            path: self.reading.as_ref().map(|reading| reading.name.clone()),
            trouble: None,
        }
    }
}

/// What counts what is read of it.
struct Counted {
    raw: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.raw.read(into)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

fn open_file(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(ErrorKind::IsADirectory, "it is a folder"));
    }
    Ok(file)
}

/// What `raw` holds, decompressed if its first bytes say that it is compressed.
fn decode(mut raw: Box<dyn Read + Send>, path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut start = Vec::new();
    raw.by_ref().take(4).read_to_end(&mut start)?;
    let compression = Compression::of(&start, path);
    let whole = Cursor::new(start).chain(raw);
    match compression {
        // Straight into the line buffer.
        Compression::None => Ok(Box::new(whole)),
        compression => compression.decoder(whole),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn steps(archive: &mut Archive) -> Vec<String> {
        let mut line = Vec::new();
        let mut steps = Vec::new();
        loop {
            match archive.next(Instant::now(), &mut line) {
                Step::Line => steps.push(String::from_utf8(line.clone()).unwrap()),
                Step::Notice(notice) => steps.push(format!("{notice:?}")),
                Step::Idle => panic!("an archive does not wait"),
                Step::End => return steps,
            }
        }
    }

    fn stream(bytes: &[u8]) -> Input {
        Input::Stream("test".to_owned(), Box::new(Cursor::new(bytes.to_vec())))
    }

    #[test]
    fn files_are_read_in_order_whatever_their_form() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            Input::File(dir.path().join(name))
        };
        let inputs = vec![
            file("b.gz", &gzip(b"one\ntwo\n")),
            file("empty", b""),
            file("a.zst", &zstd::encode_all(&b"three\nno end"[..], 1).unwrap()),
            file("c", b"five\n\nseven"),
        ];
        let mut archive = Archive::new(inputs, 100).unwrap();
        let all = ["one", "two", "three", "no end", "five", "", "seven"];
        assert_eq!(steps(&mut archive), all);
        assert_eq!(archive.next(Instant::now(), &mut Vec::new()), Step::End);
    }

    #[test]
    fn a_stream_may_be_compressed() {
        for bytes in [b"one\ntwo".to_vec(), gzip(b"one\ntwo\n")] {
            let mut archive = Archive::new(vec![stream(&bytes)], 100).unwrap();
            assert_eq!(steps(&mut archive), ["one", "two"]);
        }
    }

    #[test]
    fn a_broken_file_gives_what_it_has_and_the_next_is_read() {
        let lines: Vec<String> = (0..20_000).map(|n| format!("line {n}\n")).collect();
        let text = lines.concat();
        let whole = gzip(text.as_bytes());
        let zst = zstd::encode_all(text.as_bytes(), 1).unwrap();
        let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
        xz.write_all(text.as_bytes()).unwrap();
        let xz = xz.finish().unwrap();
        let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz2.write_all(text.as_bytes()).unwrap();
        let bz2 = bz2.finish().unwrap();
        let broken = [
            &whole[..whole.len() / 2],
            &zst[..zst.len() - 3],
            &xz[..xz.len() / 2],
            &xz[..xz.len() - 3],
            &bz2[..bz2.len() / 2],
            &[&xz[..xz.len() / 2], &[0; 100], &xz[xz.len() / 2 + 100..]].concat(),
        ];
        for broken in broken {
            let inputs = vec![stream(broken), stream(b"next\n")];
            let all = steps(&mut Archive::new(inputs, 100).unwrap());
            let broken_at = all.iter().position(|step| step == "BrokenArchive").unwrap();
            assert_eq!(all[broken_at + 1..], ["next"]);
            for (number, line) in all[..broken_at].iter().enumerate() {
                assert_eq!(*line, format!("line {number}"));
            }
        }
    }

    #[test]
    fn every_position_leads_back() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = || {
            ["one\ntoo long a line\ntwo\n", "three"]
                .iter()
                .enumerate()
                .map(|(number, text)| {
                    let path = dir.path().join(number.to_string());
                    std::fs::write(&path, text).unwrap();
                    Input::File(path)
                })
                .collect()
        };
        let all = steps(&mut Archive::new(inputs(), 5).unwrap());
        assert_eq!(all, ["one", "TooLong", "two", "three"]);
        let mut archive = Archive::new(inputs(), 5).unwrap();
        for at in 0..all.len() {
            archive.next(Instant::now(), &mut Vec::new());
            for (position, from) in [(archive.position(), at), (archive.next_position(), at + 1)] {
                let again = Archive::new(inputs(), 5).unwrap();
                assert_eq!(steps(&mut again.starting_at(&position)), all[from..]);
            }
        }
    }

    #[test]
    fn a_missing_file_is_told_at_once() {
        let error = Archive::new(vec![Input::File("/no/such/audit.log".into())], 5).err();
        assert!(error.unwrap().to_string().contains("/no/such/audit.log"));
    }
}
