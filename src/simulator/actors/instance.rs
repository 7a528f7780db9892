//! One running copy of a service: its token and the leases that it holds.

use super::super::calendar::{MINUTE, SECOND};
use super::super::network::Peer;
use super::super::slab::Key;
use super::Scene;
use super::service::{LEASE, SETTINGS, Service, TOKEN};

/// A running copy of a service, or one that is not running now.
#[derive(Debug, Default)]
pub(super) struct Instance {
    pub(super) token: Option<Key>,
    /// Goes up with every start and stop, so that notes of an earlier life mean nothing.
    pub(super) life: u32,
    pub(super) held: Vec<Slot>,
}

/// A role of which an instance holds a credential.
#[derive(Debug)]
pub(super) struct Slot {
    role: usize,
    held: Option<Held>,
    /// It cannot be renewed any further.
    is_last: bool,
    failures: u32,
}

/// A lease that a client knows of.
#[derive(Clone, Debug)]
pub(in super::super) struct Held {
    pub(in super::super) lease: Key,
    pub(in super::super) id: String,
    pub(in super::super) expires: i64,
}

impl Instance {
    /// Where it is.
    pub(super) fn peer(&self, scene: &Scene<'_>, token: Key) -> Peer {
        scene.vault.tokens.get(token).map_or(
            Peer { address: core::net::IpAddr::V4(core::net::Ipv4Addr::LOCALHOST), port: 0 },
            |token| token.peer,
        )
    }
}

impl Service {
    /// Starts an instance anew; a graceful stop comes before it if it runs.
    pub(super) fn start(&mut self, instance: usize, graceful: bool, scene: &mut Scene<'_>) {
        if graceful {
            self.stop(instance, scene.now, scene);
        } else {
            self.forget(instance, scene);
        }
        let mut at = scene.now;
        let peer = self.peer(instance);
        let identity = std::sync::Arc::clone(&scene.town.residents[self.me].identity);
        if self.rng.chance(0.003) {
            // A secret that has just been rotated, or a token review that came too early.
            at = scene.vault.fail_login(&mut self.rng, at, &identity, peer) + 5 * SECOND;
        }
        let is_new = std::mem::take(&mut self.is_unknown);
        let (token, at) = scene.vault.login(&mut self.rng, at, &identity, peer, is_new);
        scene.town.logged_in(self.me, None, Some(token));
        self.instances[instance].token = Some(token);
        let mut at = at + self.rng.between(3, 400) * 1_000_000;
        for number in 0..self.habits.settings {
            let name = self.setting(number, scene);
            at = scene.vault.read_kv(&mut self.rng, at, token, peer, &name)
                + self.rng.between(1, 20) * 1_000_000;
        }
        self.instances[instance].held = self
            .habits
            .held
            .iter()
            .map(|role| Slot { role: *role, held: None, is_last: false, failures: 0 })
            .collect();
        for slot in 0..self.instances[instance].held.len() {
            at = self.fill(instance, slot, at, scene) + self.rng.between(1, 60) * 1_000_000;
        }
        self.plan_token(instance, false, scene);
        if self.habits.settings_every > 0 {
            let every = self.habits.settings_every;
            let after = every / 2 + self.rng.below(every.unsigned_abs()) as i64;
            scene.at(scene.now + after, self.note(SETTINGS, instance, 0));
        }
    }

    /// Stops an instance, which gives its token back if that is its way.
    pub(super) fn stop(&mut self, instance: usize, at: i64, scene: &mut Scene<'_>) {
        let token = self.instances[instance].token;
        self.forget(instance, scene);
        if let Some(token) = token.filter(|_| self.habits.is_tidy) {
            scene.vault.revoke_self(&mut self.rng, at, token);
        }
    }

    fn forget(&mut self, instance: usize, scene: &mut Scene<'_>) {
        let copy = &mut self.instances[instance];
        copy.life += 1;
        copy.held.clear();
        let token = copy.token.take();
        scene.town.logged_in(self.me, token, None);
    }

    fn setting(&self, number: u32, scene: &Scene<'_>) -> String {
        let resident = &scene.town.residents[self.me];
        let team = scene.vault.catalog.teams[resident.team].name;
        let name = &resident.identity.name;
        match number {
            0 => format!("{team}/{name}"),
            1 => format!("{team}/shared"),
            number => format!("{team}/{name}-{number}"),
        }
    }

    /// Takes one credential; none if the database is down.
    pub(super) fn take(
        &mut self,
        instance: usize,
        role: usize,
        at: i64,
        scene: &mut Scene<'_>,
    ) -> Option<Held> {
        let token = self.instances[instance].token?;
        let peer = self.instances[instance].peer(scene, token);
        let issue = scene.vault.issue(&mut self.rng, at, token, peer, role, 0);
        let lease = issue.lease?;
        scene.town.took(self.me);
        scene.vault.leases.get(lease).map(|found| Held {
            lease,
            id: found.id.clone(),
            expires: found.expires,
        })
    }

