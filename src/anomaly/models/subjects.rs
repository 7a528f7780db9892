//! The table of subjects: bounded, with newcomers kept apart until they come back, so that a
//! flood of identities costs little and drives nobody out who is known.

use super::subject::Subject;
use crate::anomaly::parameters as p;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// Somebody who was seen in one hour only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Newcomer {
    #[serde(rename = "h")]
    hour: i32,
    #[serde(rename = "a")]
    acts: u16,
}

/// What becomes of a request by somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seat {
    /// It is followed, there.
    Known(usize),
    /// It was never seen before.
    New,
    /// It was seen once, and is not followed yet.
    Waiting,
    /// It is to be followed from now on.
    Admit,
}

/// Everybody who is followed.
#[derive(Clone, Debug)]
pub struct Subjects {
    seats: Vec<Arc<Subject>>,
    index: HashMap<u64, u32, FixedState>,
    newcomers: HashMap<u64, Newcomer, FixedState>,
    queue: VecDeque<u64>,
    /// Where eviction looks next.
    hand: usize,
    capacity: usize,
    /// Subjects that made room for others.
    pub evictions: u64,
}

/// The table as it is kept: subjects in their seats, newcomers in the order in which they came.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    seats: Vec<Arc<Subject>>,
    #[serde(default)]
    newcomers: Vec<(u64, i32, u16)>,
    #[serde(default)]
    hand: usize,
    #[serde(default)]
    evictions: u64,
}

impl Subjects {
    /// A table for so many.
    pub fn new(capacity: usize) -> Self {
        Self {
            seats: Vec::new(),
            index: HashMap::with_hasher(FixedState::with_seed(p::SEED)),
            newcomers: HashMap::with_hasher(FixedState::with_seed(p::SEED)),
            queue: VecDeque::new(),
            hand: 0,
            capacity: capacity.max(1),
            evictions: 0,
        }
    }

    /// Where somebody sits; counts a newcomer's acts. Enough of them at once make a subject of him.
    pub fn seat(&mut self, key: u64, hour: i32, acts: u16) -> Seat {
        if let Some(at) = self.index.get(&key) {
            return Seat::Known(*at as usize);
        }
        if let Some(newcomer) = self.newcomers.get_mut(&key) {
            newcomer.acts = newcomer.acts.saturating_add(acts);
            if newcomer.hour == hour && newcomer.acts < p::NEWCOMER_ACTS {
                return Seat::Waiting;
            }
            // Its place in the queue is left behind; it is nobody's when its turn comes.
            self.newcomers.remove(&key);
            // Nothing was remembered of it before: what it does now is not new to it, but to us.
            return Seat::Admit;
        }
        if acts >= p::NEWCOMER_ACTS {
            return Seat::Admit;
        }
        while self.newcomers.len() >= p::NEWCOMERS || self.queue.len() >= 2 * p::NEWCOMERS {
            let Some(oldest) = self.queue.pop_front() else { break };
            self.newcomers.remove(&oldest);
        }
        self.queue.push_back(key);
        self.newcomers.insert(key, Newcomer { hour, acts });
        Seat::New
    }

    /// Follows a subject from now on; gives its seat.
    pub fn admit(&mut self, subject: Subject) -> usize {
        let key = subject.key;
        let at = if self.seats.len() < self.capacity {
            self.seats.push(Arc::new(subject));
            self.seats.len() - 1
        } else {
            let at = self.least(subject.hour);
            self.index.remove(&self.seats[at].key);
            self.evictions += 1;
            self.seats[at] = Arc::new(subject);
            at
        };
        // Seats are at most as many as the capacity, which fits.
        self.index.insert(key, u32::try_from(at).unwrap_or(u32::MAX));
        at
    }

    /// The seat that is missed least, of the next few: by activity, recency and its last score.
    fn least(&mut self, hour: i32) -> usize {
        let seats = self.seats.len();
        let looks = (0..p::EVICTION_LOOKS.min(seats)).map(|step| (self.hand + step) % seats);
        let worth = |at: &usize| {
            let subject = &self.seats[*at];
            let idle = f64::from(hour - subject.hour);
            // Open hours are in the list of hours to close: their seats must not change hands.
            let open = if subject.is_open && subject.hour == hour { 1e6 } else { 0.0 };
            open + f64::from(subject.hours) * (-idle / p::LIFE).exp()
                + 20.0 * subject.peak.0 * (-idle / p::LIFE).exp()
        };
        let least = looks.min_by(|a, b| worth(a).total_cmp(&worth(b))).unwrap_or(0);
        self.hand = (self.hand + p::EVICTION_LOOKS) % seats;
        least
    }

    /// A subject.
    pub fn get(&self, at: usize) -> Option<&Subject> {
        self.seats.get(at).map(|seat| &**seat)
    }

    /// A subject, to change it. One that a checkpoint still shares is copied first.
    pub fn get_mut(&mut self, at: usize) -> Option<&mut Subject> {
        self.seats.get_mut(at).map(Arc::make_mut)
    }

    /// The seat of a key.
    pub fn find(&self, key: u64) -> Option<usize> {
        self.index.get(&key).map(|at| *at as usize)
    }

    /// Every subject, by seat.
    pub fn iter(&self) -> impl Iterator<Item = &Subject> {
        self.seats.iter().map(|seat| &**seat)
    }

    /// How many are followed.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// For how many there is room.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Sets for how many there is room.
    pub fn set_capacity(&mut self, capacity: usize) {
        self.capacity = capacity.max(1);
    }

    /// What is kept of it: pointers, cheap to make.
    fn keep(&self) -> Kept {
        let known = |key: &u64| self.newcomers.get(key).map(|newcomer| (*key, newcomer.hour, newcomer.acts));
        Kept {
            seats: self.seats.clone(),
            newcomers: self.queue.iter().filter_map(known).collect(),
            hand: self.hand,
            evictions: self.evictions,
        }
    }

    fn of_kept(kept: Kept) -> Self {
        let mut table = Self::new(kept.seats.len());
        for (at, subject) in kept.seats.iter().enumerate() {
            table.index.insert(subject.key, u32::try_from(at).unwrap_or(u32::MAX));
        }
        table.seats = kept.seats;
        for (key, hour, acts) in kept.newcomers {
            table.queue.push_back(key);
            table.newcomers.insert(key, Newcomer { hour, acts });
        }
        table.hand = kept.hand;
        table.evictions = kept.evictions;
        table
    }

    /// Bytes of the newcomers and of the index.
    pub fn overhead(&self) -> usize {
        // A slot of the hash maps is its key, its value and a byte of control.
        self.newcomers.capacity() * (size_of::<(u64, Newcomer)>() + 1)
            + self.index.capacity() * (size_of::<(u64, u32)>() + 1)
            + self.queue.capacity() * size_of::<u64>()
            + self.seats.capacity() * size_of::<Arc<Subject>>()
    }
}

impl Serialize for Subjects {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.keep().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Subjects {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Kept::deserialize(deserializer).map(Self::of_kept)
    }
}
