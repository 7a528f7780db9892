//! Facts: what Vault's API tells of TTLs and of single leases.

use super::Ledger;
use super::lease::{self, END_HIDDEN, Lease, NONE, RENEWED, SPOKEN, SURE};
use super::names::{form_of, id_of};
use super::role::{Cause, Role};
use super::ttl::Source;
use crate::event::{LeaseKey, RoleFact, Timestamp};
use crate::state::labels::{MountId, RoleId};
use foldhash::HashSet;
use std::collections::BTreeSet;

/// Vault's own TTLs where neither role nor mount sets any, in seconds: 768 hours
/// (`default_lease_ttl`, `max_lease_ttl` of the server's configuration).
const SYSTEM_SECS: i64 = 768 * 3600;
/// A role whose TTL a look-up could not tell is asked about again after this long, in seconds.
const LOOK_AGAIN_SECS: i64 = 3600;
/// How far a TTL may be from whole seconds, in nanoseconds: the two times are taken one after the other.
const WHOLE: i64 = 100_000;
/// Issues so near to a listing, in nanoseconds, may or may not be in it.
const NEAR: i64 = 2_000_000_000;

/// The times of one lease, by a look-up.
#[derive(Clone, Copy, Debug)]
pub(in crate::state) struct Times {
    pub(in crate::state) issued: Timestamp,
    pub(in crate::state) expires: Timestamp,
    pub(in crate::state) renewed: Option<Timestamp>,
}

impl Ledger {
    /// The TTLs of a mount, 0 for Vault's own.
    pub fn mount_told(&mut self, mount: MountId, default: u64, max: u64) {
        let roles: Vec<_> =
            self.roles.iter().filter(|(_, role)| role.mount == mount).map(|(id, _)| *id).collect();
        self.mount_ttls.insert(mount, (secs(default), secs(max)));
        for role in roles {
            self.inherit(role);
        }
    }

    /// A role's own TTLs, 0 where it leaves them to the mount.
    pub fn role_told(&mut self, role: RoleId, fact: &RoleFact) {
        if self.mixed.contains(&role) {
            return;
        }
        let mut ttl = self.roles.entry(role).or_default().ttl.clone();
        if ttl.read(secs(fact.default_ttl), secs(fact.max_ttl)) {
            self.freeze(role);
            self.roles.entry(role).or_default().ttl = ttl;
        }
        self.inherit(role);
    }

    /// A role's TTLs as the mount and Vault leave them.
    pub(super) fn inherit(&mut self, role: RoleId) {
        if self.mixed.contains(&role) {
            return;
        }
        let Some(kept) = self.roles.get(&role) else { return };
        let Some((default, max)) = self.mount_ttls.get(&kept.mount).copied() else { return };
        let mut ttl = kept.ttl.clone();
        let mount = ttl.inherits(default, max, Source::Mount);
        let system = ttl.inherits(SYSTEM_SECS, SYSTEM_SECS, Source::System);
        if mount || system {
            self.freeze(role);
            self.roles.entry(role).or_default().ttl = ttl;
        }
    }

    /// A look-up told a lease's times: they are its own, and without a renewal its role's.
    pub(in crate::state) fn looked_up(&mut self, LeaseKey(key): LeaseKey, times: Times, at: Timestamp) {
        let Some(slot) = self.leases.find(lease::short(LeaseKey(key))) else { return };
        let Some(role) = self.leases.get(slot).map(|lease| lease.role) else { return };
        self.looked_up.insert(role, at);
        // TTLs are whole seconds; what a token has cut is not.
        let life = times.expires.nanos_since(times.issued).saturating_add(WHOLE);
        let is_telling = times.renewed.is_none() && !self.mixed.contains(&role);
        if is_telling && life.rem_euclid(1_000_000_000) <= 2 * WHOLE {
            let mut ttl = self.roles.entry(role).or_default().ttl.clone();
            if ttl.inherits(life.div_euclid(1_000_000_000), 0, Source::Lookup) {
                self.freeze(role);
                self.roles.entry(role).or_default().ttl = ttl;
            }
        }
        let Some(kept) = self.leases.get_mut(slot) else { return };
        kept.issued = if kept.issued == NONE { times.issued } else { kept.issued };
        kept.granted = times.renewed.unwrap_or(kept.issued);
        kept.end = times.expires;
        kept.flags = kept.flags & !END_HIDDEN | SURE | if times.renewed.is_some() { RENEWED } else { 0 };
    }

