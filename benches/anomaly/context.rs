//! What the parts share: the seeds, and the worlds of the main scenario, each run once.

use crate::crew;
use crate::feed::{Seen, Watch};
use crate::measure::{Caught, Pool, Truth, WEEK};
use crate::options::Options;
use leasewatch::event::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Monday, 2026-01-05, 00:00 UTC: when every world begins.
pub(crate) const BEGIN: Timestamp = Timestamp::from_secs(1_767_571_200);
/// Weeks of learning, and weeks scored.
pub(crate) const LEARNING: i64 = 4;
pub(crate) const SCORED: i64 = 8;
/// Attacks in the weeks that are scored.
pub(crate) const ATTACKS: u32 = 32;

/// The moment so many weeks after the beginning.
pub(crate) fn week(number: i64) -> Timestamp {
    BEGIN.plus_secs(number * WEEK)
}

/// What the parts share.
pub(crate) struct Context {
    pub(crate) seeds: Vec<u64>,
    pub(crate) threads: usize,
    pub(crate) details: bool,
    worlds: Mutex<BTreeMap<u64, Arc<Seen>>>,
}

impl Context {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            seeds: options.seeds(),
            threads: options.threads(),
            details: options.details,
            worlds: Mutex::default(),
        }
    }

    /// The first so many seeds, or as many as there are.
    pub(crate) fn first(&self, most: usize) -> &[u64] {
        &self.seeds[..most.min(self.seeds.len())]
    }

    /// The worlds of the main scenario, baselines included.
    pub(crate) fn worlds(&self, seeds: &[u64]) -> Vec<Arc<Seen>> {
        let is_known = |seed: &u64| self.worlds.lock().unwrap().contains_key(seed);
        let missing: Vec<u64> = seeds.iter().copied().filter(|seed| !is_known(seed)).collect();
        if !missing.is_empty() {
            let run =
                |seed: &u64| Arc::new(Watch::attacked(*seed).with_baselines().noting(self.details).run());
            let fresh = crew::each(self.threads, "worlds", &missing, run);
            self.worlds.lock().unwrap().extend(missing.iter().copied().zip(fresh));
        }
        let worlds = self.worlds.lock().unwrap();
        seeds.iter().map(|seed| Arc::clone(&worlds[seed])).collect()
    }
}

/// Pools what a detector said of several worlds between two moments; attacks that began there.
pub(crate) fn pool<'s>(seen: impl IntoIterator<Item = &'s Seen>, from: Timestamp, to: Timestamp) -> Pool {
    let mut pool = Pool::default();
    for seen in seen {
        let is_scored = |attack: &&Truth| from <= attack.first && attack.first < to;
        let attacks: Vec<Truth> = seen.attacks.iter().filter(is_scored).cloned().collect();
        let mut caught = Caught::sort(&seen.alarms, &seen.attacks, from, to);
        let kept = seen.attacks.iter().map(|attack| is_scored(&attack));
        let mut kept = kept.collect::<Vec<_>>().into_iter();
        caught.found.retain(|_| kept.next() == Some(true));
        pool.add(&attacks, caught, to.nanos_since(from) as f64 / 1e9 / WEEK as f64);
    }
    pool
}
