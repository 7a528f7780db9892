//! Asks: requests to revoke, as long as they can explain an end that the
//! server log reports. Times are of the audit log, which has its own clock.

use super::lease::{is_below, suffix_of};
use crate::event::{RequestId, Timestamp};
use crate::state::labels::MountId;
use crate::state::revocations::Asked;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::num::NonZeroU64;

/// How far two logs' clocks may be apart, in nanoseconds.
pub(super) const SKEW: i64 = 1_500_000_000;
/// How long after its answer a queued revocation is done, in nanoseconds, where nothing is amiss.
const LATER: i64 = 100_000_000;
/// How long an answered ask is kept, in seconds: until the ends it may explain are decided.
const KEEP_SECS: i64 = 8;
/// How long one without an answer is kept, in seconds: a prefix of many leases takes minutes.
const OPEN_SECS: i64 = 900;
/// How many are kept at most.
const MOST: usize = 1 << 14;

/// What a request wants gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::state) enum Target {
    /// One lease, by its plain ID.
    Lease(NonZeroU64),
    /// One lease of a namespace, by the first half of its keyed hash.
    Hashed(u64, String),
    /// All below a prefix, in the namespace whose lease IDs end with `suffix`.
    Prefix { suffix: String, prefix: String, by_force: bool },
    /// Some token.
    Token,
}

/// A request to revoke.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ask {
    id: u64,
    pub(super) target: Target,
    from: Timestamp,
    until: Option<Timestamp>,
    /// It has been matched with an end of this mount: it explains no other.
    matched: Option<MountId>,
    /// How it is counted once its mount is known, or can no longer be.
    count: Option<Counted>,
}

/// A request by hash that was answered, to be counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::state) struct Counted {
    pub(in crate::state) namespace: String,
    /// The mount of the lease that it named, if that was found out.
    pub(in crate::state) mount: Option<MountId>,
    pub(in crate::state) asked: Asked,
}

impl Ask {
    /// It explains this end of that mount, and no other.
    pub(super) fn explain(&mut self, mount: MountId) {
        self.matched = Some(mount);
    }

    /// It asks for the end of this lease, by name or by prefix.
    pub(super) fn wants(&self, key: NonZeroU64, lease: &str) -> bool {
        match &self.target {
            Target::Lease(wanted) => *wanted == key,
            Target::Prefix { suffix, prefix, .. } => *suffix == suffix_of(lease) && is_below(lease, prefix),
            Target::Hashed(..) | Target::Token => false,
        }
    }

    /// It is certain to have asked for the end that was read at `at`, by the server log's clock.
    pub(super) fn teach(&self, at: Timestamp, offset: &mut Offset) {
        if let Some(until) = self.until {
            offset.learn(at, (self.from, until));
        }
    }

    /// It was in flight at that moment, by its own log's clock.
    pub(super) fn is_in_flight(&self, at: Timestamp) -> bool {
        self.covers(at, 0)
    }

    fn covers(&self, at: Timestamp, skew: i64) -> bool {
        self.from.plus_nanos(-skew) <= at && self.until.is_none_or(|until| at <= until.plus_nanos(skew))
    }
}

/// Requests in flight, and those just answered.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Asks(VecDeque<Ask>);

/// How far the server log's clock is ahead of the audit log's, in nanoseconds, by the ends that
/// are certain to belong to a request.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Offset(VecDeque<i64>);

impl Offset {
    /// Many enough to let the middle one stand for all.
    const MOST: usize = 9;
    const LEAST: usize = 3;

    /// An end was read at `at`, and the request for it was in flight during `window`.
    fn learn(&mut self, at: Timestamp, (from, until): (Timestamp, Timestamp)) {
        // A queued revocation is done a moment after its answer.
        let is_within = from <= at && at <= until.plus_nanos(LATER);
        let middle = from.plus_nanos(until.nanos_since(from) / 2);
        self.0.push_back(if is_within { 0 } else { at.nanos_since(middle) });
        if self.0.len() > Self::MOST {
            self.0.pop_front();
        }
    }

    /// What it is; nothing while too little is known.
    pub(super) fn nanos(&self) -> i64 {
        if self.0.len() < Self::LEAST {
            return 0;
        }
        let mut sorted: Vec<_> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        sorted[sorted.len() / 2]
    }
}

impl Asks {
    /// A request was logged. Further devices' entries of it change nothing.
    pub(super) fn begin(&mut self, id: RequestId, target: Target, at: Timestamp) {
        let id = short(id);
        if self.0.iter().rev().any(|ask| ask.id == id) {
            return;
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Ask { id, target, from: at, until: None, matched: None, count: None });
    }

    /// It was answered: done, or accepted to be done. What is to be counted comes back later.
    pub(super) fn done(&mut self, id: RequestId, at: Timestamp, count: Option<Counted>) {
        if let Some(ask) = self.0.iter_mut().rev().find(|ask| ask.id == short(id)) {
            ask.until = Some(at);
            ask.count = count;
        }
    }

    /// It was refused or failed: it explains nothing.
    pub(super) fn drop(&mut self, id: RequestId) {
        if let Some(at) = self.0.iter().rposition(|ask| ask.id == short(id)) {
            self.0.remove(at);
        }
    }

    /// The ask of this target that covers `at`, if the clocks are at most `skew` apart. Among
    /// several the one that ended first.
    pub(super) fn covering(
        &mut self,
        at: Timestamp,
        skew: i64,
        wants: impl Fn(&Ask) -> bool,
    ) -> Option<&mut Ask> {
        let covers = |ask: &Ask| ask.covers(at, skew);
        let never = Timestamp::from_nanos(i64::MAX);
        self.0
            .iter_mut()
            .filter(|ask| ask.matched.is_none() && covers(ask) && wants(ask))
            .min_by_key(|ask| ask.until.unwrap_or(never))
    }

    /// The prefix of the one request by force that is in flight.
    pub(super) fn by_force(&self, at: Timestamp) -> Option<(&str, &str)> {
        let mut prefixes = self.0.iter().filter_map(|ask| match &ask.target {
            Target::Prefix { suffix, prefix, by_force: true } => {
                let covers = ask.from.plus_nanos(-SKEW) <= at && ask.until.is_none_or(|until| at <= until);
                covers.then_some((prefix.as_str(), suffix.as_str()))
            }
            _ => None,
        });
        prefixes.next().filter(|_| prefixes.next().is_none())
    }

    /// Forgets what is old, and hands out what is to be counted of it.
    pub(super) fn advance(&mut self, now: Timestamp) -> Vec<Counted> {
        let mut counted = Vec::new();
        self.0.retain_mut(|ask| {
            let stays = match ask.until {
                Some(until) => until.plus_secs(KEEP_SECS) > now,
                None => ask.from.plus_secs(OPEN_SECS) > now,
            };
            if !stays && let Some(mut count) = ask.count.take() {
                count.mount = ask.matched;
                counted.push(count);
            }
            stays
        });
        counted
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Half as many bits tell the few requests of some seconds apart.
fn short(RequestId(id): RequestId) -> u64 {
    let folded = id ^ (id << 64);
    (folded >> 64) as u64
}
