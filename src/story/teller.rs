//! The teller: goes through the events with the threads at hand, and makes a story of what belongs
//! to them.

use super::cause::{Causes, SOON};
use super::life::{End, Granted, Life};
use super::shelf::Shelf;
use super::{Filter, Moment, Rests, Story, Threads, Topic, What, place};
use crate::event::{
    Action, Entry, Event, EventKind, LeaseHash, LeaseRef, Outcome, Privileged, RequestId, RevocationForm,
    ServerEvent, Stage, Text, Timestamp, TokenHash,
};
use std::collections::{HashMap, HashSet, VecDeque};

/// Requests that are remembered, so that one is not told twice.
const REQUESTS_MOST: usize = 100_000;

/// How much there may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Moments.
    pub moments: usize,
    /// Leases.
    pub lives: usize,
}

/// What is told of all that belongs to a topic.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// From then on; what was before only makes its leases known.
    pub since: Option<Timestamp>,
    /// Of the requests, these, and what became of the leases that came of them.
    pub filter: Filter,
}

/// Makes a story of events.
#[derive(Debug)]
pub struct Teller {
    threads: Threads,
    limits: Limits,
    part: Part,
    /// Leases that came of requests that are wanted.
    wanted: HashSet<Text>,
    shelf: Shelf,
    lives: Vec<Life>,
    places: HashMap<Text, usize>,
    lives_left_out: u64,
    seen: HashSet<RequestId>,
    order: VecDeque<RequestId>,
    /// A failed attempt whose line goes on, by source.
    begun: HashMap<usize, Moment>,
    causes: Causes,
    /// When requests to revoke came in: what they bring about is logged before they are answered.
    coming: HashMap<RequestId, Timestamp>,
    others: u64,
    failed_logins: u64,
    has_ends: bool,
}

impl Teller {
    /// A teller of some part of what belongs to the threads.
    pub fn new(threads: Threads, part: Part, limits: Limits) -> Self {
        Self {
            threads,
            limits,
            part,
            wanted: HashSet::new(),
            shelf: Shelf::new(limits.moments),
            lives: Vec::new(),
            places: HashMap::new(),
            lives_left_out: 0,
            seen: HashSet::new(),
            order: VecDeque::new(),
            begun: HashMap::new(),
            causes: Causes::default(),
            coming: HashMap::new(),
            others: 0,
            failed_logins: 0,
            has_ends: false,
        }
    }

    /// Hears of the next event, out of the source at that place.
    pub fn hear(&mut self, source: usize, event: &Event) {
        match &event.kind {
            EventKind::Audit(entry) => self.audit(event.at, entry),
            EventKind::Server(line) => self.server(source, event.at, line),
            EventKind::Observed(_) | EventKind::Nothing => {}
        }
    }

    /// The story; `granted` says for how long leases of a namespace, mount and role are.
    pub fn end(mut self, granted: impl Fn(&str, &str, &str) -> Option<Granted>) -> Story {
        for (_, moment) in std::mem::take(&mut self.begun) {
            self.put(moment);
        }
        for life in &mut self.lives {
            life.granted = granted(&life.namespace, &life.mount, &life.role);
            if life.ended.is_some() && life.end.is_none() {
                life.end = Some(life.unasked());
            }
        }
        if !self.part.filter.is_all() {
            let wanted = &self.wanted;
            self.lives.retain(|life| wanted.contains(&life.lease));
        }
        if let Some(since) = self.part.since {
            self.lives.retain(|life| life.ended.is_none_or(|ended| ended >= since));
        }
        let (moments, left_out) = self.shelf.take();
        Story {
            topic: self.threads.topic,
            part: self.part.filter.sentence(),
            resolved: self.threads.resolved.map(|lease| lease.to_string()),
            clients: self.threads.clients,
            moments,
            left_out,
            others: self.others,
            lives: self.lives,
            lives_left_out: self.lives_left_out,
            has_ends: self.has_ends,
            failed_logins: self.failed_logins,
            untied: self.threads.untied,
        }
    }

