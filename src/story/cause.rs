//! A cause: what somebody asked for that explains the end of a lease it does not name: a revocation
//! by prefix or by force, or of the token that got the lease.

use super::life::{End, Life};
use super::place;
use crate::event::{
    Action, Entry, GrantedToken, LeaseHash, LeaseRef, Outcome, RequestId, RevocationForm, Text, Timestamp,
    TokenHash,
};
use std::collections::{HashMap, VecDeque};

/// How long after somebody has asked for it an end is put down to him, in nanoseconds.
pub(super) const SOON: i64 = 10_000_000_000;
/// How far the clocks of two logs may be apart, in nanoseconds.
const SKEW: i64 = 5_000_000;
/// Requests that are kept at most.
const MOST: usize = 100_000;
/// Tokens that are kept at most.
const TOKENS_MOST: usize = 200_000;

/// Revocations of many leases at once, as long as they explain ends.
#[derive(Debug, Default)]
pub(super) struct Causes {
    asked: VecDeque<Asked>,
    /// Accessors by their tokens, as these were handed out: a request may name either.
    tokens: HashMap<TokenHash, TokenHash>,
}

#[derive(Debug)]
struct Asked {
    at: Timestamp,
    request: Option<RequestId>,
    whose: Whose,
}

#[derive(Debug)]
enum Whose {
    Prefix { prefix: Text, namespace_id: Text, by_force: bool },
    Token(TokenHash),
}

impl Whose {
    fn of(entry: &Entry) -> Option<Self> {
        match &entry.action {
            Action::Revoke(
                form @ (RevocationForm::Prefix | RevocationForm::Force),
                LeaseRef::Plain(prefix),
            ) => Some(Self::Prefix {
                prefix: prefix.clone(),
                namespace_id: entry.namespace_id.clone(),
                by_force: *form == RevocationForm::Force,
            }),
            Action::Revoke(RevocationForm::Token, LeaseRef::Absent) => entry.caller.accessor.map(Self::Token),
            Action::Revoke(RevocationForm::Token, LeaseRef::Hashed(LeaseHash(hash))) => {
                Some(Self::Token(TokenHash(*hash)))
            }
            _ => None,
        }
    }

    fn explains(&self, lease: &str, life: Option<&Life>, request: Option<RequestId>) -> Option<End> {
        match self {
            Self::Prefix { prefix, namespace_id, by_force }
                if place::is_below(lease, prefix, namespace_id) =>
            {
                Some(if *by_force { End::Forced(request) } else { End::Prefix(request) })
            }
            Self::Token(token) if life.and_then(|life| life.accessor) == Some(*token) => {
                Some(End::Token(request))
            }
            _ => None,
        }
    }
}

impl Causes {
    /// Keeps in mind an answered request that came at `came`, and tells it to the leases that have
    /// ended meanwhile.
    pub(super) fn note(&mut self, at: Timestamp, came: Option<Timestamp>, entry: &Entry, lives: &mut [Life]) {
        if let Some(GrantedToken { accessor: Some(accessor), token: Some(token), .. }) = entry.token
            && self.tokens.len() < TOKENS_MOST
        {
            self.tokens.insert(token, accessor);
        }
        while self.asked.front().is_some_and(|asked| at.nanos_since(asked.at) > SOON) {
            self.asked.pop_front();
        }
        if !matches!(entry.outcome, Outcome::Ok | Outcome::Queued) || self.asked.len() >= MOST {
            return;
        }
        let whose = match Whose::of(entry) {
            None => return,
            Some(Whose::Token(token)) => Whose::Token(self.tokens.get(&token).copied().unwrap_or(token)),
            Some(whose) => whose,
        };
        if matches!(whose, Whose::Prefix { .. }) {
            let from = came.unwrap_or(at.plus_nanos(-SOON)).plus_nanos(-SKEW);
            for life in lives.iter_mut().filter(|life| life.ended.is_some_and(|ended| ended >= from)) {
                if life.end.is_none() {
                    life.end = whose.explains(&life.lease, Some(life), entry.id);
                }
            }
            // It is answered when all of them have ended, unless it is queued.
            if entry.outcome == Outcome::Ok {
                return;
            }
        }
        self.asked.push_back(Asked { at, request: entry.id, whose });
    }

    /// What explains the end of a lease at that moment.
    pub(super) fn of(&self, at: Timestamp, lease: &str, life: Option<&Life>) -> Option<End> {
        if let Some(end) = life.and_then(|life| life.end) {
            return Some(end);
        }
        let recent = self.asked.iter().rev().take_while(|asked| at.nanos_since(asked.at) < SOON);
        recent.into_iter().find_map(|asked| asked.whose.explains(lease, life, asked.request))
    }
}
