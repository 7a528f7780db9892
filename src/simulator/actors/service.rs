//! A service: instances that log in, hold credentials and renew them, or take
//! one for each job; deployed, scaled, crashed, moved, and at times misconfigured.

use super::super::calendar::{DAY, HOUR, MINUTE, SECOND, load};
use super::super::network::{Network, Peer};
use super::super::rng::Rng;
use super::super::town::Resident;
use super::super::vault::Revoke;
use super::instance::{Held, Instance};
use super::trouble::Trouble;
use super::{Actor, Note, Scene};
use core::net::IpAddr;

pub(super) const START: u8 = 0;
pub(super) const TOKEN: u8 = 1;
pub(super) const LEASE: u8 = 2;
pub(super) const SETTINGS: u8 = 3;
const JOB: u8 = 4;
const JOB_END: u8 = 5;
const DEPLOY: u8 = 6;
const CRASH: u8 = 7;
const UPGRADE: u8 = 8;
const SCALE_OUT: u8 = 9;
const SCALE_IN: u8 = 10;
const TROUBLE: u8 = 11;
const CERTIFICATE: u8 = 12;

/// How a service uses credentials and how it lives.
#[derive(Clone, Debug)]
pub(in super::super) struct Habits {
    /// Roles of which each instance holds a credential.
    pub(in super::super) held: Vec<usize>,
    /// Roles of which each job takes one.
    pub(in super::super) jobs: Vec<usize>,
    /// Jobs a day.
    pub(in super::super) jobs_per_day: f64,
    /// How much its jobs follow the day: 0 to 1.
    pub(in super::super) swing: f64,
    /// It renews leases, else it takes new ones instead.
    pub(in super::super) renews: bool,
    /// How it gives leases back, if it does.
    pub(in super::super) revokes: Option<Revoke>,
    /// It gives its token back when it stops.
    pub(in super::super) is_tidy: bool,
    /// Settings that it reads at its start.
    pub(in super::super) settings: u32,
    /// Between two reads of its settings; 0 for never again.
    pub(in super::super) settings_every: i64,
    /// Between two certificates; 0 for none.
    pub(in super::super) certificate_every: i64,
    pub(in super::super) instances: u32,
    /// More of them by day.
    pub(in super::super) elastic: u32,
    pub(in super::super) deploys_per_week: f64,
    /// Days between two crashes.
    pub(in super::super) crash_days: f64,
    /// Nanoseconds until the first instance starts.
    pub(in super::super) starts_after: i64,
    /// Its entity is made by its first login.
    pub(in super::super) is_new: bool,
}

/// A service.
#[derive(Debug)]
pub(in super::super) struct Service {
    pub(super) rng: Rng,
    pub(super) me: usize,
    resident: Option<Resident>,
    pub(super) habits: Habits,
    /// Where its instances run, if they do not move.
    addresses: Vec<IpAddr>,
    network: Network,
    pub(super) instances: Vec<Instance>,
    jobs: Vec<Option<(u16, Held)>>,
    pub(super) trouble: Option<Trouble>,
    pub(super) is_unknown: bool,
}

impl Service {
    pub(in super::super) fn new(mut rng: Rng, resident: Resident, habits: Habits) -> Self {
        let network = resident.network;
        let most = habits.instances + habits.elastic;
        let addresses = match network {
            Network::Pods { .. } => Vec::new(),
            _ => (0..most).map(|_| network.address(&mut rng)).collect(),
        };
        let is_unknown = habits.is_new;
        let instances = (0..most).map(|_| Instance::default()).collect();
        Self {
            rng,
            me: 0,
            resident: Some(resident),
            habits,
            addresses,
            network,
            instances,
            jobs: Vec::new(),
            trouble: None,
            is_unknown,
        }
    }

    /// Where an instance is when it starts.
    pub(super) fn peer(&mut self, instance: usize) -> Peer {
        match self.addresses.get(instance) {
            Some(address) => Peer::of(*address, &mut self.rng),
            None => self.network.peer(&mut self.rng),
        }
    }

    pub(super) fn note(&self, what: u8, instance: usize, slot: usize) -> Note {
        let life = self.instances.get(instance).map_or(0, |instance| instance.life);
        Note { what, instance: instance as u16, life, slot: slot as u16 }
    }

