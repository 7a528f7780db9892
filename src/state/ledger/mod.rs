//! The ledger: every lease from its issue to its end, joined from the audit
//! log (who asked, and what for), the server log (what ended by itself, and
//! what failed to) and what the API tells.
//!
//! An issue counts at once, and so does an end; why it ended is decided a
//! moment later (`ending`) and never changed. What may be claimed at all is
//! said by `proof`.

mod ask;
mod book;
mod bytes;
mod completeness;
mod count;
mod ending;
mod facts;
mod families;
mod grants;
mod lease;
mod names;
mod people;
mod proof;
mod recent;
mod role;
mod saved;
mod settle;
mod token;
mod told;
mod ttl;
mod view;
mod words;

pub use proof::NodeId;
pub use saved::LedgerImage;
pub use view::{Condition, LeaseView};

pub(super) use ask::{Counted, Target};
pub(super) use facts::Times;
pub(super) use grants::{Issue, Renewal};
pub(super) use lease::{is_token, key};
pub(super) use settle::Outcomes;
pub(super) use told::{Failed, Settled};
pub(super) use words::Named;

use super::labels::{MountId, RoleId};
use crate::event::{LeaseHash, Timestamp};
use ask::{Asks, Offset};
use book::Book;
use completeness::Completeness;
use ending::Ending;
use foldhash::HashMap;
use lease::Lease;
use names::{Forms, Requesters};
use proof::Proof;
use recent::Recent;
use role::Role;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU64;
use token::Tokens;
use told::Told;

/// Wrapped leases without an ID in all.
const ANONYMOUS_MOST: usize = 1 << 16;

/// All leases that are out.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ledger {
    #[serde(skip)]
    leases: Book<Lease>,
    #[serde(skip)]
    tokens: Tokens,
    /// Leases by the first half of their keyed hash, where a renewal told it.
    #[serde(skip)]
    by_hash: HashMap<u64, u32>,
    roles: BTreeMap<RoleId, Role>,
    forms: Forms,
    requesters: Requesters,
    asks: Asks,
    offset: Offset,
    endings: VecDeque<Ending>,
    told: Told,
    recent: Recent,
    proof: Proof,
    completeness: Completeness,
    elapsed: families::Elapsed,
    anonymous: usize,
    /// When lines of an audit log were last lost, and with them renewals perhaps.
    audit_gap: Option<Timestamp>,
    /// When requests were last lost.
    unasked: Unasked,
    evicted: u64,
    many_leases: u64,
    role_writes: u64,
    /// An audit log is read.
    has_audit: bool,
    /// Default and max TTL of mounts in seconds, 0 for Vault's own.
    mount_ttls: BTreeMap<MountId, (i64, i64)>,
    /// What stands for several roles.
    #[serde(default)]
    mixed: BTreeSet<RoleId>,
    /// When a lease of a role was last looked up.
    looked_up: BTreeMap<RoleId, Timestamp>,
    #[serde(skip)]
    capacity: usize,
}

/// A time of which no audit log tells what was asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Unasked {
    from: Timestamp,
    until: Timestamp,
}

impl Unasked {
    fn covers(self, at: Timestamp) -> bool {
        self.from <= at && at <= self.until
    }
}

impl Ledger {
    /// An empty one, with room for so many leases.
    pub fn new(capacity: usize) -> Self {
        Self {
            leases: Book::default(),
            tokens: Tokens::default(),
            by_hash: HashMap::default(),
            roles: BTreeMap::new(),
            forms: Forms::default(),
            requesters: Requesters::default(),
            asks: Asks::default(),
            offset: Offset::default(),
            endings: VecDeque::new(),
            told: Told::default(),
            recent: Recent::default(),
            proof: Proof::default(),
            completeness: Completeness::default(),
            elapsed: families::Elapsed::default(),
            anonymous: 0,
            audit_gap: None,
            unasked: Unasked { from: Timestamp::MIN, until: Timestamp::MIN },
            evicted: 0,
            many_leases: 0,
            role_writes: 0,
            has_audit: false,
            mount_ttls: BTreeMap::new(),
            mixed: BTreeSet::new(),
            looked_up: BTreeMap::new(),
            capacity,
        }
    }

