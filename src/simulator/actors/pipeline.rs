//! A CI system: runs come in bursts of any size, each job on a machine of its
//! own that logs in by a signed token of the run.

use super::super::calendar::{DAY, HOUR, MINUTE, SECOND, Zone, load};
use super::super::identity::{Identity, Method, Profile};
use super::super::network::Network;
use super::super::rng::Rng;
use super::super::slab::Key;
use super::super::town::Resident;
use super::{Actor, Note, Scene};
use std::sync::Arc;

const TRIGGER: u8 = 0;
const JOB: u8 = 1;
const DONE: u8 = 2;
const NIGHTLY: u8 = 3;

/// What a CI system is like.
#[derive(Debug)]
pub(in super::super) struct Farm {
    pub(in super::super) team: usize,
    pub(in super::super) zone: Zone,
    pub(in super::super) runners: Network,
    /// Runs a day.
    pub(in super::super) runs_per_day: f64,
    /// Every run has an entity of its own: the claim that names it changes.
    pub(in super::super) churns: bool,
    pub(in super::super) has_nightly: bool,
}

/// A CI system.
#[derive(Debug)]
pub(in super::super) struct Pipeline {
    rng: Rng,
    farm: Farm,
    /// The projects' entries and identities, where they have some of their own.
    residents: Vec<Option<Resident>>,
    projects: Vec<usize>,
    roles: Vec<Vec<usize>>,
    running: Vec<Option<Key>>,
    /// Number of the last run.
    run: u64,
}

impl Pipeline {
    pub(in super::super) fn new(rng: Rng, farm: Farm, residents: Vec<Resident>) -> Self {
        let roles = residents.iter().map(|resident| resident.roles.clone()).collect();
        Self {
            rng,
            farm,
            residents: residents.into_iter().map(Some).collect(),
            projects: Vec::new(),
            roles,
            running: Vec::new(),
            run: 40_000,
        }
    }

    fn plan(&mut self, scene: &mut Scene<'_>) {
        let mean = DAY as f64 / (self.farm.runs_per_day * 2.6);
        scene.at(scene.now + self.rng.gap(mean as i64), Note { what: TRIGGER, ..Note::default() });
    }

    fn trigger(&mut self, scene: &mut Scene<'_>) {
        self.plan(scene);
        let zone = self.farm.zone;
        let (day, of_day) = zone.local(scene.now);
        let is_at_work = !zone.is_free(day) && (8 * HOUR..19 * HOUR).contains(&of_day);
        let level = if is_at_work { 2.2 * load(zone, scene.now, 0.6) / 1.6 } else { 0.25 };
        if self.rng.chance(level / 2.6) {
            let jobs = (self.rng.heavy(1.0) as i64).min(45);
            self.start_run(jobs, 40, scene);
        }
    }

    fn start_run(&mut self, jobs: i64, stretch: i64, scene: &mut Scene<'_>) {
        self.run += 1;
        let project = self.rng.index(self.roles.len());
        for _ in 0..jobs {
            let at = scene.now + self.rng.between(1, stretch.max(2)) * SECOND;
            scene.at(
                at,
                Note { what: JOB, instance: project as u16, life: self.run as u32, ..Note::default() },
            );
        }
    }

    fn job(&mut self, project: usize, run: u32, scene: &mut Scene<'_>) {
        let resident = self.projects[project];
        let stable = Arc::clone(&scene.town.residents[resident].identity);
        let (identity, is_new) = if self.farm.churns {
            let number = self.rng.below(100_000);
            let name = format!("{}:run:{run}-{number}", stable.name);
            let team = scene.vault.catalog.teams[self.farm.team].name;
            let profile = Profile {
                method: Method::Jwt,
                namespace: 0,
                name: &name,
                role: &stable.role,
                team,
                policy: &stable.policy,
                is_batch: stable.is_batch,
                ttl: (stable.ttl, stable.max_ttl),
            };
            (Arc::new(Identity::new(scene.vault.seed, &scene.vault.catalog, &profile)), true)
        } else {
            (stable, false)
        };
        let peer = self.farm.runners.peer(&mut self.rng);
        let mut at = scene.now;
        if self.rng.chance(0.004) {
            at = scene.vault.fail_login(&mut self.rng, at, &identity, peer) + 2 * SECOND;
        }
        let (token, at) = scene.vault.login(&mut self.rng, at, &identity, peer, is_new);
        let mut at = at + self.rng.between(1, 20) * SECOND / 2;
        if self.rng.chance(0.35) {
            let team = scene.vault.catalog.teams[self.farm.team].name;
            at = scene.vault.read_kv(&mut self.rng, at, token, peer, &format!("{team}/ci")) + SECOND;
        }
        let roles = &self.roles[project];
        let many = 1 + self.rng.successes(2, 0.2) as usize;
        for role in roles.iter().take(many) {
            let issue = scene.vault.issue(&mut self.rng, at, token, peer, *role, 0);
            at = issue.at + self.rng.between(200, 4_000) * 1_000_000;
            if issue.lease.is_some() {
                scene.town.took(resident);
            }
        }
        if !self.farm.churns {
            scene.town.logged_in(resident, None, Some(token));
        }
        let free = self.running.iter().position(Option::is_none).unwrap_or(self.running.len());
        if free == self.running.len() {
            self.running.push(None);
        }
        self.running[free] = Some(token);
        let lasts = (self.rng.around(4.0 * MINUTE as f64, 1.2) as i64).min(50 * MINUTE);
        scene.at(
            at + lasts,
            Note { what: DONE, instance: project as u16, slot: free as u16, ..Note::default() },
        );
    }

    fn done(&mut self, note: Note, scene: &mut Scene<'_>) {
        let Some(token) = self.running.get_mut(usize::from(note.slot)).and_then(Option::take) else { return };
        scene.town.logged_in(self.projects[usize::from(note.instance)], Some(token), None);
        if scene.vault.tokens.get(token).is_some() && self.rng.chance(0.6) {
            scene.vault.revoke_self(&mut self.rng, scene.now, token);
        }
    }
}

impl Actor for Pipeline {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        for resident in &mut self.residents {
            if let Some(resident) = resident.take() {
                self.projects.push(scene.town.welcome(resident));
            }
        }
        self.plan(scene);
        if self.farm.has_nightly {
            scene.at(self.farm.zone.next(scene.now, 2 * HOUR), Note { what: NIGHTLY, ..Note::default() });
        }
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        match note.what {
            TRIGGER => self.trigger(scene),
            JOB => self.job(usize::from(note.instance), note.life, scene),
            DONE => self.done(note, scene),
            _ => {
                let jobs = self.rng.between(8, 26);
                self.start_run(jobs, 420, scene);
                scene.at(self.farm.zone.next(scene.now, 2 * HOUR), note);
            }
        }
    }
}