    fn next_job(&mut self, scene: &mut Scene<'_>) {
        if !self.habits.jobs.is_empty() && self.habits.jobs_per_day > 0.0 {
            // Candidates at the busiest rate; each is kept as the load of its moment says.
            let mean = DAY as f64 / (self.habits.jobs_per_day * 1.75);
            let at = scene.now + self.rng.gap(mean as i64);
            scene.at(at, Note { what: JOB, ..Note::default() });
        }
    }

    fn job(&mut self, scene: &mut Scene<'_>) {
        self.next_job(scene);
        let zone = scene.town.residents[self.me].zone;
        if !self.rng.chance(load(zone, scene.now, self.habits.swing) / 1.75) {
            return;
        }
        let running: Vec<usize> =
            (0..self.instances.len()).filter(|at| self.instances[*at].token.is_some()).collect();
        let Some(&instance) = self.rng.pick(&running) else { return };
        // The first of its roles is the usual one.
        let weights: Vec<f64> =
            (0..self.habits.jobs.len()).map(|at| 1.0 / (1 + at * at * 3) as f64).collect();
        let role = self.habits.jobs[self.rng.weighted(&weights)];
        let Some(held) = self.take(instance, role, scene.now, scene) else { return };
        if self.habits.revokes.is_some() {
            let lasts = (self.rng.around(40.0, 1.2) * SECOND as f64) as i64;
            let free = self.jobs.iter().position(Option::is_none).unwrap_or(self.jobs.len());
            if free == self.jobs.len() {
                self.jobs.push(None);
            }
            self.jobs[free] = Some((instance as u16, held));
            scene.at(scene.now + lasts, self.note(JOB_END, instance, free));
        }
    }

    fn end_job(&mut self, note: Note, scene: &mut Scene<'_>) {
        let Some((instance, held)) = self.jobs.get_mut(usize::from(note.slot)).and_then(Option::take) else {
            return;
        };
        let instance = &self.instances[usize::from(instance)];
        let (Some(token), Some(form)) = (instance.token, self.habits.revokes) else { return };
        if instance.life == note.life {
            scene.vault.revoke(&mut self.rng, scene.now, token, (held.lease, &held.id), form);
        }
    }

    fn deploy(&mut self, scene: &mut Scene<'_>) {
        self.plan_deploy(scene);
        self.change_configuration(scene);
        let mut at = scene.now;
        for instance in 0..self.instances.len() {
            if self.instances[instance].token.is_some() {
                scene.at(at, self.note(START, instance, 0));
                at += (self.rng.around(45.0, 0.7) * SECOND as f64) as i64;
            }
        }
    }

    fn plan_deploy(&mut self, scene: &mut Scene<'_>) {
        if self.habits.deploys_per_week <= 0.0 {
            return;
        }
        let zone = scene.town.residents[self.me].zone;
        let mut at = scene.now + self.rng.gap((7.0 * DAY as f64 / self.habits.deploys_per_week) as i64);
        // Deploys are for working hours, but for one in fifteen.
        let (mut day, _) = zone.local(at);
        if !self.rng.chance(0.07) {
            while zone.is_free(day) {
                day += 1;
            }
            let of_day = 9 * HOUR + self.rng.below((8 * HOUR).unsigned_abs()) as i64;
            at = zone.moment(day, of_day).max(scene.now + MINUTE);
        }
        scene.at(at, Note { what: DEPLOY, ..Note::default() });
    }

    fn crash(&mut self, scene: &mut Scene<'_>) {
        self.plan_crash(scene);
        let instance = self.rng.index(self.instances.len());
        if self.instances[instance].token.is_none() {
            return;
        }
        // Mostly once; at times again and again, with the pauses that Kubernetes makes.
        let times = if self.rng.chance(0.15) { self.rng.between(4, 24) } else { 1 };
        let (mut at, mut pause) = (scene.now + 3 * SECOND, 10 * SECOND);
        let life = self.instances[instance].life;
        for time in 0..times {
            let note = Note { life: life + time as u32, ..self.note(START, instance, 1) };
            scene.at(at, note);
            at += pause + self.rng.between(5, 40) * SECOND;
            pause = (pause * 2).min(5 * MINUTE);
        }
    }

    fn plan_crash(&mut self, scene: &mut Scene<'_>) {
        if self.habits.crash_days > 0.0 {
            let at = scene.now + self.rng.gap((self.habits.crash_days * DAY as f64) as i64);
            scene.at(at, Note { what: CRASH, ..Note::default() });
        }
    }