    /// To be called after loading: makes the look-up tables, and sets the limit now configured.
    pub fn restore(&mut self, capacity: usize) {
        self.capacity = capacity;
        self.forms.restore();
        self.requesters.restore();
    }

    /// The node of that name, for the lines of its logs.
    pub fn node(&mut self, name: &str) -> NodeId {
        self.proof.node(name)
    }

    /// A line of one of a node's logs, whatever it says.
    pub fn line(&mut self, node: NodeId, is_server_log: bool, at: Timestamp) {
        self.proof.line(node, is_server_log, at);
        self.completeness.begin(at);
        if !is_server_log {
            self.has_audit = true;
            self.unasked.until = self.unasked.until.min(at);
        }
    }

    /// An audit log is read, and will tell the types of mounts.
    pub fn has_audit(&self) -> bool {
        self.has_audit
    }

    /// How often roles were written.
    pub fn role_writes(&self) -> u64 {
        self.role_writes
    }

    /// A role is known: what its leases do is shown.
    pub fn know(&mut self, role: RoleId, mount: MountId) {
        self.roles.entry(role).or_default().mount = mount;
        self.inherit(role);
    }

    /// It stands for several roles: no TTL holds for all of its leases.
    pub fn know_mixed(&mut self, role: RoleId) {
        self.mixed.insert(role);
    }

    /// A role has leases out: it keeps its place.
    pub fn holds(&self, role: RoleId) -> bool {
        self.roles.get(&role).is_some_and(|role| role.outstanding() > 0)
    }

    /// Forgets a role.
    pub fn retire(&mut self, role: RoleId) {
        self.roles.remove(&role);
        self.looked_up.remove(&role);
    }

    /// Leases of a role were seen to be issued.
    pub fn counts(&self, role: RoleId) -> bool {
        self.roles.get(&role).is_some_and(|role| role.is_counted)
    }

    /// The prefix below which leases are revoked by force now, if that is one, and the suffix of
    /// its namespace.
    pub fn forced(&self, at: Timestamp) -> Option<(&str, &str)> {
        self.asks.by_force(at)
    }

    /// The lease of a keyed hash, if a renewal has told it: one that is out, or has just ended
    /// by a clock that is ahead.
    fn key_of_hash(&self, hash: u64) -> Option<NonZeroU64> {
        let out = self.by_hash.get(&hash).and_then(|slot| self.leases.get(*slot)).map(|lease| lease.key);
        let is_its = |ending: &&Ending| ending.known.is_some_and(|known| known.hash == hash);
        out.or_else(|| self.endings.iter().find(is_its).map(|ending| ending.key))
    }

    /// A renewal has shown the lease of a keyed hash, and it may still be out.
    pub fn knows_hash(&self, hash: LeaseHash) -> bool {
        self.key_of_hash(hash.half()).is_some()
    }

    /// The role of the lease of a keyed hash, if a renewal has told it.
    pub fn role_of_hash(&self, hash: LeaseHash) -> Option<RoleId> {
        let slot = self.by_hash.get(&hash.half())?;
        self.leases.get(*slot).map(|lease| lease.role)
    }

    /// Takes a lease out of the books.
    fn take(&mut self, slot: u32) -> Option<Lease> {
        let lease = self.leases.remove(slot)?;
        if lease.hash != 0 && self.by_hash.get(&lease.hash) == Some(&slot) {
            self.by_hash.remove(&lease.hash);
        }
        if let Some(role) = self.roles.get_mut(&lease.role) {
            role.leases = role.leases.saturating_sub(1);
        }
        Some(lease)
    }

    /// Puts a lease into the books, if there is room.
    fn put(&mut self, lease: Lease, at: Timestamp) -> Option<u32> {
        if self.leases.len() >= self.capacity {
            self.evicted += 1;
            self.completeness.lost(at);
            return None;
        }
        self.roles.entry(lease.role).or_default().leases += 1;
        Some(self.leases.insert(lease))
    }
}
