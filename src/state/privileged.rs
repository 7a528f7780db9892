//! Uses of rights that change how Vault works, one by one, for whoever collects such events. They are
//! counted in `traffic`; this is news of them, which no checkpoint keeps.

use super::State;
use super::labels::MountId;
use super::traffic::Ended;
use crate::event::{Entry, Privileged, PrivilegedUse, Text, Timestamp};
use std::collections::BTreeMap;

/// What nobody takes in time is not kept beyond this.
const MOST: usize = 8_192;
/// A root token is told once in so many seconds for each name, address and mount: it may be in daily use.
const ROOT_SECS: i64 = 600;
/// So many of these are remembered.
const ROOTS_MOST: usize = 1_024;
/// Names that are longer are cut.
const OBJECT_MOST: usize = 256;

/// What was used since somebody last asked.
#[derive(Debug, Default)]
pub struct Uses {
    /// Somebody asks.
    is_wanted: bool,
    news: Vec<PrivilegedUse>,
    /// Those that there was no room for.
    lost: u64,
    /// When a root token was last told, by a hash of who used it where.
    roots: BTreeMap<u64, Timestamp>,
}

impl State {
    /// Counts a privileged operation, and tells it.
    pub(super) fn privileged(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        mount: MountId,
        operation: Privileged,
        ended: Ended,
    ) {
        self.traffic.privileged(mount, operation, ended);
        if !self.uses.is_wanted {
            return;
        }
        let mount = self.labels.path_of(mount);
        if operation == Privileged::RootToken && !self.uses.is_new_root(at, entry, mount) {
            return;
        }
        if self.uses.news.len() >= MOST {
            self.uses.lost += 1;
            return;
        }
        self.uses.news.push(PrivilegedUse {
            at,
            operation,
            outcome: ended.name(),
            namespace: entry.namespace.clone(),
            mount: mount.into(),
            object: object(operation, &entry.path, mount),
            who: entry.who.clone(),
            source: entry.source,
            request: entry.id,
        });
    }

    /// From now on, uses of rights are news.
    pub fn tell_privileged(&mut self) {
        self.uses.is_wanted = true;
    }

    /// What is new since this was last asked, and how many more there was no room for.
    pub fn take_privileged(&mut self) -> (Vec<PrivilegedUse>, u64) {
        (std::mem::take(&mut self.uses.news), std::mem::take(&mut self.uses.lost))
    }
}

impl Uses {
    fn is_new_root(&mut self, at: Timestamp, entry: &Entry, mount: &str) -> bool {
        let mut hash = xxhash_rust::xxh3::Xxh3::new();
        if let Some(who) = &entry.who {
            hash.update(who.requester.display_name.as_bytes());
        }
        hash.update(format!("\0{:?}\0{mount}", entry.source).as_bytes());
        let key = hash.digest();
        if self.roots.get(&key).is_some_and(|last| at.nanos_since(*last) < ROOT_SECS * 1_000_000_000) {
            return false;
        }
        if self.roots.len() >= ROOTS_MOST {
            self.roots.clear();
        }
        self.roots.insert(key, at);
        true
    }
}

/// The name of what an operation is about, where that is neither a secret nor somebody's name.
fn object(operation: Privileged, path: &str, mount: &str) -> Text {
    let prefixes: &[&str] = match operation {
        Privileged::PolicyWrite => {
            &["sys/policies/acl/", "sys/policies/rgp/", "sys/policies/egp/", "sys/policy/"]
        }
        Privileged::MountChange => &["sys/mounts/", "sys/"],
        Privileged::AuditChange => &["sys/audit/", "sys/config/"],
        Privileged::PluginChange => &["sys/plugins/"],
        Privileged::NamespaceChange => &["sys/namespaces/"],
        Privileged::RoleWrite | Privileged::ConfigWrite | Privileged::RotateRoot => &[mount],
        _ => &[],
    };
    let found = prefixes.iter().find_map(|prefix| path.strip_prefix(prefix)).unwrap_or_default();
    found.chars().filter(|letter| !letter.is_control()).take(OBJECT_MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_a_name_and_never_a_lease_or_a_user() {
        let of = |operation, path| object(operation, path, "database/").to_string();
        assert_eq!(of(Privileged::PolicyWrite, "sys/policies/acl/app"), "app");
        assert_eq!(of(Privileged::MountChange, "sys/auth/ldap"), "auth/ldap");
        assert_eq!(of(Privileged::ConfigWrite, "database/config/orders"), "config/orders");
        assert_eq!(of(Privileged::RevokeForce, "sys/leases/revoke-force/database/creds/app/x"), "");
        assert_eq!(of(Privileged::AuthWrite, "auth/userpass/users/alice"), "");
        assert_eq!(
            of(Privileged::RoleWrite, &format!("database/roles/{}", "a".repeat(900))).len(),
            OBJECT_MOST
        );
    }
}
