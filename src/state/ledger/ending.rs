//! An ending: a lease that the logs say has ended, until its cause is decided.
//! That takes a moment, since the server log and the audit log of the same
//! instant may be read in any order.

use super::ask::{Ask, Asks, Offset, SKEW, Target};
use super::lease::{Certainty, Due, Lease, NONE, QUEUED, QUEUED_FORCE, QUEUED_PREFIX, RENEWED};
use super::role::{Anonymous, Cause};
use super::ttl::RoleTtl;
use crate::event::Timestamp;
use crate::state::labels::{MountId, RoleId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::num::NonZeroU64;

/// How long it takes, in seconds of event time.
pub(super) const SETTLE_SECS: i64 = 3;
/// Two logs of one machine tell the same moment, give or take this, in nanoseconds.
const EXACT: i64 = 5_000_000;
/// A TTL ends no more than this before the audit log's count of it, in nanoseconds: the issue is
/// logged a little after the lease began.
const PUNCTUAL: i64 = 50_000_000;
/// The same for the lease of a batch token: Vault cuts what is left of it to whole seconds.
const WHOLE_SECOND: i64 = 1_200_000_000;

/// A lease that has ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) at: Timestamp,
    pub(super) key: NonZeroU64,
    pub(super) role: RoleId,
    pub(super) mount: MountId,
    pub(super) namespace: String,
    /// Its whole ID; it leaves the state nowhere.
    pub(super) lease: String,
    /// What the ledger knew; nothing where its issue had not been seen by then.
    pub(super) known: Option<Known>,
    /// The anonymous lease that this is taken for.
    pub(super) anonymous: Option<Anonymous>,
    /// Where it is certain from the beginning.
    pub(super) cause: Option<Cause>,
}

/// What the ledger knew of a lease that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) issued: Timestamp,
    pub(super) granted: Timestamp,
    pub(super) end: Timestamp,
    pub(super) limit: Timestamp,
    pub(super) hash: u64,
    pub(super) token: u32,
    pub(super) flags: u8,
    pub(super) attempts: u8,
}

impl Known {
    pub(super) fn of(lease: &Lease) -> Self {
        Self {
            issued: lease.issued,
            granted: lease.granted,
            end: lease.end,
            limit: lease.limit,
            hash: lease.hash,
            token: lease.token,
            flags: lease.flags,
            attempts: lease.attempts,
        }
    }

    fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Nobody has renewed it, no batch token has cut it, and it was revoked without trouble:
    /// its age tells its TTL.
    pub(super) fn is_telling(self, at: Timestamp) -> bool {
        self.issued != NONE
            && !self.has(RENEWED)
            && self.attempts == 0
            && (self.limit == NONE || at < self.limit.plus_nanos(-SKEW))
    }

    /// When its TTL ends, if that is known.
    pub(super) fn due(self, ttl: &RoleTtl) -> Option<Due> {
        let lease = Lease {
            issued: self.issued,
            granted: self.granted,
            end: self.end,
            limit: self.limit,
            flags: self.flags,
            ..Lease::new("", 0, RoleId::of_number(0))
        };
        lease.due(ttl)
    }
}

/// What is known of the token of a lease.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TokenEnds {
    pub(super) revoked: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
}

/// Why it ended; `None` while that depends on a TTL that nobody knows yet. What fits to the
/// moment goes before what fits only if the logs' clocks differ.
pub(super) fn decide(
    ending: &Ending,
    ttl: &RoleTtl,
    token: TokenEnds,
    asks: &mut Asks,
    offset: &mut Offset,
    others: &VecDeque<Ending>,
) -> Option<Cause> {
    if ending.cause.is_some() {
        return ending.cause;
    }
    let due = ending.known.and_then(|known| known.due(ttl));
    if let Some(ask) = asks.covering(ending.at, SKEW, |ask| ask.names(ending)) {
        ask.teach(ending.at, offset);
    }
    let offset = offset.nanos();
    let mut explain = |skew| explain(ending, due, token, asks, others, (offset, skew));
    if let Some(cause) = explain(EXACT).or_else(|| explain(SKEW)) {
        return Some(cause);
    }
    match ending.known {
        None => Some(Cause::Unknown),
        Some(_) => due.filter(|due| due.certainty > Certainty::AtMost).map(|_| Cause::Early),
    }
}