    fn audit(&mut self, at: Timestamp, entry: &Entry) {
        if let (Stage::Request, Action::Revoke(..), Some(id)) = (entry.stage, &entry.action, entry.id)
            && self.coming.len() < REQUESTS_MOST
        {
            self.coming.entry(id).or_insert(at);
        }
        // Nothing answers a seal, nor what a rate limit refuses.
        let is_all = entry.stage == Stage::Response
            || matches!(entry.action, Action::Privileged(Privileged::Seal))
            || entry.outcome == Outcome::Failed(crate::event::Failure::Quota);
        if !is_all || entry.outcome == Outcome::Forwarded || !self.is_first(entry.id) {
            return;
        }
        let came = entry.id.and_then(|id| self.coming.remove(&id));
        let moment = Moment::of(at, entry);
        self.causes.note(at, came, entry, &mut self.lives);
        if entry.action == Action::Login && entry.failure().is_some() && self.is_of_period(at) {
            self.failed_logins += 1;
        }
        let (lease, rests) = self.lease_of(entry);
        let is_ours = lease.is_some() || self.is_about(entry, moment.as_ref());
        if !is_ours {
            return;
        }
        let Some(mut moment) = moment else {
            let mount = place::of(entry).mount;
            if self.is_of_period(at) && self.part.filter.is_from(&entry.namespace, mount, entry.source) {
                self.others += 1;
            }
            return;
        };
        (moment.lease, moment.rests) = (moment.lease.or(lease), rests);
        self.live(&moment, entry);
        if let Some(came) = came {
            moment.at = came;
        }
        self.put(moment);
    }

    /// The topic's lease that an entry is about, and on what that rests.
    fn lease_of(&self, entry: &Entry) -> (Option<Text>, Rests) {
        let threads = &self.threads;
        let ours = |lease: &Text| threads.is_ours(lease).then(|| lease.clone());
        if let Some(lease) = &entry.lease {
            return (ours(lease), Rests::Named);
        }
        if let Some(lease) = entry.id.and_then(|id| threads.wrapped.get(&id)) {
            return (Some(lease.clone()), Rests::Hash);
        }
        match &entry.action {
            Action::Renew(LeaseRef::Plain(lease))
            | Action::Revoke(RevocationForm::Lease, LeaseRef::Plain(lease)) => (ours(lease), Rests::Named),
            Action::Renew(LeaseRef::Hashed(hash))
            | Action::Revoke(RevocationForm::Lease, LeaseRef::Hashed(hash)) => {
                if let Some((lease, rests)) = entry.id.and_then(|id| threads.joined.get(&id)) {
                    return (Some(lease.clone()), *rests);
                }
                (threads.hashes.get(hash).cloned(), Rests::Hash)
            }
            _ => (None, Rests::Named),
        }
    }

    /// Whether an entry that names none of the leases belongs to the topic all the same.
    fn is_about(&self, entry: &Entry, moment: Option<&Moment>) -> bool {
        let threads = &self.threads;
        match &entry.action {
            Action::Revoke(RevocationForm::Prefix | RevocationForm::Force, LeaseRef::Plain(prefix)) => {
                let namespace = entry.namespace_id.as_str();
                let hits = |life: &Life| {
                    // It is answered when they have ended.
                    let is_its_end = entry.id.is_some() && life.end.and_then(End::request) == entry.id;
                    (life.ended.is_none() || is_its_end) && place::is_below(&life.lease, prefix, namespace)
                };
                if self.lives.iter().any(hits) || threads.is_client(entry) {
                    return true;
                }
            }
            Action::Revoke(RevocationForm::Token, LeaseRef::Hashed(LeaseHash(hash))) => {
                let token = TokenHash(*hash);
                if threads.accessors.contains(&token) || threads.tokens.contains(&token) {
                    return true;
                }
            }
            Action::Renew(LeaseRef::Hashed(hash))
            | Action::Revoke(RevocationForm::Lease, LeaseRef::Hashed(hash))
                if threads.topic == Topic::HashedLease(*hash) =>
            {
                return true;
            }
            _ => {}
        }
        let is_of_token =
            |token: Option<TokenHash>| token.is_some_and(|token| threads.accessors.contains(&token));
        match &threads.topic {
            Topic::Entity(_) => threads.is_client(entry),
            // The life of the token that got it is part of the account, what else it did is not.
            Topic::Lease(_) | Topic::HashedLease(_) => {
                entry.token.is_some_and(|token| is_of_token(token.accessor))
                    || matches!(entry.action, Action::Revoke(RevocationForm::Token, LeaseRef::Absent))
                        && is_of_token(entry.caller.accessor)
            }
            Topic::Role { mount, role } => moment.is_some_and(|moment| {
                moment.mount == *mount
                    && (moment.role == *role
                        || moment.role.is_empty()
                            && matches!(
                                moment.what,
                                What::Privileged(Privileged::ConfigWrite | Privileged::RotateRoot)
                            ))
            }),
        }
    }

