//! Operations: privileged ones in the order of time: who, what, from where.

use super::place::Scope;
use crate::event::{
    Action, Entry, Failure, LeaseRef, Outcome, Privileged, PrivilegedUse, RevocationForm, Text, Timestamp,
};
use crate::story::lease_place;
use core::net::IpAddr;
use std::collections::{HashMap, VecDeque};

/// The first ones that are kept, and as many of the last.
const MOST: usize = 1_000;
/// Uses of a root token by one client from one address are told once in so long. Nanoseconds.
const ROOT: i64 = 3_600_000_000_000;
/// Root tokens that are told apart.
const ROOTS_MOST: usize = 10_000;
/// Letters of a path.
const OBJECT_MOST: usize = 200;

/// The first and the last of them.
#[derive(Debug, Default)]
pub(super) struct Operations {
    head: Vec<PrivilegedUse>,
    tail: VecDeque<PrivilegedUse>,
    left_out: u64,
    roots: HashMap<(Text, Option<IpAddr>), Timestamp>,
}

/// The operation that an entry is, where it is one; `None` of the engine's own meaning.
pub(super) fn of(entry: &Entry, meaning: Option<Privileged>) -> Option<Privileged> {
    match &entry.action {
        Action::Privileged(operation) => Some(*operation),
        Action::Revoke(RevocationForm::Prefix, _) => Some(Privileged::RevokePrefix),
        Action::Revoke(RevocationForm::Force, _) => Some(Privileged::RevokeForce),
        Action::Login => None,
        _ => meaning.or_else(|| {
            let is_done = matches!(entry.outcome, Outcome::Ok | Outcome::Queued);
            (entry.caller.root && is_done).then_some(Privileged::RootToken)
        }),
    }
}

impl Operations {
    pub(super) fn note(&mut self, at: Timestamp, what: Privileged, mount: &str, entry: &Entry) {
        if what == Privileged::RootToken && !self.is_new_root(at, entry) {
            return;
        }
        let used = PrivilegedUse {
            at,
            operation: what,
            outcome: match entry.outcome {
                Outcome::Queued => "queued",
                Outcome::Failed(Failure::Denied) => "denied",
                Outcome::Failed(_) => "failed",
                _ => "ok",
            },
            namespace: entry.namespace.clone(),
            mount: mount.into(),
            object: object(what, entry),
            who: entry.who.clone(),
            source: entry.source,
            request: entry.id,
        };
        if self.head.len() < MOST {
            self.head.push(used);
            return;
        }
        self.tail.push_back(used);
        if self.tail.len() > MOST {
            self.tail.pop_front();
            self.left_out += 1;
        }
    }

    pub(super) fn take(self, scope: &Scope) -> (Vec<PrivilegedUse>, u64) {
        let all = self.head.into_iter().chain(self.tail);
        (all.filter(|used| scope.is_of_period(used.at)).collect(), self.left_out)
    }

    fn is_new_root(&mut self, at: Timestamp, entry: &Entry) -> bool {
        let name = entry.who.as_ref().map(|who| who.requester.display_name.clone()).unwrap_or_default();
        let key = (name, entry.source);
        if self.roots.get(&key).is_some_and(|last| at.nanos_since(*last) < ROOT) {
            return false;
        }
        if self.roots.len() >= ROOTS_MOST {
            self.roots.clear();
        }
        self.roots.insert(key, at);
        true
    }
}

fn object(what: Privileged, entry: &Entry) -> Text {
    let cut = |text: &str| text.chars().take(OBJECT_MOST).collect();
    match (&entry.action, what) {
        (_, Privileged::RootToken) => Text::default(),
        (Action::Revoke(_, LeaseRef::Plain(prefix)), _) => match lease_place(prefix) {
            // A whole lease is a prefix too.
            Some((mount, role)) => cut(&format!("{mount}{role}")),
            None => cut(prefix),
        },
        _ => cut(&entry.path),
    }
}
