//! A segment: one open file of a log and the place of reading in it.
//!
//! Gives whole lines and notices when the file no longer holds what was read. What comes before
//! or after the file is `tail`'s.

use super::buffer::{Found, LineBuffer};
use super::content::{Content, has_head, head, modified};
use super::position::{BEFORE_LIMIT, FileId, FileMark, Mark, Position};
use super::siblings::Sibling;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// One open file and the place of reading in it.
pub(crate) struct Segment {
    content: Content,
    buffer: LineBuffer,
    path: Arc<str>,
    /// Set once the first line is known.
    mark: Option<Arc<FileMark>>,
    /// Where the last piece began, and what stands before it.
    last: (u64, Mark),
    /// Where the next piece begins, and what stands before it.
    next: (u64, Mark),
    modified: u64,
    /// Length when last looked; of a compressed file, its compressed length.
    len: u64,
}

/// What reading gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A whole line.
    Line,
    /// The end of a line that was too long.
    TooLong,
    /// Nothing now.
    End,
    /// The file no longer holds what was read: it was truncated, and perhaps filled again.
    Changed,
}

impl Segment {
    /// Opens a file to read it from its beginning. None if by now the path names another file.
    ///
    /// # Errors
    /// Those of opening it.
    pub(crate) fn open(sibling: &Sibling, max_line: usize) -> io::Result<Option<Self>> {
        let content = Content::open(sibling.place())?;
        if content.id() != sibling.id {
            return Ok(None);
        }
        Self::new(content, sibling, 0, &[], None, max_line).map(Some)
    }

    /// Opens a file to read it from `position` on. None if its content is not what stood there.
    ///
    /// # Errors
    /// Those of opening and reading it.
    pub(crate) fn resume(
        sibling: &Sibling,
        position: &Position,
        max_line: usize,
    ) -> io::Result<Option<Self>> {
        let Some(file) = &position.file else {
            return Ok(None);
        };
        let mut content = Content::open(sibling.place())?;
        if content.is_plain() && content.metadata()?.len() < position.offset
            || !has_head(&mut content, file.head)?
        {
            return Ok(None);
        }
        if !content.is_plain() {
            // It can only be read forwards, and the head may reach beyond the position.
            content = Content::open(sibling.place())?;
        }
        let Some(kept) = kept(&mut content, position.offset)? else {
            return Ok(None);
        };
        let before = &kept[kept.len().saturating_sub(position.before.len as usize)..];
        if Mark::of(before) != position.before && !position.before.is_empty() {
            return Ok(None);
        }
        let mark = Some(file.head);
        Self::new(content, sibling, position.offset, &kept, mark, max_line).map(Some)
    }

    /// Opens a plain file to read it from its last line's end on. None if it has no whole line,
    /// is compressed, or by now the path names another file.
    ///
    /// # Errors
    /// Those of opening and reading it.
    pub(crate) fn open_at_end(sibling: &Sibling, max_line: usize) -> io::Result<Option<Self>> {
        let mut content = Content::open(sibling.place())?;
        if content.id() != sibling.id || !content.is_plain() {
            return Ok(None);
        }
        let Some(mark) = head(&mut content)? else {
            return Ok(None);
        };
        let mut end = content.metadata()?.len();
        let mut chunk = vec![0; BEFORE_LIMIT];
        loop {
            let start = end.saturating_sub(chunk.len() as u64);
            let room = usize::try_from(end - start).unwrap_or(chunk.len());
            let len = content.read_full(start, &mut chunk[..room])?;
            if let Some(newline) = memchr::memrchr(b'\n', &chunk[..len]) {
                end = start + newline as u64 + 1;
                break;
            }
            if start == 0 {
                return Ok(None);
            }
            end = start;
        }
        let Some(kept) = kept(&mut content, end)? else {
            return Ok(None);
        };
        Self::new(content, sibling, end, &kept, Some(mark), max_line).map(Some)
    }

    fn new(
        content: Content,
        sibling: &Sibling,
        offset: u64,
        kept: &[u8],
        head: Option<Mark>,
        max_line: usize,
    ) -> io::Result<Self> {
        let resolved = std::fs::canonicalize(&sibling.path);
        let path = resolved.as_ref().unwrap_or(&sibling.path).to_string_lossy();
        let place = (offset, Mark::before(kept, BEFORE_LIMIT));
        let mut segment = Self {
            buffer: LineBuffer::new(offset, kept, max_line),
            content,
            path: path.into(),
            mark: None,
            last: place,
            next: place,
            modified: 0,
            len: 0,
        };
        segment.look()?;
        if let Some(head) = head {
            segment.set_head(head);
        }
        Ok(segment)
    }

