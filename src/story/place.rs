//! A place: the mount and role that an entry or a lease ID is about.

use crate::engine::{self, Meaning};
use crate::event::{Action, Entry, Operation};

/// Where an entry's path leads, and what it asks there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'e> {
    /// With the last slash; empty where it is not known.
    pub(super) mount: &'e str,
    pub(super) meaning: Meaning<'e>,
}

/// Of an entry. Where it does not name its mount (Vault before 1.14), the path tells.
pub(super) fn of(entry: &Entry) -> Place<'_> {
    let path = entry.path.as_str();
    let asks = entry.action == Action::Engine;
    if let Some(mount) = &entry.mount {
        let below = path.strip_prefix(mount.point.as_str()).filter(|_| asks);
        let meaning =
            below.map_or(Meaning::Other, |below| engine::meaning(&mount.engine, below, entry.operation));
        return Place { mount: &mount.point, meaning };
    }
    let engine = entry.engine.as_deref().unwrap_or("");
    match engine::split_mount(engine, path, entry.operation).filter(|_| asks) {
        Some((mount, below)) => Place { mount, meaning: engine::meaning(engine, below, entry.operation) },
        None => Place { mount: "", meaning: Meaning::Other },
    }
}

/// The mount and the role of a plain lease ID of the usual form.
pub fn of_lease(lease: &str) -> Option<(&str, &str)> {
    let (path, _) = lease.rsplit_once('/')?;
    let (mount, below) = engine::split_mount("", path, Operation::Read)?;
    match engine::meaning("", below, Operation::Read) {
        Meaning::Issue(role) => Some((mount, role.label)),
        _ => None,
    }
}

/// What the ID of a lease says of its namespace: the ID of that.
pub(super) fn namespace_id(lease: &str) -> Option<&str> {
    lease.rsplit_once('.').map(|(_, id)| id).filter(|id| !id.contains('/'))
}

/// Whether a lease lies below a prefix, in the namespace whose lease IDs end with that ID.
pub(super) fn is_below(lease: &str, prefix: &str, namespace_id: &str) -> bool {
    let prefix = prefix.trim_matches('/');
    let of_namespace = match self::namespace_id(lease) {
        None => namespace_id.is_empty() || namespace_id == "root",
        Some(id) => id == namespace_id,
    };
    of_namespace
        && lease
            .strip_prefix(prefix)
            .is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_names_its_role_and_lies_below_prefixes() {
        let lease = "pg/eu/creds/app/6Xo1";
        assert_eq!(of_lease(lease), Some(("pg/eu/", "app")));
        for (prefix, is) in [("pg/eu", true), ("pg/eu/creds/app/", true), ("pg/e", false), (lease, true)] {
            assert_eq!(is_below(lease, prefix, "root"), is, "{prefix}");
        }
        assert!(!is_below("pg/eu/creds/app/6Xo1.n5", "pg/eu", "root"));
        assert!(is_below("pg/eu/creds/app/6Xo1.n5", "pg/eu", "n5"));
    }
}
