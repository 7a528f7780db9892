//! Those who use the server. Each has a stream of random numbers of its own,
//! is woken at the times that it asked for, and then sends requests.

mod agent;
mod attacker;
mod broker;
mod cron;
mod crowd;
mod instance;
mod keeper;
mod person;
mod pipeline;
mod service;
mod trouble;

pub(super) use agent::Agent;
pub(super) use attacker::Attacker;
pub(super) use broker::Broker;
pub(super) use cron::{Cron, Every};
pub(super) use crowd::{Chatter, Founder, Masses};
pub(super) use instance::Held;
pub(super) use keeper::Keeper;
pub(super) use person::{Person, Ways};
pub(super) use pipeline::{Farm, Pipeline};
pub(super) use service::{Habits, Service};

use super::town::Town;
use super::vault::{Issue, Vault};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Somebody who uses the server.
pub(super) trait Actor: std::fmt::Debug + Send {
    /// The first time: says when to be woken.
    fn begin(&mut self, scene: &mut Scene<'_>);
    /// A time that it asked for, with the note that it left.
    fn wake(&mut self, note: Note, scene: &mut Scene<'_>);
}

/// What an actor leaves for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Note {
    /// What is to be done.
    pub(super) what: u8,
    /// Which instance, and which life of it.
    pub(super) instance: u16,
    pub(super) life: u32,
    /// Which of its leases.
    pub(super) slot: u16,
}

/// What an actor sees of the world.
pub(super) struct Scene<'a> {
    pub(super) now: i64,
    pub(super) vault: &'a mut Vault,
    pub(super) town: &'a mut Town,
    agenda: &'a mut Agenda,
    me: u32,
    /// Actors that come to be.
    pub(super) born: Vec<Box<dyn Actor>>,
}

/// Who is woken when.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    times: BinaryHeap<Reverse<(i64, u32, u64, Note)>>,
    number: u64,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        now: i64,
        me: u32,
        vault: &'a mut Vault,
        town: &'a mut Town,
        agenda: &'a mut Agenda,
    ) -> Self {
        Self { now, vault, town, agenda, me, born: Vec::new() }
    }

    /// What a client keeps of a credential that it was given.
    pub(super) fn held(&self, issue: &Issue) -> Option<Held> {
        let lease = issue.lease?;
        let found = self.vault.leases.get(lease)?;
        Some(Held { lease, id: found.id.clone(), expires: found.expires })
    }

    /// Asks to be woken at a time.
    pub(super) fn at(&mut self, at: i64, note: Note) {
        self.agenda.number += 1;
        self.agenda.times.push(Reverse((at.max(self.now), self.me, self.agenda.number, note)));
    }
}

impl Agenda {
    pub(super) fn next_at(&self) -> i64 {
        self.times.peek().map_or(i64::MAX, |Reverse((at, ..))| *at)
    }

    pub(super) fn take(&mut self) -> Option<(i64, u32, Note)> {
        self.times.pop().map(|Reverse((at, who, _, note))| (at, who, note))
    }
}
