//! Reading ahead: blocks of lines of finished logs, read and decoded by several threads before they
//! are asked for, and handed on in their order: what comes of them does not depend on the threads.
//!
//! It starts no thread. Whoever has one to spare lets it `work`; whoever waits for a block works too,
//! so that none is needed.

use super::decode::{Lines, decode};
use super::input::Taken;
use crate::source::{LineSource, Notice, Status, Step};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Bytes of a block: so many that handing it on costs nothing, so few that it stays in the cache.
const BLOCK_BYTES: usize = 256 << 10;
/// Lines of a block, for logs of short ones.
const BLOCK_LINES: usize = 1 << 10;
/// Blocks of all logs that are read and not applied; each log may have two at least.
const BLOCKS_MOST: usize = 32;

/// Blocks of several logs, by several threads.
#[derive(Default)]
pub struct Ahead {
    logs: Mutex<Logs>,
    changed: Condvar,
}

#[derive(Default)]
struct Logs {
    logs: Vec<Log>,
    stopped: bool,
    /// A thread fell over: a block will never come.
    broken: bool,
}

/// One log.
struct Log {
    lines: Lines,
    /// Away while a thread reads from it.
    source: Option<Box<dyn LineSource>>,
    ended: bool,
    /// Blocks that were read, in their order; none where it is still decoded.
    blocks: VecDeque<Option<Vec<Taken>>>,
    /// Blocks that were taken.
    taken: u64,
    status: Status,
}

/// A block that a thread has taken on.
struct Job {
    log: usize,
    lines: Lines,
    source: Box<dyn LineSource>,
}

/// Lines that stand one behind the other, and what is no line.
#[derive(Default)]
struct Raw {
    bytes: Vec<u8>,
    steps: Vec<RawStep>,
}

enum RawStep {
    /// Its end in `bytes`.
    Line(usize),
    Notice(Notice),
}

/// What is read of one log.
pub(super) struct Reading {
    ahead: Arc<Ahead>,
    log: usize,
    block: std::vec::IntoIter<Taken>,
    /// For the work while it waits.
    raw: Raw,
}

impl Ahead {
    /// Reads and decodes until `stop`, wherever there is room.
    pub fn work(&self) {
        let mut raw = Raw::default();
        let mut logs = self.lock();
        while !logs.stopped {
            logs = match logs.claim(None) {
                Some(job) => {
                    drop(logs);
                    self.run(job, &mut raw);
                    self.lock()
                }
                None => self.wait(logs),
            };
        }
    }

    /// Sends those home who `work`.
    pub fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'l>(&self, logs: MutexGuard<'l, Logs>) -> MutexGuard<'l, Logs> {
        self.changed.wait(logs).unwrap_or_else(PoisonError::into_inner)
    }

    /// The next block of a log; nothing at its end. Works while it is not there.
    fn take(&self, log: usize, raw: &mut Raw) -> Option<Vec<Taken>> {
        let mut logs = self.lock();
        loop {
            assert!(!logs.broken, "a thread that reads ahead fell over: its message stands above");
            if let Some(block) = logs.take(log) {
                self.changed.notify_all();
                return Some(block);
            }
            if logs.logs[log].is_read_out() {
                return None;
            }
            logs = match logs.claim(Some(log)) {
                Some(job) => {
                    drop(logs);
                    self.run(job, raw);
                    self.lock()
                }
                None => self.wait(logs),
            };
        }
    }

    /// Reads a block and decodes it.
    fn run(&self, Job { log, lines, mut source }: Job, raw: &mut Raw) {
        let mut warning = Warning(Some(self));
        raw.clear();
        let ended = raw.fill(&mut *source);
        let number = {
            let mut logs = self.lock();
            let known = &mut logs.logs[log];
            if ended {
                known.status = source.status();
            }
            known.source = Some(source);
            known.ended = ended;
            known.blocks.push_back(None);
            known.taken + known.blocks.len() as u64 - 1
        };
        self.changed.notify_all();
        let block = raw.decode(lines);
        {
            let mut logs = self.lock();
            let known = &mut logs.logs[log];
            let place = usize::try_from(number - known.taken).unwrap_or(usize::MAX);
            if let Some(waiting) = known.blocks.get_mut(place) {
                *waiting = Some(block);
            }
        }
        self.changed.notify_all();
        warning.0 = None;
    }
}

