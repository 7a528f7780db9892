//! Those who come later or in masses: new services and colleagues, a flood of
//! identities that are seen once, and the chatter of a lively time.

use super::super::calendar::{DAY, HOUR, MINUTE, SECOND, Zone};
use super::super::catalog::Catalog;
use super::super::identity::{Identity, Method, Profile};
use super::super::network::Network;
use super::super::population;
use super::super::rng::Rng;
use super::super::scenario::{Flood, Scenario};
use super::{Actor, Note, Scene};
use std::sync::Arc;

/// Brings a new service every few days, and a colleague with every fourth.
#[derive(Debug)]
pub(in super::super) struct Founder {
    rng: Rng,
    scenario: Scenario,
    number: u32,
}

impl Founder {
    pub(in super::super) fn new(scenario: &Scenario) -> Self {
        Self { rng: Rng::named(scenario.seed, "founder"), scenario: scenario.clone(), number: 0 }
    }

    fn plan(&mut self, scene: &mut Scene<'_>) {
        let days = i64::from(self.scenario.size.days_per_new_service);
        let mut day = (scene.now + days * DAY).div_euclid(DAY) + self.rng.between(-1, 1);
        while Zone::Europe.is_free(day) {
            day += 1;
        }
        let at = day * DAY + 8 * HOUR + self.rng.below((7 * HOUR).unsigned_abs()) as i64;
        scene.at(at.max(scene.now + HOUR), Note::default());
    }
}

impl Actor for Founder {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        if self.scenario.size.days_per_new_service > 0 {
            self.plan(scene);
        }
    }

    fn wake(&mut self, _: Note, scene: &mut Scene<'_>) {
        self.plan(scene);
        let number = self.scenario.size.services + self.number;
        let catalog = &scene.vault.catalog;
        let after = self.rng.between(1, 600) * SECOND;
        let service = population::service(&self.scenario, catalog, number, after, true, scene.now);
        scene.born.push(service);
        if self.number % 4 == 3 {
            let person = self.scenario.size.people + self.number / 4;
            scene.born.push(population::person(&self.scenario, catalog, person, true, scene.now));
        }
        self.number += 1;
    }
}

/// Sends one-off identities.
#[derive(Debug)]
pub(in super::super) struct Masses {
    rng: Rng,
    flood: Flood,
    sent: u32,
}

impl Masses {
    pub(in super::super) fn new(seed: u64, flood: Flood) -> Self {
        Self { rng: Rng::named(seed, "flood"), flood, sent: 0 }
    }

    fn identity(&self, seed: u64, catalog: &Catalog) -> Identity {
        let name = format!("project_path:load/run-{}:ref:main", self.sent);
        let profile = Profile {
            method: Method::Jwt,
            namespace: 0,
            name: &name,
            role: "load",
            team: "load",
            policy: "shop-service",
            is_batch: false,
            ttl: (10 * MINUTE, 10 * MINUTE),
        };
        Identity::new(seed, catalog, &profile)
    }
}

impl Actor for Masses {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        scene.at(self.flood.from.as_nanos(), Note::default());
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        if self.sent >= self.flood.identities {
            return;
        }
        let identity = Arc::new(self.identity(scene.vault.seed, &scene.vault.catalog));
        self.sent += 1;
        let peer = Network::Runners(3).peer(&mut self.rng);
        let (token, at) = scene.vault.login(&mut self.rng, scene.now, &identity, peer, true);
        let role = scene.vault.catalog.role(0, "-ro");
        scene.vault.issue(&mut self.rng, at + SECOND / 20, token, peer, role, 0);
        let span = self.flood.to.nanos_since(self.flood.from).max(1);
        let mean = span / i64::from(self.flood.identities.max(1));
        scene.at(scene.now + self.rng.gap(mean), note);
    }
}

/// Reads settings and looks up tokens for those who are there, several times a second.
#[derive(Debug)]
pub(in super::super) struct Chatter {
    rng: Rng,
    from: i64,
}

impl Chatter {
    pub(in super::super) fn new(seed: u64, from: i64) -> Self {
        Self { rng: Rng::named(seed, "chatter"), from }
    }
}

impl Actor for Chatter {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        scene.at(self.from, Note::default());
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        scene.at(scene.now + self.rng.gap(SECOND * 2 / 5), note);
        let resident = self.rng.index(scene.town.residents.len());
        let resident = &scene.town.residents[resident];
        let Some(token) = self.rng.pick(&resident.tokens).copied() else { return };
        let known = scene.vault.tokens.get(token).is_some_and(|found| found.expires > scene.now + SECOND);
        if resident.kind == super::super::town::Kind::Person || !known {
            return;
        }
        let team = scene.vault.catalog.teams[resident.team].name;
        let peer = scene.vault.tokens_peer(token);
        if self.rng.chance(0.3) {
            scene.vault.lookup_self(&mut self.rng, scene.now, token, peer);
        } else {
            scene.vault.read_kv(&mut self.rng, scene.now, token, peer, &format!("{team}/shared"));
        }
    }
}
