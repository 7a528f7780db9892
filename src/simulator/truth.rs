//! What truly happened: the numbers that the logs must lead to.

use std::collections::BTreeMap;

/// Namespace (`""` for root), mount, role.
pub type Place = (String, String, String);

/// Counts of what the lines so far say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Requests, each with its response.
    pub requests: u64,
    /// Credentials that were issued, by role; wrapped ones included.
    pub issued: BTreeMap<Place, u64>,
    /// Credentials that were asked for in vain, by role and reason; the role is empty where it does not exist.
    pub failed: BTreeMap<(Place, &'static str), u64>,
    /// Logins by auth mount and success.
    pub logins: BTreeMap<(String, String, bool), u64>,
    /// Requests that a policy refused, by mount.
    pub denied: BTreeMap<(String, String), u64>,
    /// Leases that ended, by role.
    pub ended: BTreeMap<Place, u64>,
    /// Leases that somebody asked to revoke, or that ended with their token, or by their TTL.
    pub ended_by: BTreeMap<&'static str, u64>,
    /// Attempts to revoke a lease that failed and stand in the server log.
    pub revocation_failures: u64,
    /// Renewals that succeeded.
    pub renewed: u64,
}

/// What a server's own metrics would say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Leases created, of credentials.
    pub leases_created: u64,
    /// Tokens created.
    pub tokens_created: u64,
    /// Renewals of leases.
    pub renewals: u64,
    /// Attempts to revoke leases.
    pub revocations: u64,
    /// Such attempts that failed.
    pub revocation_errors: u64,
}

impl Truth {
    pub(super) fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
        *counts.entry(key).or_default() += 1;
    }
}
