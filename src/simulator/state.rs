//! What the API of the simulated server would tell at the moment that its
//! lines have come to.

use super::calendar::{SECOND, stamp};
use super::world::World;
use crate::event::Timestamp;
use std::collections::BTreeMap;

/// A mount, as `sys/mounts` and `sys/auth` list it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MountState<'a> {
    /// `""` for the root namespace, else with the last slash.
    pub namespace: &'a str,
    /// Relative to the namespace, with the last slash; those of auth methods begin with `auth/`.
    pub path: &'a str,
    /// The engine or method.
    pub kind: &'a str,
    /// Its accessor.
    pub accessor: &'a str,
    /// Seconds.
    pub default_ttl: u32,
    /// Seconds.
    pub max_ttl: u32,
}

/// A role of a database mount, as a read of it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleState<'a> {
    /// `""` for the root namespace, else with the last slash.
    pub namespace: &'a str,
    /// The mount's path.
    pub mount: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The connection that it uses (`db_name`).
    pub connection: &'a str,
    /// Seconds.
    pub default_ttl: u32,
    /// Seconds.
    pub max_ttl: u32,
}

/// A lease, as a look-up of it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseState {
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends unless it is renewed.
    pub expires: Timestamp,
    /// When it was renewed last.
    pub renewed: Option<Timestamp>,
    /// Seconds left at the moment of the last line; negative if it should have ended.
    pub ttl: i64,
    /// The server has given up revoking it.
    pub is_irrevocable: bool,
}

/// The connection of every role.
pub(super) const CONNECTION: &str = "pg";

impl World {
    /// All mounts, secret engines and auth methods.
    pub fn mounts(&self) -> impl Iterator<Item = MountState<'_>> {
        let catalog = &self.vault.catalog;
        catalog.mounts.iter().map(|mount| MountState {
            namespace: catalog.namespaces[mount.namespace].path,
            path: mount.point,
            kind: mount.engine,
            accessor: &mount.accessor,
            default_ttl: mount.default_ttl,
            max_ttl: mount.max_ttl,
        })
    }

    /// All database roles.
    pub fn roles(&self) -> impl Iterator<Item = RoleState<'_>> {
        let catalog = &self.vault.catalog;
        catalog.roles.iter().map(|role| {
            let mount = &catalog.mounts[role.mount];
            RoleState {
                namespace: catalog.namespaces[mount.namespace].path,
                mount: mount.point,
                name: &role.name,
                connection: CONNECTION,
                default_ttl: role.default_ttl,
                max_ttl: role.max_ttl,
            }
        })
    }

    /// Leases of credentials that have not ended, irrevocable ones included.
    pub fn leases_outstanding(&self) -> usize {
        self.vault.leases.len()
    }

    /// Tokens that have not ended.
    pub fn tokens_outstanding(&self) -> usize {
        self.vault.tokens.len()
    }

    /// Leases of each role that have not ended: namespace, mount, role and how many.
    pub fn leases_by_role(&self) -> BTreeMap<(String, String, String), usize> {
        let mut counts = BTreeMap::new();
        for (_, lease) in self.vault.leases.iter() {
            *counts.entry(self.vault.place_of_lease(lease)).or_default() += 1;
        }
        counts
    }

    /// IDs of the leases that the server has given up revoking, with the accessors of their mounts
    /// and the error of the last attempt.
    pub fn irrevocable(&self) -> Vec<(String, &str, String)> {
        let given_up = self.vault.leases.iter().filter(|(_, lease)| lease.is_irrevocable);
        let mut found: Vec<_> = given_up
            .map(|(key, lease)| {
                let accessor = self.vault.catalog.mounts[lease.mount].accessor.as_str();
                (lease.id.clone(), accessor, self.vault.trouble(key).replace('\\', ""))
            })
            .collect();
        found.sort_unstable();
        found
    }

    /// One lease by its whole ID.
    pub fn lease(&self, id: &str) -> Option<LeaseState> {
        let (_, lease) = self.vault.leases.iter().find(|(_, lease)| lease.id == id)?;
        Some(LeaseState {
            issued: stamp(lease.issued),
            expires: stamp(lease.expires),
            renewed: lease.renewed.map(stamp),
            ttl: (lease.expires - self.now) / SECOND,
            is_irrevocable: lease.is_irrevocable,
        })
    }

    /// When the last line was written.
    pub const fn now(&self) -> Timestamp {
        stamp(self.now)
    }

    /// Entity IDs of everybody who has one of their own, with the display names of their tokens.
    pub fn entities(&self) -> impl Iterator<Item = (&str, &str)> {
        self.town
            .residents
            .iter()
            .map(|resident| (resident.identity.entity.as_str(), resident.identity.display_name.as_str()))
    }
}
