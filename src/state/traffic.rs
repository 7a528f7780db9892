//! Traffic by mount: requests by outcome, denials, logins, and the operations
//! that change how Vault works.

use super::families::Out;
use super::labels::{Labels, MountId};
use crate::contract::credentials::{CONNECTION_WRITE, DENIED, LOGINS, PRIVILEGED, REQUESTS, ROOT_ROTATION};
use crate::event::{Failure, Outcome, Privileged, Timestamp};
use crate::snapshot::Metric;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many connections of a mount are kept at most; only successful writes name any.
const CONNECTIONS_MOST: usize = 1_000;

/// How a request ended, as traffic counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// Answered as asked, or accepted.
    Ok,
    /// Refused by a policy or for the token.
    Denied,
    /// Failed.
    Failed,
    /// No response entry came.
    Unanswered,
}

impl Ended {
    /// From a response's outcome.
    pub const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Failed(Failure::Denied | Failure::InvalidToken) => Self::Denied,
            Outcome::Failed(_) => Self::Failed,
            Outcome::Ok | Outcome::Queued | Outcome::Forwarded => Self::Ok,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Counts by mount.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Traffic {
    mounts: BTreeMap<MountId, Mount>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Mount {
    requests: BTreeMap<Ended, u64>,
    denied_by_policy: u64,
    denied_invalid_token: u64,
    logins_ok: u64,
    logins_failed: u64,
    privileged: BTreeMap<Privileged, BTreeMap<Ended, u64>>,
    written: BTreeMap<String, Timestamp>,
    rotated: BTreeMap<String, Timestamp>,
}

impl Traffic {
    /// A request ended.
    pub fn request(&mut self, mount: MountId, ended: Ended) {
        *self.mount(mount).requests.entry(ended).or_default() += 1;
    }

    /// A request was refused.
    pub fn denied(&mut self, mount: MountId, by_policy: bool) {
        let mount = self.mount(mount);
        *(if by_policy { &mut mount.denied_by_policy } else { &mut mount.denied_invalid_token }) += 1;
    }

    /// A login ended.
    pub fn login(&mut self, mount: MountId, ok: bool) {
        let mount = self.mount(mount);
        *(if ok { &mut mount.logins_ok } else { &mut mount.logins_failed }) += 1;
    }

    /// A privileged operation ended.
    pub fn privileged(&mut self, mount: MountId, operation: Privileged, ended: Ended) {
        *self.mount(mount).privileged.entry(operation).or_default().entry(ended).or_default() += 1;
    }

    /// A database connection was written.
    pub fn connection_written(&mut self, mount: MountId, connection: &str, at: Timestamp) {
        keep(&mut self.mount(mount).written, connection, at);
    }

    /// A database's root credential was rotated.
    pub fn root_rotated(&mut self, mount: MountId, connection: &str, at: Timestamp) {
        keep(&mut self.mount(mount).rotated, connection, at);
    }

    fn mount(&mut self, mount: MountId) -> &mut Mount {
        self.mounts.entry(mount).or_default()
    }

    pub(super) fn families(&self, labels: &Labels, out: &mut Out) {
        let family = out.family(&REQUESTS);
        for (mount, counts) in &self.mounts {
            let [namespace, path, engine] = labels.mount_values(*mount);
            for (ended, times) in &counts.requests {
                let outcome = Arc::from(ended.name());
                family.count([namespace.clone(), path.clone(), engine.clone(), outcome], *times);
            }
        }
        let family = out.family(&DENIED);
        for (mount, counts) in &self.mounts {
            let [namespace, path, engine] = labels.mount_values(*mount);
            for (kind, times) in
                [("policy", counts.denied_by_policy), ("invalid_token", counts.denied_invalid_token)]
            {
                family.count([namespace.clone(), path.clone(), engine.clone(), kind.into()], times);
            }
        }
        let family = out.family(&LOGINS);
        for (mount, counts) in
            self.mounts.iter().filter(|(_, counts)| counts.logins_ok + counts.logins_failed > 0)
        {
            let [namespace, path, engine] = labels.mount_values(*mount);
            for (outcome, times) in [("ok", counts.logins_ok), ("failed", counts.logins_failed)] {
                family.count([namespace.clone(), engine.clone(), path.clone(), outcome.into()], times);
            }
        }
        let family = out.family(&PRIVILEGED);
        for (mount, counts) in &self.mounts {
            let [namespace, path, _] = labels.mount_values(*mount);
            for (operation, ends) in &counts.privileged {
                for (ended, times) in ends {
                    let (operation, outcome) = (Arc::from(operation.name()), Arc::from(ended.name()));
                    family.count([namespace.clone(), path.clone(), operation, outcome], *times);
                }
            }
        }
        self.moments(&CONNECTION_WRITE, |mount| &mount.written, labels, out);
        self.moments(&ROOT_ROTATION, |mount| &mount.rotated, labels, out);
    }

    fn moments(
        &self,
        metric: &'static Metric,
        of: fn(&Mount) -> &BTreeMap<String, Timestamp>,
        labels: &Labels,
        out: &mut Out,
    ) {
        let family = out.family(metric);
        for (mount, counts) in &self.mounts {
            let [namespace, path, _] = labels.mount_values(*mount);
            for (connection, at) in of(counts) {
                let connection = Arc::from(connection.as_str());
                family.number([namespace.clone(), path.clone(), connection], at.as_secs_f64());
            }
        }
    }
}

fn keep(moments: &mut BTreeMap<String, Timestamp>, connection: &str, at: Timestamp) {
    if let Some(last) = moments.get_mut(connection) {
        *last = at;
    } else if moments.len() < CONNECTIONS_MOST {
        moments.insert(connection.to_owned(), at);
    }
}
