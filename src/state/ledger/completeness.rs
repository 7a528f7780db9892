//! Completeness: whether there can be leases that the ledger has never heard
//! of. There are, after a start in the middle of a cluster's life, a takeover
//! or lost lines of the audit log, until they are listed or have outlived
//! their TTLs.

use crate::event::Timestamp;
use crate::state::labels::MountId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Vault's own `max_lease_ttl` where nobody sets another, in seconds: 768 hours.
const LONGEST_SECS: i64 = 768 * 3600;

/// Since when every issue is seen.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Completeness {
    since: Option<Timestamp>,
    /// Mounts that were made while everything was seen.
    born: BTreeSet<MountId>,
}

impl Completeness {
    /// The first line of all.
    pub(super) fn begin(&mut self, at: Timestamp) {
        if self.since.is_none() {
            self.since = Some(at);
        }
    }

    /// From here on every issue is seen, and before not.
    pub(super) fn lost(&mut self, at: Timestamp) {
        self.since = Some(at);
        self.born.clear();
    }

    /// Since when.
    pub(super) fn since(&self) -> Timestamp {
        self.since.unwrap_or(Timestamp::MIN)
    }

    /// A mount was made: it had no leases before.
    pub(super) fn born(&mut self, mount: MountId) {
        self.born.insert(mount);
    }

    fn is_born(&self, mount: MountId) -> bool {
        self.born.contains(&mount)
    }

    /// Every lease of a role is known at `as_of`: its mount was made in sight, its leases were
    /// listed, or those of before have ended.
    pub(super) fn covers(
        &self,
        mount: MountId,
        listed: Option<Timestamp>,
        longest: Option<i64>,
        as_of: Timestamp,
    ) -> bool {
        let Some(since) = self.since else { return false };
        self.is_born(mount)
            || listed.is_some_and(|listed| listed >= since)
            || as_of >= since.plus_secs(longest.unwrap_or(LONGEST_SECS))
    }
}
