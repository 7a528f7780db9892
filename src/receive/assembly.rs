//! An assembly: the bytes of one connection on their way to whole lines, however they were cut.
//!
//! A record ends with its line, or after as many bytes as stand in front of it: syslog over TCP
//! counts them (RFC 6587). No audit entry begins with a number, so the two are told apart by how a
//! record begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many bytes of a begun line every connection may keep, whatever the others keep.
const OWN_SHARE: usize = 64 << 10;

/// A count of more digits is none.
const MOST_DIGITS: usize = 9;

/// What comes of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// One line, without its end, and not empty.
    Line(&'a [u8]),
    /// A line that is longer than lines may be.
    TooLong,
    /// A line for whose beginning there was no room, since so many others had begun.
    NoRoom,
}

/// Bytes that all begun lines may take together.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<AtomicUsize>);

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    fn take(&self, bytes: usize) -> bool {
        let taken = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(bytes));
        taken.is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::SeqCst);
    }

    /// Room for what comes whole, for as long as what this gives lives.
    pub(super) fn hold(&self, bytes: usize) -> Option<Held> {
        let charge = bytes.saturating_sub(OWN_SHARE);
        self.take(charge).then(|| Held { room: self.clone(), charge })
    }
}

/// A part of the room that is taken.
pub(super) struct Held {
    room: Room,
    charge: usize,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.give_back(self.charge);
    }
}

/// Where a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a record, or in digits that may be a count.
    Begin,
    /// In a line, up to its end.
    Line,
    /// In a record of which so many bytes are to come.
    Counted(usize),
    /// In what is passed over, up to the end of the line.
    Skip,
    /// In what is passed over, so many bytes.
    SkipCounted(usize),
}

/// One connection's begun line.
#[derive(Debug)]
pub(super) struct Assembly {
    begun: Vec<u8>,
    state: State,
    most: usize,
    room: Room,
    /// Bytes taken out of the room.
    taken: usize,
}

impl Assembly {
    /// Lines of up to `most` bytes, kept in `room` while they are not whole.
    pub(super) fn new(most: usize, room: Room) -> Self {
        Self { begun: Vec::new(), state: State::Begin, most, room, taken: 0 }
    }

    /// Takes bytes as they came; gives every record that ends in them.
    pub(super) fn take(&mut self, mut bytes: &[u8], mut give: impl FnMut(Record<'_>)) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Begin => self.begin(bytes),
                State::Line => self.line(bytes, &mut give),
                State::Counted(left) => self.counted(left, bytes, &mut give),
                State::Skip => match memchr::memchr(b'\n', bytes) {
                    Some(end) => {
                        self.state = State::Begin;
                        &bytes[end + 1..]
                    }
                    None => &[],
                },
                State::SkipCounted(left) => {
                    let n = left.min(bytes.len());
                    self.state = if n == left { State::Begin } else { State::SkipCounted(left - n) };
                    &bytes[n..]
                }
            };
        }
    }

    /// The connection has ended. What was begun, if anything.
    pub(super) fn end(mut self) -> Option<Vec<u8>> {
        let skipped = matches!(self.state, State::Skip | State::SkipCounted(_));
        let begun = std::mem::take(&mut self.begun);
        let counted = matches!(self.state, State::Counted(_));
        (!skipped && (counted || !trimmed(&begun).is_empty())).then_some(begun)
    }

    /// Looks whether a record begins with its length: digits, a space, and the priority of syslog.
    fn begin<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        for (at, byte) in bytes.iter().enumerate() {
            let digits = self.begun.len();
            match byte {
                b'0'..=b'9' if digits < MOST_DIGITS => self.begun.push(*byte),
                b' ' if digits > 0 && self.begun.last() != Some(&b' ') => self.begun.push(b' '),
                b'<' if self.begun.last() == Some(&b' ') => {
                    let count =
                        std::str::from_utf8(&self.begun).ok().and_then(|text| text.trim().parse().ok());
                    self.begun.clear();
                    self.state = match count {
                        Some(count) if count > self.most => State::SkipCounted(count),
                        Some(count) if count > 0 => State::Counted(count),
                        _ => State::Line,
                    };
                    return &bytes[at..];
                }
                _ => {
                    self.state = State::Line;
                    return &bytes[at..];
                }
            }
        }
        &[]
    }

    fn line<'b>(&mut self, bytes: &'b [u8], give: &mut impl FnMut(Record<'_>)) -> &'b [u8] {
        let end = memchr::memchr(b'\n', bytes);
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let length = self.begun.len() + part.len();
        if length > self.most {
            self.forget();
            give(Record::TooLong);
            self.state = State::Skip;
            return &bytes[part.len()..];
        }
        if let Some(end) = end {
            if self.begun.is_empty() {
                give_line(part, give);
            } else {
                self.begun.extend_from_slice(part);
                give_line(&self.begun, give);
                self.forget();
            }
            self.state = State::Begin;
            return &bytes[end + 1..];
        }
        if !self.keep(part) {
            give(Record::NoRoom);
            self.state = State::Skip;
        }
        &[]
    }

    fn counted<'b>(&mut self, left: usize, bytes: &'b [u8], give: &mut impl FnMut(Record<'_>)) -> &'b [u8] {
        let n = left.min(bytes.len());
        let (part, rest) = bytes.split_at(n);
        if !self.keep(part) {
            give(Record::NoRoom);
            self.state = if n == left { State::Begin } else { State::SkipCounted(left - n) };
            return rest;
        }
        if n < left {
            self.state = State::Counted(left - n);
            return rest;
        }
        // Its length and not its lines says where it ends.
        let end = trimmed(&self.begun).len();
        self.begun.truncate(end);
        self.begun.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        give_line(&self.begun, give);
        self.forget();
        self.state = State::Begin;
        rest
    }

    /// Keeps a part of a begun line, if there is room.
    fn keep(&mut self, part: &[u8]) -> bool {
        let charge = (self.begun.len() + part.len()).saturating_sub(OWN_SHARE).saturating_sub(self.taken);
        if charge > 0 && !self.room.take(charge) {
            self.forget();
            return false;
        }
        self.taken += charge;
        self.begun.extend_from_slice(part);
        true
    }

    fn forget(&mut self) {
        if self.begun.capacity() > OWN_SHARE {
            self.begun = Vec::new();
        }
        self.begun.clear();
        self.room.give_back(std::mem::take(&mut self.taken));
    }
}

impl Drop for Assembly {
    fn drop(&mut self) {
        self.forget();
    }
}

/// Every line of a datagram or a body, without its end, and not empty.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(trimmed).filter(|line| !line.is_empty())
}

