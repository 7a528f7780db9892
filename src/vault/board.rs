//! The board: the latest of every scrape, each with the moment at which it is
//! too old to be shown. Written by the scrapers, read by `/metrics` and the pages.

use super::api::Api;
use super::error::Error;
use super::pulse::{Health, Leader, Role};
use super::telemetry::Telemetry;
use crate::event::{MountFact, RoleFact};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The latest of every scrape. A handle: clones are the same board.
#[derive(Clone, Debug, Default)]
pub struct Board(Arc<Mutex<Latest>>);

/// A value that is shown until a moment, and not beyond.
#[derive(Clone, Debug)]
pub(super) struct Fresh<T> {
    value: T,
    until: Instant,
}

/// Everything on the board.
#[derive(Debug, Default)]
pub(super) struct Latest {
    /// By configured name.
    pub(super) nodes: BTreeMap<String, NodeLatest>,
    /// By namespace: irrevocable leases by mount accessor.
    pub(super) irrevocable: BTreeMap<String, Fresh<BTreeMap<String, u64>>>,
    /// By namespace.
    pub(super) mounts: BTreeMap<String, Fresh<Vec<MountFact>>>,
    /// By namespace and mount.
    pub(super) roles: BTreeMap<(String, String), Fresh<Vec<RoleFact>>>,
    /// Of the exporter's own token.
    pub(super) token_expiry: Option<SystemTime>,
    /// Something unknown showed up: mounts and roles are to be read again soon.
    inventory_wanted: bool,
    /// A role was written, so that what was told of roles holds no more, even if it is still so.
    retell_wanted: bool,
}

/// What is known of one node.
#[derive(Debug, Default)]
pub(super) struct NodeLatest {
    /// Its API address.
    pub(super) address: String,
    /// Whether it answered last time; absent before the first answer or failure.
    pub(super) up: Option<bool>,
    /// From `sys/health`.
    pub(super) health: Option<Fresh<Health>>,
    /// From `sys/leader`.
    pub(super) leader: Option<Fresh<Leader>>,
    /// From `sys/metrics`.
    pub(super) telemetry: Option<Fresh<Telemetry>>,
    /// Each part of the API that was asked, or is known not to be asked.
    pub(super) apis: BTreeMap<Api, ApiLatest>,
}

/// How one part of the API of one node is.
#[derive(Clone, Debug)]
pub(super) struct ApiLatest {
    /// The last outcome; `None` where it is not asked, with the reason in `idle`.
    pub(super) outcome: Option<Result<(), Error>>,
    /// Why it is not asked.
    pub(super) idle: &'static str,
    /// Since when the outcome is of this kind.
    pub(super) since: SystemTime,
    /// Of the last call.
    pub(super) duration: Duration,
    /// Of the last call that succeeded.
    pub(super) last_success: Option<SystemTime>,
    /// When the outcome is too old to be shown.
    pub(super) until: Instant,
}

/// How many intervals may be missed before a value is gone.
const INTERVALS: u32 = 3;

impl<T> Fresh<T> {
    /// Shown until three intervals were missed.
    pub(super) fn new(value: T, interval: Duration) -> Self {
        Self { value, until: Instant::now() + interval * INTERVALS }
    }

    /// The value, if it may still be shown.
    pub(super) fn get(&self, now: Instant) -> Option<&T> {
        (now <= self.until).then_some(&self.value)
    }

    /// The value, however old: to resolve names by, not to be shown.
    pub(super) fn stale(&self) -> &T {
        &self.value
    }
}

impl Board {
    /// An empty board.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for mounts and roles to be read before their time, because a mount
    /// or role showed up that the last reading does not know. Cheap; calls are
    /// bundled and held to [`super::Pace::inventory_at_least`].
    pub fn want_inventory(&self) {
        self.lock().inventory_wanted = true;
    }

    /// The same because a role was written: its TTLs are to be told again even where they have
    /// not changed.
    pub fn want_roles_told(&self) {
        let mut latest = self.lock();
        latest.inventory_wanted = true;
        latest.retell_wanted = true;
    }

