//! A batch job: at its minute it logs in, takes credentials one after the
//! other, and goes.

use super::super::calendar::{DAY, HOUR, MINUTE, SECOND, date, day_of, weekday};
use super::super::network::Peer;
use super::super::rng::Rng;
use super::super::slab::Key;
use super::super::town::Resident;
use super::{Actor, Note, Scene};
use std::sync::Arc;

const RUN: u8 = 0;
const STEP: u8 = 1;

/// When a batch job runs, in UTC.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Every {
    Minutes(i64),
    Hour,
    Day,
    Week,
    Month,
}

/// A batch job.
#[derive(Debug)]
pub(in super::super) struct Cron {
    rng: Rng,
    me: usize,
    resident: Option<Resident>,
    every: Every,
    /// Nanoseconds into its hour, day or week.
    offset: i64,
    /// Credentials of a run.
    many: u32,
    /// Nanoseconds between two of them.
    pause: i64,
    /// It runs where the cluster finds room, else always from this address.
    address: Option<core::net::IpAddr>,
    run: u32,
    session: Option<(Key, Peer)>,
    left: u32,
    failures: u32,
}

impl Cron {
    pub(in super::super) fn new(mut rng: Rng, resident: Resident, every: Every, many: u32) -> Self {
        let is_fixed = !matches!(resident.network, super::super::network::Network::Pods { .. });
        let address = is_fixed.then(|| resident.network.address(&mut rng));
        let offset = match every {
            Every::Minutes(_) => rng.below((5 * MINUTE).unsigned_abs()) as i64,
            Every::Hour => rng.between(0, 59) * MINUTE,
            // Nights are for batches.
            _ => rng.between(0, 6) * HOUR + rng.between(0, 11) * 5 * MINUTE,
        };
        let pause = rng.around(4.0 * SECOND as f64, 1.5) as i64;
        Self {
            rng,
            me: 0,
            resident: Some(resident),
            every,
            offset,
            many,
            pause,
            address,
            run: 0,
            session: None,
            left: 0,
            failures: 0,
        }
    }

    fn next(&self, now: i64) -> i64 {
        let every = |span: i64, offset: i64| {
            let next = (now - offset).div_euclid(span) + 1;
            next * span + offset
        };
        match self.every {
            Every::Minutes(minutes) => every(minutes * MINUTE, self.offset),
            Every::Hour => every(HOUR, self.offset),
            Every::Day => every(DAY, self.offset),
            Every::Week => {
                let day = (0..8)
                    .map(|ahead| now.div_euclid(DAY) + ahead)
                    .find(|day| weekday(*day) == 6 && day * DAY + self.offset > now);
                day.unwrap_or_default() * DAY + self.offset
            }
            Every::Month => {
                let (year, month, _) = date(now.div_euclid(DAY));
                let this = day_of(year, month, 1) * DAY + self.offset;
                let next = if month == 12 { day_of(year + 1, 1, 1) } else { day_of(year, month + 1, 1) };
                if this > now { this } else { next * DAY + self.offset }
            }
        }
    }

    fn plan(&mut self, scene: &mut Scene<'_>) {
        let at = self.next(scene.now + MINUTE) + self.rng.between(0, 4_000) * 1_000_000;
        scene.at(at, Note { what: RUN, ..Note::default() });
    }

    fn run(&mut self, scene: &mut Scene<'_>) {
        self.plan(scene);
        if self.rng.chance(0.004) {
            // The machine is being patched.
            return;
        }
        let identity = Arc::clone(&scene.town.residents[self.me].identity);
        let peer = match self.address {
            Some(address) => Peer::of(address, &mut self.rng),
            None => identity_network(scene, self.me).peer(&mut self.rng),
        };
        let (token, at) = scene.vault.login(&mut self.rng, scene.now, &identity, peer, false);
        let old = self.session.replace((token, peer)).map(|(token, _)| token);
        scene.town.logged_in(self.me, old, Some(token));
        self.run += 1;
        let (_, month, day) = date(scene.now.div_euclid(DAY));
        let is_closing = day >= 28 || day == 1;
        let usual = f64::from(self.many);
        let spread = if usual > 3.0 { self.rng.around(usual, 0.18) } else { usual };
        self.left = (spread * if is_closing && month % 3 == 0 { 1.6 } else { 1.0 }).max(1.0) as u32;
        self.failures = 0;
        scene.at(at + SECOND / 5, Note { what: STEP, life: self.run, ..Note::default() });
    }

    fn step(&mut self, scene: &mut Scene<'_>) {
        let Some((token, peer)) = self.session else { return };
        if scene.vault.tokens.get(token).is_none() {
            return;
        }
        if self.left == 0 {
            scene.vault.revoke_self(&mut self.rng, scene.now, token);
            self.session = None;
            scene.town.logged_in(self.me, Some(token), None);
            return;
        }
        let roles = &scene.town.residents[self.me].roles;
        let role = roles[self.left as usize % roles.len()];
        let issue = scene.vault.issue(&mut self.rng, scene.now, token, peer, role, 0);
        let next = if issue.lease.is_some() {
            scene.town.took(self.me);
            self.left -= 1;
            // The work itself comes after the last one.
            let work = if self.left == 0 { self.rng.between(30, 900) * SECOND } else { 0 };
            self.rng.gap(self.pause) + work
        } else {
            self.failures += 1;
            if self.failures > 20 {
                return;
            }
            (10 * SECOND) << self.failures.min(5)
        };
        scene.at(issue.at + next, Note { what: STEP, life: self.run, ..Note::default() });
    }
}

fn identity_network(scene: &Scene<'_>, me: usize) -> super::super::network::Network {
    scene.town.residents[me].network
}

impl Actor for Cron {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        let Some(resident) = self.resident.take() else { return };
        self.me = scene.town.welcome(resident);
        self.plan(scene);
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        match note.what {
            RUN => self.run(scene),
            _ if note.life == self.run => self.step(scene),
            _ => {}
        }
    }
}
