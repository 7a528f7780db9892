//! A role in the ledger: its TTLs, the leases of it that have no known ID,
//! and how its leases have ended.

use super::ending::Ending;
use super::lease::NONE;
use super::ttl::RoleTtl;
use crate::event::Timestamp;
use crate::state::labels::MountId;
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

/// A lease of which only the issue is known: it was wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anonymous {
    pub(super) issued: Timestamp,
    pub(super) token: u32,
    pub(super) requester: u32,
    /// When its batch token ends; `NONE` without one.
    pub(super) limit: Timestamp,
}

impl Anonymous {
    /// When it ends by its TTL, and whether that is certain.
    pub(super) fn due(&self, ttl: &RoleTtl) -> Option<(Timestamp, bool)> {
        let due = ttl.default_at(self.issued).map(|(secs, sure)| (self.issued.plus_secs(secs), sure));
        let limit = (self.limit != NONE).then_some(self.limit);
        match (due, limit) {
            (Some((due, sure)), Some(limit)) => Some((due.min(limit), sure)),
            (due, limit) => due.or(limit.map(|limit| (limit, false))),
        }
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

    /// The anonymous lease that ended (or was named) at `at`: the one whose TTL ends then, or
    /// else the oldest that was issued before and is not long past its end.
    pub(super) fn identify(&mut self, at: Timestamp, must_be_due: bool) -> Option<Anonymous> {
        const NEAR: i64 = 2_000_000_000;
        let due = |lease: &Anonymous| lease.due(&self.ttl).map(|(due, _)| due);
        let is_near = |lease: &Anonymous| due(lease).is_some_and(|due| at.nanos_since(due).abs() <= NEAR);
        let was_there = |lease: &Anonymous| lease.issued <= at.plus_nanos(NEAR);
        let found = self
            .anonymous
            .iter()
            .position(is_near)
            .or_else(|| (!must_be_due).then(|| self.anonymous.iter().position(was_there)).flatten())?;
        self.anonymous.remove(found)
    }
}
