//! Fixed secrets: keys (kv) and static roles that are read where dynamic credentials are to be had,
//! by mount, and by whom.

use super::bounded::{Bounded, Weight};
use crate::event::{Requester, Text};
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

const MOUNTS_MOST: usize = 2_000;
/// Paths of a mount that are told apart.
pub const FIXED_PATHS_MOST: usize = 1_000;
/// Clients of a mount that are told apart.
const CLIENTS_MOST: usize = 256;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FixedKind {
    /// A key of somebody's own.
    Kv,
    /// A credential that Vault rotates, and that several share.
    StaticRole,
}

impl FixedKind {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kv => "kv",
            Self::StaticRole => "static_role",
        }
    }
}

/// What was read of a mount.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    /// Successful reads.
    pub reads: u64,
    /// Of how many paths; no more than [`FIXED_PATHS_MOST`] are told apart.
    pub paths: usize,
    /// How often by whom; those beyond the first few hundred are in `reads` alone.
    pub clients: BTreeMap<Requester, u64>,
    /// How many of them got dynamic credentials in the same time.
    pub with_dynamic: usize,
    hashes: BTreeSet<u64>,
}

impl Weight for Fixed {
    fn weight(&self) -> u64 {
        self.reads
    }
}

/// Namespace, mount and kind.
pub(super) type Key = (Text, Text, FixedKind);

/// Of all mounts.
#[derive(Debug)]
pub(super) struct FixedReads(Bounded<Key, Fixed>);

impl FixedReads {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MOUNTS_MOST))
    }

    pub(super) fn note(&mut self, key: &Key, path: &str, who: Option<&Requester>) {
        let one = self.0.entry(key, Fixed::default);
        one.reads += 1;
        if one.hashes.len() < FIXED_PATHS_MOST {
            one.hashes.insert(xxh3_64(path.as_bytes()));
        }
        if let Some(who) = who
            && (one.clients.len() < CLIENTS_MOST || one.clients.contains_key(who))
        {
            *one.clients.entry(who.clone()).or_default() += 1;
        }
    }

    /// The most read first; `dynamic` are those who got dynamic credentials.
    pub(super) fn take(self, dynamic: &BTreeSet<&Requester>) -> (Vec<(Key, Fixed)>, u64) {
        let (mut all, dropped) = self.0.take();
        for (_, one) in &mut all {
            one.paths = one.hashes.len();
            one.hashes.clear();
            one.with_dynamic = one.clients.keys().filter(|who| dynamic.contains(who)).count();
        }
        all.sort_by_key(|(_, one)| std::cmp::Reverse(one.reads));
        (all, dropped)
    }
}