/// What explains it if the clocks differ by no more than `skew`.
fn explain(
    ending: &Ending,
    due: Option<Due>,
    token: TokenEnds,
    asks: &mut Asks,
    others: &VecDeque<Ending>,
    (offset, skew): (i64, i64),
) -> Option<Cause> {
    // By the audit log's clock.
    let (at, known) = (ending.at.plus_nanos(-offset), ending.known);
    let by_name = |ask: &Ask| ask.target == Target::Lease(ending.key);
    let is_queued = |flag| known.is_some_and(|known| known.has(flag));
    if is_queued(QUEUED) || asks.covering(at, skew, by_name).is_some() {
        return Some(Cause::Requested);
    }
    if is_queued(QUEUED_FORCE) {
        return Some(Cause::Forced);
    }
    if is_queued(QUEUED_PREFIX) {
        return Some(Cause::Prefix);
    }
    if let Some(by_force) = asked_by_prefix(ending, at, asks, skew) {
        return Some(if by_force { Cause::Forced } else { Cause::Prefix });
    }
    if let Some(revoked) = token.revoked
        && revoked <= at.plus_nanos(skew)
        && due.is_none_or(|due| due.at > revoked)
    {
        return Some(Cause::Token);
    }
    let hash = known.map_or(0, |known| known.hash);
    if hash != 0
        && spend(
            asks.covering(at, skew, |ask| matches!(ask.target, Target::Hashed(of, _) if of == hash)),
            ending.mount,
        )
    {
        return Some(Cause::Requested);
    }
    let is_due = due.is_some_and(|due| {
        let early = if due.is_tokens { WHOLE_SECOND } else { PUNCTUAL };
        at >= due.at.plus_nanos(-skew.max(early))
    });
    if is_due {
        return Some(match (due, known) {
            (Some(Due { is_tokens: true, .. }), _) => Cause::Token,
            // It was first heard of when it was overdue: who knows what had been asked before.
            (_, Some(Known { issued: NONE, .. })) => Cause::Unknown,
            _ => Cause::Expired,
        });
    }
    if token.expires.is_some_and(|expires| expires <= at.plus_nanos(skew)) {
        return Some(Cause::Token);
    }
    // A hash that nobody can place names one of those that ended while it was in flight. What
    // ended within the request's own time comes before what ended within the clocks' difference.
    let may_be = |ask: &Ask| {
        let is_free = || !others.iter().any(|other| ask.is_in_flight(other.at.plus_nanos(-offset)));
        let is_early = due.is_some_and(|due| due.certainty > Certainty::AtMost);
        let is_there = matches!(&ask.target, Target::Hashed(_, namespace) if *namespace == ending.namespace);
        is_there && (skew == EXACT || is_early && is_free())
    };
    (hash == 0 && known.is_some() && spend(asks.covering(at, skew, may_be), ending.mount))
        .then_some(Cause::Requested)
}

impl Ask {
    /// It names the lease that has ended, by its ID or by a hash that a renewal has told.
    fn names(&self, ending: &Ending) -> bool {
        match &self.target {
            Target::Lease(key) => *key == ending.key,
            Target::Hashed(hash, _) => *hash != 0 && ending.known.is_some_and(|known| known.hash == *hash),
            _ => false,
        }
    }
}

fn asked_by_prefix(ending: &Ending, at: Timestamp, asks: &mut Asks, skew: i64) -> Option<bool> {
    let is_prefix = |ask: &Ask| matches!(ask.target, Target::Prefix { .. });
    let covers = |ask: &Ask| is_prefix(ask) && ask.wants(ending.key, &ending.lease);
    match asks.covering(at, skew, covers)?.target {
        Target::Prefix { by_force, .. } => Some(by_force),
        _ => None,
    }
}

fn spend(ask: Option<&mut Ask>, mount: MountId) -> bool {
    ask.is_some_and(|ask| {
        ask.explain(mount);
        true
    })
}
