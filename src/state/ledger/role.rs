//! A role in the ledger: its TTLs, the leases of it that have no known ID,
//! and how its leases have ended.

use super::completeness::Completeness;
use super::ending::Ending;
use super::lease::{Due, Lease};
use super::ttl::RoleTtl;
use crate::event::Timestamp;
use crate::state::labels::{MountId, RoleId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Why a lease ended: the label `cause`, in the order of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cause {
    /// Its TTL.
    Expired,
    /// A request that named it.
    Requested,
    /// A request for all below a prefix.
    Prefix,
    /// The same by force.
    Forced,
    /// The end of the token that it belonged to.
    Token,
    /// It ended before its TTL, and nobody was found who had asked for that.
    Early,
    /// Nobody can say.
    Unknown,
}

/// The label values of `Cause`.
pub(super) const CAUSES: [&str; 7] =
    ["expired", "requested", "prefix", "forced", "token", "early", "unknown"];

/// An end so near to the expected one, in nanoseconds, is that.
const NEAR: i64 = 2_000_000_000;

/// How many times its TTL a lease lives at most, where no max TTL is known.
const RENEWALS: i64 = 3;

/// A lease of which only the issue is known: it was wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anonymous {
    pub(super) issued: Timestamp,
    pub(super) token: u32,
    pub(super) requester: u32,
    /// When its batch token ends; `NONE` without one.
    pub(super) limit: Timestamp,
    /// When its TTL ends, where that was settled before its role changed; else `NONE`.
    pub(super) end: Timestamp,
    /// The first halves of the hashes of its wrapping token and of that one's accessor.
    pub(super) wrapping: [Option<u64>; 2],
}

impl Anonymous {
    /// The same lease with a name.
    pub(super) fn named(self, lease: Lease) -> Lease {
        Lease {
            issued: self.issued,
            granted: self.issued,
            token: self.token,
            requester: self.requester,
            limit: self.limit,
            end: self.end,
            ..lease
        }
    }

    /// It had been issued by then.
    fn was_there(&self, at: Timestamp) -> bool {
        self.issued <= at.plus_nanos(NEAR)
    }

    /// When it ends by its TTL.
    pub(super) fn due(self, ttl: &RoleTtl) -> Option<Due> {
        self.named(Lease::new("", 0, RoleId::of_number(0))).due(ttl)
    }
}

/// What the ledger keeps of a role.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) mount: MountId,
    pub(super) ttl: RoleTtl,
    /// Wrapped leases whose IDs nobody has seen, the oldest first.
    pub(super) anonymous: VecDeque<Anonymous>,
    /// Ends whose cause depends on the TTL, until that is learnt.
    pub(super) held: VecDeque<Ending>,
    /// Leases that ended, by `Cause`.
    pub(super) ended: [u64; CAUSES.len()],
    /// A lease of it was seen to be issued, or its leases were listed.
    pub(super) is_counted: bool,
    /// Leases with an ID.
    pub(super) leases: u32,
    /// The ledger's count minus the API's, at the last listing.
    pub(super) drift: Option<i64>,
    /// When its leases were last listed.
    pub(super) listed: Option<Timestamp>,
    /// When a lease ended whose ID nobody knew, and that was taken for none of the anonymous ones.
    #[serde(default)]
    pub(super) stranger: Option<Timestamp>,
}

impl Default for Role {
    fn default() -> Self {
        Self {
            mount: MountId::UNKNOWN,
            ttl: RoleTtl::default(),
            anonymous: VecDeque::new(),
            held: VecDeque::new(),
            ended: [0; CAUSES.len()],
            is_counted: false,
            leases: 0,
            drift: None,
            listed: None,
            stranger: None,
        }
    }
}

impl Role {
    /// Every lease of it is known at `at`, by all one can tell.
    pub(super) fn is_covered(&self, completeness: &Completeness, at: Timestamp) -> bool {
        let longest =
            self.ttl.longest().or_else(|| self.ttl.guess().map(|secs| secs.saturating_mul(RENEWALS)));
        completeness.covers(self.mount, self.listed, longest, at)
    }

    /// Whether an anonymous lease is out unless its end was seen, where every end is seen since
    /// `since`: where issues may have been missed, its ID may have ended as one of theirs.
    pub(super) fn vouches(
        &self,
        lease: &Anonymous,
        since: Timestamp,
        completeness: &Completeness,
        at: Timestamp,
    ) -> bool {
        lease.issued >= since && !self.is_doubted(lease) && self.is_covered(completeness, at)
    }

    /// Whether an anonymous lease may have ended as one of which nobody knew.
    pub(super) fn is_doubted(&self, lease: &Anonymous) -> bool {
        self.stranger.is_some_and(|stranger| lease.was_there(stranger))
    }

    /// Leases that are out, of every kind.
    pub(super) fn outstanding(&self) -> usize {
        self.leases as usize + self.anonymous.len()
    }

    /// The anonymous lease that ended (or was named) at `at`: the one whose end is known to be
    /// then, by `end_of`, or else the oldest that was issued before.
    pub(super) fn identify(
        &mut self,
        at: Timestamp,
        must_be_due: bool,
        end_of: impl Fn(&Anonymous, &RoleTtl) -> Option<Timestamp>,
    ) -> Option<Anonymous> {
        let found = self.nearest(at, must_be_due, end_of);
        if found.is_none() && self.anonymous.iter().any(|lease| lease.was_there(at)) {
            self.stranger = self.stranger.max(Some(at));
        }
        self.anonymous.remove(found?)
    }

    /// The anonymous lease of a wrapping token.
    pub(super) fn unwrap(&mut self, wrapping: [Option<u64>; 2]) -> Option<Anonymous> {
        let fits = |lease: &Anonymous| {
            let same = |(ours, theirs): (&Option<u64>, &Option<u64>)| ours.is_some() && ours == theirs;
            lease.wrapping.iter().zip(&wrapping).any(same)
        };
        let place = self.anonymous.iter().position(fits)?;
        self.anonymous.remove(place)
    }

    fn nearest(
        &self,
        at: Timestamp,
        must_be_due: bool,
        end_of: impl Fn(&Anonymous, &RoleTtl) -> Option<Timestamp>,
    ) -> Option<usize> {
        let late = |lease: &Anonymous| end_of(lease, &self.ttl).map(|end| at.nanos_since(end));
        let ends =
            || self.anonymous.iter().enumerate().filter_map(|(place, lease)| Some((late(lease)?, place)));
        let nearest = ends().map(|(late, place)| (late.abs(), place)).min();
        let nearest = nearest.filter(|(distance, _)| *distance <= NEAR).map(|(_, place)| place);
        // Where no end is known, none can be missed; and what is past its own waits for its end.
        let is_any_known = || self.anonymous.iter().any(|lease| lease.due(&self.ttl).is_some());
        let latest = || ends().filter(|(late, _)| *late > 0).max().map(|(_, place)| place);
        let oldest = || self.anonymous.iter().position(|lease| lease.was_there(at));
        nearest.or_else(|| if must_be_due && is_any_known() { latest() } else { oldest() })
    }
}
