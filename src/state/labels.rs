//! Labels: the mounts and roles that series are about, admitted in event
//! order under a budget, so that memory and series stay bounded whatever an
//! attacker asks for.
//!
//! A mount is known once Vault routed a request to it or listed it; a role is
//! real once a credential was issued for it, it was written, or the API lists
//! it. Until then events fall under `(unknown)` and are never moved later; what
//! the budget has no place for falls under `(other)`.

use super::overflow::Overflow;
use crate::event::Timestamp;
use crate::snapshot::Metric;
use foldhash::HashMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The label value of what is not known.
pub const UNKNOWN: &str = "(unknown)";
/// The label value of what the budget has no place for.
pub const OTHER: &str = "(other)";

/// A mount with a place among the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MountId(u32);

/// A role of a mount with a place among the labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RoleId(u32);

/// The mounts and roles with a place.
#[derive(Debug, Serialize, Deserialize)]
pub struct Labels {
    /// Label sets admitted so far, not counting the reserved ones.
    used: usize,
    mounts: Vec<MountRow>,
    /// A place is `None` after its role was forgotten; it is not given again,
    /// so that no counter is taken for another's.
    roles: Vec<Option<RoleRow>>,
    pub(super) overflow: Overflow,
    #[serde(skip)]
    budget: usize,
    /// By namespace, then by path. A quick hash will do: what clients make up
    /// is looked for here, but never kept.
    #[serde(skip)]
    by_path: HashMap<Arc<str>, HashMap<Arc<str>, MountId>>,
    /// By mount, then by role.
    #[serde(skip)]
    by_role: Vec<HashMap<Arc<str>, RoleId>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct MountRow {
    namespace: Arc<str>,
    path: Arc<str>,
    engine: Arc<str>,
    /// Only the path of a lease in the server log tells of it: its type is still to be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_guessed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct RoleRow {
    mount: MountId,
    role: Arc<str>,
    last_event: Timestamp,
    /// Its engine was told to delete it: a failure that only the caller was
    /// told about then means that there is no such role.
    deleted: bool,
}

impl MountId {
    /// Stands for every mount that is not known.
    pub const UNKNOWN: Self = Self(0);
    /// Stands for every mount that has no place.
    pub const OTHER: Self = Self(1);

    /// Its number, to be saved.
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    /// The mount of a saved number.
    pub(super) const fn of_number(number: u32) -> Self {
        Self(number)
    }
}

impl RoleId {
    /// Its number, to be saved.
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    /// The role of a saved number.
    pub(super) const fn of_number(number: u32) -> Self {
        Self(number)
    }
}

impl Labels {
    /// No labels yet, and room for so many sets.
    pub fn new(budget: usize) -> Self {
        let mut labels = Self {
            used: 0,
            mounts: Vec::new(),
            roles: Vec::new(),
            overflow: Overflow::default(),
            budget,
            by_path: HashMap::default(),
            by_role: Vec::new(),
        };
        for reserved in [UNKNOWN, OTHER] {
            labels.push_mount(reserved, reserved, reserved);
        }
        labels
    }

    /// Makes the look-up tables after loading, and sets the budget now configured.
    pub fn restore(&mut self, budget: usize) {
        self.budget = budget;
        self.by_path.clear();
        self.by_role = vec![HashMap::default(); self.mounts.len()];
        for (id, row) in (0..).map(MountId).zip(&self.mounts) {
            self.by_path.entry(row.namespace.clone()).or_default().insert(row.path.clone(), id);
        }
        for (id, row) in (0..).map(RoleId).zip(&self.roles) {
            if let Some(row) = row {
                self.by_role[row.mount.0 as usize].insert(row.role.clone(), id);
            }
        }
    }

    /// A mount that Vault itself has named; admitted if it is new. The type is
    /// taken over where it was not known.
    pub fn mount(&mut self, namespace: &str, path: &str, engine: &str, metric: &'static Metric) -> MountId {
        if let Some(id) = self.find_mount(namespace, path) {
            self.learn_engine(id, engine);
            return id;
        }
        if self.used >= self.budget {
            self.overflow.count(metric);
            return MountId::OTHER;
        }
        self.used += 1;
        self.push_mount(namespace, path, if engine.is_empty() { UNKNOWN } else { engine })
    }