    /// Vault has no such lease any more, and no log said so.
    pub fn absent(&mut self, key: LeaseKey, at: Timestamp) {
        let Some(slot) = self.leases.find(lease::short(key)) else { return };
        if let Some(role) = self.leases.get(slot).map(|lease| lease.role) {
            self.looked_up.insert(role, at);
        }
        self.end_unseen(slot, at);
    }

    /// All leases of a role, as Vault listed them at a moment since `asked`.
    pub fn listed(&mut self, role: RoleId, prefix: &str, leases: &[String], asked: Timestamp, at: Timestamp) {
        let is_settled = |moment: Timestamp| moment < asked.plus_nanos(-NEAR);
        let listed: HashSet<_> = leases.iter().map(|name| lease::key(&format!("{prefix}{name}"))).collect();
        let ours = self.roles.get(&role).map_or(0, Role::outstanding);
        for name in leases {
            let id = format!("{prefix}{name}");
            let key = lease::key(&id);
            if self.recent.contains(key) || self.leases.find(key).is_some() {
                continue;
            }
            let kept = self.roles.entry(role).or_default();
            if kept.anonymous.is_empty() {
                let form = form_of(&mut self.forms, &id);
                let lease = Lease::new(&id, form, role);
                // It ends some day; its TTL has run for nobody knows how long.
                self.put(Lease { granted: at, flags: END_HIDDEN, ..lease }, at);
            } else {
                self.find_or_adopt(role, &id, at, false);
            }
        }
        let gone = self.leases.slots(|lease| {
            let moment = if lease.issued == NONE { lease.granted } else { lease.issued };
            lease.role == role && is_settled(moment) && !listed.contains(&lease.key)
        });
        // Those whose end was just read are gone from the book already.
        for slot in gone {
            self.end_unseen(slot, at);
        }
        let kept = self.roles.entry(role).or_default();
        kept.drift = Some(as_count(ours) - as_count(leases.len()));
        kept.listed = Some(asked);
        kept.is_counted = true;
        // What is anonymous still and should have been in the list is not out.
        let surplus = kept.outstanding().saturating_sub(leases.len());
        for _ in 0..surplus {
            let Some(place) = kept.anonymous.iter().position(|lease| is_settled(lease.issued)) else { break };
            kept.anonymous.remove(place);
            kept.ended[Cause::Unknown as usize] += 1;
            self.anonymous = self.anonymous.saturating_sub(1);
        }
    }

    fn end_unseen(&mut self, slot: u32, at: Timestamp) {
        if let Some(lease) = self.take(slot) {
            self.recent.insert(lease.key, at);
            self.roles.entry(lease.role).or_default().ended[Cause::Unknown as usize] += 1;
        }
    }

    /// A lease that it would help to look up: of a role whose TTL nobody has told.
    pub(in crate::state) fn lookup_wanted(&self, now: Timestamp) -> Option<(RoleId, String)> {
        let waits = |role: &RoleId| {
            self.looked_up.get(role).is_some_and(|asked| asked.plus_secs(LOOK_AGAIN_SECS) > now)
        };
        let wants = |(id, role): (&RoleId, &Role)| {
            (role.leases > 0 && !role.ttl.is_told() && !self.mixed.contains(id) && !waits(id)).then_some(*id)
        };
        let wanted: BTreeSet<_> = self.roles.iter().filter_map(wants).collect();
        if wanted.is_empty() {
            return None;
        }
        let good = |lease: &&Lease| {
            wanted.contains(&lease.role)
                && !lease.has(RENEWED | SPOKEN)
                && lease.end == NONE
                && lease.limit == NONE
        };
        let found = self.leases.iter().map(|(_, lease)| lease).find(good)?;
        Some((found.role, id_of(&self.forms, found)?))
    }
}

fn secs(secs: u64) -> i64 {
    i64::try_from(secs).unwrap_or(i64::MAX)
}

fn as_count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
