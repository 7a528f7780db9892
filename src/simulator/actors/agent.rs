//! A secrets operator: one entity that fetches credentials for many
//! applications, each at its own interval, and all at once when it starts.

use super::super::calendar::{DAY, HOUR, MINUTE, SECOND};
use super::super::network::Peer;
use super::super::rng::Rng;
use super::super::slab::Key;
use super::super::town::Resident;
use super::{Actor, Note, Scene};
use std::sync::Arc;

const START: u8 = 0;
const TOKEN: u8 = 1;
const FETCH: u8 = 2;
const SETTINGS: u8 = 3;

/// A secrets operator.
#[derive(Debug)]
pub(in super::super) struct Agent {
    rng: Rng,
    me: usize,
    resident: Option<Resident>,
    /// Role and interval of every application.
    served: Vec<(usize, i64)>,
    session: Option<(Key, Peer)>,
    life: u32,
}

impl Agent {
    pub(in super::super) fn new(rng: Rng, resident: Resident, served: Vec<(usize, i64)>) -> Self {
        Self { rng, me: 0, resident: Some(resident), served, session: None, life: 0 }
    }

    fn note(&self, what: u8, slot: usize) -> Note {
        Note { what, life: self.life, slot: slot as u16, ..Note::default() }
    }

    fn log_in(&mut self, peer: Peer, scene: &mut Scene<'_>) -> i64 {
        let identity = Arc::clone(&scene.town.residents[self.me].identity);
        let (token, at) = scene.vault.login(&mut self.rng, scene.now, &identity, peer, false);
        let old = self.session.replace((token, peer)).map(|(token, _)| token);
        scene.town.logged_in(self.me, old, Some(token));
        let again = scene.now + identity.ttl * 2 / 3;
        scene.at(again, self.note(TOKEN, 0));
        at
    }

    /// On a node, anew: with every upgrade of it and of the cluster.
    fn start(&mut self, scene: &mut Scene<'_>) {
        self.life += 1;
        let network = scene.town.residents[self.me].network;
        let peer = network.peer(&mut self.rng);
        let mut at = self.log_in(peer, scene);
        for slot in 0..self.served.len() {
            at += self.rng.between(40, 1_500) * 1_000_000;
            scene.at(at, self.note(FETCH, slot));
        }
        scene.at(at + MINUTE, self.note(SETTINGS, 0));
        let next = scene.now + self.rng.gap(9 * DAY) + DAY;
        scene.at(next, Note { what: START, ..Note::default() });
    }

    fn fetch(&mut self, slot: usize, scene: &mut Scene<'_>) {
        let Some((token, peer)) = self.session else { return };
        let (role, every) = self.served[slot];
        let issue = scene.vault.issue(&mut self.rng, scene.now, token, peer, role, 0);
        let next = if issue.lease.is_some() {
            scene.town.took(self.me);
            every + self.rng.between(0, 5) * SECOND
        } else {
            self.rng.between(20, 90) * SECOND
        };
        scene.at(scene.now + next, self.note(FETCH, slot));
    }

    fn settings(&mut self, scene: &mut Scene<'_>) {
        let Some((token, peer)) = self.session else { return };
        let mut at = scene.now;
        for number in 0..3 {
            at = scene.vault.read_kv(&mut self.rng, at, token, peer, &format!("platform/app-{number}"))
                + 20_000_000;
        }
        scene.at(scene.now + 2 * HOUR, self.note(SETTINGS, 0));
    }

    fn tend_token(&mut self, scene: &mut Scene<'_>) {
        let Some((token, peer)) = self.session else { return };
        if scene.vault.tokens.get(token).is_some() {
            let (goes_on, at) = scene.vault.renew_self(&mut self.rng, scene.now, token);
            if goes_on {
                let ttl = scene.town.residents[self.me].identity.ttl;
                scene.at(at + ttl * 2 / 3, self.note(TOKEN, 0));
                return;
            }
        }
        // Its leases end with the old token, so that everything is fetched anew.
        self.life += 1;
        let mut at = self.log_in(peer, scene);
        for slot in 0..self.served.len() {
            at += self.rng.between(40, 1_500) * 1_000_000;
            scene.at(at, self.note(FETCH, slot));
        }
        scene.at(at + HOUR, self.note(SETTINGS, 0));
    }
}

impl Actor for Agent {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        let Some(resident) = self.resident.take() else { return };
        self.me = scene.town.welcome(resident);
        let at = scene.now + self.rng.between(1, 60) * MINUTE;
        scene.at(at, Note { what: START, ..Note::default() });
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        match note.what {
            START => self.start(scene),
            _ if note.life != self.life => {}
            TOKEN => self.tend_token(scene),
            FETCH => self.fetch(usize::from(note.slot), scene),
            _ => self.settings(scene),
        }
    }
}