    fn server(&mut self, source: usize, at: Timestamp, line: &ServerEvent) {
        if let ServerEvent::Continued { trouble, attempts, next_attempt } = line {
            if let Some(moment) = self.begun.get_mut(&source) {
                moment.go_on(*trouble, *attempts, *next_attempt);
            }
            return;
        }
        if let Some(moment) = self.begun.remove(&source) {
            self.put(moment);
        }
        self.has_ends |= matches!(line, ServerEvent::LeaseRevoked { .. });
        let Some(moment) = Moment::of_server(at, line) else { return };
        let Some(lease) = moment.lease.clone().filter(|lease| self.threads.is_ours(lease)) else { return };
        let known = self.places.get(&lease).map(|place| &self.lives[*place]);
        let asked = self.causes.of(at, &lease, known);
        if let Some(life) = self.life(&lease) {
            match moment.what {
                What::Ended => {
                    life.ended = Some(at);
                    life.end = asked;
                }
                What::AttemptFailed | What::RequestedAttemptFailed => life.failed_attempts += 1,
                _ => {}
            }
        }
        if moment.goes_on() {
            self.begun.insert(source, moment);
        } else {
            self.put(moment);
        }
    }

    /// What a moment means for the life of its lease.
    fn live(&mut self, moment: &Moment, entry: &Entry) {
        let Some(lease) = moment.lease.clone() else { return };
        let namespace = moment.namespace.clone();
        let is_wanted = self.part.filter.wants(moment);
        match moment.what {
            What::Issue | What::Unwrap if moment.is_done() => {
                if is_wanted && self.wanted.len() < self.limits.lives {
                    self.wanted.insert(lease.clone());
                }
                let Some(life) = self.life(&lease) else { return };
                if life.issued.is_none() {
                    life.issued = Some(moment.at);
                    life.namespace = namespace;
                    life.request = moment.request;
                    life.who.clone_from(&moment.who);
                    life.source = moment.source;
                    life.accessor = moment.accessor;
                }
                if moment.what == What::Issue {
                    (life.mount, life.role) = (moment.mount.clone(), moment.role.clone());
                }
            }
            What::Renewal if moment.is_done() => {
                let Some(life) = self.life(&lease) else { return };
                life.renewals += 1;
                life.renewed = Some(moment.at);
                life.renewed_for = entry.granted.or(moment.asked_ttl);
            }
            // The server log tells of the end just before the answer: the request explains it.
            What::Revocation(RevocationForm::Lease) if moment.is_done() => {
                let Some(life) = self.life(&lease) else { return };
                let is_soon = life.ended.is_none_or(|ended| moment.at.nanos_since(ended) < SOON);
                if is_soon && !matches!(life.end, Some(End::Requested(_))) {
                    life.end = Some(End::Requested(moment.request));
                }
            }
            _ => {}
        }
    }

    fn life(&mut self, lease: &Text) -> Option<&mut Life> {
        let place = match self.places.get(lease) {
            Some(place) => *place,
            None if self.lives.len() < self.limits.lives => {
                let mut life = Life::new(lease.clone());
                if let Some((mount, role)) = place::of_lease(lease) {
                    (life.mount, life.role) = (mount.into(), role.into());
                }
                self.lives.push(life);
                self.places.insert(lease.clone(), self.lives.len() - 1);
                self.lives.len() - 1
            }
            None => {
                self.lives_left_out += 1;
                return None;
            }
        };
        self.lives.get_mut(place)
    }

    fn put(&mut self, moment: Moment) {
        if !self.part.filter.is_all() {
            // A line of the server log says nothing of who asked.
            let is_wanted = match (&moment.request, &moment.lease) {
                (None, Some(lease)) => self.wanted.contains(lease),
                _ => self.part.filter.wants(&moment),
            };
            if !is_wanted {
                return;
            }
        }
        if self.is_of_period(moment.at) {
            self.shelf.put(moment);
        }
    }

    fn is_of_period(&self, at: Timestamp) -> bool {
        self.part.since.is_none_or(|since| at >= since)
    }

    /// Several devices, and two nodes, log the same request.
    fn is_first(&mut self, id: Option<RequestId>) -> bool {
        let Some(id) = id else { return true };
        if !self.seen.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > REQUESTS_MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        true
    }
}
