//! A lease of a credential, as the server keeps it.

use super::super::slab::Key;

/// A lease.
#[derive(Debug)]
pub(in super::super) struct Lease {
    /// Its whole ID.
    pub(in super::super) id: String,
    /// The role it is of; `None` for a certificate.
    pub(in super::super) role: Option<usize>,
    /// The mount.
    pub(in super::super) mount: usize,
    /// What its hash and everything random about it is made of.
    pub(in super::super) seed: u64,
    pub(in super::super) issued: i64,
    pub(in super::super) expires: i64,
    /// Where renewals end.
    pub(in super::super) ends: i64,
    pub(in super::super) renewed: Option<i64>,
    pub(in super::super) token: Key,
    /// Its end is that of a batch token, which comes before its own.
    pub(in super::super) is_cut: bool,
    /// Renewals end with a batch token.
    pub(in super::super) is_bound: bool,
    /// Attempts to revoke it that failed.
    pub(in super::super) attempts: u32,
    /// Given up: it is not tried again.
    pub(in super::super) is_irrevocable: bool,
    /// Why its end has begun, if it has.
    pub(in super::super) cause: Option<&'static str>,
}
