//! Container logs: lines that a container runtime wrapped, and cut at 16 KB, made whole again.
//!
//! Wraps any source. Lines without a frame pass as they are, so it can stand before every log.
//! Recognising the frames is `frame`'s.

mod frame;

use self::frame::{Frame, Text, frame};
use super::position::Position;
use super::{LineSource, Notice, Status, Step};
use std::time::Instant;

/// A source whose lines may be wrapped by a container runtime.
///
/// The parts of a line of standard output and of one of standard error can stand interleaved.
/// So a position is the place of the earliest part that still waits for its end, and the number
/// of lines that came to their end since: those are passed over when reading begins there.
pub struct Container<S> {
    inner: S,
    max_line: usize,
    /// By stream: standard output and standard error.
    pending: [Option<Pending>; 2],
    /// Parts that began a line, to tell which came first.
    begun: u64,
    /// Lines that came to their end, passed over or not.
    ended: u64,
    /// Lines still to be passed over.
    skip: u64,
    here: Position,
    next: Position,
}

/// A line whose end has not come.
struct Pending {
    text: Vec<u8>,
    too_long: bool,
    start: Position,
    serial: u64,
    /// `ended` when it began.
    ended: u64,
}

impl<S: LineSource> Container<S> {
    /// Wraps `inner`, which was made from `from` if there is one: a position that this gave.
    /// Joined lines of more than `max_line` bytes are skipped.
    pub fn new(inner: S, from: Option<&Position>, max_line: usize) -> Self {
        let skip = from.map_or(0, |position| position.skip);
        let next = Position { skip, ..inner.next_position() };
        Self { inner, max_line, pending: [None, None], begun: 0, ended: 0, skip, here: next.clone(), next }
    }

    /// Where to begin so that what comes after the present place is given, and only that.
    fn place(&self) -> Position {
        let earliest = self.pending.iter().flatten().min_by_key(|pending| pending.serial);
        match earliest {
            Some(pending) => {
                Position { skip: self.skip + (self.ended - pending.ended), ..pending.start.clone() }
            }
            None => Position { skip: self.skip, ..self.inner.next_position() },
        }
    }

    fn step(&mut self, step: Step) -> Step {
        let next = self.place();
        self.here = std::mem::replace(&mut self.next, next);
        step
    }

    /// A line came to its end; says whether it is to be given.
    fn end(&mut self) -> bool {
        self.ended += 1;
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        true
    }

    /// Takes a framed line; a step if a line ends with it, which then is `line` or too long.
    fn unwrap(&mut self, frame: Frame, line: &mut Vec<u8>) -> Option<Step> {
        let slot = &mut self.pending[frame.stream as usize];
        if frame.whole && slot.is_none() {
            match frame.text {
                Text::Part(range) => {
                    line.truncate(range.end);
                    line.drain(..range.start);
                }
                Text::Decoded(text) => {
                    line.clear();
                    line.extend_from_slice(text.as_bytes());
                }
            }
            return Some(if line.len() > self.max_line { Step::Notice(Notice::TooLong) } else { Step::Line });
        }
        let pending = slot.get_or_insert_with(|| {
            self.begun += 1;
            Pending {
                text: Vec::new(),
                too_long: false,
                start: self.inner.position(),
                serial: self.begun,
                ended: self.ended,
            }
        });
        let part = match &frame.text {
            Text::Part(range) => &line[range.clone()],
            Text::Decoded(text) => text.as_bytes(),
        };
        if pending.text.len() + part.len() > self.max_line {
            pending.too_long = true;
            pending.text = Vec::new();
        }
        if !pending.too_long {
            pending.text.extend_from_slice(part);
        }
        if !frame.whole {
            return None;
        }
        let pending = slot.take()?;
        if pending.too_long {
            return Some(Step::Notice(Notice::TooLong));
        }
        *line = pending.text;
        Some(Step::Line)
    }
}

impl<S: LineSource> LineSource for Container<S> {
    fn next(&mut self, now: Instant, line: &mut Vec<u8>) -> Step {
        loop {
            match self.inner.next(now, line) {
                Step::Line => {
                    let step = match frame(line) {
                        None => Some(Step::Line),
                        Some(frame) => self.unwrap(frame, line),
                    };
                    if let Some(step) = step
                        && self.end()
                    {
                        return self.step(step);
                    }
                }
                Step::Notice(Notice::TooLong) => {
                    if self.end() {
                        return self.step(Step::Notice(Notice::TooLong));
                    }
                }
                Step::Notice(notice) => {
                    if notice == Notice::Gap {
                        // The ends of these lines are lost.
                        self.pending = [None, None];
                    }
                    // What stands before a line that was given was told before it, too.
                    if self.skip == 0 {
                        return self.step(Step::Notice(notice));
                    }
                }
                Step::Idle => {
                    self.next = self.place();
                    self.here = self.next.clone();
                    return Step::Idle;
                }
                Step::End => {
                    // As with a last line without its end: finite input ends anywhere.
                    let first = (0..2)
                        .filter(|stream| self.pending[*stream].is_some())
                        .min_by_key(|stream| self.pending[*stream].as_ref().map(|p| p.serial));
                    let Some(pending) = first.and_then(|stream| self.pending[stream].take()) else {
                        self.next = self.place();
                        self.here = self.next.clone();
                        return Step::End;
                    };
                    if self.end() {
                        if pending.too_long {
                            return self.step(Step::Notice(Notice::TooLong));
                        }
                        *line = pending.text;
                        return self.step(Step::Line);
                    }
                }
            }
        }
    }