    /// A mount that only the path of a lease in the server log tells of.
    pub fn guessed_mount(&mut self, namespace: &str, path: &str, metric: &'static Metric) -> MountId {
        let known = self.find_mount(namespace, path);
        let id = self.mount(namespace, path, "", metric);
        if known.is_none() && id != MountId::OTHER {
            self.mounts[id.0 as usize].is_guessed = true;
        }
        id
    }

    /// The mounts that are only guessed, by the values of `vault_namespace` and `mount`.
    pub fn guessed(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let guessed = self.mounts.iter().filter(|row| row.is_guessed);
        guessed.map(|row| (shown(&row.namespace), row.path.clone())).collect()
    }

    /// An entry has told the type of a mount; taken over where it was not known.
    pub fn learn_engine(&mut self, mount: MountId, engine: &str) {
        let row = &mut self.mounts[mount.0 as usize];
        if !engine.is_empty() && &*row.engine == UNKNOWN && &*row.path != UNKNOWN {
            row.engine = engine.into();
            row.is_guessed = false;
        }
    }

    /// The place of what happens in a namespace at no known mount.
    pub fn unknown_mount(&mut self, namespace: &str) -> MountId {
        if !self.knows_namespace(namespace) {
            return MountId::UNKNOWN;
        }
        self.find_mount(namespace, UNKNOWN).unwrap_or_else(|| self.push_mount(namespace, UNKNOWN, UNKNOWN))
    }

    /// A mount by its exact path, if it has a place.
    pub fn find_mount(&self, namespace: &str, path: &str) -> Option<MountId> {
        self.by_path.get(namespace)?.get(path).copied()
    }

    /// The mount that a path lies in, the longest that fits, and what is below it.
    pub fn locate<'p>(&self, namespace: &str, path: &'p str) -> Option<(MountId, &'p str)> {
        let paths = self.by_path.get(namespace)?;
        path.rmatch_indices('/').find_map(|(slash, _)| {
            let (mount, below) = path.split_at(slash + 1);
            paths.get(mount).map(|id| (*id, below))
        })
    }

    /// Some mount of that namespace is known, so that the namespace exists.
    pub fn knows_namespace(&self, namespace: &str) -> bool {
        namespace.is_empty() || self.by_path.contains_key(namespace)
    }

    /// A role that is real; admitted if it is new.
    pub fn role(&mut self, mount: MountId, role: &str, at: Timestamp, metric: &'static Metric) -> RoleId {
        if let Some(id) = self.find_role(mount, role) {
            self.touch(id, at);
            return id;
        }
        if mount == MountId::OTHER {
            return self.reserved_role(mount, OTHER, at);
        }
        if self.used >= self.budget {
            self.overflow.count(metric);
            return self.reserved_role(mount, OTHER, at);
        }
        self.used += 1;
        self.push_role(mount, role, at)
    }

    /// The place of all roles of a mount that are not known to be real.
    pub fn unknown_role(&mut self, mount: MountId, at: Timestamp) -> RoleId {
        self.reserved_role(mount, if mount == MountId::OTHER { OTHER } else { UNKNOWN }, at)
    }

    /// A real role, if it has a place.
    pub fn find_role(&self, mount: MountId, role: &str) -> Option<RoleId> {
        self.by_role.get(mount.0 as usize)?.get(role).copied()
    }

    /// Something happened to a role: it keeps its place.
    pub fn touch(&mut self, role: RoleId, at: Timestamp) {
        if let Some(row) = &mut self.roles[role.0 as usize] {
            row.last_event = row.last_event.max(at);
        }
    }

    /// Says whether the engine still has the role.
    pub fn set_deleted(&mut self, role: RoleId, deleted: bool) {
        if let Some(row) = &mut self.roles[role.0 as usize] {
            row.deleted = deleted;
        }
    }

    /// The engine was told to delete the role.
    pub fn is_deleted(&self, role: RoleId) -> bool {
        self.roles[role.0 as usize].as_ref().is_some_and(|row| row.deleted)
    }

    /// It stands for roles that are not known or have no place.
    pub fn is_reserved(&self, role: RoleId) -> bool {
        self.roles[role.0 as usize].as_ref().is_some_and(|row| row.role.starts_with('('))
    }

