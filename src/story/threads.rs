//! Threads: what belongs to a topic. Found by going through the events once, before the story is
//! told: the token that got a lease was made before it, and a hash is tied to a lease only later.

use super::joint::{Joint, Joints};
use super::{Rests, Topic, place};
use crate::engine::Meaning;
use crate::event::{
    Action, Entry, Event, EventKind, LeaseHash, LeaseRef, Outcome, RequestId, RevocationForm, ServerEvent,
    Stage, Text, TokenHash, Who,
};
use std::collections::{HashMap, HashSet};

/// Names of one kind that are kept at most.
const MOST: usize = 200_000;
/// Clients of one name that are kept at most.
const CLIENTS_MOST: usize = 1_000;

/// What belongs to a topic.
#[derive(Debug)]
pub struct Threads {
    pub(super) topic: Topic,
    /// The lease that the topic names by a hash.
    pub(super) resolved: Option<Text>,
    /// Leases of the topic.
    pub(super) leases: HashSet<Text>,
    /// Hashed names of theirs.
    pub(super) hashes: HashMap<LeaseHash, Text>,
    /// Leases that one of them is known of.
    tied: HashSet<Text>,
    /// Requests that are tied to a lease by time.
    pub(super) joined: HashMap<RequestId, (Text, Rests)>,
    /// Requests whose wrapped answer held a lease.
    pub(super) wrapped: HashMap<RequestId, Text>,
    /// Accessors of its tokens.
    pub(super) accessors: HashSet<TokenHash>,
    /// The tokens themselves, as they were handed out.
    pub(super) tokens: HashSet<TokenHash>,
    /// Clients of the topic.
    pub(super) clients: Vec<Who>,
    /// Requests to revoke by a hash that nothing ties to a lease.
    pub(super) untied: u64,
    joints: Joints,
    /// Hashes of other leases, by halves of hashes, to rule them out.
    others: HashMap<u64, u64>,
    /// Wrapped answers by their tokens: the request, and who asked.
    wrapping: HashMap<TokenHash, (RequestId, Option<TokenHash>, bool)>,
    again: bool,
}

impl Threads {
    /// Nothing is known yet.
    pub fn new(topic: Topic) -> Self {
        let leases = match &topic {
            Topic::Lease(lease) => HashSet::from([lease.clone()]),
            _ => HashSet::new(),
        };
        Self {
            topic,
            leases,
            resolved: None,
            hashes: HashMap::new(),
            tied: HashSet::new(),
            joined: HashMap::new(),
            wrapped: HashMap::new(),
            accessors: HashSet::new(),
            tokens: HashSet::new(),
            clients: Vec::new(),
            untied: 0,
            joints: Joints::default(),
            others: HashMap::new(),
            wrapping: HashMap::new(),
            again: false,
        }
    }

    /// Whether the events have to be gone through once more: something was found that earlier
    /// ones were not held against. To be asked after each time.
    pub fn wants_again(&mut self) -> bool {
        self.joints = Joints::default();
        self.wrapping.clear();
        let again = std::mem::take(&mut self.again);
        if again {
            self.untied = 0;
        }
        again
    }

