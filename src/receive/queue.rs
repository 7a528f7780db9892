//! The queue: whole lines between the sockets and the spool, bounded in bytes.
//! Whoever puts lines in never waits: what there is no room for is not taken.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

use super::tally::Dropped;

/// Memory that is kept when the queue is empty.
const KEPT: usize = 1 << 20;

/// Lines that wait to be written.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    most: usize,
    progress: watch::Sender<Progress>,
}

/// How far the writer is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// So many lines in all have been written.
    written: u64,
    /// Why it stands still, if it says so.
    stalled: Option<Dropped>,
    /// Somebody has waited for it in vain since it last wrote.
    slow: bool,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Whole lines with their ends.
    bytes: Vec<u8>,
    /// Lines put in since the beginning.
    lines: u64,
    closed: bool,
}

impl Queue {
    /// One of at most `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            most,
            progress: watch::Sender::new(Progress::default()),
        }
    }

    /// Puts a line in; its number, or why there is no room for it.
    pub(super) fn push(&self, line: &[u8]) -> Result<u64, Dropped> {
        let mut waiting = self.lock();
        if waiting.closed || waiting.bytes.len() + line.len() >= self.most {
            return Err(self.stalled().unwrap_or(Dropped::NoRoom));
        }
        waiting.bytes.extend_from_slice(line);
        waiting.bytes.push(b'\n');
        waiting.lines += 1;
        let number = waiting.lines;
        drop(waiting);
        self.filled.notify_one();
        Ok(number)
    }

    /// Waits for lines and takes them all, with the number of the last; none once it is closed and empty.
    pub(super) fn take(&self, into: &mut Vec<u8>) -> Option<u64> {
        into.clear();
        if into.capacity() > KEPT {
            *into = Vec::new();
        }
        let waiting = self.lock();
        let waiting = self.filled.wait_while(waiting, |waiting| waiting.bytes.is_empty() && !waiting.closed);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut waiting.bytes, into);
        (!into.is_empty()).then_some(waiting.lines)
    }

    /// Lines up to this number have been written.
    pub(super) fn done(&self, number: u64) {
        self.progress.send_replace(Progress { written: number, stalled: None, slow: false });
    }

    /// Waits until the line of this number has been written; whether it was, in that time. Does not wait
    /// for a writer that stands still, nor for one that was waited for in vain just now.
    pub(super) async fn written(&self, number: u64, most: Duration) -> bool {
        let mut progress = self.progress.subscribe();
        let moved = |now: &Progress| now.written >= number || now.stalled.is_some() || now.slow;
        let Ok(now) = tokio::time::timeout(most, progress.wait_for(moved)).await else {
            self.progress.send_modify(|now| now.slow = now.written < number);
            return false;
        };
        now.is_ok_and(|now| now.written >= number)
    }

    /// Why the writer stands still, from now on.
    pub(super) fn stall(&self, why: Option<Dropped>) {
        self.progress.send_modify(|now| now.stalled = why);
    }

    fn stalled(&self) -> Option<Dropped> {
        self.progress.borrow().stalled
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Waits so long, or until it is closed; whether it is.
    pub(super) fn closes_within(&self, most: Duration) -> bool {
        let waited = self.filled.wait_timeout_while(self.lock(), most, |waiting| !waiting.closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_puts_lines_in_never_waits() {
        let queue = Queue::new(10);
        assert_eq!(queue.push(b"1234"), Ok(1));
        assert_eq!(queue.push(b"5678"), Ok(2));
        assert_eq!(queue.push(b"9"), Err(Dropped::NoRoom));
        queue.stall(Some(Dropped::Unwritable));
        assert_eq!(queue.push(b"9"), Err(Dropped::Unwritable));
        queue.stall(None);
        let mut taken = Vec::new();
        assert_eq!(queue.take(&mut taken), Some(2));
        assert_eq!(taken, b"1234\n5678\n");
        assert_eq!(queue.push(b"9"), Ok(3));
        queue.close();
        assert_eq!(queue.push(b"9"), Err(Dropped::NoRoom));
        assert_eq!(queue.take(&mut taken), Some(3));
        assert_eq!(queue.take(&mut taken), None);
    }

    #[tokio::test]
    async fn a_line_is_written_or_not_in_time() {
        let queue = Queue::new(10);
        let number = queue.push(b"1").unwrap();
        assert!(!queue.written(number, Duration::ZERO).await);
        // A minute would be too long for a test: what was slow just now is not waited for.
        assert!(!queue.written(number, Duration::from_secs(60)).await);
        queue.done(number);
        assert!(queue.written(number, Duration::from_secs(60)).await);
        queue.stall(Some(Dropped::Unwritable));
        assert!(!queue.written(number + 1, Duration::from_secs(60)).await);
    }
}
