//! The queue: whole lines between the sockets and the spool, bounded in bytes.
//! Whoever puts lines in never waits: what there is no room for is not taken.

use std::sync::atomic::{AtomicU8, Ordering};
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
    /// How many lines in all have left for the spool, or were given up.
    done: watch::Sender<u64>,
    /// Why the writer stands still, as a [`Dropped`]; that it does not, if [`NOTHING`].
    stalled: AtomicU8,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Whole lines with their ends.
    bytes: Vec<u8>,
    /// Lines put in since the beginning.
    lines: u64,
    closed: bool,
}

const NOTHING: u8 = u8::MAX;

impl Queue {
    /// One of at most `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            most,
            done: watch::Sender::new(0),
            stalled: AtomicU8::new(NOTHING),
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

    /// Lines up to this number have left.
    pub(super) fn done(&self, number: u64) {
        self.done.send_replace(number);
    }

    /// Waits until the line of this number has been written; whether it was, in that time.
    pub(super) async fn written(&self, number: u64, most: Duration) -> bool {
        let mut done = self.done.subscribe();
        matches!(tokio::time::timeout(most, done.wait_for(|done| *done >= number)).await, Ok(Ok(_)))
    }

    /// Why the writer stands still, from now on.
    pub(super) fn stall(&self, why: Option<Dropped>) {
        self.stalled.store(why.map_or(NOTHING, |why| why as u8), Ordering::SeqCst);
    }

    fn stalled(&self) -> Option<Dropped> {
        Dropped::ALL.get(usize::from(self.stalled.load(Ordering::SeqCst))).copied()
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
        queue.done(number);
        assert!(queue.written(number, Duration::from_secs(60)).await);
    }
}
