//! A register: everything that happened, once, each as a [`Moment`] of its own. What a story leaves out
//! as well; what belongs together is not asked here.

use super::{Moment, place};
use crate::event::{
    Action, Entry, Event, EventKind, Failure, LeaseRef, Outcome, Privileged, RequestId, RevocationForm,
    ServerEvent, Stage, Text, Timestamp,
};
use std::collections::{HashMap, VecDeque};

/// Requests that are remembered, so that one is not told twice.
const REQUESTS_MOST: usize = 1 << 17;
/// Namespaces, and mounts, that are remembered.
const PLACES_MOST: usize = 10_000;

/// Goes through the events, and remembers what it takes to tell each once.
#[derive(Debug, Default)]
pub struct Register {
    requests: HashMap<RequestId, Request>,
    order: VecDeque<RequestId>,
    /// A failed attempt whose line goes on, by source.
    begun: HashMap<usize, Moment>,
    /// Paths by what lease IDs of a namespace end with.
    namespaces: HashMap<Text, Text>,
    /// Types of mounts, by namespace and path.
    engines: HashMap<(Text, Text), Text>,
}

/// What is known of a request.
#[derive(Debug, Default)]
struct Request {
    /// When each source has logged that it came in.
    came: Vec<(usize, Timestamp)>,
    /// A standby handed it on to the node that logged it.
    is_relayed: bool,
    /// It was told.
    is_told: bool,
}

/// Something that happened.
#[derive(Debug)]
pub struct Registered {
    /// What, and all that the logs say of it.
    pub moment: Moment,
    /// Type of the mount, where a request that worked has told it; empty where not.
    pub engine: Text,
    /// Whether the namespace of the moment is one; a line of the server log may be of any.
    pub namespace_is_known: bool,
    /// Nanoseconds from the request to its answer, by the log that has both.
    pub took: Option<i64>,
}

impl Register {
    /// Hears of the next event, out of the source at that place; what is to be told of it.
    pub fn hear(&mut self, source: usize, event: &Event) -> Vec<Registered> {
        match &event.kind {
            EventKind::Audit(entry) => self.audit(source, event.at, entry).into_iter().collect(),
            EventKind::Server(line) => self.server(source, event.at, line),
            EventKind::Observed(_) | EventKind::Nothing => Vec::new(),
        }
    }

    /// No more comes: what waited for another line.
    pub fn end(&mut self) -> Vec<Registered> {
        let begun = std::mem::take(&mut self.begun);
        let mut rest: Vec<_> = begun.into_values().map(|moment| self.of_line(moment)).collect();
        rest.sort_by_key(|registered| registered.moment.at);
        rest
    }

    fn audit(&mut self, source: usize, at: Timestamp, entry: &Entry) -> Option<Registered> {
        if entry.action == Action::Probe || entry.outcome == Outcome::Forwarded {
            return None;
        }
        // Nothing answers a seal, nor what a rate limit refuses.
        let is_all = matches!(entry.action, Action::Privileged(Privileged::Seal))
            || entry.outcome == Outcome::Failed(Failure::Quota);
        let mut took = None;
        if let Some(id) = entry.id {
            let request = self.request(id);
            if entry.stage == Stage::Request {
                request.is_relayed |= entry.relayed;
                request.came.push((source, at));
            }
            if entry.stage == Stage::Request && !is_all {
                return None;
            }
            // Both nodes say that it was forwarded; the one that answered it had it from the other.
            let is_handed_on = entry.stage == Stage::Response
                && entry.relayed
                && !request.came.is_empty()
                && !request.is_relayed;
            if is_handed_on || std::mem::replace(&mut request.is_told, true) {
                return None;
            }
            let came = request.came.iter().find(|(from, _)| *from == source);
            took = came.filter(|_| !is_all).map(|(_, came)| at.nanos_since(*came).max(0));
            request.came = Vec::new();
        } else if entry.stage == Stage::Request && !is_all {
            return None;
        }
        self.learn(entry);
        let mut moment = Moment::of_any(at, entry);
        if let Action::Revoke(RevocationForm::Lease, LeaseRef::Plain(lease)) = &entry.action {
            moment.lease = moment.lease.or_else(|| Some(lease.clone()));
        }
        // What is asked of `sys/` about a lease is about the mount and the role of that.
        let is_about_lease = matches!(entry.action, Action::Renew(_) | Action::Revoke(..) | Action::Unwrap);
        if is_about_lease && let Some((mount, role)) = moment.lease.as_deref().and_then(place::of_lease) {
            (moment.mount, moment.role) = (mount.into(), role.into());
        }
        Some(self.registered(moment, true, took))
    }

    /// Namespaces and mounts of requests that worked.
    fn learn(&mut self, entry: &Entry) {
        if entry.outcome != Outcome::Ok {
            return;
        }
        if self.namespaces.len() < PLACES_MOST && !self.namespaces.contains_key(&entry.namespace_id) {
            self.namespaces.insert(entry.namespace_id.clone(), entry.namespace.clone());
        }
        if let Some(mount) = entry.mount.as_ref().filter(|mount| !mount.engine.is_empty())
            && self.engines.len() < PLACES_MOST
        {
            let place = (entry.namespace.clone(), mount.point.clone());
            self.engines.entry(place).or_insert_with(|| mount.engine.clone());
        }
    }

    fn registered(&self, moment: Moment, namespace_is_known: bool, took: Option<i64>) -> Registered {
        let place = (moment.namespace.clone(), moment.mount.clone());
        let engine = self.engines.get(&place).filter(|_| namespace_is_known).cloned().unwrap_or_default();
        Registered { moment, engine, namespace_is_known, took }
    }

    fn request(&mut self, id: RequestId) -> &mut Request {
        if !self.requests.contains_key(&id) {
            self.order.push_back(id);
            if self.order.len() > REQUESTS_MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.requests.remove(&oldest);
            }
        }
        self.requests.entry(id).or_default()
    }

    fn server(&mut self, source: usize, at: Timestamp, line: &ServerEvent) -> Vec<Registered> {
        if let ServerEvent::Continued { trouble, attempts, next_attempt } = line {
            if let Some(moment) = self.begun.get_mut(&source) {
                moment.go_on(*trouble, *attempts, *next_attempt);
            }
            return Vec::new();
        }
        let mut told = Vec::new();
        if let Some(moment) = self.begun.remove(&source) {
            told.push(self.of_line(moment));
        }
        if let Some(moment) = Moment::of_server(at, line) {
            if moment.goes_on() {
                self.begun.insert(source, moment);
            } else {
                told.push(self.of_line(moment));
            }
        }
        told
    }

    /// A lease ID says in which namespace it is, by the ID of that.
    fn of_line(&self, mut moment: Moment) -> Registered {
        let is_known = match moment.lease.as_deref().and_then(place::namespace_id) {
            None => true,
            Some(id) => match self.namespaces.get(id) {
                Some(namespace) => {
                    moment.namespace.clone_from(namespace);
                    true
                }
                None => false,
            },
        };
        self.registered(moment, is_known, None)
    }
}
