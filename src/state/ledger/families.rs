//! The ledger's series.

use super::Ledger;
use super::count::{RoleCount, WINDOWS};
use super::role::{CAUSES, Role};
use crate::contract::leases as metric;
use crate::event::{RevocationTrouble, Timestamp};
use crate::snapshot::{Family, Histogram, Series, Value};
use crate::state::families::Out;
use crate::state::labels::{Labels, MountId, RoleId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Upper bounds of the elapsed share of a TTL.
const BOUNDS: &[f64] = &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0];

/// Shares of TTLs that were used up at renewals, by mount.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Elapsed(BTreeMap<MountId, Shares>);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Shares {
    counts: Vec<u64>,
    /// Millionths, so that the sum does not depend on the order.
    sum: u64,
}

impl Elapsed {
    fn add(&mut self, mount: MountId, millionths: u32) {
        let shares = self.0.entry(mount).or_default();
        shares.counts.resize(BOUNDS.len() + 1, 0);
        let share = f64::from(millionths) / 1e6;
        shares.counts[BOUNDS.partition_point(|bound| *bound < share)] += 1;
        shares.sum += u64::from(millionths);
    }
}

impl Ledger {
    /// A lease was renewed after so many millionths of its TTL.
    pub fn elapsed(&mut self, mount: MountId, millionths: u32) {
        self.elapsed.add(mount, millionths);
    }

    pub(in crate::state) fn families(&self, labels: &Labels, as_of: Timestamp, out: &mut Out) {
        if !self.proof.is_passive() {
            let counts = self.count(self.moment(as_of));
            self.outstanding(labels, &counts, out);
            self.failing(labels, &counts, out);
            self.knowledge(labels, &counts, as_of, out);
            self.ttls(labels, out);
        }
        let family = out.family(&metric::REVOCATIONS);
        for (id, role) in &self.roles {
            for (cause, times) in CAUSES.iter().zip(role.ended) {
                family.count(with(labels, *id, cause), times);
            }
        }
        let family = out.family(&metric::RENEWAL_ELAPSED);
        for (mount, shares) in &self.elapsed.0 {
            let value =
                Histogram { bounds: BOUNDS, counts: shares.counts.clone(), sum: shares.sum as f64 / 1e6 };
            family
                .series
                .push(Series { labels: labels.mount_values(*mount).into(), value: Value::Histogram(value) });
        }
        out.family(&metric::EVICTIONS).count::<&str>([], self.evicted);
        out.family(&metric::MANY_LEASES).count::<&str>([], self.many_leases);
    }

