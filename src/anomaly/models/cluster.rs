//! What the whole cluster shows: hours in which the log was alive, networks that anybody comes
//! from, and whether one address stands for all.

use super::now::Now;
use super::sources::Ladder;
use crate::anomaly::parameters as p;
use crate::anomaly::stat::decay::remains;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// Hours in which anything was logged, of the last five weeks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liveness {
    #[serde(default)]
    words: Vec<u64>,
    #[serde(default)]
    newest: i32,
}

const WORDS: usize = 16;
const HOURS: i32 = 1_024;

impl Liveness {
    /// Something was logged in that hour.
    pub fn mark(&mut self, hour: i32) {
        if self.words.is_empty() {
            self.words = vec![0; WORDS];
            self.newest = hour - 1;
        }
        if hour - self.newest > HOURS {
            self.words.fill(0);
            self.newest = hour;
        }
        while self.newest < hour {
            self.newest += 1;
            let (word, bit) = place(self.newest);
            self.words[word] &= !bit;
        }
        let (word, bit) = place(hour);
        self.words[word] |= bit;
    }

    /// Lines of that hour are missing: it proves nothing.
    pub fn gap(&mut self, hour: i32) {
        if !self.words.is_empty() && hour <= self.newest && self.newest - hour < HOURS {
            let (word, bit) = place(hour);
            self.words[word] &= !bit;
        }
    }

    /// Whether what did not happen in that hour can be said not to have happened.
    pub fn was_live(&self, hour: i32) -> bool {
        if self.words.is_empty() || hour > self.newest || self.newest - hour >= HOURS {
            return false;
        }
        let (word, bit) = place(hour);
        self.words[word] & bit != 0
    }

    /// Live hours after `from` and before `to`.
    pub fn between(&self, from: i32, to: i32) -> u32 {
        let from = from.max(self.newest - HOURS);
        (from + 1..to).map(|hour| u32::from(self.was_live(hour))).sum()
    }
}

fn place(hour: i32) -> (usize, u64) {
    let at = hour.rem_euclid(HOURS);
    (usize::try_from(at / 64).unwrap_or(0), 1 << (at % 64))
}

/// Networks that clients come from, each with the subject that came first and how many hours of
/// other subjects it has seen.
#[derive(Clone, Debug)]
pub struct Networks {
    seen: HashMap<u32, Seen, FixedState>,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The subject that came first, in short.
    #[serde(rename = "k")]
    subject: u32,
    /// A second one came.
    #[serde(rename = "s", default)]
    is_shared: bool,
    #[serde(rename = "l")]
    last: i32,
}

impl Default for Networks {
    fn default() -> Self {
        Self { seen: HashMap::with_hasher(FixedState::with_seed(p::SEED)) }
    }
}

impl Networks {
    /// Whether anybody is known to come from there.
    pub fn is_known(&self, network: u32) -> bool {
        self.seen.contains_key(&network)
    }

    /// Whether somebody else is known to come from there.
    pub fn known_to_others(&self, network: u32, subject: u64) -> bool {
        self.seen.get(&network).is_some_and(|seen| seen.is_shared || seen.subject != subject as u32)
    }

    /// Somebody came from there, and no alarm with it.
    pub fn add(&mut self, network: u32, subject: u64, hour: i32) {
        if let Some(seen) = self.seen.get_mut(&network) {
            seen.last = hour;
            seen.is_shared |= seen.subject != subject as u32;
            return;
        }
        if self.seen.len() >= p::NETWORKS {
            let oldest = self.seen.values().map(|seen| seen.last).min().unwrap_or(hour);
            // Drops a day at a time, so that it is not looked through for each of a flood.
            self.seen.retain(|_, seen| seen.last > oldest + 24);
        }
        if self.seen.len() < p::NETWORKS {
            self.seen.insert(network, Seen { subject: subject as u32, is_shared: false, last: hour });
        }
    }
}

impl Serialize for Networks {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<_> = self.seen.iter().collect();
        all.sort_unstable_by_key(|(network, _)| **network);
        serializer.collect_seq(all)
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut networks = Self::default();
        networks.seen.extend(Vec::<(u32, Seen)>::deserialize(deserializer)?);
        Ok(networks)
    }
}

/// Subject-hours by address, of the addresses with the most: is there one behind which all hide?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Addresses {
    /// Address, and its subject-hours.
    #[serde(default)]
    top: Vec<(u32, f64)>,
    #[serde(default)]
    all: f64,
    #[serde(default)]
    hour: i32,
    /// One address carries nearly all.
    #[serde(default)]
    pub is_constant: bool,
}

/// Addresses that are counted; one with four fifths is never dropped.
const ADDRESSES: usize = 16;

impl Addresses {
    /// A subject was active in an hour, from this address first.
    pub fn add(&mut self, ladder: &Ladder, now: &Now) {
        let passed = now.hour - self.hour;
        if passed >= 24 {
            let left = remains(passed.into(), 7.0 * 24.0);
            self.all *= left;
            for (_, hours) in &mut self.top {
                *hours *= left;
            }
            self.hour = now.hour;
        }
        self.all += 1.0;
        let address = ladder.rungs[0];
        if let Some((_, hours)) = self.top.iter_mut().find(|(known, _)| *known == address) {
            *hours += 1.0;
        } else if self.top.len() < ADDRESSES {
            self.top.push((address, 1.0));
        } else {
            // Majority counting: an address that is rare takes one off all others.
            for (_, hours) in &mut self.top {
                *hours -= 1.0;
            }
            self.top.retain(|(_, hours)| *hours > 0.0);
        }
    }

    /// Judges, once an hour, with so many subjects.
    pub fn judge(&mut self, subjects: usize) {
        let most = self.top.iter().map(|(_, hours)| *hours).fold(0.0, f64::max);
        let known = self.all >= p::CONSTANT_SOURCE_HOURS && subjects >= p::CONSTANT_SOURCE_SUBJECTS;
        self.is_constant = known && most > self.all * p::CONSTANT_SOURCE;
    }
}
