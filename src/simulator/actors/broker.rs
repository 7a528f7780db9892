//! A deployment tool that never sees the secrets it hands on: it asks for them
//! wrapped, and machines elsewhere unwrap them, every time in the same network.

use super::super::calendar::{DAY, HOUR, SECOND, Zone};
use super::super::network::{Network, Peer};
use super::super::rng::Rng;
use super::super::slab::Key;
use super::super::town::Resident;
use super::{Actor, Note, Scene};
use std::collections::VecDeque;
use std::sync::Arc;

const ORDER: u8 = 0;
const DELIVER: u8 = 1;

/// A deployment tool.
#[derive(Debug)]
pub(in super::super) struct Broker {
    rng: Rng,
    me: usize,
    resident: Option<Resident>,
    /// Where its customers are.
    customers: Vec<Network>,
    session: Option<(Key, Peer)>,
    /// What waits to be unwrapped, and by whom.
    waiting: VecDeque<(Key, usize)>,
    per_day: f64,
}

impl Broker {
    pub(in super::super) fn new(rng: Rng, resident: Resident, customers: Vec<Network>, per_day: f64) -> Self {
        Self {
            rng,
            me: 0,
            resident: Some(resident),
            customers,
            session: None,
            waiting: VecDeque::new(),
            per_day,
        }
    }

    fn plan(&mut self, scene: &mut Scene<'_>) {
        let at = scene.now + self.rng.gap((DAY as f64 / (self.per_day * 2.4)) as i64);
        scene.at(at, Note { what: ORDER, ..Note::default() });
    }

    fn order(&mut self, scene: &mut Scene<'_>) {
        self.plan(scene);
        let (day, of_day) = Zone::Europe.local(scene.now);
        let is_at_work = !Zone::Europe.is_free(day) && (7 * HOUR..20 * HOUR).contains(&of_day);
        if !self.rng.chance(if is_at_work { 1.0 } else { 0.06 }) {
            return;
        }
        let alive = |scene: &Scene<'_>, key| {
            scene.vault.tokens.get(key).is_some_and(|token| token.expires > scene.now + HOUR / 30)
        };
        let mut at = scene.now;
        let (token, peer) = match self.session.filter(|(token, _)| alive(scene, *token)) {
            Some(session) => session,
            None => {
                let network = scene.town.residents[self.me].network;
                let peer = self.session.map_or_else(|| network.peer(&mut self.rng), |(_, peer)| peer);
                let identity = Arc::clone(&scene.town.residents[self.me].identity);
                let (token, done) = scene.vault.login(&mut self.rng, at, &identity, peer, false);
                at = done + SECOND / 10;
                let old = self.session.replace((token, peer)).map(|(token, _)| token);
                scene.town.logged_in(self.me, old, Some(token));
                (token, peer)
            }
        };
        let customer = self.rng.index(self.customers.len());
        let (wrapping, at) = if self.rng.chance(0.5) {
            let name = ["cart", "export", "import", "fraud", "media"][self.rng.index(5)];
            scene.vault.secret_id(&mut self.rng, at, token, peer, name)
        } else {
            let roles = &scene.town.residents[self.me].roles;
            let role = roles[self.rng.index(roles.len())];
            let issue = scene.vault.issue(&mut self.rng, at, token, peer, role, 300);
            if issue.lease.is_some() {
                scene.town.took(self.me);
            }
            (issue.wrapping, issue.at)
        };
        // One in sixty jobs is cancelled, and what was wrapped for it is never taken out.
        if let Some(wrapping) = wrapping.filter(|_| !self.rng.chance(0.016)) {
            self.waiting.push_back((wrapping, customer));
            let lasts = (self.rng.around(6.0, 1.2) * SECOND as f64) as i64;
            scene.at(at + lasts.min(280 * SECOND), Note { what: DELIVER, ..Note::default() });
        }
    }

    fn deliver(&mut self, scene: &mut Scene<'_>) {
        let Some((wrapping, customer)) = self.waiting.pop_front() else { return };
        let peer = self.customers[customer].peer(&mut self.rng);
        scene.vault.unwrap(&mut self.rng, scene.now, wrapping, peer);
    }
}

impl Actor for Broker {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        let Some(resident) = self.resident.take() else { return };
        self.me = scene.town.welcome(resident);
        self.plan(scene);
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        if note.what == ORDER { self.order(scene) } else { self.deliver(scene) }
    }
}
