//! A person: works on weekdays in a time zone, from the office, from home or on
//! a journey, and needs a credential now and then, of habit more than of need.

use super::super::calendar::{DAY, HOUR, MINUTE, SECOND, Zone};
use super::super::identity::Method;
use super::super::network::{Network, Peer};
use super::super::rng::Rng;
use super::super::slab::Key;
use super::super::town::Resident;
use super::super::vault::{Plain, Policy, Revoke};
use super::{Actor, Held, Note, Scene};
use core::net::IpAddr;
use std::sync::Arc;

const MORNING: u8 = 0;
const ACT: u8 = 1;
const NIGHT: u8 = 2;
const GIVE_BACK: u8 = 3;

/// How a person works.
#[derive(Clone, Debug)]
pub(in super::super) struct Ways {
    pub(in super::super) office: Network,
    pub(in super::super) home: Network,
    /// Share of working days in the office.
    pub(in super::super) in_office: f64,
    /// Works through the VPN when not in the office.
    pub(in super::super) uses_vpn: bool,
    /// When the day begins, nanoseconds after midnight, give or take.
    pub(in super::super) starts: i64,
    /// Credentials on a day that needs any.
    pub(in super::super) per_day: f64,
    /// Share of working days that need any.
    pub(in super::super) busy: f64,
    /// Is called at night when something breaks.
    pub(in super::super) is_on_call: bool,
    /// Looks after the server itself.
    pub(in super::super) is_admin: bool,
}

/// A person.
#[derive(Debug)]
pub(in super::super) struct Person {
    rng: Rng,
    me: usize,
    resident: Option<Resident>,
    ways: Ways,
    zone: Zone,
    home: Network,
    /// The address of the day.
    address: Option<IpAddr>,
    session: Option<(Key, Peer)>,
    /// What its hash in the log is made of.
    secret: Option<u64>,
    /// On holiday until this local day.
    away_until: i64,
    /// On a journey until this local day, and from where.
    journey: Option<(i64, Network)>,
    is_unknown: bool,
    held: Vec<Held>,
}

impl Person {
    pub(in super::super) fn new(rng: Rng, resident: Resident, ways: Ways, is_new: bool) -> Self {
        Self {
            rng,
            me: 0,
            zone: resident.zone,
            home: ways.home,
            resident: Some(resident),
            ways,
            address: None,
            session: None,
            secret: None,
            away_until: i64::MIN,
            journey: None,
            is_unknown: is_new,
            held: Vec::new(),
        }
    }

    fn plan_morning(&mut self, scene: &mut Scene<'_>) {
        scene.at(self.zone.next(scene.now, 5 * HOUR), Note { what: MORNING, ..Note::default() });
    }

    /// Where the person is today.
    fn settle(&mut self, day: i64) {
        let rng = &mut self.rng;
        if self.journey.is_some_and(|(until, _)| until < day) {
            self.journey = None;
        }
        if self.journey.is_none() && rng.chance(0.008) {
            let from = match rng.below(3) {
                0 => Network::Office(rng.below(6) as u8),
                1 => Network::Provider(rng.next() as u16),
                _ => Network::Provider(rng.below(40) as u16 * 97),
            };
            self.journey = Some((day + rng.between(1, 6), from));
        }
        if rng.chance(0.004) {
            // Another provider, or another flat.
            self.home = if rng.chance(0.35) {
                Network::Home6(rng.next() as u32)
            } else {
                Network::Provider(rng.next() as u16)
            };
            self.address = None;
        }
        let network = match self.journey {
            Some((_, network)) => network,
            None if rng.chance(self.ways.in_office) => self.ways.office,
            None if self.ways.uses_vpn => Network::Vpn,
            None => self.home,
        };
        // A home keeps its address for weeks; the other networks hand out one a day.
        let keeps = matches!(network, Network::Provider(_)) && self.journey.is_none() && !rng.chance(0.05);
        if !keeps || self.address.is_none() || !is_of_home(self.address) {
            self.address = Some(network.address(rng));
        }
    }

