//! Audit entries, counted: outcomes on responses, once for each exchange.

use super::flight::Arrival;
use super::labels::{MountId, RoleId};
use super::subject::{self, Subject};
use super::traffic::Ended;
use super::{Origin, State};
use crate::contract::credentials as metric;
use crate::engine::{Meaning, Role};
use crate::event::{Action, Entry, Failure, Operation, Outcome, Privileged, Stage, Timestamp};
use crate::snapshot::Metric;

/// How many namespaces are remembered by their IDs.
const NAMESPACES_MOST: usize = 10_000;

impl State {
    pub(super) fn audit(&mut self, origin: Origin, at: Timestamp, entry: &Entry) {
        if entry.action == Action::Probe {
            return;
        }
        if let (Some(marker), Some(id)) = (entry.marker, entry.id) {
            self.flight.marked(marker, id, at);
        }
        match entry.stage {
            Stage::Request => self.request(origin, at, entry),
            Stage::Response => {
                // Both nodes say that the request was forwarded; the one that answered it had
                // it from the other.
                let handed_on = entry.relayed && entry.id.is_some_and(|id| self.flight.hands_on(id));
                if entry.outcome == Outcome::Forwarded || handed_on {
                    if let Some(id) = entry.id {
                        self.flight.forwarded(id);
                    }
                    return;
                }
                let arrival =
                    entry.id.map_or(Arrival::First(None), |id| self.flight.response(id, origin.source, at));
                match arrival {
                    Arrival::First(took) => {
                        let subject = subject::of(&mut self.labels, entry, &metric::REQUESTS);
                        self.count(at, entry, &subject, took);
                        if entry.lease.is_some() {
                            self.ledger.acted(origin.node, at);
                        }
                    }
                    Arrival::Own => self.canary = Some(at),
                    Arrival::Repeated => {}
                }
            }
        }
        if self.flight.is_full() {
            self.make_room();
        }
    }

    fn request(&mut self, origin: Origin, at: Timestamp, entry: &Entry) {
        let Some(id) = entry.id else { return };
        if entry.outcome == Outcome::Forwarded {
            return;
        }
        let subject = subject::of(&mut self.labels, entry, &metric::REQUESTS);
        // Sealing and stepping down log no response, nor does what a rate limit refuses.
        let is_all = matches!(entry.action, Action::Privileged(Privileged::Seal))
            || entry.outcome == Outcome::Failed(Failure::Quota);
        if entry.outcome == Outcome::Ok {
            self.learn_namespace(entry);
        }
        if !is_all {
            self.flight.request(id, origin.source, at, subject.mount, entry.relayed);
            let is_asked = matches!(entry.action, Action::Revoke(..)) && entry.outcome == Outcome::Ok;
            if is_asked && self.flight.waits(id) {
                self.asked(at, id, entry);
            }
        } else if self.flight.finish(id, at) {
            self.count(at, entry, &subject, None);
        }
    }

    fn count(&mut self, at: Timestamp, entry: &Entry, subject: &Subject<'_>, took: Option<i64>) {
        let mount = subject.mount;
        let ended = Ended::of(entry.outcome);
        self.traffic.request(mount, ended);
        if ended == Ended::Denied && entry.action != Action::Login {
            self.traffic.denied(mount, entry.outcome == Outcome::Failed(Failure::Denied));
        }
        if entry.caller.root && entry.action != Action::Login {
            self.privileged(at, entry, mount, Privileged::RootToken, ended);
        }
        if ended == Ended::Ok {
            self.learn_namespace(entry);
            if let Some(token) = entry.token {
                self.token(at, entry, mount, token);
            }
        }
        match &entry.action {
            Action::Login => self.traffic.login(mount, ended == Ended::Ok),
            Action::Renew(lease) => self.renewal(at, entry, lease, took),
            Action::Revoke(form, lease) => self.revocation(at, entry, subject, (*form, lease), ended, took),
            Action::Unwrap if ended == Ended::Ok => self.unwrapped(at, entry),
            Action::Privileged(operation) => {
                self.privileged(at, entry, mount, *operation, ended);
                if *operation == Privileged::MountChange && ended == Ended::Ok {
                    self.learn_mount(entry);
                }
            }
            Action::Engine => self.engine(at, entry, subject, ended, took),
            Action::Probe | Action::Unwrap | Action::Other => {}
        }
        // Last: what is about a role that this entry has made real is about a real role.
        self.score(at, entry, subject);
    }

