//! An attacker: has stolen what a victim has, and uses it beside the victim's
//! own traffic, in one of the ways of [`AttackKind`].

use super::super::attack::{Attack, AttackKind};
use super::super::calendar::{DAY, HOUR, MINUTE, SECOND, stamp};
use super::super::network::{Network, Peer};
use super::super::rng::{Rng, exp2};
use super::super::slab::Key;
use super::super::town::{Kind, Resident};
use super::{Actor, Note, Scene};
use std::sync::Arc;

const PLAN: u8 = 0;
const STEP: u8 = 1;

/// An attacker.
#[derive(Debug)]
pub(in super::super) struct Attacker {
    rng: Rng,
    kind: AttackKind,
    at: i64,
    /// Entity ID of the victim, where it is given.
    wanted: Option<String>,
    victim: usize,
    label: Option<usize>,
    /// The network that it works from, where that is not the victim's.
    abroad: Option<Peer>,
    /// Its own token, where it has logged in.
    token: Option<Key>,
    /// The last address that the victim was seen at.
    home: Option<Peer>,
    roles: Vec<usize>,
    steps: Vec<Step>,
}

/// One request.
#[derive(Clone, Debug)]
enum Step {
    /// A credential of the role of this number of the list.
    Take(usize),
    /// Whatever no policy grants, by number.
    Probe(u64),
    /// What a token is good for.
    LookUp,
    /// Which roles there are.
    List,
}

