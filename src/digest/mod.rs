//! A digest: what only a report tells of the events of finished logs, and no metric: who got how
//! much and since when, how long leases were used, bursts and who made them, what kept failing from
//! when to when, privileged operations one by one, silences of the logs. One pass, bounded whatever
//! comes. Pure.
//!
//! `serve` has none of it.

mod bounded;
mod bursts;
mod clients;
mod fixed;
mod lifetimes;
mod operations;
mod place;
mod refusals;
mod seen;
mod silences;
mod spells;

pub use bursts::Burst;
pub use clients::Client;
pub use fixed::{FIXED_PATHS_MOST, Fixed, FixedKind};
pub use lifetimes::Lifetimes;
pub use place::{Place, Scope};
pub use refusals::{PATHS_MOST, Refused};
pub use silences::{Quiet, Silence};
pub use spells::{Failing, Spell};

use crate::engine::Meaning;
use crate::event::{
    Action, Entry, Event, EventKind, Failure, LeaseRef, Operation as Asked, Outcome, Privileged,
    PrivilegedUse, RevocationForm, RevocationTrouble, ServerEvent, Stage, Text, Timestamp,
};
use crate::story::{lease_place, place_of};
use core::net::IpAddr;
use std::collections::{BTreeSet, HashMap};

/// Changes of a node that are kept, the first ones.
const MILESTONES_MOST: usize = 1_000;
/// What is said of a node twice within this is one change. Nanoseconds.
const TOGETHER: i64 = 10_000_000_000;

/// A list, and how much more there was that it has no room for.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// What there is.
    pub list: Vec<T>,
    /// What there was no room for in memory.
    pub dropped: u64,
}

impl<T> From<(Vec<T>, u64)> for Listed<T> {
    fn from((list, dropped): (Vec<T>, u64)) -> Self {
        Self { list, dropped }
    }
}

/// What became of a node, by the server log at that place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// It is the active one.
    Active,
    /// It is not active any more.
    Inactive,
    /// It has read its leases.
    Restored,
    /// It has more leases than Vault thinks good.
    ManyLeases(u64),
}

/// What the events came to.
#[derive(Clone, Debug)]
pub struct Told {
    /// Who asked for credentials, who got most first.
    pub clients: Listed<Client>,
    /// Lifetimes of the leases of each role.
    pub lifetimes: Listed<(Place, Lifetimes)>,
    /// Ends are those that a server log tells; else only those that were asked for by name.
    pub has_ends: bool,
    /// Minutes with far more than usual, the largest first.
    pub bursts: Listed<Burst>,
    /// What kept failing.
    pub spells: Listed<Spell>,
    /// Addresses with refused requests, those with most first.
    pub refused: Listed<(Option<IpAddr>, Refused)>,
    /// Privileged operations in the order of time.
    pub operations: Listed<PrivilegedUse>,
    /// Keys and static roles that were read, by mount.
    pub fixed: Listed<((Text, Text, FixedKind), Fixed)>,
    /// What became of nodes: moment, place of the log, what.
    pub milestones: Listed<(Timestamp, usize, Milestone)>,
    /// Silences of the audit logs.
    pub silences: Vec<Silence>,
    /// The first line that tells a time, of all that was read.
    pub begins: Option<Timestamp>,
}

/// Listens to events.
#[derive(Debug)]
pub struct Digest {
    scope: Scope,
    seen: seen::Seen,
    clients: clients::Clients,
    lives: lifetimes::Lives,
    paces: bursts::Paces,
    spells: spells::Spells,
    refusals: refusals::Refusals,
    operations: operations::Operations,
    fixed: fixed::FixedReads,
    silences: silences::Silences,
    milestones: Vec<(Timestamp, usize, Milestone)>,
    milestones_dropped: u64,
    /// Failed attempts whose cause stands on lines that are to come, by source.
    begun: HashMap<usize, (Timestamp, Text, RevocationTrouble)>,
    begins: Option<Timestamp>,
    has_ends: bool,
}

impl Digest {
    /// Of what is in scope.
    pub fn new(scope: Scope) -> Self {
        Self {
            scope,
            seen: seen::Seen::default(),
            clients: clients::Clients::new(),
            lives: lifetimes::Lives::new(),
            paces: bursts::Paces::new(),
            spells: spells::Spells::new(),
            refusals: refusals::Refusals::new(),
            operations: operations::Operations::default(),
            fixed: fixed::FixedReads::new(),
            silences: silences::Silences::default(),
            milestones: Vec::new(),
            milestones_dropped: 0,
            begun: HashMap::new(),
            begins: None,
            has_ends: false,
        }
    }

