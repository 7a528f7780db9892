//! Who lives in the world: what an attacker can find out about a victim, and
//! what the server's API would say of it. Actors keep their own entry up to date.

use super::attack::Attack;
use super::calendar::Zone;
use super::identity::Identity;
use super::network::Network;
use super::slab::Key;
use std::sync::Arc;

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Cron,
    Person,
    Pipeline,
    /// One entity that fetches for many applications.
    Operator,
}

/// Somebody with an entity.
#[derive(Debug)]
pub(super) struct Resident {
    pub(super) identity: Arc<Identity>,
    pub(super) kind: Kind,
    pub(super) team: usize,
    pub(super) zone: Zone,
    /// Where it is at home.
    pub(super) network: Network,
    /// The roles that it uses.
    pub(super) roles: Vec<usize>,
    /// Its current tokens.
    pub(super) tokens: Vec<Key>,
    /// Its first moment.
    pub(super) since: i64,
    /// Credentials that it took itself.
    pub(super) issued: u64,
}

impl Resident {
    /// Credentials that it takes a day, on average so far.
    pub(super) fn per_day(&self, now: i64) -> f64 {
        let days = (now - self.since) as f64 / super::calendar::DAY as f64;
        self.issued as f64 / days.max(1.0)
    }
}

/// Everybody.
#[derive(Debug, Default)]
pub(super) struct Town {
    pub(super) residents: Vec<Resident>,
    /// Attacks that have begun.
    pub(super) attacks: Vec<Attack>,
}

impl Town {
    /// Somebody moves in; the number that names the entry.
    pub(super) fn welcome(&mut self, resident: Resident) -> usize {
        self.residents.push(resident);
        self.residents.len() - 1
    }

    /// Somebody has a new token, instead of an old one.
    pub(super) fn logged_in(&mut self, resident: usize, old: Option<Key>, new: Option<Key>) {
        if let Some(resident) = self.residents.get_mut(resident) {
            resident.tokens.retain(|token| Some(*token) != old);
            resident.tokens.extend(new);
        }
    }

    /// Somebody took a credential.
    pub(super) fn took(&mut self, resident: usize) {
        if let Some(resident) = self.residents.get_mut(resident) {
            resident.issued += 1;
        }
    }
}
