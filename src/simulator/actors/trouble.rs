//! A configuration that asks for what is not there or not allowed: a new
//! version of a service comes with it, and somebody notices after a while.

use super::super::calendar::{MINUTE, SECOND};
use super::Scene;
use super::service::{Service, next_attempt};

/// What a service asks for in vain.
#[derive(Clone, Debug)]
pub(in super::super) struct Trouble {
    want: Want,
    ends: i64,
    pause: i64,
}

#[derive(Clone, Debug)]
enum Want {
    /// A role that no policy grants it.
    Refused(usize),
    /// A role with a slip in its name.
    Unknown(usize, String),
    /// A setting of another team.
    Setting(String),
}

impl Service {
    /// What a new version may bring: a role more, or a mistake.
    pub(super) fn change_configuration(&mut self, scene: &mut Scene<'_>) {
        let team = scene.town.residents[self.me].team;
        let near = scene.vault.catalog.roles_near(team);
        let others: Vec<usize> =
            near.iter().copied().filter(|role| !scene.vault.catalog.may(team, *role)).collect();
        if self.rng.chance(0.012) && self.habits.held.len() < 3 {
            // One role more, for good.
            if let Some(role) = self.rng.pick(&near).copied()
                && scene.vault.catalog.may(team, role)
                && !self.habits.held.contains(&role)
            {
                self.habits.held.push(role);
                scene.town.residents[self.me].roles.push(role);
            }
        }
        if !self.rng.chance(0.022) {
            return;
        }
        let own = self.habits.held.first().or(self.habits.jobs.first()).copied().unwrap_or(near[0]);
        let want = match self.rng.below(3) {
            0 => match self.rng.pick(&others) {
                Some(role) => Want::Refused(*role),
                None => return,
            },
            1 => {
                let role = &scene.vault.catalog.roles[own];
                let mut name = role.name.replace('-', "_");
                if self.rng.chance(0.5) {
                    name = format!("{}s", role.name);
                }
                Want::Unknown(role.mount, name)
            }
            _ => {
                let other = self.rng.index(scene.vault.catalog.teams.len());
                Want::Setting(format!("{}/shared", scene.vault.catalog.teams[other].name))
            }
        };
        let lasts = (self.rng.around(45.0 * MINUTE as f64, 1.4) as i64).clamp(3 * MINUTE, 600 * MINUTE);
        self.trouble = Some(Trouble { want, ends: scene.now + lasts, pause: 10 * SECOND });
        scene.at(scene.now + 20 * SECOND, next_attempt());
    }

    /// Asks in vain once more.
    pub(super) fn suffer(&mut self, scene: &mut Scene<'_>) {
        let Some(trouble) = self.trouble.as_mut().filter(|trouble| trouble.ends > scene.now) else {
            self.trouble = None;
            return;
        };
        trouble.pause = (trouble.pause * 3 / 2).min(5 * MINUTE);
        let (want, pause) = (trouble.want.clone(), trouble.pause);
        let running: Vec<usize> =
            (0..self.instances.len()).filter(|at| self.instances[*at].token.is_some()).collect();
        if let Some(&instance) = self.rng.pick(&running)
            && let Some(token) = self.instances[instance].token
            && scene.vault.tokens.get(token).is_some()
        {
            let peer = self.instances[instance].peer(scene, token);
            match want {
                Want::Refused(role) => {
                    scene.vault.refuse_creds(&mut self.rng, scene.now, token, peer, role);
                }
                Want::Unknown(mount, name) => {
                    scene.vault.unknown_role(&mut self.rng, scene.now, token, peer, mount, &name);
                }
                Want::Setting(name) => {
                    scene.vault.refuse_kv(&mut self.rng, scene.now, token, peer, &name);
                }
            }
        }
        let at = scene.now + pause + self.rng.below((pause / 4).unsigned_abs()) as i64;
        scene.at(at, next_attempt());
    }
}