    /// Takes the next piece; for a line, `line` becomes its bytes.
    ///
    /// # Errors
    /// Those of reading; `UnexpectedEof`, `InvalidData` and others if a compressed file breaks.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Piece> {
        loop {
            if let Some(found) = self.buffer.next() {
                return self.took(found, line);
            }
            let offset = self.buffer.end_offset();
            let n = self.content.read(offset, self.buffer.room())?;
            // After reading, not before: only then it is sure that what was read now follows
            // what was read then.
            if self.content.is_plain() && !self.still_holds()? {
                return Ok(Piece::Changed);
            }
            if n == 0 {
                return Ok(Piece::End);
            }
            self.buffer.filled(n);
            let end = self.buffer.end_offset();
            if end > self.len && self.content.is_plain() {
                self.len = end;
            }
        }
    }

    /// Takes what stands after the last newline: a line that nobody will end.
    pub(crate) fn take_rest(&mut self, line: &mut Vec<u8>) -> io::Result<Option<Piece>> {
        match self.buffer.take_rest() {
            Some(found) => self.took(found, line).map(Some),
            None => Ok(None),
        }
    }

    fn took(&mut self, found: Found, line: &mut Vec<u8>) -> io::Result<Piece> {
        let (piece, len) = match found {
            Found::Line(range) => {
                let len = range.len() + 1;
                line.clear();
                line.extend_from_slice(self.buffer.bytes(range));
                (Piece::Line, len)
            }
            Found::TooLong => (Piece::TooLong, BEFORE_LIMIT),
        };
        if self.mark.is_none() {
            let first = match self.buffer.head() {
                Some(mark) => Some(mark),
                // The line was too long to be kept.
                None if self.content.is_plain() => head(&mut self.content)?,
                None => head(&mut Content::open(self.path.as_ref().as_ref())?)?,
            };
            if let Some(first) = first {
                self.set_head(first);
            }
        }
        self.last = self.next;
        self.next = (self.buffer.next_offset(), self.buffer.mark(len));
        Ok(piece)
    }

    /// Whether the file still holds what was read of it last.
    fn still_holds(&mut self) -> io::Result<bool> {
        let expected = self.buffer.tail();
        let mut found = [0; BEFORE_LIMIT];
        let offset = self.buffer.end_offset() - expected.len() as u64;
        let len = self.content.read_full(offset, &mut found[..expected.len()])?;
        Ok(&found[..len] == expected)
    }

    fn set_head(&mut self, head: Mark) {
        self.mark = Some(Arc::new(FileMark { head, id: self.id(), path: self.path.clone() }));
    }

    /// Looks at the file anew; says how many names it has left.
    ///
    /// # Errors
    /// Those of looking.
    pub(crate) fn look(&mut self) -> io::Result<u64> {
        let metadata = self.content.metadata()?;
        self.modified = modified(&metadata);
        self.len = metadata.len();
        Ok(metadata.nlink())
    }

    /// Where the last piece began. None before the first line.
    pub(crate) fn last_position(&self) -> Option<Position> {
        self.position(self.last)
    }

    /// Where the next piece begins. None before the first line was read whole.
    pub(crate) fn next_position(&self) -> Option<Position> {
        self.position(self.next)
    }

    fn position(&self, (offset, before): (u64, Mark)) -> Option<Position> {
        Some(Position {
            file: Some(self.mark.clone()?),
            offset,
            before,
            at: self.modified,
            ..Position::default()
        })
    }

    /// Whether `sibling` holds the same as this file, or the beginning of it.
    ///
    /// # Errors
    /// Those of opening and reading it.
    pub(crate) fn is_copied_by(&mut self, sibling: &Sibling) -> io::Result<bool> {
        let Some(position) = self.next_position() else {
            return Ok(false);
        };
        if Self::resume(sibling, &position, 0)?.is_some() {
            return Ok(true);
        }
        let Some(mark) = &self.mark else {
            return Ok(false);
        };
        let mut copy = Content::open(sibling.place())?;
        if !copy.is_plain() || !self.content.is_plain() || !has_head(&mut copy, mark.head)? {
            return Ok(false);
        }
        let len = copy.metadata()?.len().min(self.next.0);
        let mut ours = [0; BEFORE_LIMIT];
        let mut theirs = [0; BEFORE_LIMIT];
        let start = len.saturating_sub(BEFORE_LIMIT as u64);
        let room = usize::try_from(len - start).unwrap_or(BEFORE_LIMIT);
        let n = self.content.read_full(start, &mut ours[..room])?;
        let m = copy.read_full(start, &mut theirs[..room])?;
        Ok(n == room && ours[..n] == theirs[..m])
    }

    pub(crate) fn id(&self) -> FileId {
        self.content.id()
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.content.is_plain()
    }

    /// Whether an unfinished line was read.
    pub(crate) fn has_rest(&self) -> bool {
        self.buffer.has_rest()
    }

    /// Nanoseconds since 1970, when last looked.
    pub(crate) fn modified(&self) -> u64 {
        self.modified
    }

    /// Length when last looked; of a compressed file, its compressed length.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Bytes of the file that were not taken as lines yet, as far as is known.
    pub(crate) fn unread(&self) -> u64 {
        self.len.saturating_sub(self.next.0)
    }

    /// Bytes of the file that were not read yet, as far as is known.
    pub(crate) fn unseen(&self) -> u64 {
        self.len.saturating_sub(self.buffer.end_offset())
    }
}

/// The bytes before `offset`, up to `BEFORE_LIMIT`. None if the file is shorter.
fn kept(content: &mut Content, offset: u64) -> io::Result<Option<Vec<u8>>> {
    let start = offset.saturating_sub(BEFORE_LIMIT as u64);
    let mut kept = vec![0; usize::try_from(offset - start).unwrap_or(BEFORE_LIMIT)];
    let len = content.read_full(start, &mut kept)?;
    Ok((len == kept.len()).then_some(kept))
}
