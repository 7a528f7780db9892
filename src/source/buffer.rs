//! A line buffer: the bytes of one file around the place of reading, and the whole lines in them.
//!
//! It keeps a few kilobytes before that place: they mark positions, and they show whether the
//! file still holds what was read. It reads nothing by itself; `segment` and `archive` fill it.

use super::position::{BEFORE_LIMIT, HEAD_LIMIT, Mark};
use std::ops::Range;

/// What is read at once.
const CHUNK: usize = 256 * 1024;
/// What is kept before the place of reading.
const KEPT: usize = BEFORE_LIMIT;

/// The bytes around the place of reading.
///
/// ```text
///  buf:   | kept | next line … , whole or not | room |
///         0      next                         end    buf.len()
/// ```
#[derive(Debug)]
pub(crate) struct LineBuffer {
    buf: Vec<u8>,
    /// Where in the file `buf[0]` stands.
    base: u64,
    /// Where the next line begins.
    next: usize,
    /// Up to where no newline was found.
    scanned: usize,
    end: usize,
    /// Longest line, without its end.
    max_line: usize,
    /// A line that grew too long is being thrown away.
    skipping: bool,
    /// First line of the file, once it was read from its beginning (unless it was thrown away).
    head: Option<Mark>,
}

/// What `next` found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A whole line: where in the buffer, without its end.
    Line(Range<usize>),
    /// The end of a line that was too long.
    TooLong,
}

impl LineBuffer {
    /// A buffer for reading from `offset` on; `kept` are the bytes before it, as many as there are
    /// up to `BEFORE_LIMIT`.
    pub(crate) fn new(offset: u64, kept: &[u8], max_line: usize) -> Self {
        let mut buf = vec![0; CHUNK + KEPT];
        buf[..kept.len()].copy_from_slice(kept);
        Self {
            buf,
            base: offset - kept.len() as u64,
            next: kept.len(),
            scanned: kept.len(),
            end: kept.len(),
            max_line,
            skipping: false,
            head: None,
        }
    }

