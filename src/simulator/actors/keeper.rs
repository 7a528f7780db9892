//! Those who keep the server itself: infrastructure as code, which reads all
//! of the configuration and at times changes it; the root token, rarely; and
//! the monitoring, every ten minutes.

use super::super::calendar::{DAY, HOUR, MINUTE, SECOND, Zone};
use super::super::network::{Network, Peer};
use super::super::rng::Rng;
use super::super::slab::Key;
use super::super::town::Resident;
use super::super::vault::{Plain, Policy};
use super::{Actor, Note, Scene};
use std::sync::Arc;

const CODE: u8 = 0;
const ROOT: u8 = 1;
const METRICS: u8 = 2;
const ROOT_STEP: u8 = 3;

/// Keeps the server.
#[derive(Debug)]
pub(in super::super) struct Keeper {
    rng: Rng,
    /// Of the infrastructure as code, and of the monitoring.
    residents: Vec<Resident>,
    me: [usize; 2],
    metrics: Option<(Key, Peer)>,
    root: Option<Key>,
}

impl Keeper {
    /// `residents`: the infrastructure as code, then the monitoring.
    pub(in super::super) fn new(rng: Rng, residents: [Resident; 2]) -> Self {
        Self { rng, residents: residents.into(), me: [0; 2], metrics: None, root: None }
    }

    fn next_run(&mut self, scene: &mut Scene<'_>) {
        let mut at = scene.now + self.rng.gap(8 * HOUR);
        let (mut day, of_day) = Zone::Europe.local(at);
        if Zone::Europe.is_free(day) || !(7 * HOUR..19 * HOUR).contains(&of_day) {
            day += 1;
            while Zone::Europe.is_free(day) {
                day += 1;
            }
            at = Zone::Europe.moment(day, 8 * HOUR + self.rng.below((9 * HOUR).unsigned_abs()) as i64);
        }
        scene.at(at, Note { what: CODE, ..Note::default() });
    }

    /// A plan reads what is there; one in four is applied.
    fn run(&mut self, scene: &mut Scene<'_>) {
        self.next_run(scene);
        let me = self.me[0];
        let identity = Arc::clone(&scene.town.residents[me].identity);
        let rng = &mut self.rng;
        let peer = scene.town.residents[me].network.peer(rng);
        let (token, mut at) = scene.vault.login(rng, scene.now, &identity, peer, false);
        let roles = scene.vault.catalog.roles.len();
        for _ in 0..rng.between(12, 40) {
            let (mount, path) = match rng.below(4) {
                0 => ("sys/", format!("sys/policies/acl/{}", scene.vault.catalog.teams[rng.index(6)].name)),
                1 => (
                    "auth/approle/",
                    format!("auth/approle/role/{}", ["cart", "export", "etl"][rng.index(3)]),
                ),
                _ => {
                    let role = &scene.vault.catalog.roles[rng.index(roles)];
                    let mount = &scene.vault.catalog.mounts[role.mount];
                    if mount.namespace != 0 {
                        continue;
                    }
                    (mount.point, format!("{}roles/{}", mount.point, role.name))
                }
            };
            let answer = scene.vault.configuration(mount, &path);
            let plain = Plain {
                operation: "read",
                mount,
                path: &path,
                data: "",
                answer: &answer,
                policy: Policy::Own,
                micros: 200,
            };
            at += rng.between(2, 60) * 1_000_000;
            at = scene.vault.plain(rng, at, token, peer, &plain);
        }
        if rng.chance(0.25) {
            at += rng.between(20, 300) * SECOND;
            for _ in 0..rng.between(1, 6) {
                at = self.change(token, peer, at + SECOND, scene);
            }
        }
        scene.vault.revoke_self(&mut self.rng, at + SECOND, token);
    }

    fn change(&mut self, token: Key, peer: Peer, at: i64, scene: &mut Scene<'_>) -> i64 {
        let rng = &mut self.rng;
        let mut operation = "update";
        let (mount, path, data) = match rng.below(5) {
            0 | 1 => {
                let team = scene.vault.catalog.teams[rng.index(6)].name;
                ("sys/", format!("sys/policies/acl/{team}-service"), scene.vault.hashed_one(rng, "policy"))
            }
            2 => {
                let data = scene.vault.hashed_one(rng, "token_policies");
                // A role that is not there yet.
                operation = "create";
                ("auth/approle/", format!("auth/approle/role/new-{:06x}", rng.below(1 << 24)), data)
            }
            _ => {
                let team = rng.index(6);
                let role = &scene.vault.catalog.roles
                    [*rng.pick(&scene.vault.catalog.teams[team].roles).unwrap_or(&0)];
                let point = scene.vault.catalog.mounts[role.mount].point;
                let path = format!("{point}roles/{}", role.name);
                (point, path, scene.vault.role_text(rng))
            }
        };
        let plain = Plain {
            operation,
            mount,
            path: &path,
            data: &data,
            answer: "",
            policy: Policy::Own,
            micros: 450,
        };
        scene.vault.plain(rng, at, token, peer, &plain)
    }