    fn morning(&mut self, scene: &mut Scene<'_>) {
        self.plan_morning(scene);
        let (day, _) = self.zone.local(scene.now);
        if self.rng.chance(0.011) && self.away_until < day {
            self.away_until = day + self.rng.between(2, 16);
        }
        let is_free = self.zone.is_free(day);
        let works = self.away_until < day && self.rng.chance(if is_free { 0.025 } else { 0.95 });
        if self.ways.is_on_call && self.away_until < day && self.rng.chance(0.016) {
            let at = self.zone.moment(day + 1, self.rng.below((5 * HOUR).unsigned_abs()) as i64);
            scene.at(at, Note { what: NIGHT, ..Note::default() });
        }
        if !works || !self.rng.chance(if is_free { 1.0 } else { self.ways.busy }) {
            return;
        }
        self.settle(day);
        if self.rng.chance(0.014) {
            self.learn(scene);
        }
        let many = self.rng.around(self.ways.per_day, 0.9).clamp(1.0, 30.0) as u32 + 1;
        let starts = self.zone.moment(day, self.ways.starts) + self.rng.between(-30, 45) * MINUTE;
        let lasts = (8 * HOUR + self.rng.between(0, 90) * MINUTE).unsigned_abs();
        let mut at = starts;
        for number in 0..many {
            // Work comes in bouts: often the next thing follows within minutes.
            at = if number > 0 && self.rng.chance(0.45) {
                at + self.rng.between(20, 600) * SECOND
            } else {
                starts + self.rng.below(lasts) as i64
            };
            scene.at(at, Note { what: ACT, ..Note::default() });
        }
    }

    /// A task that needs a role which was not needed before.
    fn learn(&mut self, scene: &mut Scene<'_>) {
        let team = scene.town.residents[self.me].team;
        let near = scene.vault.catalog.roles_near(team);
        let own = scene.vault.catalog.teams[team].roles.clone();
        let list = if self.rng.chance(0.6) { own } else { near };
        if let Some(role) = self.rng.pick(&list).copied()
            && scene.vault.catalog.may(team, role)
            && !scene.town.residents[self.me].roles.contains(&role)
        {
            scene.town.residents[self.me].roles.insert(0, role);
        }
    }

    fn log_in(&mut self, scene: &mut Scene<'_>) -> (Key, Peer, i64) {
        if let Some((token, peer)) = self.session
            && scene.vault.tokens.get(token).is_some_and(|found| found.expires > scene.now + MINUTE)
            && Some(peer.address) == self.address
        {
            return (token, peer, scene.now);
        }
        let address = *self.address.get_or_insert_with(|| self.home.address(&mut self.rng));
        let peer = Peer::of(address, &mut self.rng);
        let identity = Arc::clone(&scene.town.residents[self.me].identity);
        let mut at = scene.now;
        if let Some(secret) = self.secret.take()
            && self.session.is_some_and(|(token, _)| scene.vault.tokens.get(token).is_none())
            && self.rng.chance(0.08)
        {
            // The token of yesterday is still in a file, and is tried first.
            let role = scene.town.residents[self.me].roles[0];
            at = scene.vault.stranger(&mut self.rng, at, secret, peer, role)
                + self.rng.between(4, 20) * SECOND;
        }
        while identity.method == Method::Userpass && self.rng.chance(0.06) {
            at =
                scene.vault.fail_login(&mut self.rng, at, &identity, peer) + self.rng.between(3, 12) * SECOND;
        }
        let is_new = std::mem::take(&mut self.is_unknown);
        let (token, at) = scene.vault.login(&mut self.rng, at, &identity, peer, is_new);
        let old = self.session.map(|(token, _)| token);
        scene.town.logged_in(self.me, old, Some(token));
        self.session = Some((token, peer));
        self.secret = scene.vault.tokens.get(token).map(|token| token.secret);
        (token, peer, at + self.rng.between(1, 8) * SECOND)
    }

