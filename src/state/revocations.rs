//! Revocations: what was asked for, by mount, and which attempts failed, by role.

use super::families::Out;
use super::labels::{Labels, MountId, RoleId};
use crate::contract::credentials::{REVOCATION_FAILURES, REVOCATION_REQUESTS};
use crate::contract::leases::FORCED_DESPITE;
use crate::event::{RevocationForm, RevocationTrouble};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Outcomes in the order of the contract.
const OUTCOMES: [&str; 4] = ["ok", "queued", "denied", "failed"];

/// How a request to revoke ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// Done; also where the lease was dead already.
    Ok,
    /// Accepted, to be done later.
    Queued,
    /// Refused.
    Denied,
    /// Not done.
    Failed,
}

/// Requests to revoke, and failed attempts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Revocations {
    requests: BTreeMap<MountId, BTreeMap<RevocationForm, [u64; OUTCOMES.len()]>>,
    failures: BTreeMap<RoleId, BTreeMap<RevocationTrouble, u64>>,
    /// Leases that were given up by force although the engine failed.
    forced: BTreeMap<RoleId, BTreeMap<RevocationTrouble, u64>>,
}

impl Revocations {
    /// A role is known: its counters start.
    pub fn know(&mut self, role: RoleId) {
        self.failures.entry(role).or_default();
    }

    /// A request to revoke was answered.
    pub fn asked(&mut self, mount: MountId, form: RevocationForm, asked: Asked) {
        self.requests.entry(mount).or_default().entry(form).or_default()[asked as usize] += 1;
    }

    /// An attempt failed.
    pub fn failed(&mut self, role: RoleId, trouble: RevocationTrouble) {
        *self.failures.entry(role).or_default().entry(trouble).or_default() += 1;
    }

    /// A lease was given up by force although the engine failed.
    pub fn forced(&mut self, role: RoleId, trouble: RevocationTrouble) {
        *self.forced.entry(role).or_default().entry(trouble).or_default() += 1;
    }

    /// Forgets a role.
    pub fn retire(&mut self, role: RoleId) {
        self.forced.remove(&role);
        self.failures.remove(&role);
    }

    pub(super) fn families(&self, labels: &Labels, out: &mut Out) {
        let family = out.family(&REVOCATION_REQUESTS);
        for (mount, forms) in &self.requests {
            let [namespace, mount, engine] = labels.mount_values(*mount);
            for (form, counts) in forms {
                for (outcome, times) in OUTCOMES.iter().zip(counts) {
                    let (form, outcome) = (Arc::from(form.name()), Arc::from(*outcome));
                    family.count([namespace.clone(), mount.clone(), engine.clone(), form, outcome], *times);
                }
            }
        }
        let family = out.family(&FORCED_DESPITE);
        for (role, counts) in &self.forced {
            let [namespace, mount, engine, role] = labels.role_values(*role);
            for (trouble, times) in counts {
                let reason = Arc::from(trouble.name());
                family
                    .count([namespace.clone(), mount.clone(), engine.clone(), role.clone(), reason], *times);
            }
        }
        let family = out.family(&REVOCATION_FAILURES);
        for (role, counts) in &self.failures {
            let [namespace, mount, engine, role] = labels.role_values(*role);
            for trouble in RevocationTrouble::ALL {
                let times = counts.get(&trouble).copied().unwrap_or(0);
                let reason = Arc::from(trouble.name());
                family.count([namespace.clone(), mount.clone(), engine.clone(), role.clone(), reason], times);
            }
        }
    }
}