    /// Clusters are upgraded every four weeks, on a Tuesday evening: every pod moves.
    fn plan_upgrade(&mut self, scene: &mut Scene<'_>) {
        let Network::Pods { cluster, .. } = self.network else { return };
        let period = 28 * DAY;
        let first = i64::from(cluster) * 7 * DAY + 5 * DAY + 19 * HOUR + 30 * MINUTE;
        let next = (scene.now - first).div_euclid(period) + 1;
        let at = first + next * period + self.rng.below((90 * MINUTE).unsigned_abs()) as i64;
        scene.at(at, Note { what: UPGRADE, ..Note::default() });
    }

    fn upgrade(&mut self, scene: &mut Scene<'_>) {
        for instance in 0..self.instances.len() {
            if self.instances[instance].token.is_some() {
                let at = scene.now + self.rng.between(0, 600) * SECOND;
                scene.at(at, self.note(START, instance, 0));
            }
        }
        // Two hours on, so that the same night is not found again.
        let now = scene.now;
        scene.now += 2 * HOUR;
        self.plan_upgrade(scene);
        scene.now = now;
    }

    fn scale(&mut self, out: bool, scene: &mut Scene<'_>) {
        let zone = scene.town.residents[self.me].zone;
        let (what, hour) = if out { (SCALE_OUT, 8) } else { (SCALE_IN, 20) };
        let jitter = self.rng.between(0, 70) * MINUTE;
        let at = zone.next(scene.now + 3 * HOUR, hour * HOUR) + jitter;
        scene.at(at, Note { what, ..Note::default() });
        for instance in self.habits.instances as usize..self.instances.len() {
            if out && self.instances[instance].token.is_none() {
                let at = scene.now + self.rng.between(0, 900) * SECOND;
                scene.at(at, self.note(START, instance, 0));
            } else if !out {
                self.stop(instance, scene.now, scene);
            }
        }
    }
}

impl Actor for Service {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        let Some(resident) = self.resident.take() else { return };
        self.me = scene.town.welcome(resident);
        for instance in 0..self.habits.instances as usize {
            let at = scene.now + self.habits.starts_after + self.rng.between(0, 90) * SECOND;
            scene.at(at, self.note(START, instance, 0));
        }
        let now = scene.now;
        scene.now += self.habits.starts_after;
        self.next_job(scene);
        self.plan_deploy(scene);
        self.plan_crash(scene);
        self.plan_upgrade(scene);
        if self.habits.elastic > 0 {
            let zone = scene.town.residents[self.me].zone;
            scene.at(zone.next(scene.now, 8 * HOUR), Note { what: SCALE_OUT, ..Note::default() });
            scene.at(zone.next(scene.now, 20 * HOUR), Note { what: SCALE_IN, ..Note::default() });
        }
        if self.habits.certificate_every > 0 {
            let at = scene.now + self.rng.gap(self.habits.certificate_every);
            scene.at(at, Note { what: CERTIFICATE, ..Note::default() });
        }
        scene.now = now;
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        let instance = usize::from(note.instance);
        let is_current = self.instances.get(instance).is_some_and(|instance| instance.life == note.life);
        match note.what {
            JOB => self.job(scene),
            JOB_END => self.end_job(note, scene),
            DEPLOY => self.deploy(scene),
            CRASH => self.crash(scene),
            UPGRADE => self.upgrade(scene),
            SCALE_OUT => self.scale(true, scene),
            SCALE_IN => self.scale(false, scene),
            TROUBLE => self.suffer(scene),
            CERTIFICATE => {
                let at = scene.now + self.rng.gap(self.habits.certificate_every);
                scene.at(at, note);
                if let Some(token) = self.instances.first().and_then(|first| first.token) {
                    let peer = self.instances[0].peer(scene, token);
                    scene.vault.certificate(&mut self.rng, scene.now, token, peer);
                }
            }
            _ if !is_current => {}
            START => self.start(instance, note.slot == 0, scene),
            TOKEN => self.tend_token(instance, note.slot == 1, scene),
            LEASE => self.tend_lease(instance, usize::from(note.slot), scene),
            SETTINGS => self.read_settings(instance, scene),
            _ => {}
        }
    }
}

/// The note of the next attempt of what a configuration asks for in vain.
pub(super) const fn next_attempt() -> Note {
    Note { what: TROUBLE, instance: 0, life: 0, slot: 0 }
}
