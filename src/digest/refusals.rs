//! Refusals: from which addresses requests were denied, logins failed, or what does not exist was
//! asked for, and on how many paths: what probing looks like.

use super::bounded::{Bounded, Weight};
use crate::event::{Failure, Requester, Text, Timestamp};
use core::net::IpAddr;
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// Addresses that are told apart.
const MOST: usize = 20_000;
/// Paths of an address that are told apart.
pub const PATHS_MOST: usize = 1_000;
/// Names and mounts of an address that are told.
const FEW: usize = 8;

/// What was refused to an address.
#[derive(Clone, Debug, Default)]
pub struct Refused {
    /// Requests that a policy denied.
    pub denied: u64,
    /// Requests with a token that is unknown or dead.
    pub invalid_token: u64,
    /// Requests for credentials of what does not exist.
    pub not_found: u64,
    /// Logins that failed.
    pub failed_logins: u64,
    /// Of how many paths; no more than [`PATHS_MOST`] are told apart.
    pub paths: usize,
    /// When the first was, in the period.
    pub first: Timestamp,
    /// When the last was.
    pub last: Timestamp,
    /// Whose tokens came with it, as far as Vault knew.
    pub clients: BTreeSet<Requester>,
    /// On which mounts.
    pub mounts: BTreeMap<Text, u64>,
    hashes: BTreeSet<u64>,
}

impl Weight for Refused {
    fn weight(&self) -> u64 {
        self.denied + self.invalid_token + self.not_found + self.failed_logins
    }
}

impl Refused {
    /// All of them.
    pub fn all(&self) -> u64 {
        self.weight()
    }
}

/// What is refused.
pub(super) struct Refusal<'e> {
    pub(super) at: Timestamp,
    pub(super) from: Option<IpAddr>,
    pub(super) who: Option<&'e Requester>,
    pub(super) mount: &'e str,
    pub(super) path: &'e str,
    pub(super) failure: Failure,
    pub(super) is_login: bool,
    pub(super) is_issue: bool,
}

/// Of all addresses.
#[derive(Debug)]
pub(super) struct Refusals(Bounded<Option<IpAddr>, Refused>);

impl Refusals {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MOST))
    }

    pub(super) fn note(&mut self, refusal: &Refusal<'_>) {
        let is_told = refusal.is_login
            || matches!(refusal.failure, Failure::Denied | Failure::InvalidToken)
            || refusal.is_issue && matches!(refusal.failure, Failure::NotFound | Failure::Hashed);
        if !is_told {
            return;
        }
        let one = self.0.entry(&refusal.from, || Refused { first: refusal.at, ..Refused::default() });
        *match refusal.failure {
            _ if refusal.is_login => &mut one.failed_logins,
            Failure::Denied => &mut one.denied,
            Failure::InvalidToken => &mut one.invalid_token,
            _ => &mut one.not_found,
        } += 1;
        one.last = refusal.at;
        if one.hashes.len() < PATHS_MOST {
            one.hashes.insert(xxh3_64(refusal.path.as_bytes()));
        }
        if let Some(who) = refusal.who
            && one.clients.len() < FEW
        {
            one.clients.insert(who.clone());
        }
        if one.mounts.len() < FEW || one.mounts.contains_key(refusal.mount) {
            *one.mounts.entry(refusal.mount.into()).or_default() += 1;
        }
    }

    /// Those with most first, and how many there was no room for.
    pub(super) fn take(self) -> (Vec<(Option<IpAddr>, Refused)>, u64) {
        let (mut all, dropped) = self.0.take();
        for (_, one) in &mut all {
            one.paths = one.hashes.len();
            one.hashes.clear();
        }
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.all()));
        (all, dropped)
    }
}