impl Logs {
    /// A block to work on, of the log that is shortest of them, or of the one that is wanted now.
    fn claim(&mut self, wanted: Option<usize>) -> Option<Job> {
        let most = (BLOCKS_MOST / self.logs.len().max(1)).max(2);
        let has_room = |log: &Log| log.source.is_some() && !log.ended && log.blocks.len() < most;
        let wanted = wanted.filter(|log| has_room(&self.logs[*log]));
        let log = wanted.or_else(|| {
            let all = self.logs.iter().enumerate().filter(|(_, log)| has_room(log));
            all.min_by_key(|(_, log)| log.blocks.len()).map(|(number, _)| number)
        })?;
        let known = &mut self.logs[log];
        Some(Job { log, lines: known.lines, source: known.source.take()? })
    }

    fn take(&mut self, log: usize) -> Option<Vec<Taken>> {
        let log = &mut self.logs[log];
        let block = log.blocks.front_mut()?.take()?;
        log.blocks.pop_front();
        log.taken += 1;
        Some(block)
    }
}

impl Log {
    /// Nothing will come of it any more.
    fn is_read_out(&self) -> bool {
        self.ended && self.blocks.is_empty()
    }
}

impl Raw {
    fn clear(&mut self) {
        self.steps.clear();
        self.bytes.clear();
        // One line of many megabytes must not hold its memory for ever.
        self.bytes.shrink_to(4 * BLOCK_BYTES);
    }

    /// Reads a block; whether the log ends behind it.
    fn fill(&mut self, source: &mut dyn LineSource) -> bool {
        let mut line = Vec::new();
        while self.bytes.len() < BLOCK_BYTES && self.steps.len() < BLOCK_LINES {
            match source.next(Instant::now(), &mut line) {
                Step::Line => {
                    if self.bytes.is_empty() && line.len() > BLOCK_BYTES {
                        // No second copy of many megabytes.
                        std::mem::swap(&mut self.bytes, &mut line);
                    } else {
                        self.bytes.extend_from_slice(&line);
                    }
                    self.steps.push(RawStep::Line(self.bytes.len()));
                }
                Step::Notice(notice) => self.steps.push(RawStep::Notice(notice)),
                // A finished log waits for nothing.
                Step::Idle | Step::End => return true,
            }
        }
        false
    }

    fn decode(&self, lines: Lines) -> Vec<Taken> {
        let mut start = 0;
        let steps = self.steps.iter().map(|step| match step {
            RawStep::Line(end) => {
                let line = &self.bytes[std::mem::replace(&mut start, *end)..*end];
                Taken::Line { bytes: line.len() as u64 + 1, decoded: decode(lines, line) }
            }
            RawStep::Notice(notice) => Taken::Notice(*notice),
        });
        steps.collect()
    }
}

impl Reading {
    /// Reads this source ahead, with those that were added before.
    pub(super) fn new(ahead: &Arc<Ahead>, lines: Lines, source: Box<dyn LineSource>) -> Self {
        let mut logs = ahead.lock();
        logs.logs.push(Log {
            lines,
            status: source.status(),
            source: Some(source),
            ended: false,
            blocks: VecDeque::new(),
            taken: 0,
        });
        Self {
            ahead: Arc::clone(ahead),
            log: logs.logs.len() - 1,
            block: Vec::new().into_iter(),
            raw: Raw::default(),
        }
    }

    /// The next step.
    pub(super) fn next(&mut self) -> Taken {
        loop {
            if let Some(step) = self.block.next() {
                return step;
            }
            match self.ahead.take(self.log, &mut self.raw) {
                Some(block) => self.block = block.into_iter(),
                None => return Taken::End,
            }
        }
    }

