//! The tally: what came in at one receiver and what of it was dropped, as the threads count it.

use crate::clock::wall;
use crate::event::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Why something that came in is not kept: the label `reason` of `leasewatch_receiver_dropped_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// A connection ended in the middle of a line.
    Cut,
    /// The system's buffer of a UDP socket was full.
    Kernel,
    /// The buffer before the spool was full: the disk is slow.
    NoRoom,
    /// It came from where nobody may send, or as nobody of ours sends.
    Refused,
    /// Too much waits in the spool already.
    SpoolFull,
    /// A line was longer than lines may be.
    TooLong,
    /// The spool cannot be written: the disk is full.
    Unwritable,
}

impl Dropped {
    pub(super) const ALL: [Self; 7] = [
        Self::Cut,
        Self::Kernel,
        Self::NoRoom,
        Self::Refused,
        Self::SpoolFull,
        Self::TooLong,
        Self::Unwritable,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Kernel => "kernel",
            Self::NoRoom => "no_room",
            Self::Refused => "refused",
            Self::SpoolFull => "spool_full",
            Self::TooLong => "too_long",
            Self::Unwritable => "unwritable",
        }
    }
}

/// Counts of one receiver.
#[derive(Debug, Default)]
pub(super) struct Tally {
    connections: AtomicUsize,
    dropped: [AtomicU64; Dropped::ALL.len()],
    /// Lines are missing in the spool, and nothing there says so yet.
    lost: AtomicBool,
    /// When a line last came, in nanoseconds since 1970; 0 before.
    last_line: AtomicI64,
    /// What is wrong with keeping lines, with its remedy.
    trouble: Mutex<Option<String>>,
}

impl Tally {
    pub(super) fn with(dropped: [u64; Dropped::ALL.len()], last_line: Option<Timestamp>) -> Self {
        Self {
            dropped: dropped.map(AtomicU64::new),
            last_line: AtomicI64::new(last_line.map_or(0, Timestamp::as_nanos)),
            ..Self::default()
        }
    }

    pub(super) fn came(&self) {
        self.last_line.store(wall().as_nanos(), Ordering::Relaxed);
    }

    pub(super) fn dropped(&self, why: Dropped, times: u64) {
        self.dropped[why as usize].fetch_add(times, Ordering::Relaxed);
        // Of a line that was cut the whole is sent again, and a long one is no more than unreadable.
        if times > 0 && !matches!(why, Dropped::Cut | Dropped::Refused | Dropped::TooLong) {
            self.lost();
        }
    }

    /// Lines are missing from here on.
    pub(super) fn lost(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    /// Whether lines are missing; not any more, once this was asked.
    pub(super) fn take_lost(&self) -> bool {
        self.lost.swap(false, Ordering::SeqCst)
    }

    pub(super) fn all_dropped(&self) -> [u64; Dropped::ALL.len()] {
        Dropped::ALL.map(|why| self.dropped[why as usize].load(Ordering::Relaxed))
    }

    pub(super) fn last_line(&self) -> Option<Timestamp> {
        let nanos = self.last_line.load(Ordering::Relaxed);
        (nanos > 0).then(|| Timestamp::from_nanos(nanos))
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Counts a connection for as long as what it gives lives; none if there are `most` already.
    pub(super) fn connect(self: &Arc<Self>, most: usize) -> Option<Connected> {
        let more = |open: usize| (open < most).then_some(open + 1);
        let taken = self.connections.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        taken.is_ok().then(|| Connected(Arc::clone(self)))
    }

    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connected(Arc<Tally>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::SeqCst);
    }
}