    fn engine(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        subject: &Subject<'_>,
        ended: Ended,
        took: Option<i64>,
    ) {
        let mount = subject.mount;
        match subject.meaning {
            Meaning::Issue(role) => {
                if let Some(failure) = self.failure(entry, subject, role) {
                    let role = self.asked_role(subject, role, false, at, &metric::FAILURES);
                    self.credentials.failed(role, failure);
                } else {
                    let role = self.asked_role(subject, role, true, at, &metric::ISSUED);
                    self.labels.set_deleted(role, false);
                    self.credentials.issued(role, mount, at, took);
                    self.lease_issued(role, mount, at, entry);
                }
            }
            Meaning::ReadStatic(role) => {
                if let Some(failure) = self.failure(entry, subject, role) {
                    let role = self.asked_role(subject, role, false, at, &metric::FAILURES);
                    self.credentials.failed(role, failure);
                } else {
                    let role = self.asked_role(subject, role, true, at, &metric::STATIC_READ);
                    self.credentials.read_static(role);
                }
            }
            Meaning::WriteRole(role) => {
                self.privileged(at, entry, mount, Privileged::RoleWrite, ended);
                if ended == Ended::Ok {
                    let role = self.asked_role(subject, role, true, at, &metric::ISSUED);
                    self.labels.set_deleted(role, false);
                    self.ledger.role_written(role, entry.ttls, at);
                }
            }
            Meaning::DeleteRole(role) => {
                self.privileged(at, entry, mount, Privileged::RoleWrite, ended);
                if ended == Ended::Ok
                    && let Some(role) = self.labels.find_role(mount, role.label)
                {
                    self.labels.set_deleted(role, true);
                }
            }
            Meaning::ChangeStaticRole => self.privileged(at, entry, mount, Privileged::RoleWrite, ended),
            Meaning::WriteConfig(connection) => {
                self.privileged(at, entry, mount, Privileged::ConfigWrite, ended);
                if ended == Ended::Ok
                    && self.labels.engine(mount) == "database"
                    && entry.operation == Operation::Write
                {
                    self.traffic.connection_written(mount, connection, at);
                }
            }
            Meaning::RotateRoot(connection) => {
                self.privileged(at, entry, mount, Privileged::RotateRoot, ended);
                if ended == Ended::Ok {
                    self.traffic.root_rotated(mount, connection, at);
                }
            }
            Meaning::ListRoles | Meaning::Other => {}
        }
    }

    /// Why a request for a credential failed, if it did.
    pub(super) fn failure(&self, entry: &Entry, subject: &Subject<'_>, role: Role<'_>) -> Option<Failure> {
        match entry.failure() {
            // An engine that answers nothing at all (HTTP 404) has no such role.
            None => (entry.lease.is_none() && !entry.wrapped && !entry.has_data).then_some(Failure::NotFound),
            // What the caller was told is hashed. Of a role that the engine does not have, it was that.
            Some(Failure::Hashed) => {
                let known = |name| self.labels.find_role(subject.mount, name);
                let there = known(role.label).or_else(|| known(role.name));
                let exists = there.is_some_and(|role| !self.labels.is_deleted(role));
                Some(if exists { Failure::Other } else { Failure::NotFound })
            }
            failure => failure,
        }
    }

    fn asked_role(
        &mut self,
        subject: &Subject<'_>,
        role: Role<'_>,
        real: bool,
        at: Timestamp,
        metric: &'static Metric,
    ) -> RoleId {
        self.real_role(|labels| subject::role(labels, subject.mount, role, real, at, metric))
    }

    /// The namespace of the lease that a request is about: the request's own, or, where a request
    /// of the root namespace names a lease of another, that one.
    pub(super) fn namespace_asked(&self, entry: &Entry, lease: Option<&str>) -> String {
        match lease {
            Some(lease) if entry.namespace.is_empty() => self.namespace_of(lease).unwrap_or_default(),
            _ => entry.namespace.to_string(),
        }
    }

    /// The role of a plain lease ID. It is `real` if Vault itself named the lease; a role is
    /// not believed in because of an ID that somebody asked about.
    pub(super) fn role_of_lease(
        &mut self,
        namespace: &str,
        lease: &str,
        real: bool,
        at: Timestamp,
        metric: &'static Metric,
    ) -> RoleId {
        match subject::of_lease(&self.labels, namespace, lease) {
            Some((mount, Some(role))) => {
                self.real_role(|labels| subject::role(labels, mount, role, real, at, metric))
            }
            Some((mount, None)) => self.unknown_role_of(mount, at),
            // Vault speaks of a mount that no entry has named yet: its path has the usual form.
            None if real && let Some((point, role)) = subject::guess_lease(lease) => {
                let mount = self.labels.guessed_mount(namespace, point, metric);
                self.real_role(|labels| subject::role(labels, mount, role, true, at, metric))
            }
            None => self.unknown_role(namespace, at),
        }
    }

    pub(super) fn unknown_role(&mut self, namespace: &str, at: Timestamp) -> RoleId {
        let mount = self.labels.unknown_mount(namespace);
        self.unknown_role_of(mount, at)
    }

    /// The place of all roles of a mount that are not known.
    pub(super) fn unknown_role_of(&mut self, mount: MountId, at: Timestamp) -> RoleId {
        let role = self.labels.unknown_role(mount, at);
        self.ledger.know_mixed(role);
        role
    }

    fn learn_namespace(&mut self, entry: &Entry) {
        if entry.namespace.is_empty() || self.namespaces.contains_key(entry.namespace_id.as_str()) {
            return;
        }
        if self.namespaces.len() < NAMESPACES_MOST {
            self.namespaces.insert(entry.namespace_id.to_string(), entry.namespace.to_string());
        }
    }

    /// A mount was made. Where entries do not name mounts, this is how one hears of it.
    fn learn_mount(&mut self, entry: &Entry) {
        if entry.operation != Operation::Write || entry.path.ends_with("/tune") {
            return;
        }
        let engine = entry.path.strip_prefix("sys/mounts/");
        let path = engine.or_else(|| {
            // An auth method's own path keeps its `auth/` in front.
            entry.path.strip_prefix("sys/").filter(|path| path.starts_with("auth/"))
        });
        let Some(path) = path.map(|path| format!("{}/", path.trim_end_matches('/'))) else { return };
        if engine.is_some() {
            let mount = self.labels.mount(&entry.namespace, &path, "", &metric::REQUESTS);
            self.ledger.born(mount);
        } else if entry.mount.is_none() {
            self.labels.mount(&entry.namespace, &path, "", &metric::REQUESTS);
        }
    }
}