    /// The bytes that a `Found::Line` speaks of.
    pub(crate) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.buf[range]
    }

    /// Takes the next line, if its end is there.
    pub(crate) fn next(&mut self) -> Option<Found> {
        let Some(length) = memchr::memchr(b'\n', &self.buf[self.scanned..self.end]) else {
            self.scanned = self.end;
            if !self.skipping && self.end - self.next > self.max_line {
                if self.rest() >= HEAD_LIMIT {
                    self.note_head(self.next..self.end);
                }
                self.skipping = true;
            }
            return None;
        };
        let line = self.next..self.scanned + length;
        self.take(line.end + 1);
        if std::mem::take(&mut self.skipping) || line.len() > self.max_line {
            return Some(Found::TooLong);
        }
        Some(Found::Line(line))
    }

    /// Takes what stands after the last newline, as if it were a line; `None` if it is nothing.
    pub(crate) fn take_rest(&mut self) -> Option<Found> {
        if self.rest() == 0 && !self.skipping {
            return None;
        }
        let line = self.next..self.end;
        self.take(self.end);
        if std::mem::take(&mut self.skipping) || line.len() > self.max_line {
            return Some(Found::TooLong);
        }
        Some(Found::Line(line))
    }

    fn take(&mut self, to: usize) {
        if !self.skipping {
            self.note_head(self.next..to);
        }
        self.next = to;
        self.scanned = to;
    }

    fn note_head(&mut self, line: Range<usize>) {
        if self.base == 0 && line.start == 0 && self.head.is_none() {
            self.head = Some(Mark::head(&self.buf[line]));
        }
    }

    /// Bytes after the last line that was taken, as far as they are kept.
    pub(crate) fn rest(&self) -> usize {
        self.end - self.next
    }

    /// Whether something of an unfinished line was read.
    pub(crate) fn has_rest(&self) -> bool {
        self.rest() > 0 || self.skipping
    }

    /// The first line, if the buffer began with it and it was taken.
    pub(crate) fn head(&self) -> Option<Mark> {
        self.head
    }

    /// Where the next line begins. While a line that is too long is thrown away, somewhere in it.
    pub(crate) fn next_offset(&self) -> u64 {
        self.base + self.next as u64
    }

    /// Where reading goes on.
    pub(crate) fn end_offset(&self) -> u64 {
        self.base + self.end as u64
    }

    /// The mark of what stands before the next line, the last of which took `line` bytes.
    pub(crate) fn mark(&self, line: usize) -> Mark {
        Mark::before(&self.buf[..self.next], line)
    }

    /// The last bytes that were read, to be held against the file.
    pub(crate) fn tail(&self) -> &[u8] {
        &self.buf[self.end.saturating_sub(KEPT)..self.end]
    }

    /// Room for what is read next; tell with `filled` how much it was.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.skipping {
            // The line is lost anyway; its end is all that is waited for.
            self.next = self.end;
        }
        let drop = self.next.saturating_sub(KEPT);
        // Moving bytes for every small append would cost more than the append.
        if drop > 0 && (self.buf.len() - self.end < CHUNK || self.rest() == 0) {
            self.buf.copy_within(drop..self.end, 0);
            self.base += drop as u64;
            self.next -= drop;
            self.scanned -= drop;
            self.end -= drop;
        }
        let unfinished = self.rest();
        if self.buf.len() > 4 * (CHUNK + KEPT) && self.end < 2 * KEPT {
            self.buf.truncate(CHUNK + KEPT);
            self.buf.shrink_to_fit();
        } else if self.buf.len() - self.end < CHUNK / 2 {
            // Doubles, so that a long line is not copied again and again, but never goes much
            // beyond the longest line.
            let most = KEPT + self.max_line + CHUNK;
            let size = (self.buf.len() + unfinished).min(most).max(self.end + CHUNK);
            let mut larger = vec![0; size];
            larger[..self.end].copy_from_slice(&self.buf[..self.end]);
            self.buf = larger;
        }
        let room = self.end..self.buf.len().min(self.end + CHUNK);
        &mut self.buf[room]
    }

    /// Tells how many bytes of the room were filled.
    pub(crate) fn filled(&mut self, bytes: usize) {
        self.end += bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: &mut LineBuffer, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = buffer.room();
            let n = room.len().min(bytes.len());
            room[..n].copy_from_slice(&bytes[..n]);
            buffer.filled(n);
            bytes = &bytes[n..];
        }
    }

    fn line(buffer: &mut LineBuffer) -> Option<Vec<u8>> {
        match buffer.next()? {
            Found::Line(range) => Some(buffer.bytes(range).to_vec()),
            Found::TooLong => Some(b"TOO LONG".to_vec()),
        }
    }

    #[test]
    fn a_line_comes_in_pieces() {
        let mut buffer = LineBuffer::new(0, b"", 100);
        fill(&mut buffer, b"ab");
        assert_eq!(line(&mut buffer), None);
        assert_eq!((buffer.next_offset(), buffer.end_offset()), (0, 2));
        fill(&mut buffer, b"c\n\nde");
        assert_eq!(line(&mut buffer).unwrap(), b"abc");
        assert_eq!(line(&mut buffer).unwrap(), b"");
        assert_eq!(line(&mut buffer), None);
        assert_eq!(buffer.next_offset(), 5);
        assert_eq!(buffer.head(), Some(Mark::of(b"abc\n")));
    }

    #[test]
    fn a_long_line_is_skipped_in_bounded_memory() {
        let mut buffer = LineBuffer::new(0, b"", 1_000_000);
        fill(&mut buffer, b"one\n");
        assert_eq!(line(&mut buffer).unwrap(), b"one");
        for _ in 0..100 {
            fill(&mut buffer, &vec![b'x'; 100_000]);
            assert_eq!(line(&mut buffer), None);
            assert!(buffer.buf.len() <= 1_000_000 + 2 * CHUNK + KEPT);
        }
        fill(&mut buffer, b"x\ntwo\n");
        assert_eq!(line(&mut buffer).unwrap(), b"TOO LONG");
        assert_eq!(line(&mut buffer).unwrap(), b"two");
        assert_eq!(buffer.next_offset(), 4 + 10_000_002 + 4);
        buffer.room();
        buffer.room();
        assert!(buffer.buf.len() < 2 * CHUNK, "memory is given back");
    }

    #[test]
    fn the_cap_is_exact() {
        let mut buffer = LineBuffer::new(0, b"", 5);
        fill(&mut buffer, b"12345\n123456\n1\n");
        assert_eq!(line(&mut buffer).unwrap(), b"12345");
        assert_eq!(line(&mut buffer).unwrap(), b"TOO LONG");
        assert_eq!(line(&mut buffer).unwrap(), b"1");
    }

    #[test]
    fn a_line_of_the_greatest_length_passes_through_a_growing_buffer() {
        let mut buffer = LineBuffer::new(0, b"", 3_000_000);
        let long: Vec<u8> = (0..3_000_000u32).map(|n| b'a' + (n % 26) as u8).collect();
        fill(&mut buffer, &long);
        fill(&mut buffer, b"\nshort\n");
        assert_eq!(line(&mut buffer).unwrap(), long);
        assert_eq!(line(&mut buffer).unwrap(), b"short");
    }

    #[test]
    fn marks_are_of_what_was_read_last_whatever_the_pieces() {
        let text: Vec<u8> = (0..20_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let marks = |piece: usize| {
            let mut buffer = LineBuffer::new(0, b"", 1000);
            let mut marks = Vec::new();
            for piece in text.chunks(piece) {
                fill(&mut buffer, piece);
                while let Some(Found::Line(range)) = buffer.next() {
                    marks.push((buffer.next_offset(), buffer.mark(range.len() + 1)));
                }
            }
            marks
        };
        assert_eq!(marks(7), marks(100_000));
    }

    #[test]
    fn the_rest_is_taken_once() {
        let mut buffer = LineBuffer::new(10, b"before", 100);
        assert_eq!(buffer.take_rest(), None);
        fill(&mut buffer, b"rest");
        assert_eq!(buffer.next(), None);
        assert!(matches!(buffer.take_rest(), Some(Found::Line(range)) if range.len() == 4));
        assert_eq!(buffer.take_rest(), None);
        assert_eq!(buffer.next_offset(), 14);
        assert_eq!(buffer.head(), None, "it did not begin at the beginning");
    }
}