    /// Looks at one event.
    pub fn see(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Server(ServerEvent::LeaseRevoked { lease }) => self.joints.ended(event.at, lease),
            EventKind::Audit(entry) => match (entry.stage, entry.id, &entry.action) {
                (Stage::Request, Some(id), Action::Revoke(RevocationForm::Lease, LeaseRef::Hashed(hash))) => {
                    self.joints.asked(id, *hash, event.at);
                }
                (Stage::Response, ..) if entry.outcome != Outcome::Forwarded => self.answer(event, entry),
                _ => {}
            },
            _ => {}
        }
    }

    fn answer(&mut self, event: &Event, entry: &Entry) {
        self.clients_of(entry);
        self.wrappings(entry);
        if let Some(lease) = &entry.lease {
            self.lease(entry, lease);
        }
        if let (Some(id), Action::Revoke(RevocationForm::Lease, LeaseRef::Hashed(hash))) =
            (entry.id, &entry.action)
        {
            let known = self.hashes.get(hash).map(Text::as_str);
            let is_done = entry.outcome == Outcome::Ok;
            let others = &self.others;
            let tied = &self.tied;
            let is_of = |lease: &str| {
                others.get(&hash.half()).is_none_or(|other| *other == half(lease)) && !tied.contains(lease)
            };
            let joint = self.joints.answered(id, event.at, known, is_of).filter(|_| is_done);
            match joint {
                Some(Joint { lease, is_only }) => {
                    let is_asked_for = self.topic == Topic::HashedLease(*hash);
                    if is_asked_for && is_only {
                        self.resolve(&lease);
                    }
                    if is_asked_for || self.is_ours(&lease) {
                        let rests = if is_only { Rests::Time } else { Rests::TimeOfSeveral };
                        if is_only {
                            self.tie(*hash, &lease);
                        }
                        put(&mut self.joined, id, (lease, rests));
                    }
                }
                None if known.is_none() && !self.others.contains_key(&hash.half()) => self.untied += 1,
                None => {}
            }
        }
        self.tokens_of(entry);
    }

    /// An entry that names a lease by its plain ID.
    fn lease(&mut self, entry: &Entry, lease: &Text) {
        let place = place::of(entry);
        let hash = match &entry.action {
            Action::Renew(LeaseRef::Hashed(hash)) => Some(*hash),
            _ => None,
        };
        if let (Some(hash), Topic::HashedLease(wanted)) = (hash, &self.topic)
            && hash == *wanted
        {
            self.resolve(lease);
        }
        let is_new = matches!(place.meaning, Meaning::Issue(_)) || entry.action == Action::Unwrap;
        let mut is_ours = self.is_ours(lease);
        if is_new && !is_ours {
            is_ours = match (&self.topic, place.meaning) {
                (Topic::Entity(_), _) => self.is_client(entry),
                (Topic::Role { mount, role }, Meaning::Issue(of)) => place.mount == mount && of.label == role,
                _ => false,
            };
            if is_ours && self.leases.len() < MOST {
                self.leases.insert(lease.clone());
            }
        }
        match hash {
            Some(hash) if is_ours => self.tie(hash, lease),
            Some(hash) => put(&mut self.others, hash.half(), half(lease)),
            None => {}
        }
        if is_ours && is_new && self.is_of_lease() {
            self.holder(entry.caller.accessor);
            if let Some(who) = &entry.who {
                self.client(who);
            }
        }
    }

    /// A wrapped answer, and what is found in it later.
    fn wrappings(&mut self, entry: &Entry) {
        if let (true, Some(id)) = (entry.wrapped, entry.id) {
            let place = place::of(entry);
            let is_ours = match (&self.topic, place.meaning) {
                (Topic::Role { mount, role }, Meaning::Issue(of)) => place.mount == mount && of.label == role,
                (_, Meaning::Issue(_)) => self.is_client(entry),
                _ => false,
            };
            for token in entry.wrapping.into_iter().flatten() {
                put(&mut self.wrapping, token, (id, entry.caller.accessor, is_ours));
            }
        }
        if let (Action::Unwrap, Some(lease)) = (&entry.action, &entry.lease)
            && let Some((id, accessor, is_ours)) =
                entry.wrapping.iter().flatten().find_map(|token| self.wrapping.get(token)).copied()
        {
            if is_ours && self.leases.len() < MOST {
                self.leases.insert(lease.clone());
            }
            if self.is_ours(lease) {
                put(&mut self.wrapped, id, lease.clone());
                if self.is_of_lease() {
                    self.holder(accessor);
                }
            }
        }
    }

    /// Clients that have the name of the topic, and all that has the entity of one of them.
    fn clients_of(&mut self, entry: &Entry) {
        if let Some(who) = &entry.who
            && self.topic.is(who)
        {
            self.client(who);
        }
    }

    fn tokens_of(&mut self, entry: &Entry) {
        if matches!(self.topic, Topic::Entity(_)) {
            if self.is_client(entry) {
                let accessor = entry.token.and_then(|token| token.accessor).or(entry.caller.accessor);
                self.holder(accessor);
            } else {
                return;
            }
        }
        let Some(token) = entry.token else { return };
        if token.accessor.is_some_and(|accessor| self.accessors.contains(&accessor))
            && let Some(token) = token.token
            && self.tokens.len() < MOST
        {
            self.tokens.insert(token);
        }
    }

    /// Whether an entry is of a client of the topic.
    pub(super) fn is_client(&self, entry: &Entry) -> bool {
        if !matches!(self.topic, Topic::Entity(_)) {
            return false;
        }
        let by_token = || entry.caller.accessor.is_some_and(|accessor| self.accessors.contains(&accessor));
        match &entry.who {
            Some(who) => {
                self.topic.is(who)
                    || !who.requester.entity.is_empty()
                        && self.clients.iter().any(|client| client.requester.entity == who.requester.entity)
            }
            None => by_token(),
        }
    }

    /// Whether a lease belongs to the topic.
    pub(super) fn is_ours(&self, lease: &str) -> bool {
        match &self.topic {
            Topic::Lease(wanted) => wanted == lease,
            Topic::HashedLease(_) => self.resolved.as_deref() == Some(lease),
            Topic::Entity(_) => self.leases.contains(lease),
            Topic::Role { mount, role } => {
                self.leases.contains(lease) || place::of_lease(lease) == Some((mount, role))
            }
        }
    }

    fn is_of_lease(&self) -> bool {
        matches!(self.topic, Topic::Lease(_) | Topic::HashedLease(_))
    }

    fn resolve(&mut self, lease: &Text) {
        if self.resolved.as_ref() != Some(lease) {
            self.resolved = Some(lease.clone());
            self.leases.insert(lease.clone());
            self.again = true;
        }
    }

    fn tie(&mut self, hash: LeaseHash, lease: &Text) {
        put(&mut self.hashes, hash, lease.clone());
        if self.tied.len() < MOST {
            self.tied.insert(lease.clone());
        }
    }

    fn holder(&mut self, accessor: Option<TokenHash>) {
        if let Some(accessor) = accessor
            && self.accessors.len() < MOST
            && self.accessors.insert(accessor)
            && self.is_of_lease()
        {
            // Its login came before.
            self.again = true;
        }
    }

    fn client(&mut self, who: &Who) {
        if self.clients.len() >= CLIENTS_MOST || self.clients.contains(who) {
            return;
        }
        // What the entity did before under another name belongs to it as well.
        let entity = &who.requester.entity;
        self.again |= !entity.is_empty()
            && !matches!(&self.topic, Topic::Entity(name) if name == entity)
            && !self.clients.iter().any(|client| client.requester.entity == *entity);
        self.clients.push(who.clone());
    }
}

fn half(lease: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(lease.as_bytes())
}

fn put<K: Eq + std::hash::Hash, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() < MOST || map.contains_key(&key) {
        map.insert(key, value);
    }
}