    /// Roles whose number of leases is known, exactly or by their TTLs.
    fn counted<'c>(
        &self,
        counts: &'c BTreeMap<RoleId, RoleCount>,
    ) -> impl Iterator<Item = (RoleId, &'c RoleCount)> {
        let is_proven = self.proof.since().is_some();
        counts.iter().map(|(id, count)| (*id, count)).filter(move |(id, _)| {
            self.roles.get(id).is_some_and(|role| role.is_counted && (is_proven || role.ttl.is_known()))
        })
    }

    fn outstanding(&self, labels: &Labels, counts: &BTreeMap<RoleId, RoleCount>, out: &mut Out) {
        let family = out.family(&metric::LEASES);
        for (role, count) in self.counted(counts) {
            number(family, labels.role_values(role), count.leases);
        }
        let family = out.family(&metric::OLDEST);
        for (role, count) in self.counted(counts) {
            if let Some(oldest) = count.oldest {
                family.number(labels.role_values(role), oldest.as_secs_f64());
            }
        }
        let family = out.family(&metric::EXPIRING);
        for (role, count) in self.counted(counts) {
            if !self.roles.get(&role).is_some_and(|role| role.ttl.is_known()) && count.expiring[4] == 0 {
                continue;
            }
            for ((window, _), leases) in WINDOWS.iter().zip(count.expiring) {
                number(family, with(labels, role, window), leases);
            }
        }
        let mut unknown: BTreeMap<MountId, u64> = BTreeMap::new();
        for (role, count) in counts {
            *unknown.entry(labels.mount_of(*role)).or_default() += count.unknown;
        }
        let family = out.family(&metric::UNKNOWN);
        for (mount, leases) in unknown {
            let [namespace, path, _] = labels.mount_values(mount);
            number(family, [namespace, path], leases);
        }
    }

    fn failing(&self, labels: &Labels, counts: &BTreeMap<RoleId, RoleCount>, out: &mut Out) {
        if self.proof.since().is_some() {
            let family = out.family(&metric::OVERDUE);
            for (role, count) in self.counted(counts).filter(|(_, count)| count.unvouched == 0) {
                number(family, labels.role_values(role), count.overdue);
            }
        }
        let mut by_cause: BTreeMap<MountId, BTreeMap<RevocationTrouble, u64>> = BTreeMap::new();
        let family = out.family(&metric::RETRYING);
        for (role, count) in counts {
            for (attempts, leases) in ["1", "2", "3", "4", "5"].iter().zip(count.retrying) {
                number(family, with(labels, *role, attempts), leases);
            }
            let mount = by_cause.entry(labels.mount_of(*role)).or_default();
            for (cause, leases) in &count.by_cause {
                *mount.entry(*cause).or_default() += leases;
            }
        }
        let family = out.family(&metric::RETRYING_BY_CAUSE);
        for (mount, causes) in by_cause {
            let [namespace, path, engine] = labels.mount_values(mount);
            for cause in RevocationTrouble::ALL {
                let leases = causes.get(&cause).copied().unwrap_or(0);
                let reason = Arc::from(cause.name());
                number(family, [namespace.clone(), path.clone(), engine.clone(), reason], leases);
            }
        }
        let family = out.family(&metric::STUCK);
        for (role, count) in counts {
            number(family, labels.role_values(*role), count.stuck);
        }
    }

    fn knowledge(
        &self,
        labels: &Labels,
        counts: &BTreeMap<RoleId, RoleCount>,
        as_of: Timestamp,
        out: &mut Out,
    ) {
        let is_proven = self.proof.since().is_some();
        let family = out.family(&metric::OBSERVED);
        let is_counted = |id: &RoleId| self.roles.get(id).is_some_and(|role| role.is_counted);
        for (role, count) in counts.iter().filter(|(id, _)| is_counted(id)) {
            // Of leases from before a gap the end may have been in it.
            let is_observed = is_proven && count.unvouched == 0;
            number(family, labels.role_values(*role), u64::from(is_observed));
        }
        // Roles that are not known to make leases, and what stands for several, wait for nothing.
        let makes_leases =
            |id: &RoleId, role: &Role| role.outstanding() > 0 || role.is_counted && !self.mixed.contains(id);
        let covers =
            |role: &Role| self.completeness.covers(role.mount, role.listed, role.ttl.longest(), as_of);
        let mut roles = self.roles.iter().filter(|(id, role)| makes_leases(id, role)).peekable();
        let is_complete = roles.peek().is_some() && roles.all(|(_, role)| covers(role));
        number::<&str, 0>(out.family(&metric::COMPLETE), [], u64::from(is_complete));
        let family = out.family(&metric::DRIFT);
        for (id, role) in &self.roles {
            if let Some(drift) = role.drift {
                family.number(labels.role_values(*id), drift as f64);
            }
        }
        let mut tokens: BTreeMap<MountId, u64> = BTreeMap::new();
        for mount in self.tokens.out(as_of) {
            *tokens.entry(mount).or_default() += 1;
        }
        let family = out.family(&metric::TOKEN_LEASES);
        for (mount, leases) in tokens {
            let [namespace, path, method] = labels.mount_values(mount);
            number(family, [namespace, method, path], leases);
        }
    }

    fn ttls(&self, labels: &Labels, out: &mut Out) {
        let shown: Vec<_> = self.roles.iter().map(|(id, role)| (*id, role.ttl.shown())).collect();
        for (place, metric) in [&metric::ROLE_DEFAULT_TTL, &metric::ROLE_MAX_TTL].into_iter().enumerate() {
            let family = out.family(metric);
            for (role, ttls) in &shown {
                if let Some(ttl) = ttls[place] {
                    family.number(with(labels, *role, ttl.source.name()), ttl.secs as f64);
                }
            }
        }
    }
}

/// The labels of a role, and one more.
fn with(labels: &Labels, role: RoleId, value: &str) -> [Arc<str>; 5] {
    let [namespace, mount, engine, role] = labels.role_values(role);
    [namespace, mount, engine, role, value.into()]
}

fn number<L: Into<Arc<str>>, const N: usize>(family: &mut Family, labels: [L; N], count: u64) {
    family.number(labels, count as f64);
}
