//! Credentials: issued, read, refused, by role; how fast, by mount.

use super::families::Out;
use super::labels::{Labels, MountId, RoleId};
use super::rate::Recent;
use crate::contract::credentials as metric;
use crate::event::{Failure, Timestamp};
use crate::snapshot::{Histogram, Series, Value};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Upper bounds of the issue duration, in seconds: from a warm database on the
/// same host to one that takes its thirty seconds.
const BOUNDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Reasons in the order of the contract.
const REASONS: [&str; 7] =
    ["denied", "invalid_token", "not_found", "not_allowed", "backend", "quota", "other"];

/// What happened to requests for credentials.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Credentials {
    roles: BTreeMap<RoleId, Counts>,
    durations: BTreeMap<MountId, Durations>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Counts {
    issued: u64,
    static_reads: u64,
    failures: [u64; REASONS.len()],
    recent: Recent,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Durations {
    counts: Vec<u64>,
    /// Nanoseconds, so that the sum does not depend on the order.
    sum: u64,
}

impl Credentials {
    /// A role is known: its counters start.
    pub fn know(&mut self, role: RoleId) {
        self.roles.entry(role).or_default();
    }

    /// A credential was issued. `took`: nanoseconds, where the request entry was seen.
    pub fn issued(&mut self, role: RoleId, mount: MountId, at: Timestamp, took: Option<i64>) {
        let counts = self.roles.entry(role).or_default();
        counts.issued += 1;
        counts.recent.add(at);
        if let Some(took) = took.and_then(|took| u64::try_from(took).ok()) {
            let durations = self.durations.entry(mount).or_default();
            durations.counts.resize(BOUNDS.len() + 1, 0);
            let secs = took as f64 / 1e9;
            durations.counts[BOUNDS.partition_point(|bound| *bound < secs)] += 1;
            durations.sum += took;
        }
    }

    /// A static credential was read.
    pub fn read_static(&mut self, role: RoleId) {
        self.roles.entry(role).or_default().static_reads += 1;
    }

    /// A request for a credential failed.
    pub fn failed(&mut self, role: RoleId, failure: Failure) {
        let reason = match failure {
            Failure::Denied => 0,
            Failure::InvalidToken => 1,
            Failure::NotFound => 2,
            Failure::NotAllowed => 3,
            Failure::Backend => 4,
            Failure::Quota => 5,
            Failure::Hashed | Failure::Other => 6,
        };
        self.roles.entry(role).or_default().failures[reason] += 1;
    }

    /// Forgets a role.
    pub fn retire(&mut self, role: RoleId) {
        self.roles.remove(&role);
    }

    pub(super) fn families(&self, labels: &Labels, as_of: Timestamp, out: &mut Out) {
        let family = out.family(&metric::ISSUED);
        for (role, counts) in &self.roles {
            family.count(labels.role_values(*role), counts.issued);
        }
        let family = out.family(&metric::STATIC_READ);
        for (role, counts) in self.roles.iter().filter(|(_, counts)| counts.static_reads > 0) {
            family.count(labels.role_values(*role), counts.static_reads);
        }
        let family = out.family(&metric::FAILURES);
        for (role, counts) in &self.roles {
            let [namespace, mount, engine, role] = labels.role_values(*role);
            for (reason, times) in REASONS.iter().zip(counts.failures) {
                let reason = Arc::from(*reason);
                family.count([namespace.clone(), mount.clone(), engine.clone(), role.clone(), reason], times);
            }
        }
        let family = out.family(&metric::ISSUE_RATE);
        for (role, counts) in &self.roles {
            let [namespace, mount, engine, role] = labels.role_values(*role);
            for (window, rate) in counts.recent.rates(as_of) {
                let window = Arc::from(window);
                family.number([namespace.clone(), mount.clone(), engine.clone(), role.clone(), window], rate);
            }
        }
        let family = out.family(&metric::ISSUE_DURATION);
        for (mount, durations) in &self.durations {
            let value = Histogram {
                bounds: BOUNDS,
                counts: durations.counts.clone(),
                sum: durations.sum as f64 / 1e9,
            };
            family
                .series
                .push(Series { labels: labels.mount_values(*mount).into(), value: Value::Histogram(value) });
        }
    }
}