    /// Hears of the next event, out of the source at that place.
    pub fn hear(&mut self, source: usize, event: &Event) {
        if event.at == Timestamp::MIN {
            return;
        }
        self.begins.get_or_insert(event.at);
        self.silences.hear(event.at);
        match &event.kind {
            EventKind::Audit(entry) => {
                self.silences.entry(source, event.at);
                self.audit(event.at, entry);
            }
            EventKind::Server(line) => self.server(source, event.at, line),
            EventKind::Observed(_) | EventKind::Nothing => {}
        }
    }

    /// What it came to at the end.
    pub fn end(mut self, end: Timestamp) -> Told {
        for (_, (at, lease, trouble)) in std::mem::take(&mut self.begun) {
            self.attempt(at, &lease, trouble);
        }
        let since = self.scope.since;
        let clients = self.clients.take();
        let dynamic: BTreeSet<_> =
            clients.0.iter().filter(|one| one.issued > 0).map(|one| &one.who.requester).collect();
        let fixed = self.fixed.take(&dynamic).into();
        Told {
            fixed,
            clients: clients.into(),
            lifetimes: self.lives.take().into(),
            has_ends: self.has_ends,
            bursts: self.paces.take(since).into(),
            spells: self.spells.take(since, end).into(),
            refused: self.refusals.take().into(),
            operations: self.operations.take(&self.scope).into(),
            milestones: (self.milestones, self.milestones_dropped).into(),
            silences: self.silences.take(since),
            begins: self.begins,
        }
    }

    fn audit(&mut self, at: Timestamp, entry: &Entry) {
        // Nothing answers a seal, nor what a rate limit refuses.
        let is_all = entry.stage == Stage::Response
            || matches!(entry.action, Action::Privileged(Privileged::Seal))
            || entry.outcome == Outcome::Failed(Failure::Quota);
        let is_nothing = !is_all || entry.outcome == Outcome::Forwarded || entry.action == Action::Probe;
        if is_nothing || !self.seen.is_first(entry.id) {
            return;
        }
        let (mount, meaning) = place_of(entry);
        let role = match meaning {
            Meaning::Issue(role)
            | Meaning::ReadStatic(role)
            | Meaning::WriteRole(role)
            | Meaning::DeleteRole(role) => role.label,
            _ => "",
        };
        self.lease(at, entry);
        if !self.scope.holds(&entry.namespace, mount, role) {
            return;
        }
        let counts = self.scope.is_of_period(at);
        match meaning {
            Meaning::Issue(_) => self.issue(at, entry, mount, role, counts),
            Meaning::ReadStatic(_) => self.read(entry, mount, FixedKind::StaticRole, counts),
            _ if entry.operation == Asked::Read && entry.action == Action::Engine && is_kv(entry) => {
                self.read(entry, mount, FixedKind::Kv, counts);
            }
            _ => {}
        }
        if let Some(failure) = entry.failure().or_else(|| not_found(entry, meaning)).filter(|_| counts) {
            self.refusals.note(&refusals::Refusal {
                at,
                from: entry.source,
                who: entry.who.as_ref().map(|who| &who.requester),
                mount,
                path: &entry.path,
                failure,
                is_login: entry.action == Action::Login,
                is_issue: matches!(meaning, Meaning::Issue(_)),
            });
        }
        if let Some(what) = operations::of(entry, changed(meaning)).filter(|_| counts) {
            self.operations.note(at, what, mount, entry);
        }
    }

    fn issue(&mut self, at: Timestamp, entry: &Entry, mount: &str, role: &str, counts: bool) {
        let place = Place { namespace: entry.namespace.clone(), mount: mount.into(), role: role.into() };
        let has_something = entry.lease.is_some() || entry.wrapped || entry.has_data;
        let is_done = entry.outcome == Outcome::Ok && has_something;
        if let Some(who) = &entry.who {
            self.clients.note(at, who, entry.source, &place, is_done, counts);
        }
        if is_done {
            self.paces.issue(at, &place, entry.who.as_deref(), entry.source);
            if let Some(lease) = &entry.lease {
                self.lives.issue(at, lease, &place, counts);
            }
        }
        let reason = match entry.failure() {
            Some(Failure::Backend) => "backend",
            Some(Failure::Quota) => "quota",
            Some(Failure::NotAllowed) => "not_allowed",
            Some(Failure::Other) => "other",
            _ => return,
        };
        self.spells.note(at, &(Failing::Issue, place.namespace, place.mount, reason));
    }