fn give_line(line: &[u8], give: &mut impl FnMut(Record<'_>)) {
    let line = trimmed(line);
    if !line.is_empty() {
        give(Record::Line(line));
    }
}

/// Without what senders put at the end of a line.
fn trimmed(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n' | b'\0')).map_or(0, |last| last + 1);
    &line[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken<'a>(
        pieces: impl IntoIterator<Item = &'a [u8]>,
        most: usize,
        room: usize,
    ) -> (Vec<String>, Option<Vec<u8>>) {
        let room = Room::new(room);
        let mut assembly = Assembly::new(most, room.clone());
        let mut records = Vec::new();
        for piece in pieces {
            assembly.take(piece, |record| match record {
                Record::Line(line) => records.push(String::from_utf8_lossy(line).into_owned()),
                other => records.push(format!("{other:?}")),
            });
        }
        (records, assembly.end())
    }

    fn whole(text: &str) -> Vec<String> {
        taken([text.as_bytes()], 100, 0).0
    }

    #[test]
    fn lines_end_with_their_ends_or_their_counts() {
        assert_eq!(whole("{\"a\":1}\r\n\n{\"b\":2}\n{\"cut"), ["{\"a\":1}", "{\"b\":2}"]);
        assert_eq!(
            whole("7 <38>a\nb{\"a\":1}\n5 <1>\n\n12 <38>vault: x12 <38>vault: y"),
            ["<38>a b", "{\"a\":1}", "<1>", "<38>vault: x", "<38>vault: y"]
        );
        // What only looks like a count is the beginning of a line.
        assert_eq!(
            whole("12 apples\n007\n1234567890 <\n 5 <\n"),
            ["12 apples", "007", "1234567890 <", " 5 <"]
        );
    }

    #[test]
    fn what_is_too_long_costs_itself_alone() {
        let long = format!("{}\nshort\n999 <{}<1>x\n", "x".repeat(101), "y".repeat(998));
        assert_eq!(whole(&long), ["TooLong", "short", "<1>x"]);
    }

    #[test]
    fn the_end_of_a_connection_tells_what_was_begun() {
        for (text, begun) in
            [("a\n", None), ("a\nb", Some("b")), ("", None), ("\r", None), ("9 <1>", Some("<1>"))]
        {
            let (_, rest) = taken([text.as_bytes()], 100, 0);
            assert_eq!(rest.as_deref(), begun.map(str::as_bytes), "{text:?}");
        }
    }

    #[test]
    fn begun_lines_share_a_room_beyond_their_own_share() {
        let room = Room::new(10);
        let part = vec![b'x'; OWN_SHARE];
        let mut one = Assembly::new(1 << 20, room.clone());
        let mut other = Assembly::new(1 << 20, room.clone());
        let mut told = Vec::new();
        one.take(&part, |_| panic!("there is room"));
        one.take(b"0123456789", |_| panic!("there is room"));
        other.take(&part, |_| panic!("there is room"));
        other.take(b"0", |record| told.push(format!("{record:?}")));
        other.take(b"123\nnext\n", |record| told.push(format!("{record:?}")));
        assert_eq!(told, ["NoRoom".to_owned(), format!("{:?}", Record::Line(b"next"))]);
        drop(one);
        assert!(room.take(10), "what a connection took is given back");
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_bytes_are_cut(
            parts in proptest::collection::vec("(\\{\"a\":[0-9]{1,9}\\}\n|[0-9]{1,3} <|5 <12>z|[a-z ]{0,9}\r?\n|\n)", 0..12),
            cuts in proptest::collection::vec(0usize..200, 0..12),
        ) {
            let text = parts.concat();
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]);
            prop_assert_eq!(taken(pieces, 60, 0), taken([bytes], 60, 0));
        }
    }
}
