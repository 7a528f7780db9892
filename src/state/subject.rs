//! The subject of an entry: the mount and role it is about, as far as they
//! are known to be real. Where the entry does not name its mount (Vault before
//! 1.14), the path and what earlier entries and the API taught tell it.

use super::labels::{Labels, MountId, RoleId};
use crate::engine::{self, Meaning, Role};
use crate::event::{Action, Entry, Operation, Outcome, Stage, Timestamp};
use crate::snapshot::Metric;

/// What an entry is about.
pub(super) struct Subject<'e> {
    /// Its mount.
    pub(super) mount: MountId,
    /// What it asks of a secret engine.
    pub(super) meaning: Meaning<'e>,
}

/// Finds the subject; learns the mount where Vault itself has named it.
pub(super) fn of<'e>(labels: &mut Labels, entry: &'e Entry, metric: &'static Metric) -> Subject<'e> {
    let (mount, below) = mount(labels, entry, metric);
    let meaning = match (&entry.action, below) {
        (Action::Engine, Some((mount_type, below))) => {
            match engine::meaning(mount_type, below, entry.operation) {
                Meaning::Other if issues(labels, mount, below, entry) => {
                    Meaning::Issue(Role { label: below, name: below })
                }
                meaning => meaning,
            }
        }
        _ => Meaning::Other,
    };
    Subject { mount, meaning }
}

/// A path of a plugin that the table of engines does not know issues credentials: a lease came
/// of it, now or before.
fn issues(labels: &Labels, mount: MountId, below: &str, entry: &Entry) -> bool {
    matches!(entry.operation, Operation::Read | Operation::Write)
        && (proven(entry) && entry.lease.is_some() || labels.find_role(mount, below).is_some())
}

/// The mount, and for secret engines its type and the path below it.
fn mount<'e>(
    labels: &mut Labels,
    entry: &'e Entry,
    metric: &'static Metric,
) -> (MountId, Option<(&'e str, &'e str)>) {
    let namespace = entry.namespace.as_str();
    let path = entry.path.as_str();
    if let Some(mount) = &entry.mount {
        let id = labels.mount(namespace, &mount.point, &mount.engine, metric);
        let below = path.strip_prefix(mount.point.as_str()).map(|below| (mount.engine.as_str(), below));
        return (id, below);
    }
    let mount_type = entry.engine.as_deref().unwrap_or("");
    if let Some((point, mount_type)) = of_vaults_own(path) {
        // They are in every namespace, but does the namespace exist?
        if labels.knows_namespace(namespace) || proven(entry) {
            return (labels.mount(namespace, point, mount_type, metric), None);
        }
        return (labels.unknown_mount(namespace), None);
    }
    if let Some((id, below)) = labels.locate(namespace, path) {
        labels.learn_engine(id, mount_type);
        // The type is a closed set of names; the known one is not borrowed from the entry.
        let mount_type = if mount_type.is_empty() { known_type(labels.engine(id)) } else { mount_type };
        // The mount was guessed too short, from a path that means nothing: this one worked.
        if proven(entry) && entry.action == Action::Engine && !mount_type.is_empty() {
            let means = |below| engine::meaning(mount_type, below, entry.operation) != Meaning::Other;
            if !means(below)
                && let Some((_, longer)) = engine::split_mount(mount_type, below, entry.operation)
            {
                let point = &path[..path.len() - longer.len()];
                return (labels.mount(namespace, point, mount_type, metric), Some((mount_type, longer)));
            }
        }
        return (id, Some((mount_type, below)));
    }
    // Vault found a mount if it names the type, or did what was asked.
    let routed = !mount_type.is_empty() || proven(entry);
    let Some((point, below)) = guess(entry, mount_type) else {
        return (labels.unknown_mount(namespace), None);
    };
    let id = if routed {
        labels.mount(namespace, point, mount_type, metric)
    } else {
        labels.unknown_mount(namespace)
    };
    (id, Some((mount_type, below)))
}

/// Vault did what was asked, so that the path leads somewhere. A request entry proves nothing.
fn proven(entry: &Entry) -> bool {
    entry.stage == Stage::Response && matches!(entry.outcome, Outcome::Ok | Outcome::Queued)
}

/// The mounts that every namespace has.
fn of_vaults_own(path: &str) -> Option<(&'static str, &'static str)> {
    [("sys/", "system"), ("identity/", "identity"), ("cubbyhole/", "cubbyhole"), ("auth/token/", "token")]
        .into_iter()
        .find(|(point, _)| path.starts_with(point))
}

/// Where the mount ends in a path of a mount that was never heard of.
fn guess<'e>(entry: &'e Entry, mount_type: &str) -> Option<(&'e str, &'e str)> {
    let path = entry.path.as_str();
    if let Some(below) = path.strip_prefix("auth/") {
        let end = below.find("/login").or_else(|| below.find('/'))?;
        return Some(path.split_at("auth/".len() + end + 1));
    }
    engine::split_mount(mount_type, path, entry.operation)
        .or_else(|| Some(path.split_at(path.find('/')? + 1)))
}

/// The type of a mount whose own entries name it, for look-ups in the table of engines.
fn known_type(mount_type: &str) -> &'static str {
    // Only the types without credentials of the usual form need telling apart.
    [
        "database", "aws", "pki", "ssh", "gcp", "ldap", "openldap", "ad", "azure", "kv", "generic",
        "transit", "totp",
    ]
    .into_iter()
    .find(|known| *known == mount_type)
    .unwrap_or("")
}

/// The place of a role whose credential was asked for. A role is only admitted
/// if it is `real`: a credential came of it, or its engine is known to have it.
pub(super) fn role(
    labels: &mut Labels,
    mount: MountId,
    role: Role<'_>,
    real: bool,
    at: Timestamp,
    metric: &'static Metric,
) -> RoleId {
    let listed = role.label != role.name && labels.find_role(mount, role.name).is_some();
    if real || listed || labels.find_role(mount, role.label).is_some() {
        labels.role(mount, role.label, at, metric)
    } else {
        labels.unknown_role(mount, at)
    }
}

/// The mount and role that a plain lease ID of the usual form names, where no mount is known
/// that it lies in.
pub(super) fn guess_lease(lease: &str) -> Option<(&str, Role<'_>)> {
    let (path, _) = lease.rsplit_once('/')?;
    let (mount, below) = engine::split_mount("", path, Operation::Read)?;
    match engine::meaning("", below, Operation::Read) {
        Meaning::Issue(role) => Some((mount, role)),
        _ => None,
    }
}

/// The mount and role of a plain lease ID (or of a prefix of some), by the
/// longest known mount; the role only where the ID goes as far.
pub(super) fn of_lease<'l>(
    labels: &Labels,
    namespace: &str,
    lease: &'l str,
) -> Option<(MountId, Option<Role<'l>>)> {
    let (mount, below) = labels
        .locate(namespace, lease)
        .or_else(|| labels.find_mount(namespace, &format!("{lease}/")).map(|mount| (mount, "")))?;
    let path = below.rsplit_once('/').map_or(below, |(path, _)| path);
    let meaning = |path| engine::meaning(labels.engine(mount), path, Operation::Read);
    let role = match (meaning(path), meaning(below)) {
        (Meaning::Issue(role), _) | (_, Meaning::Issue(role)) => Some(role),
        _ => None,
    };
    Some((mount, role))
}