    /// What an entry means for a lease that is followed.
    fn lease(&mut self, at: Timestamp, entry: &Entry) {
        match &entry.action {
            Action::Renew(_) if entry.outcome == Outcome::Ok => {
                if let Some(lease) = &entry.lease {
                    self.lives.renew(lease);
                }
            }
            Action::Revoke(RevocationForm::Lease, LeaseRef::Plain(lease)) if entry.outcome == Outcome::Ok => {
                self.lives.end(at, lease, self.scope.is_of_period(at));
            }
            _ => {}
        }
    }

    fn read(&mut self, entry: &Entry, mount: &str, kind: FixedKind, counts: bool) {
        if counts && entry.outcome == Outcome::Ok && entry.has_data {
            let key = (entry.namespace.clone(), mount.into(), kind);
            self.fixed.note(&key, &entry.path, entry.who.as_ref().map(|who| &who.requester));
        }
    }

    fn server(&mut self, source: usize, at: Timestamp, line: &ServerEvent) {
        if let ServerEvent::Continued { trouble, attempts, .. } = line
            && let Some((_, _, known)) = self.begun.get_mut(&source)
        {
            if let Some(trouble) = trouble.filter(|_| *known == RevocationTrouble::Other) {
                *known = trouble;
            }
            if *attempts == 0 {
                return;
            }
        }
        if let Some((at, lease, trouble)) = self.begun.remove(&source) {
            self.attempt(at, &lease, trouble);
        }
        let milestone = match line {
            ServerEvent::LeaseRevoked { lease } => {
                self.has_ends = true;
                self.lives.end(at, lease, self.scope.is_of_period(at));
                return;
            }
            ServerEvent::RevocationFailed { lease, attempts: 0, trouble, .. } => {
                self.begun.insert(source, (at, lease.clone(), *trouble));
                return;
            }
            ServerEvent::RevocationFailed { lease, trouble, .. } => {
                self.attempt(at, lease, *trouble);
                return;
            }
            ServerEvent::BecameActive { .. } => Milestone::Active,
            ServerEvent::BecameInactive => Milestone::Inactive,
            ServerEvent::LeasesRestored => Milestone::Restored,
            ServerEvent::ManyLeases { have } => Milestone::ManyLeases(*have),
            _ => return,
        };
        // A start says each of them several times, and the warning comes every few minutes.
        let recent = self.milestones.iter().rev().take_while(|(last, _, what)| {
            at.nanos_since(*last) < TOGETHER || matches!(what, Milestone::ManyLeases(_))
        });
        let is_again = |(_, of, last): &(Timestamp, usize, Milestone)| {
            *of == source && std::mem::discriminant(last) == std::mem::discriminant(&milestone)
        };
        if !self.scope.is_of_period(at) || recent.into_iter().any(is_again) {
            return;
        }
        if self.milestones.len() < MILESTONES_MOST {
            self.milestones.push((at, source, milestone));
        } else {
            self.milestones_dropped += 1;
        }
    }

    /// An attempt of Vault's own to revoke a lease failed.
    fn attempt(&mut self, at: Timestamp, lease: &str, trouble: RevocationTrouble) {
        let Some((mount, role)) = lease_place(lease) else { return };
        // The log does not say of which namespace it is.
        let is_told = Scope { namespace: None, ..self.scope.clone() }.holds("", mount, role);
        if is_told {
            self.spells.note(at, &(Failing::Revocation, Text::default(), mount.into(), trouble.name()));
        }
    }
}

fn is_kv(entry: &Entry) -> bool {
    let engine = entry.mount.as_ref().map(|mount| &mount.engine).or(entry.engine.as_ref());
    engine.is_some_and(|engine| matches!(engine.as_str(), "kv" | "generic"))
}

/// An engine that answers nothing at all (HTTP 404) has no such role.
fn not_found(entry: &Entry, meaning: Meaning<'_>) -> Option<Failure> {
    let is_empty = entry.lease.is_none() && !entry.wrapped && !entry.has_data;
    (matches!(meaning, Meaning::Issue(_)) && is_empty).then_some(Failure::NotFound)
}

/// What of a secret engine a request changes.
fn changed(meaning: Meaning<'_>) -> Option<Privileged> {
    match meaning {
        Meaning::WriteRole(_) | Meaning::DeleteRole(_) | Meaning::ChangeStaticRole => {
            Some(Privileged::RoleWrite)
        }
        Meaning::WriteConfig(_) => Some(Privileged::ConfigWrite),
        Meaning::RotateRoot(_) => Some(Privileged::RotateRoot),
        _ => None,
    }
}