    /// Takes a credential for a slot and plans what follows; when the client has it.
    fn fill(&mut self, instance: usize, slot: usize, at: i64, scene: &mut Scene<'_>) -> i64 {
        let role = self.instances[instance].held[slot].role;
        let held = self.take(instance, role, at, scene);
        let place = &mut self.instances[instance].held[slot];
        place.is_last = false;
        let next = match &held {
            Some(held) => {
                place.failures = 0;
                at + self.part(held.expires - at)
            }
            None => {
                // Again after one, two, four, … seconds.
                place.failures += 1;
                at + (SECOND << (place.failures - 1).min(6)) + self.rng.between(0, 900) * 1_000_000
            }
        };
        self.instances[instance].held[slot].held = held;
        scene.at(next, self.note(LEASE, instance, slot));
        at + 6_000_000
    }

    /// About two thirds of a span, as clients' libraries wait.
    fn part(&mut self, span: i64) -> i64 {
        (span as f64 * (0.62 + 0.1 * self.rng.unit())) as i64
    }

    /// Renews a held lease, or takes another in its place.
    pub(super) fn tend_lease(&mut self, instance: usize, slot: usize, scene: &mut Scene<'_>) {
        let Some(token) = self.instances[instance].token else { return };
        let Some(place) = self.instances[instance].held.get(slot) else { return };
        let (held, is_last) = (place.held.clone(), place.is_last);
        let Some(held) = held.filter(|_| self.habits.renews && !is_last) else {
            let old = self.instances[instance].held[slot].held.take();
            let at = self.fill(instance, slot, scene.now, scene);
            if let (Some(old), Some(form)) = (old, self.habits.revokes) {
                scene.vault.revoke(&mut self.rng, at + 50_000_000, token, (old.lease, &old.id), form);
            }
            return;
        };
        let (goes_on, at) = scene.vault.renew(&mut self.rng, scene.now, token, (held.lease, &held.id), None);
        let Some(expires) = scene.vault.leases.get(held.lease).map(|lease| lease.expires) else {
            // It is gone: with a token, by an operator. Another one at once.
            self.fill(instance, slot, at, scene);
            return;
        };
        self.instances[instance].held[slot].is_last = !goes_on;
        let left = expires - at;
        let next = if goes_on { at + self.part(left) } else { at + left - (left / 10).min(2 * MINUTE) };
        scene.at(next.max(at + SECOND / 10), self.note(LEASE, instance, slot));
    }

    fn plan_token(&mut self, instance: usize, is_last: bool, scene: &mut Scene<'_>) {
        let Some(token) = self.instances[instance].token.and_then(|token| scene.vault.tokens.get(token))
        else {
            return;
        };
        let (left, is_batch) = (token.expires - scene.now, token.identity.is_batch);
        let again = is_last || is_batch;
        let after = if again { left - (left / 10).min(5 * MINUTE) } else { self.part(left) };
        scene.at(scene.now + after.max(SECOND), self.note(TOKEN, instance, usize::from(again)));
    }

    /// Renews the token of an instance, or logs in again where it has come to its end.
    pub(super) fn tend_token(&mut self, instance: usize, again: bool, scene: &mut Scene<'_>) {
        let Some(token) = self.instances[instance].token else { return };
        if !again && scene.vault.tokens.get(token).is_some() {
            let (goes_on, _) = scene.vault.renew_self(&mut self.rng, scene.now, token);
            self.plan_token(instance, !goes_on, scene);
            return;
        }
        // The same process on the same machine: its address stays.
        let peer = self.instances[instance].peer(scene, token);
        let peer = if scene.vault.tokens.get(token).is_some() { peer } else { self.peer(instance) };
        let identity = std::sync::Arc::clone(&scene.town.residents[self.me].identity);
        let (new, at) = scene.vault.login(&mut self.rng, scene.now, &identity, peer, false);
        scene.town.logged_in(self.me, Some(token), Some(new));
        self.instances[instance].token = Some(new);
        // What was issued to the old token ends with it: all of it is taken anew.
        self.instances[instance].life += 1;
        let mut at = at + 5_000_000;
        for slot in 0..self.instances[instance].held.len() {
            at = self.fill(instance, slot, at, scene) + 3_000_000;
        }
        self.plan_token(instance, false, scene);
        if self.habits.settings_every > 0 {
            let after = self.rng.gap(self.habits.settings_every);
            scene.at(scene.now + after, self.note(SETTINGS, instance, 0));
        }
    }

    /// Reads its settings again.
    pub(super) fn read_settings(&mut self, instance: usize, scene: &mut Scene<'_>) {
        let Some(token) = self.instances[instance].token else { return };
        let peer = self.instances[instance].peer(scene, token);
        let number = self.rng.below(2) as u32;
        let name = self.setting(number, scene);
        scene.vault.read_kv(&mut self.rng, scene.now, token, peer, &name);
        let every = self.habits.settings_every;
        let after = every * 9 / 10 + self.rng.below((every / 5).unsigned_abs()) as i64;
        scene.at(scene.now + after, self.note(SETTINGS, instance, 0));
    }
}