    fn position(&self) -> Position {
        self.here.clone()
    }

    fn next_position(&self) -> Position {
        self.next.clone()
    }

    fn status(&self) -> Status {
        self.inner.status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Archive, Input};
    use std::fmt::Write;

    fn source(text: &str, from: Option<&Position>, max_line: usize) -> Container<Archive> {
        let bytes = std::io::Cursor::new(text.as_bytes().to_vec());
        let stream = Input::Stream("test".to_owned(), Box::new(bytes));
        let archive = Archive::new(vec![stream], 1 << 20).unwrap();
        let archive = match from {
            Some(position) => archive.starting_at(position),
            None => archive,
        };
        Container::new(archive, from, max_line)
    }

    fn rest(source: &mut Container<Archive>) -> Vec<String> {
        let mut line = Vec::new();
        let mut steps = Vec::new();
        loop {
            match source.next(Instant::now(), &mut line) {
                Step::Line => steps.push(String::from_utf8(line.clone()).unwrap()),
                Step::Notice(notice) => steps.push(format!("{notice:?}")),
                Step::Idle => panic!("an archive does not wait"),
                Step::End => return steps,
            }
        }
    }

    fn cri(stream: &str, tag: &str, text: &str) -> String {
        format!("2026-01-02T03:04:05.123456789Z {stream} {tag} {text}\n")
    }

    fn docker(stream: &str, text: &str) -> String {
        let log = serde_json::to_string(text).unwrap();
        format!("{{\"log\":{log},\"stream\":\"{stream}\",\"time\":\"2026-01-02T03:04:05Z\"}}\n")
    }

    fn mixture() -> (String, Vec<&'static str>) {
        let text = [
            cri("stdout", "F", "{\"a\":1}"),
            "{\"bare\":true}\n".to_owned(),
            cri("stdout", "P", "{\"cut\":\"one "),
            cri("stderr", "F", "[INFO] between"),
            cri("stderr", "P", "[INFO] cut "),
            cri("stdout", "P", "two "),
            cri("stdout", "F", "three\"}"),
            docker("stdout", "{\"quote\":\"\\\"\"}\n"),
            docker("stdout", "{\"half\":"),
            cri("stderr", "F", "too"),
            cri("stderr", "F", "[INFO] own"),
            docker("stdout", "2}\n"),
            cri("stdout", "F", ""),
            "2026-01-02T03:04:05.123Z [INFO]  not a frame\n".to_owned(),
        ];
        let lines = vec![
            "{\"a\":1}",
            "{\"bare\":true}",
            "[INFO] between",
            "{\"cut\":\"one two three\"}",
            "{\"quote\":\"\\\"\"}",
            "[INFO] cut too",
            "[INFO] own",
            "{\"half\":2}",
            "",
            "2026-01-02T03:04:05.123Z [INFO]  not a frame",
        ];
        (text.concat(), lines)
    }

    #[test]
    fn frames_are_taken_off_and_parts_are_joined() {
        let (text, lines) = mixture();
        assert_eq!(rest(&mut source(&text, None, 1000)), lines);
    }

    #[test]
    fn every_position_leads_back_and_forth() {
        let (text, lines) = mixture();
        let mut first = source(&text, None, 1000);
        for at in 0..lines.len() {
            assert_eq!(first.next(Instant::now(), &mut Vec::new()), Step::Line);
            for (position, from) in [(first.position(), at), (first.next_position(), at + 1)] {
                let mut again = source(&text, Some(&position), 1000);
                assert_eq!(rest(&mut again), lines[from..], "{position:?}");
                // And again from a position that the second one gave.
                let mut again = source(&text, Some(&position), 1000);
                if again.next(Instant::now(), &mut Vec::new()) == Step::Line {
                    let mut third = source(&text, Some(&again.position()), 1000);
                    assert_eq!(rest(&mut third), lines[from..]);
                    let mut third = source(&text, Some(&again.next_position()), 1000);
                    assert_eq!(rest(&mut third), lines[from + 1..]);
                }
            }
        }
    }

    #[test]
    fn a_joined_line_has_the_same_cap() {
        let mut text = String::new();
        for tag in ["P", "P", "P", "F", "F"] {
            write!(text, "{}", cri("stdout", tag, "1234567890")).unwrap();
        }
        assert_eq!(rest(&mut source(&text, None, 39)), ["TooLong", "1234567890"]);
        let whole = "1234567890".repeat(4);
        assert_eq!(rest(&mut source(&text, None, 40)), [whole.as_str(), "1234567890"]);
    }

    #[test]
    fn what_is_cut_off_by_the_end_is_given() {
        let text = cri("stdout", "P", "out") + &cri("stderr", "P", "err");
        assert_eq!(rest(&mut source(&text, None, 1000)), ["out", "err"]);
    }
}
