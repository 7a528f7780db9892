//! The board as families of metrics.

use super::board::{Board, Fresh, Latest, NodeLatest};
use super::pulse::Role;
use crate::contract::vault as metrics;
use crate::event::{MountFact, RoleFact};
use crate::snapshot::{Family, Metric};
use std::collections::BTreeMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Stands for a mount that no reading of the mounts has shown.
const UNKNOWN: &str = "(unknown)";

/// Families being filled, by name.
#[derive(Default)]
struct Families(BTreeMap<&'static str, Family>);

impl Families {
    fn add<const N: usize>(&mut self, metric: &'static Metric, labels: [&str; N], value: f64) {
        self.0.entry(metric.name).or_insert_with(|| Family::new(metric)).number(labels, value);
    }

    fn flag(&mut self, metric: &'static Metric, node: &str, value: bool) {
        self.add(metric, [node], f64::from(u8::from(value)));
    }

    /// Sorted, as a snapshot wants them.
    fn finish(self) -> Vec<Family> {
        let mut families: Vec<_> = self.0.into_values().collect();
        for family in &mut families {
            family.series.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        families
    }
}

impl Board {
    /// What is known at `now`, without anything older than three intervals.
    /// Sorted by metric name and labels. The durable counters are not here:
    /// they come from `Fact::VaultCounters`.
    pub fn families(&self, now: Instant) -> Vec<Family> {
        let latest = self.lock();
        let mut families = Families::default();
        for (name, node) in &latest.nodes {
            health(&mut families, name, node, now);
            apis(&mut families, name, node, now);
        }
        if let Some(expiry) = latest.token_expiry {
            families.add(&metrics::VAULT_TOKEN_EXPIRY, [], unix(expiry));
        }
        if latest.has_active(now) {
            irrevocable(&mut families, &latest, now);
            roles(&mut families, &latest, now);
        }
        families.finish()
    }
}

fn health(families: &mut Families, name: &str, node: &NodeLatest, now: Instant) {
    let Some(up) = node.up else { return };
    families.flag(&metrics::VAULT_UP, name, up);
    if let Some(health) = node.health.as_ref().and_then(|health| health.get(now)) {
        let role = health.role();
        families.flag(&metrics::VAULT_INITIALIZED, name, health.initialized);
        families.flag(&metrics::VAULT_SEALED, name, health.sealed);
        families.flag(&metrics::VAULT_ACTIVE, name, role == Role::Active);
        families.flag(&metrics::VAULT_STANDBY, name, role == Role::Standby);
        let performance = health.performance_standby == Some(true);
        families.flag(&metrics::VAULT_PERFORMANCE_STANDBY, name, performance);
        families.flag(&metrics::VAULT_DR_SECONDARY, name, health.is_dr_secondary());
        let info = [name, &health.version, &health.cluster_name, &health.cluster_id, health.product()];
        families.add(&metrics::VAULT_INFO, info, 1.0);
    }
    if let Some(leader) = node.leader.as_ref().and_then(|leader| leader.get(now)) {
        if leader.ha_enabled {
            let known = leader.is_self || !leader.leader_address.is_empty();
            families.flag(&metrics::VAULT_LEADER_KNOWN, name, known);
        }
        if let Some(since) = leader.active_since() {
            families.add(&metrics::VAULT_ACTIVE_SINCE, [name], since.as_secs_f64());
        }
    }
    let telemetry = node.telemetry.as_ref().and_then(|telemetry| telemetry.get(now));
    if let Some(leases) = telemetry.and_then(|telemetry| telemetry.leases) {
        // A node that lost the active role keeps its last count.
        if Latest::is_active(node, now) {
            families.add(&metrics::VAULT_LEASES, [name], leases);
        }
    }
}

fn apis(families: &mut Families, name: &str, node: &NodeLatest, now: Instant) {
    for (api, latest) in &node.apis {
        let labels = [name, api.label()];
        if let Some(outcome) = latest.outcome.as_ref().filter(|_| now <= latest.until) {
            let success = f64::from(u8::from(outcome.is_ok()));
            families.add(&metrics::SCRAPE_SUCCESS, labels, success);
            families.add(&metrics::SCRAPE_DURATION, labels, latest.duration.as_secs_f64());
            if let Some(at) = latest.last_success {
                families.add(&metrics::SCRAPE_LAST_SUCCESS, labels, unix(at));
            }
        }
    }
}

fn irrevocable(families: &mut Families, latest: &Latest, now: Instant) {
    for (namespace, counts) in &latest.irrevocable {
        let Some(counts) = counts.get(now) else {
            continue;
        };
        // Accessors that nobody knows add up in one series.
        let mut by_mount: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        // Mounts that can have such leases and have none are 0, so that a rise shows.
        for mount in latest.mounts.get(namespace).into_iter().flat_map(Fresh::stale) {
            if has_leases(mount) {
                by_mount.insert((&mount.path, &mount.engine), 0);
            }
        }
        for (accessor, count) in counts {
            let mount = latest.mount_of(namespace, accessor);
            let key = mount.map_or((UNKNOWN, UNKNOWN), |mount| (&mount.path, &mount.engine));
            let sum = by_mount.entry(key).or_default();
            *sum = sum.saturating_add(*count);
        }
        for ((mount, engine), count) in by_mount {
            let labels = [shown(namespace), mount, engine];
            families.add(&metrics::LEASES_IRREVOCABLE, labels, count as f64);
        }
    }
}

/// Whether a mount of this type can have leases: the ones that never do would
/// only be noise at 0.
fn has_leases(mount: &MountFact) -> bool {
    !matches!(
        mount.engine.as_str(),
        "kv" | "generic"
            | "cubbyhole"
            | "identity"
            | "ns_cubbyhole"
            | "ns_identity"
            | "ns_system"
            | "system"
            | "transit"
            | "transform"
            | "totp"
            | "keymgmt"
            | "kmip"
    )
}

fn roles(families: &mut Families, latest: &Latest, now: Instant) {
    for ((namespace, path), roles) in &latest.roles {
        let Some(roles) = roles.get(now) else {
            continue;
        };
        let mounts = latest.mounts.get(namespace).map(Fresh::stale);
        let Some(mount) = mounts.and_then(|mounts| mounts.iter().find(|m| &m.path == path)) else {
            continue;
        };
        for role in roles {
            role_series(families, shown(namespace), mount, role);
        }
    }
}

fn role_series(families: &mut Families, namespace: &str, mount: &MountFact, role: &RoleFact) {
    let (path, engine, name) = (mount.path.as_str(), mount.engine.as_str(), role.name.as_str());
    let connection = role.connection.as_deref().unwrap_or_default();
    families.add(&metrics::ROLE_INFO, [namespace, path, engine, name, connection, ""], 1.0);
}

/// A namespace as the label `vault_namespace` spells it.
fn shown(namespace: &str) -> &str {
    if namespace.is_empty() { "root" } else { namespace }
}

fn unix(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