    /// An emergency, or an upgrade: a few requests by root.
    fn plan_root(&mut self, scene: &mut Scene<'_>) {
        let at = scene.now + 20 * DAY + self.rng.gap(35 * DAY);
        let (day, of_day) = Zone::Europe.local(at);
        let at = Zone::Europe.moment(day, 8 * HOUR + of_day % (12 * HOUR));
        scene.at(at, Note { what: ROOT, ..Note::default() });
    }

    fn begin_root(&mut self, scene: &mut Scene<'_>) {
        self.plan_root(scene);
        let peer = Network::Office(0).peer(&mut self.rng);
        self.root = Some(scene.vault.root_token(&mut self.rng, scene.now, peer));
        let many = self.rng.between(2, 7) as u32;
        let mut at = scene.now;
        for step in 0..many {
            at += self.rng.between(5, 240) * SECOND;
            scene.at(at, Note { what: ROOT_STEP, life: many - 1 - step, ..Note::default() });
        }
    }

    fn root_step(&mut self, left: u32, scene: &mut Scene<'_>) {
        let Some(token) = self.root else { return };
        let peer = scene.vault.tokens_peer(token);
        let rng = &mut self.rng;
        if left == 0 {
            scene.vault.revoke_self(rng, scene.now, token);
            self.root = None;
            return;
        }
        let (operation, mount, path, data) = match rng.below(4) {
            0 => ("update", "sys/", "sys/policies/acl/breakglass", scene.vault.hashed_one(rng, "policy")),
            1 => ("update", "database/", "database/rotate-root/pg", String::new()),
            2 => ("read", "sys/", "sys/policies/acl/platform-service", String::new()),
            _ => {
                ("update", "auth/oidc/", "auth/oidc/role/dev", scene.vault.hashed_one(rng, "token_policies"))
            }
        };
        let answer = if operation == "read" { scene.vault.configuration(mount, path) } else { String::new() };
        let plain =
            Plain { operation, mount, path, data: &data, answer: &answer, policy: Policy::Own, micros: 600 };
        scene.vault.plain(rng, scene.now, token, peer, &plain);
    }

    fn scrape(&mut self, scene: &mut Scene<'_>) {
        scene.at(scene.now + 10 * MINUTE, Note { what: METRICS, ..Note::default() });
        let me = self.me[1];
        let alive = |scene: &Scene<'_>, key| {
            scene.vault.tokens.get(key).is_some_and(|token| token.expires > scene.now + MINUTE)
        };
        let (token, peer) = match self.metrics.filter(|(token, _)| alive(scene, *token)) {
            Some(session) => session,
            None => {
                let network = scene.town.residents[me].network;
                let peer = self.metrics.map_or_else(|| network.peer(&mut self.rng), |(_, peer)| peer);
                let identity = Arc::clone(&scene.town.residents[me].identity);
                let (token, _) = scene.vault.login(&mut self.rng, scene.now, &identity, peer, false);
                let old = self.metrics.replace((token, peer)).map(|(token, _)| token);
                scene.town.logged_in(me, old, Some(token));
                return;
            }
        };
        let data = scene.vault.hashed_fixed("format");
        let answer = scene.vault.metrics_text(&mut self.rng);
        let plain = Plain {
            operation: "read",
            mount: "sys/",
            path: "sys/metrics",
            data: &data,
            answer: &answer,
            policy: Policy::Own,
            micros: 4_000,
        };
        scene.vault.plain(&mut self.rng, scene.now, token, peer, &plain);
    }
}

impl Actor for Keeper {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        for (at, resident) in std::mem::take(&mut self.residents).into_iter().enumerate() {
            self.me[at] = scene.town.welcome(resident);
        }
        self.next_run(scene);
        self.plan_root(scene);
        scene.at(scene.now + self.rng.between(60, 600) * SECOND, Note { what: METRICS, ..Note::default() });
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        match note.what {
            CODE => self.run(scene),
            ROOT => self.begin_root(scene),
            ROOT_STEP => self.root_step(note.life, scene),
            _ => self.scrape(scene),
        }
    }
}