    /// Whether the only node that is watched is known not to be the active one of its cluster.
    pub fn is_beside_inactive(&self, now: Instant) -> bool {
        let latest = self.lock();
        let mut nodes = latest.nodes.values();
        let (Some(node), None) = (nodes.next(), nodes.next()) else { return false };
        match node.health.as_ref().and_then(|health| health.get(now)).map(Health::role) {
            Some(Role::Active) => false,
            Some(Role::Standby | Role::DrSecondary) => true,
            // Gone or closed: another one has taken over, if there is one.
            Some(Role::Closed | Role::Unreachable) | None => {
                node.leader.as_ref().is_some_and(|leader| leader.stale().ha_enabled)
            }
        }
    }

    pub(super) fn take_retell_wanted(&self) -> bool {
        std::mem::take(&mut self.lock().retell_wanted)
    }

    /// Whether a node has answered, or failed to, at least once: every node
    /// has been asked.
    pub fn is_complete(&self) -> bool {
        self.lock().nodes.values().all(|node| node.up.is_some())
    }

    pub(super) fn take_inventory_wanted(&self) -> bool {
        std::mem::take(&mut self.lock().inventory_wanted)
    }

    /// The board itself. Never held across an await.
    pub(super) fn lock(&self) -> MutexGuard<'_, Latest> {
        // What a panicking writer left is whole: single assignments.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of a node.
    pub(super) fn node<R>(&self, name: &str, change: impl FnOnce(&mut NodeLatest) -> R) -> R {
        change(self.lock().nodes.entry(name.to_owned()).or_default())
    }
}

impl Latest {
    /// Whether the lease gauges of `node` mean anything: it is active, and its
    /// own metrics do not deny it.
    pub(super) fn is_active(node: &NodeLatest, now: Instant) -> bool {
        let active = node
            .health
            .as_ref()
            .and_then(|health| health.get(now))
            .is_some_and(|health| health.role() == Role::Active);
        let denied = node
            .telemetry
            .as_ref()
            .and_then(|telemetry| telemetry.get(now))
            .is_some_and(|telemetry| telemetry.active == Some(false));
        active && !denied
    }

    /// Whether what the active node alone knows is to be shown.
    pub(super) fn has_active(&self, now: Instant) -> bool {
        self.nodes.values().any(|node| Self::is_active(node, now))
    }

    /// Path and type of the mount with this accessor.
    pub(super) fn mount_of(&self, namespace: &str, accessor: &str) -> Option<&MountFact> {
        let mounts = self.mounts.get(namespace)?.stale();
        mounts.iter().find(|mount| mount.accessor == accessor)
    }
}

impl NodeLatest {
    /// An outcome of a call. Gives the outcome before, to tell a change by.
    pub(super) fn record(
        &mut self,
        api: Api,
        outcome: Result<(), Error>,
        duration: Duration,
        next: Duration,
    ) -> Option<Result<(), Error>> {
        let now = SystemTime::now();
        let before = self.apis.get(&api);
        let previous = before.and_then(|before| before.outcome.clone());
        let class = |outcome: &Result<(), Error>| outcome.as_ref().err().map(Error::class);
        let same = previous.as_ref().is_some_and(|previous| class(previous) == class(&outcome));
        let latest = ApiLatest {
            since: before.filter(|_| same).map_or(now, |before| before.since),
            last_success: match outcome {
                Ok(()) => Some(now),
                Err(_) => before.and_then(|before| before.last_success),
            },
            outcome: Some(outcome),
            idle: "",
            duration,
            until: Instant::now() + next * INTERVALS,
        };
        self.apis.insert(api, latest);
        previous
    }

    /// A part of the API is not asked, and that is right.
    pub(super) fn rest(&mut self, api: Api, why: &'static str) {
        let before = self.apis.get(&api);
        let same = before.is_some_and(|before| before.outcome.is_none() && before.idle == why);
        if !same {
            let latest = ApiLatest {
                outcome: None,
                idle: why,
                since: SystemTime::now(),
                duration: Duration::ZERO,
                last_success: before.and_then(|before| before.last_success),
                until: Instant::now(),
            };
            self.apis.insert(api, latest);
        }
    }
}