    /// How the log was when its last block was read, or else at the beginning.
    pub(super) fn status(&self) -> Status {
        self.ahead.lock().logs[self.log].status.clone()
    }
}

/// Dropped while it stands for something, it says that a block will never come.
struct Warning<'a>(Option<&'a Ahead>);

impl Drop for Warning<'_> {
    fn drop(&mut self) {
        if let Some(ahead) = self.0 {
            ahead.lock().broken = true;
            ahead.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LogKind;
    use crate::source::{Archive, Input as Piece};
    use std::io::Cursor;

    const AUDIT: Lines = Lines::Log(LogKind::Audit);

    fn log(lines: usize, width: usize) -> Box<dyn LineSource> {
        let text: String = (0..lines)
            .map(|number| format!("{number}{}\n", " ".repeat(width - number.to_string().len())))
            .collect();
        let pieces = vec![Piece::Stream("log".to_owned(), Box::new(Cursor::new(text)))];
        Box::new(Archive::new(pieces, 1 << 20).unwrap())
    }

    /// The lengths of all lines of each log, asked for in turn.
    fn lengths(ahead: &Arc<Ahead>, logs: Vec<Box<dyn LineSource>>) -> Vec<Vec<u64>> {
        let mut logs: Vec<_> =
            logs.into_iter().map(|log| (Reading::new(ahead, AUDIT, log), Vec::new())).collect();
        let mut open = logs.len();
        while open > 0 {
            open = 0;
            for (log, lengths) in &mut logs {
                if let Taken::Line { bytes, .. } = log.next() {
                    lengths.push(bytes);
                    open += 1;
                }
            }
        }
        logs.into_iter().map(|(_, lengths)| lengths).collect()
    }

    #[test]
    fn blocks_come_in_their_order_whoever_works() {
        let logs = || vec![log(200_000, 7), log(3, 1), log(10, 600_000), log(0, 1), log(5_000, 2_000)];
        let alone = lengths(&Arc::default(), logs());
        assert_eq!(alone.iter().map(Vec::len).collect::<Vec<_>>(), [200_000, 3, 10, 0, 5_000]);
        assert!(alone[2].iter().all(|length| *length == 600_001));
        for helpers in [1, 3] {
            let ahead = Arc::<Ahead>::default();
            std::thread::scope(|scope| {
                for _ in 0..helpers {
                    scope.spawn(|| ahead.work());
                }
                assert_eq!(lengths(&ahead, logs()), alone);
                ahead.stop();
            });
        }
    }

    #[test]
    fn only_so_much_is_read_ahead() {
        let ahead = Arc::<Ahead>::default();
        let _logs: Vec<_> =
            [log(100_000, 2_000), log(100_000, 2_000)].map(|log| Reading::new(&ahead, AUDIT, log)).into();
        let mut raw = Raw::default();
        while let Some(job) = { ahead.lock().claim(None) } {
            ahead.run(job, &mut raw);
        }
        let blocks: Vec<_> = ahead.lock().logs.iter().map(|log| log.blocks.len()).collect();
        assert_eq!(blocks, [BLOCKS_MOST / 2; 2]);
    }

    #[test]
    #[should_panic(expected = "fell over")]
    fn who_waits_for_a_thread_that_fell_over_is_told() {
        struct Broken;
        impl LineSource for Broken {
            fn next(&mut self, _: Instant, _: &mut Vec<u8>) -> Step {
                std::panic::resume_unwind(Box::new("broken"))
            }
            fn position(&self) -> crate::source::Position {
                crate::source::Position::default()
            }
            fn next_position(&self) -> crate::source::Position {
                crate::source::Position::default()
            }
            fn status(&self) -> Status {
                Status::default()
            }
        }
        let ahead = Arc::<Ahead>::default();
        let mut reading = Reading::new(&ahead, AUDIT, Box::new(Broken));
        let worker = Arc::clone(&ahead);
        assert!(std::thread::spawn(move || worker.work()).join().is_err());
        reading.next();
    }
}