impl Attacker {
    pub(in super::super) fn new(rng: Rng, kind: AttackKind, at: i64, wanted: Option<String>) -> Self {
        Self {
            rng,
            kind,
            at,
            wanted,
            victim: 0,
            label: None,
            abroad: None,
            token: None,
            home: None,
            roles: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Somebody who is worth it.
    fn choose(&mut self, scene: &Scene<'_>) -> Option<usize> {
        let residents = &scene.town.residents;
        if let Some(wanted) = &self.wanted {
            return residents.iter().position(|resident| resident.identity.entity == *wanted);
        }
        let kinds: &[(Kind, f64)] = match self.kind {
            AttackKind::OffHours => &[(Kind::Person, 1.0)],
            AttackKind::SlowDoubling | AttackKind::Ramp => &[(Kind::Service, 1.0)],
            AttackKind::Harvest | AttackKind::ProbeFast | AttackKind::ProbeSlow => {
                &[(Kind::Service, 0.7), (Kind::Person, 0.2), (Kind::Pipeline, 0.1)]
            }
            AttackKind::NewSource => &[(Kind::Service, 0.75), (Kind::Person, 0.15), (Kind::Pipeline, 0.1)],
            AttackKind::Burst | AttackKind::MixedTheft => &[(Kind::Service, 0.8), (Kind::Person, 0.2)],
        };
        let weights: Vec<f64> = kinds.iter().map(|(_, weight)| *weight).collect();
        let kind = kinds[self.rng.weighted(&weights)].0;
        let is_victim = |resident: &Resident| {
            scene.town.attacks.iter().rev().take(40).any(|attack| attack.entity == resident.identity.entity)
        };
        // First those who fit and were left alone so far, then whoever fits, then anybody.
        for pass in 0..4 {
            let fits = |resident: &&Resident| {
                let age = scene.now - resident.since;
                let issued = resident.issued;
                (pass > 2 || resident.kind == kind)
                    && age > if pass > 1 { DAY / 24 } else { 7 * DAY }
                    && issued >= if pass > 1 { 1 } else { 8 }
                    && (pass > 0 || !is_victim(resident))
                    && (pass > 1 || self.kind != AttackKind::Harvest || has_choice(scene, resident))
                    && (!matches!(self.kind, AttackKind::SlowDoubling | AttackKind::Ramp)
                        || pass > 1
                        || (12.0..400.0).contains(&resident.per_day(scene.now)))
            };
            let found: Vec<usize> =
                residents.iter().enumerate().filter(|(_, one)| fits(one)).map(|(at, _)| at).collect();
            if let Some(victim) = self.rng.pick(&found) {
                return Some(*victim);
            }
        }
        None
    }

    fn plan(&mut self, scene: &mut Scene<'_>) {
        let Some(victim) = self.choose(scene) else { return };
        self.victim = victim;
        let resident = &scene.town.residents[victim];
        let (team, zone, used) = (resident.team, resident.zone, resident.roles.clone());
        let per_day = resident.per_day(scene.now);
        let rng = &mut self.rng;
        let mut unused: Vec<usize> = scene.vault.catalog.roles_near(team);
        unused.retain(|role| !used.contains(role) && scene.vault.catalog.may(team, *role));
        rng.shuffle(&mut unused);
        self.roles = used;
        if self.roles.is_empty() {
            self.roles.clone_from(&unused);
        }
        let mut begins = scene.now;
        let own = self.roles.len();
        let mut steps = Vec::new();
        let lasts = match self.kind {
            AttackKind::Burst => {
                let many = (rng.heavy(35.0) as usize).min(260);
                let favourite = rng.index(own);
                steps.extend((0..many).map(|_| Step::Take(favourite)));
                rng.between(2, 12) * MINUTE
            }
            AttackKind::Harvest => {
                unused.truncate(rng.between(8, 24) as usize);
                self.roles.clone_from(&unused);
                if rng.chance(0.4) {
                    steps.push(Step::List);
                }
                for role in 0..unused.len() {
                    let times = if rng.chance(0.25) { 2 } else { 1 };
                    steps.extend((0..times).map(|_| Step::Take(role)));
                }
                rng.between(5, 45) * MINUTE
            }
            AttackKind::ProbeFast => {
                steps.extend((0..rng.between(30, 60)).map(|_| Step::Probe(rng.next())));
                rng.between(7, 12) * MINUTE
            }
            AttackKind::ProbeSlow => {
                let hours = rng.between(20, 28);
                let an_hour = 2.0 + 3.0 * rng.unit();
                let many = (hours as f64 * an_hour) as usize;
                steps.extend((0..many).map(|_| Step::Probe(rng.next())));
                hours * HOUR
            }
            AttackKind::NewSource => {
                steps.push(Step::LookUp);
                steps.extend((0..rng.between(3, 12)).map(|_| Step::Take(rng.index(own))));
                rng.between(20, 180) * MINUTE
            }
            AttackKind::MixedTheft => {
                unused.truncate(rng.between(1, 3) as usize);
                self.roles.extend(&unused);
                steps.push(Step::LookUp);
                if rng.chance(0.3) {
                    steps.push(Step::List);
                }
                for _ in 0..rng.between(10, 25) {
                    let is_new = !unused.is_empty() && rng.chance(0.75);
                    let role = if is_new { own + rng.index(unused.len()) } else { rng.index(own) };
                    steps.push(Step::Take(role));
                }
                rng.between(30, 180) * MINUTE
            }
            AttackKind::SlowDoubling => {
                let many = (per_day * 4.0).max(8.0) as usize;
                steps.extend((0..many).map(|_| Step::Take(rng.index(own))));
                4 * DAY
            }
            AttackKind::Ramp => 28 * DAY,
            AttackKind::OffHours => {
                unused.truncate(1);
                self.roles.extend(&unused);
                let of_day = HOUR + rng.below((3 * HOUR).unsigned_abs()) as i64;
                begins = zone.next(scene.now, of_day);
                if rng.chance(0.3) {
                    steps.push(Step::List);
                }
                for _ in 0..rng.between(5, 15) {
                    let role = if rng.chance(0.85) { rng.index(own) } else { self.roles.len() - 1 };
                    steps.push(Step::Take(role));
                }
                rng.between(20, 80) * MINUTE
            }
        };
        self.go_abroad(scene);
        let mut times: Vec<i64> = if self.kind == AttackKind::Ramp {
            // On day d as many more as 5 % a day make of the usual rate.
            let mut times = Vec::new();
            for day in 0..lasts / DAY {
                let more = per_day * (exp2(day as f64 * 0.070_389_327_891_398) - 1.0);
                let many = more as usize + usize::from(rng_chance(&mut self.rng, more));
                times.extend(
                    (0..many).map(|_| begins + day * DAY + self.rng.below(DAY.unsigned_abs()) as i64),
                );
            }
            steps.extend(times.iter().map(|_| Step::Take(0)));
            times
        } else {
            (0..steps.len()).map(|_| begins + self.rng.below(lasts.unsigned_abs()) as i64).collect()
        };
        times.sort_unstable();
        self.steps = steps;
        for (slot, at) in times.into_iter().enumerate() {
            scene.at(at, Note { what: STEP, life: slot as u32, ..Note::default() });
        }
    }

    /// Where it works from, for the kinds that do not work from where the victim is.
    fn go_abroad(&mut self, scene: &Scene<'_>) {
        let resident = &scene.town.residents[self.victim];
        let network = match self.kind {
            AttackKind::NewSource | AttackKind::MixedTheft => {
                if self.rng.chance(0.6) {
                    Network::Rented(self.rng.below(2_048) as u16)
                } else {
                    // Another machine of the company that was broken into.
                    Network::Machines(200 + self.rng.below(40) as u8)
                }
            }
            AttackKind::OffHours => resident.network,
            _ => return,
        };
        self.abroad = Some(network.peer(&mut self.rng));
    }

    /// The token for the next request, and where it is sent from.
    fn session(&mut self, scene: &mut Scene<'_>) -> (Key, Peer, i64) {
        let alive = |scene: &Scene<'_>, key: Key| {
            scene.vault.tokens.get(key).is_some_and(|token| token.expires > scene.now + 2 * SECOND)
        };
        if let Some(token) = self.token.filter(|token| alive(scene, *token)) {
            let peer = self.abroad.or(self.home).unwrap_or(scene.vault.tokens_peer(token));
            return (token, peer, scene.now);
        }
        let stolen =
            scene.town.residents[self.victim].tokens.iter().copied().find(|token| alive(scene, *token));
        match (stolen, self.abroad) {
            (Some(token), None) => {
                let mut peer = scene.vault.tokens_peer(token);
                self.home = Some(peer);
                peer.port = peer.port.wrapping_add(1).max(32_768);
                return (token, peer, scene.now);
            }
            // A token taken from a machine's memory, carried away.
            (Some(token), Some(peer))
                if self.kind != AttackKind::OffHours && self.label.is_none() && self.rng.chance(0.35) =>
            {
                self.token = Some(token);
                return (token, peer, scene.now);
            }
            _ => {}
        }
        let peer = match self.abroad.or(self.home) {
            Some(peer) => peer,
            None => scene.town.residents[self.victim].network.peer(&mut self.rng),
        };
        let identity = Arc::clone(&scene.town.residents[self.victim].identity);
        let (token, at) = scene.vault.login(&mut self.rng, scene.now, &identity, peer, false);
        self.token = Some(token);
        (token, peer, at + 40_000_000)
    }

    fn step(&mut self, number: usize, scene: &mut Scene<'_>) {
        let Some(step) = self.steps.get(number).cloned() else { return };
        let (token, peer, at) = self.session(scene);
        self.record(scene);
        let namespace = scene.town.residents[self.victim].identity.namespace;
        let rng = &mut self.rng;
        match step {
            Step::Take(role) => {
                let role = self.roles[role % self.roles.len()];
                scene.vault.issue(rng, at, token, peer, role, 0);
            }
            Step::LookUp => {
                scene.vault.lookup_self(rng, at, token, peer);
            }
            Step::List => {
                let mount = scene.vault.catalog.roles[self.roles[0]].mount;
                let point = scene.vault.catalog.mounts[mount].point;
                scene.vault.list(rng, at, token, peer, (point, &format!("{point}roles/")), 8);
            }
            Step::Probe(which) => {
                let team = scene.town.residents[self.victim].team;
                scene.vault.probe(rng, at, token, peer, (namespace, team), which);
            }
        }
    }

    fn record(&mut self, scene: &mut Scene<'_>) {
        let resident = &scene.town.residents[self.victim];
        let at = stamp(scene.now);
        let label = *self.label.get_or_insert_with(|| {
            scene.town.attacks.push(Attack {
                kind: self.kind,
                entity: resident.identity.entity.clone(),
                display_name: resident.identity.display_name.clone(),
                first: at,
                last: at,
                requests: 0,
            });
            scene.town.attacks.len() - 1
        });
        let attack = &mut scene.town.attacks[label];
        attack.last = at;
        attack.requests += 1;
    }
}

/// Whether there are roles enough that it may read and does not use.
fn has_choice(scene: &Scene<'_>, resident: &Resident) -> bool {
    let catalog = &scene.vault.catalog;
    let near = catalog.roles_near(resident.team);
    let is_new = |role: &&usize| !resident.roles.contains(role) && catalog.may(resident.team, **role);
    near.iter().filter(is_new).count() >= 8
}

fn rng_chance(rng: &mut Rng, amount: f64) -> bool {
    rng.chance(amount - amount.floor())
}

impl Actor for Attacker {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        scene.at(self.at, Note { what: PLAN, ..Note::default() });
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        if note.what == PLAN {
            self.plan(scene);
        } else {
            self.step(note.life as usize, scene);
        }
    }
}