    /// The mount of a role.
    pub fn mount_of(&self, role: RoleId) -> MountId {
        self.roles[role.0 as usize].as_ref().map_or(MountId::UNKNOWN, |row| row.mount)
    }

    /// The namespace of a mount, `""` for the root one.
    pub fn namespace_of(&self, mount: MountId) -> &str {
        &self.mounts[mount.0 as usize].namespace
    }

    /// The path of a mount, `(unknown)` and `(other)` for the reserved ones.
    pub fn path_of(&self, mount: MountId) -> &str {
        &self.mounts[mount.0 as usize].path
    }

    /// The mount type, `(unknown)` where no entry told it.
    pub fn engine(&self, mount: MountId) -> &str {
        &self.mounts[mount.0 as usize].engine
    }

    /// Gives back the places of roles without an event since `before`, save those that `stay`;
    /// returns them.
    pub fn retire(&mut self, before: Timestamp, stay: impl Fn(RoleId) -> bool) -> Vec<RoleId> {
        let mut retired = Vec::new();
        for (id, place) in (0..).map(RoleId).zip(&mut self.roles) {
            if place.as_ref().is_some_and(|row| row.last_event < before && !row.role.starts_with('('))
                && !stay(id)
                && let Some(row) = place.take()
            {
                self.by_role[row.mount.0 as usize].remove(&row.role);
                self.used -= 1;
                retired.push(id);
            }
        }
        retired
    }

    /// How many mounts are known.
    pub fn mounts(&self) -> usize {
        self.mounts.len()
    }

    /// How many places for roles were ever given: more than before means a new role.
    pub fn places(&self) -> usize {
        self.roles.len()
    }

    /// Every real role, without the reserved ones.
    pub fn real_roles(&self) -> impl Iterator<Item = (RoleId, &str)> {
        let places = (0..).map(RoleId).zip(&self.roles);
        places
            .filter_map(|(id, row)| row.as_ref().map(|row| (id, &*row.role)))
            .filter(|(_, role)| !role.starts_with('('))
    }

    /// The values of the labels `vault_namespace, mount, engine`.
    pub fn mount_values(&self, mount: MountId) -> [Arc<str>; 3] {
        let row = &self.mounts[mount.0 as usize];
        [shown(&row.namespace), row.path.clone(), row.engine.clone()]
    }

    /// The values of the labels `vault_namespace, mount, engine, role`.
    pub fn role_values(&self, role: RoleId) -> [Arc<str>; 4] {
        let (mount, role) = self.roles[role.0 as usize]
            .as_ref()
            .map_or((MountId::UNKNOWN, UNKNOWN.into()), |row| (row.mount, row.role.clone()));
        let [namespace, path, engine] = self.mount_values(mount);
        [namespace, path, engine, role]
    }

    fn reserved_role(&mut self, mount: MountId, role: &str, at: Timestamp) -> RoleId {
        self.find_role(mount, role).unwrap_or_else(|| self.push_role(mount, role, at))
    }

    fn push_mount(&mut self, namespace: &str, path: &str, engine: &str) -> MountId {
        let id = MountId(u32::try_from(self.mounts.len()).unwrap_or(MountId::OTHER.0));
        let row = MountRow {
            namespace: namespace.into(),
            path: path.into(),
            engine: engine.into(),
            is_guessed: false,
        };
        self.by_path.entry(row.namespace.clone()).or_default().insert(row.path.clone(), id);
        self.mounts.push(row);
        self.by_role.push(HashMap::default());
        id
    }

    fn push_role(&mut self, mount: MountId, role: &str, at: Timestamp) -> RoleId {
        let id = RoleId(u32::try_from(self.roles.len()).unwrap_or(u32::MAX));
        let role: Arc<str> = role.into();
        self.by_role[mount.0 as usize].insert(role.clone(), id);
        self.roles.push(Some(RoleRow { mount, role, last_event: at, deleted: false }));
        id
    }
}

/// The namespace as metrics spell it.
fn shown(namespace: &Arc<str>) -> Arc<str> {
    if namespace.is_empty() { "root".into() } else { namespace.clone() }
}
