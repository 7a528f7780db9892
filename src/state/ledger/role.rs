//! A role in the ledger: its TTLs, the leases of it that have no known ID,
//! and how its leases have ended.

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
        }
    }
}

impl Role {
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
        let found = self.nearest(at, must_be_due, end_of)?;
        self.anonymous.remove(found)
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
        let distance = |lease: &Anonymous| end_of(lease, &self.ttl).map(|end| at.nanos_since(end).abs());
        let near =
            self.anonymous.iter().enumerate().filter_map(|(place, lease)| Some((distance(lease)?, place)));
        let nearest = near.min().filter(|(distance, _)| *distance <= NEAR).map(|(_, place)| place);
        let was_there = |lease: &Anonymous| lease.issued <= at.plus_nanos(NEAR);
        // Where no end is known, none can be missed.
        let is_any_known = || self.anonymous.iter().any(|lease| distance(lease).is_some());
        let oldest = || self.anonymous.iter().position(was_there).filter(|_| !must_be_due || !is_any_known());
        nearest.or_else(oldest)
    }
}
