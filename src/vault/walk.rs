//! A walk through the roles of all database mounts: a LIST a mount and a GET a
//! role, spread over several scrapes so that no scrape floods the audit log.

use super::board::Fresh;
use super::client::{Right, escape};
use super::cluster::Asking;
use super::error::Error;
use super::inventory::{self, Keys, RoleAnswer};
use super::node::Verdict;
use crate::event::{Fact, RoleFact};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Namespace and path of a mount.
type Mount = (String, String);

/// A walk, between two of its steps.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Mounts still to be walked, with the names of their roles still to be read.
    queue: VecDeque<(Mount, VecDeque<String>)>,
    /// Of the mount at the head of the queue.
    found: Vec<RoleFact>,
    /// Of the mount at the head of the queue: not all of its roles are in `found`.
    partial: bool,
    under_way: bool,
    /// Roles listed so far.
    listed: usize,
    /// The first refusal; the walk goes on elsewhere.
    refused: Option<Error>,
    took: Duration,
    /// Mounts of which not all roles will be read.
    cut: BTreeSet<Mount>,
    told: BTreeMap<Mount, (Vec<RoleFact>, bool)>,
}

impl Walk {
    /// Whether a walk has begun and not ended.
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// Goes on, or begins. At the walk's end, its outcome and how long its calls took.
    pub(super) async fn step(
        &mut self,
        asking: &Asking<'_>,
        verdict: &mut Verdict,
    ) -> Option<(Result<(), Error>, Duration)> {
        let started = Instant::now();
        let ended = self.advance(asking, verdict).await;
        self.took += started.elapsed();
        let outcome = match ended {
            Ok(false) => return None,
            Ok(true) => self.refused.take().map_or(Ok(()), Err),
            Err(error) => Err(error),
        };
        let took = self.took;
        *self = Self { told: std::mem::take(&mut self.told), ..Self::default() };
        Some((outcome, took))
    }

    /// Whether the end is reached; an error is one that ends the walk.
    async fn advance(&mut self, asking: &Asking<'_>, verdict: &mut Verdict) -> Result<bool, Error> {
        if !self.under_way {
            self.under_way = true;
            self.list(asking, verdict).await?;
        }
        let mut reads = asking.node.pace.roles_per_scrape;
        while let Some((mount, names)) = self.queue.front_mut() {
            let Some(name) = names.front() else {
                self.finish_mount(asking);
                continue;
            };
            if reads == 0 {
                return Ok(false);
            }
            reads -= 1;
            let (namespace, path) = mount;
            let right = format!("{path}roles/*");
            let right = Right { path: &right, capability: "read" };
            let call = format!("{}roles/{}", escape(path), escape(name));
            let answer: Result<RoleAnswer, Error> = asking.get(namespace, &call, "", right, verdict).await;
            let name = names.pop_front().unwrap_or_default();
            match answer {
                Ok(answer) => self.found.push(inventory::role(&name, answer)),
                // Deleted since it was listed.
                Err(Error::NotFound { .. }) => {}
                Err(error @ Error::Denied { .. }) => {
                    // The others of this mount would be refused as well.
                    names.clear();
                    self.partial = true;
                    self.refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Lists the roles of every database mount.
    async fn list(&mut self, asking: &Asking<'_>, verdict: &mut Verdict) -> Result<(), Error> {
        if asking.node.board.take_retell_wanted() {
            self.told.clear();
        }
        for (namespace, path) in database_mounts(asking) {
            let right = format!("{path}roles");
            let right = Right { path: &right, capability: "list" };
            let call = format!("{}roles", escape(&path));
            // As a GET: not every version reads the parameters of a LIST.
            let keys = asking.get(&namespace, &call, "list=true", right, verdict).await;
            let Keys { keys } = match keys {
                Ok(keys) => keys,
                // Vault's way to say that a list is empty.
                Err(Error::NotFound { .. } | Error::Malformed { problem: "an answer without data" }) => {
                    Keys { keys: Vec::new() }
                }
                Err(error @ Error::Denied { .. }) => {
                    self.refused.get_or_insert(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut names: VecDeque<_> = inventory::role_names(keys).collect();
            let room = asking.node.pace.max_roles.saturating_sub(self.listed);
            let mount = (namespace, path);
            if names.len() > room {
                names.truncate(room);
                self.cut.insert(mount.clone());
                tracing::warn!(
                    mount = mount.1.as_str(),
                    limit = asking.node.pace.max_roles,
                    "Too many database roles: the TTLs of the rest are not read"
                );
            }
            self.listed += names.len();
            self.queue.push_back((mount, names));
        }
        Ok(())
    }

    /// Shows and tells the roles of the mount at the head of the queue.
    fn finish_mount(&mut self, asking: &Asking<'_>) {
        let Some((mount, _)) = self.queue.pop_front() else {
            return;
        };
        let partial = std::mem::take(&mut self.partial) || self.cut.contains(&mount);
        let mut roles = std::mem::take(&mut self.found);
        roles.sort_by(|a, b| a.name.cmp(&b.name));
        roles.dedup_by(|a, b| a.name == b.name);
        let node = asking.node;
        let fresh = Fresh::new(roles.clone(), node.pace.inventory);
        node.board.lock().roles.insert(mount.clone(), fresh);
        let told = (roles, partial);
        if self.told.get(&mount) != Some(&told) {
            let (roles, partial) = told.clone();
            self.told.insert(mount.clone(), told);
            let (namespace, mount) = mount;
            node.own.cluster_fact(Fact::Roles { namespace, mount, roles, partial });
        }
    }
}

/// Every database mount that the last reading of the mounts showed.
fn database_mounts(asking: &Asking<'_>) -> Vec<Mount> {
    let latest = asking.node.board.lock();
    let mut found = Vec::new();
    for namespace in &asking.node.namespaces {
        let mounts = latest.mounts.get(namespace).map(Fresh::stale);
        for mount in mounts.into_iter().flatten().filter(|mount| mount.engine == "database") {
            found.push((namespace.clone(), mount.path.clone()));
        }
    }
    found
}