    fn act(&mut self, scene: &mut Scene<'_>) {
        let (token, peer, at) = self.log_in(scene);
        let roles = scene.town.residents[self.me].roles.clone();
        let team = scene.town.residents[self.me].team;
        let name = scene.vault.catalog.teams[team].name;
        let rng = &mut self.rng;
        let mount = scene.vault.catalog.roles[roles[0]].mount;
        let point = scene.vault.catalog.mounts[mount].point;
        match rng.below(100) {
            0..=59 => {
                let weights: Vec<f64> = (0..roles.len()).map(|at| 1.0 / (at + 1) as f64).collect();
                let role = roles[rng.weighted(&weights)];
                let issue = scene.vault.issue(rng, at, token, peer, role, 0);
                if let Some(held) = scene.held(&issue) {
                    scene.town.took(self.me);
                    if rng.chance(0.25) {
                        let lasts = rng.between(5, 100) * MINUTE;
                        self.held.push(held);
                        scene.at(at + lasts, Note { what: GIVE_BACK, ..Note::default() });
                    }
                }
            }
            60..=77 => {
                let path = format!("{name}/{}", ["shared", "smtp", "feature-flags", "ci"][rng.index(4)]);
                scene.vault.read_kv(rng, at, token, peer, &path);
            }
            78..=81 => {
                scene.vault.write_kv(rng, at, token, peer, &format!("{name}/feature-flags"));
            }
            82..=87 => {
                scene.vault.list(rng, at, token, peer, (point, &format!("{point}roles/")), 9);
            }
            88..=93 => {
                scene.vault.lookup_self(rng, at, token, peer);
            }
            94..=95 => {
                let typed = ["prod-app", "app", "readonly", "reporting"][rng.index(4)];
                scene.vault.unknown_role(rng, at, token, peer, mount, typed);
            }
            96..=97 => {
                let which = rng.next();
                let namespace = scene.town.residents[self.me].identity.namespace;
                scene.vault.probe(rng, at, token, peer, (namespace, team), which);
            }
            _ => self.administer(token, peer, at, scene),
        }
    }

    /// What those do who look after the server, and what others look at.
    fn administer(&mut self, token: Key, peer: Peer, at: i64, scene: &mut Scene<'_>) {
        let rng = &mut self.rng;
        if !self.ways.is_admin {
            let names = 6 + rng.index(9);
            scene.vault.list(rng, at, token, peer, ("kv/", "kv/metadata/"), names);
            return;
        }
        match rng.below(4) {
            0 => {
                scene.vault.list(rng, at, token, peer, ("auth/approle/", "auth/approle/role/"), 20);
            }
            1 => {
                let plain = Plain {
                    operation: "update",
                    mount: "sys/",
                    path: "sys/policies/acl/shop-service",
                    data: &scene.vault.hashed_one(rng, "policy"),
                    answer: "",
                    policy: Policy::Own,
                    micros: 400,
                };
                scene.vault.plain(rng, at, token, peer, &plain);
            }
            _ => {
                scene.vault.list(rng, at, token, peer, ("sys/", "sys/policies/acl/"), 12);
            }
        }
    }

    fn give_back(&mut self, scene: &mut Scene<'_>) {
        let Some((token, _)) = self.session else { return };
        if self.held.is_empty() {
            return;
        }
        let held = self.held.remove(0);
        if scene.vault.leases.get(held.lease).is_some() {
            scene.vault.revoke(&mut self.rng, scene.now, token, (held.lease, &held.id), Revoke::Path);
        }
    }

    /// Something broke: an hour of looking for it.
    fn night(&mut self, scene: &mut Scene<'_>) {
        self.address = Some(if self.ways.uses_vpn { Network::Vpn } else { self.home }.address(&mut self.rng));
        let many = self.rng.between(2, 9);
        for _ in 0..many {
            let at = scene.now + self.rng.below((70 * MINUTE).unsigned_abs()) as i64;
            scene.at(at, Note { what: ACT, ..Note::default() });
        }
    }
}

fn is_of_home(address: Option<IpAddr>) -> bool {
    match address {
        Some(IpAddr::V4(address)) => !address.is_private(),
        _ => false,
    }
}

impl Actor for Person {
    fn begin(&mut self, scene: &mut Scene<'_>) {
        let Some(resident) = self.resident.take() else { return };
        self.me = scene.town.welcome(resident);
        if self.rng.chance(0.08) {
            let (day, _) = self.zone.local(scene.now);
            self.away_until = day + self.rng.between(1, 12);
        }
        scene.at(
            scene.now + self.rng.below(DAY.unsigned_abs()) as i64 / 24,
            Note { what: MORNING, ..Note::default() },
        );
    }

    fn wake(&mut self, note: Note, scene: &mut Scene<'_>) {
        match note.what {
            MORNING => self.morning(scene),
            NIGHT => self.night(scene),
            GIVE_BACK => self.give_back(scene),
            _ => self.act(scene),
        }
    }
}
