//! Clients: who got how many credentials, of which roles, from where, and since when.

use super::bounded::{Bounded, Weight};
use super::place::Place;
use crate::event::{Text, Timestamp, Who};
use core::net::IpAddr;
use std::collections::BTreeMap;

/// Clients that are followed.
const MOST: usize = 20_000;
/// Roles and addresses of a client that are told apart.
const FEW: usize = 16;

/// One client of a report.
#[derive(Clone, Debug)]
pub struct Client {
    /// Whose tokens they were.
    pub who: Who,
    /// Credentials that it got in the period.
    pub issued: u64,
    /// Requests for one that failed.
    pub failed: u64,
    /// When it first got one in all that was read.
    pub first: Option<Timestamp>,
    /// When it last got one.
    pub last: Option<Timestamp>,
    /// How many of which role.
    pub roles: BTreeMap<Place, u64>,
    /// How many from which address.
    pub sources: BTreeMap<IpAddr, u64>,
    /// There were more roles or addresses than are told apart.
    pub is_cut: bool,
}

impl Weight for Client {
    fn weight(&self) -> u64 {
        self.issued.saturating_mul(1_000).saturating_add(self.failed)
    }
}

/// All clients.
#[derive(Debug)]
pub(super) struct Clients(Bounded<(Text, Text, Text), Client>);

/// A client by what tells it apart: its entity, or the names where there is none.
fn key(who: &Who) -> (Text, Text, Text) {
    if who.requester.entity.is_empty() {
        (Text::default(), who.requester.display_name.clone(), who.role.clone())
    } else {
        (who.requester.entity.clone(), Text::default(), Text::default())
    }
}

impl Clients {
    pub(super) fn new() -> Self {
        Self(Bounded::new(MOST))
    }

    /// It got one, or did not; before the period only that it did is kept.
    pub(super) fn note(
        &mut self,
        at: Timestamp,
        who: &Who,
        from: Option<IpAddr>,
        place: &Place,
        is_done: bool,
        counts: bool,
    ) {
        let client = self.0.entry(&key(who), || Client {
            who: who.clone(),
            issued: 0,
            failed: 0,
            first: None,
            last: None,
            roles: BTreeMap::new(),
            sources: BTreeMap::new(),
            is_cut: false,
        });
        if is_done {
            client.first.get_or_insert(at);
            client.last = Some(at);
        }
        if !counts {
            return;
        }
        if !is_done {
            client.failed += 1;
            return;
        }
        client.issued += 1;
        client.is_cut |= !add(&mut client.roles, place.clone());
        if let Some(from) = from {
            client.is_cut |= !add(&mut client.sources, from);
        }
    }

    /// Those that asked for something in the period, who got most first; and how many there was
    /// no room for.
    pub(super) fn take(self) -> (Vec<Client>, u64) {
        let (all, dropped) = self.0.take();
        let mut all: Vec<_> =
            all.into_iter().map(|(_, client)| client).filter(|client| client.weight() > 0).collect();
        all.sort_by_key(|client| std::cmp::Reverse(client.weight()));
        (all, dropped)
    }
}

/// Counts one; `false` where there is no room for a new one.
fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) -> bool {
    if counts.len() >= FEW && !counts.contains_key(&key) {
        return false;
    }
    *counts.entry(key).or_default() += 1;
    true
}
