//! Reading ahead: blocks of lines of finished logs, read and decoded by several threads before they
//! are asked for, and handed on in their order: what comes of them does not depend on the threads.
//!
//! It starts no thread. Whoever has one to spare lets it `work`; whoever waits for a block works too,
//! so that none is needed.

mod block;

use super::decode::Lines;
use super::input::Taken;
use crate::source::{LineSource, Status};
use block::{Block, Raw, Unreadable};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Blocks of all logs that are read and not applied; each log may have two at least.
const BLOCKS_MOST: usize = 32;

/// Lines of a log whose place is told when they cannot be read; the others are only counted.
const TOLD_MOST: usize = 10;

/// Blocks of several logs, by several threads.
#[derive(Default)]
pub struct Ahead {
    logs: Mutex<Logs>,
    changed: Condvar,
}

#[derive(Default)]
struct Logs {
    all: Vec<Log>,
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
    blocks: VecDeque<Option<Block>>,
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

/// What is read of one log.
pub(super) struct Reading {
    ahead: Arc<Ahead>,
    log: usize,
    /// Its files, by their numbers.
    files: Vec<String>,
    /// Unreadable lines whose place was told.
    told: usize,
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
    fn take(&self, log: usize, raw: &mut Raw) -> Option<Block> {
        let mut logs = self.lock();
        loop {
            assert!(!logs.broken, "a thread that reads ahead fell over: its message stands above");
            if let Some(block) = logs.take(log) {
                self.changed.notify_all();
                return Some(block);
            }
            if logs.all[log].is_read_out() {
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
            let known = &mut logs.all[log];
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
            let known = &mut logs.all[log];
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
        let most = (BLOCKS_MOST / self.all.len().max(1)).max(2);
        let has_room = |log: &Log| log.source.is_some() && !log.ended && log.blocks.len() < most;
        let wanted = wanted.filter(|log| has_room(&self.all[*log]));
        let log = wanted.or_else(|| {
            let all = self.all.iter().enumerate().filter(|(_, log)| has_room(log));
            all.min_by_key(|(_, log)| log.blocks.len()).map(|(number, _)| number)
        })?;
        let known = &mut self.all[log];
        Some(Job { log, lines: known.lines, source: known.source.take()? })
    }

    fn take(&mut self, log: usize) -> Option<Block> {
        let log = &mut self.all[log];
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

impl Reading {
    /// Reads this source of those files ahead, with the sources that were added before.
    pub(super) fn new(
        ahead: &Arc<Ahead>,
        lines: Lines,
        source: Box<dyn LineSource>,
        files: Vec<String>,
    ) -> Self {
        let mut logs = ahead.lock();
        logs.all.push(Log {
            lines,
            status: source.status(),
            source: Some(source),
            ended: false,
            blocks: VecDeque::new(),
            taken: 0,
        });
        Self {
            ahead: Arc::clone(ahead),
            log: logs.all.len() - 1,
            files,
            told: 0,
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
                Some(block) => {
                    self.tell(&block.unreadable);
                    self.block = block.steps.into_iter();
                }
                None => return Taken::End,
            }
        }
    }

    /// Says where the first lines are that cannot be read.
    fn tell(&mut self, unreadable: &[Unreadable]) {
        for Unreadable { reason, place } in unreadable {
            if self.told > TOLD_MOST {
                return;
            }
            self.told += 1;
            if self.told > TOLD_MOST {
                tracing::warn!("More lines of this log cannot be read; they are only counted");
                return;
            }
            let file = usize::try_from(place.file).ok().and_then(|file| self.files.get(file));
            let file = file.map_or("", String::as_str);
            tracing::warn!(
                file,
                byte = place.byte,
                reason,
                "A line cannot be read; reading goes on behind it"
            );
        }
    }

    /// How the log was when its last block was read, or else at the beginning.
    pub(super) fn status(&self) -> Status {
        self.ahead.lock().all[self.log].status.clone()
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
    use crate::source::Step;
    use crate::source::{Archive, Input as Piece};
    use std::io::Cursor;
    use std::time::Instant;

    const AUDIT: Lines = Lines::Log(LogKind::Audit);

    fn log(lines: usize, width: usize) -> Box<dyn LineSource> {
        let line = |number: usize| format!("{number}{}\n", " ".repeat(width - number.to_string().len()));
        let text = (0..lines).map(line).collect::<Vec<_>>().concat();
        let pieces = vec![Piece::Stream("log".to_owned(), Box::new(Cursor::new(text)))];
        Box::new(Archive::new(pieces, 1 << 20).unwrap())
    }

    /// The lengths of all lines of each log, asked for in turn.
    fn lengths(ahead: &Arc<Ahead>, logs: Vec<Box<dyn LineSource>>) -> Vec<Vec<u64>> {
        let mut logs: Vec<_> =
            logs.into_iter().map(|log| (Reading::new(ahead, AUDIT, log, Vec::new()), Vec::new())).collect();
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
        let _logs: Vec<_> = [log(100_000, 2_000), log(100_000, 2_000)]
            .map(|log| Reading::new(&ahead, AUDIT, log, Vec::new()))
            .into();
        let mut raw = Raw::default();
        while let Some(job) = { ahead.lock().claim(None) } {
            ahead.run(job, &mut raw);
        }
        let blocks: Vec<_> = ahead.lock().all.iter().map(|log| log.blocks.len()).collect();
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
        let mut reading = Reading::new(&ahead, AUDIT, Box::new(Broken), Vec::new());
        let worker = Arc::clone(&ahead);
        assert!(std::thread::spawn(move || worker.work()).join().is_err());
        reading.next();
    }
}
