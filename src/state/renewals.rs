//! Renewals of leases by role, and what they teach: a successful one shows the
//! keyed hash and the plain ID of the same lease, the only hint to the role of
//! a later request that names the lease by its hash alone.

use super::families::Out;
use super::labels::{Labels, RoleId};
use crate::contract::credentials::RENEWALS;
use crate::contract::leases::RENEWAL_FAILURES;
use crate::event::{LeaseHash, RenewalTrouble};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

/// How many hashes are remembered at most, the latest renewed ones.
const REMEMBER_MOST: usize = 100_000;

/// Outcomes in the order of the contract.
const OUTCOMES: [&str; 3] = ["ok", "capped", "failed"];

/// How a renewal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// For as long as was asked.
    Ok,
    /// Cut short by the max TTL.
    Capped,
    /// Not at all.
    Failed,
}

/// Renewals by role, and the hashes they taught.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Renewals {
    roles: BTreeMap<RoleId, [u64; OUTCOMES.len()]>,
    failures: BTreeMap<RoleId, BTreeMap<RenewalTrouble, u64>>,
    known: Hashes,
}

impl Renewals {
    /// A role is known: its counters start.
    pub fn know(&mut self, role: RoleId) {
        self.roles.entry(role).or_default();
        self.failures.entry(role).or_default();
    }

    /// A renewal ended.
    pub fn count(&mut self, role: RoleId, renewed: Renewed) {
        self.roles.entry(role).or_default()[renewed as usize] += 1;
    }

    /// Why a renewal failed.
    pub fn failed(&mut self, role: RoleId, trouble: RenewalTrouble) {
        *self.failures.entry(role).or_default().entry(trouble).or_default() += 1;
    }

    /// This hash names a lease of that role.
    pub fn teach(&mut self, hash: LeaseHash, role: RoleId) {
        self.known.insert(hash, role);
    }

    /// The role of the lease of this hash, if a renewal told it.
    pub fn role_of(&self, hash: LeaseHash) -> Option<RoleId> {
        self.known.roles.get(&hash).copied()
    }

    /// Forgets a role.
    pub fn retire(&mut self, role: RoleId) {
        self.roles.remove(&role);
        self.failures.remove(&role);
        self.known.roles.retain(|_, of| *of != role);
    }

    pub(super) fn families(&self, labels: &Labels, out: &mut Out) {
        let family = out.family(&RENEWALS);
        for (role, counts) in &self.roles {
            let [namespace, mount, engine, role] = labels.role_values(*role);
            for (outcome, times) in OUTCOMES.iter().zip(counts) {
                let outcome = Arc::from(*outcome);
                family
                    .count([namespace.clone(), mount.clone(), engine.clone(), role.clone(), outcome], *times);
            }
        }
        let family = out.family(&RENEWAL_FAILURES);
        for (role, counts) in &self.failures {
            let [namespace, mount, engine, role] = labels.role_values(*role);
            for trouble in RenewalTrouble::ALL {
                let times = counts.get(&trouble).copied().unwrap_or(0);
                let reason = Arc::from(trouble.name());
                family.count([namespace.clone(), mount.clone(), engine.clone(), role.clone(), reason], times);
            }
        }
    }
}

/// Roles by hash, the oldest forgotten first.
#[derive(Debug, Default)]
struct Hashes {
    roles: HashMap<LeaseHash, RoleId>,
    order: VecDeque<LeaseHash>,
}

impl Hashes {
    fn insert(&mut self, hash: LeaseHash, role: RoleId) {
        if self.roles.insert(hash, role).is_none() {
            self.order.push_back(hash);
        }
        while self.order.len() > REMEMBER_MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.roles.remove(&oldest);
            }
        }
    }
}

/// Written as a list, oldest first.
impl Serialize for Hashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.order
                .iter()
                .filter_map(|hash| self.roles.get(hash).map(|role| (format!("{:032x}", hash.0), role))),
        )
    }
}

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut hashes = Self::default();
        for (hash, role) in Vec::<(String, RoleId)>::deserialize(deserializer)? {
            let hash = u128::from_str_radix(&hash, 16).map_err(serde::de::Error::custom)?;
            hashes.insert(LeaseHash(hash), role);
        }
        Ok(hashes)
    }
}
