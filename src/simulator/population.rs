//! Who is there: draws everybody's nature from the seed.

use super::actors::{Actor, Chatter, Founder, Habits, Masses, Service};
use super::calendar::{HOUR, MINUTE, SECOND};
use super::catalog::Catalog;
use super::identity::{Identity, Method, Profile};
use super::network::Network;
use super::rng::Rng;
use super::scenario::Scenario;
use super::staff;
use super::town::{Kind, Resident};
use super::vault::Revoke;
use std::sync::Arc;

/// What services are called.
const NAMES: [&str; 40] = [
    "cart",
    "checkout",
    "catalog",
    "pricing",
    "stock",
    "search-api",
    "ranking",
    "profile",
    "session",
    "mailer",
    "invoice",
    "tax",
    "refund",
    "fraud",
    "ledger-api",
    "payout",
    "settlement",
    "shipping",
    "tracking",
    "returns",
    "reviews",
    "media",
    "thumbs",
    "notify",
    "push",
    "sms",
    "export",
    "import",
    "etl",
    "feature-store",
    "metrics-api",
    "audit-api",
    "admin-ui",
    "partner-api",
    "webhook",
    "scheduler",
    "geo",
    "loyalty",
    "coupons",
    "gateway",
];

/// Draws one service.
pub(super) fn service(
    scenario: &Scenario,
    catalog: &Catalog,
    number: u32,
    starts_after: i64,
    is_new: bool,
    now: i64,
) -> Box<dyn Actor> {
    let mut rng = Rng::named(scenario.seed, &format!("service {number}"));
    // One of the first is what the oldest role of all is still there for.
    let is_legacy = number == 2;
    let team = if is_legacy { catalog.roles[catalog.stubborn].team } else { rng.index(catalog.teams.len()) };
    let of_team = &catalog.teams[team];
    let base = NAMES[number as usize % NAMES.len()];
    let name =
        if (number as usize) < NAMES.len() { base.to_owned() } else { format!("{base}-{}", number / 40 + 1) };
    let on_machines = rng.chance(0.4);
    let network = if on_machines {
        Network::Machines(team as u8 * 4 + rng.below(3) as u8)
    } else {
        match rng.below(10) {
            0..=4 => Network::Pods { cluster: 0, nodes: 7 },
            5..=7 => Network::Pods { cluster: 1, nodes: 4 },
            _ => Network::Pods { cluster: 2, nodes: 5 },
        }
    };
    let haste = i64::from(scenario.size.haste.max(1));
    let is_batch = on_machines && rng.chance(0.15);
    let ttl = match (is_batch, rng.below(4)) {
        (true, _) => (2 * HOUR, 2 * HOUR),
        (_, 0) => (4 * HOUR, 48 * HOUR),
        (_, 1 | 2) => (12 * HOUR, 7 * 24 * HOUR),
        _ => (24 * HOUR, 32 * 24 * HOUR),
    };
    let policy = format!("{}-service", of_team.name);
    let identity = Identity::new(
        scenario.seed,
        catalog,
        &Profile {
            method: if on_machines { Method::AppRole } else { Method::Kubernetes },
            namespace: of_team.namespace,
            name: &name,
            role: &name,
            team: of_team.name,
            policy: &policy,
            is_batch,
            ttl: (ttl.0 / haste, ttl.1 / haste),
        },
    );
    let (mut held, jobs, mut habits) = work(&mut rng, catalog, team, haste);
    if is_legacy {
        held = vec![catalog.stubborn];
        habits.renews = false;
    }
    let mut roles = held.clone();
    roles.extend(jobs.iter().filter(|role| !held.contains(role)));
    let habits = Habits { held, jobs, starts_after, is_new, ..habits };
    let resident = Resident {
        identity: Arc::new(identity),
        kind: Kind::Service,
        team,
        zone: of_team.zone,
        network,
        roles,
        tokens: Vec::new(),
        since: now + starts_after,
        issued: 0,
    };
    Box::new(Service::new(rng, resident, habits))
}

/// What a service does all day: the roles that its instances hold, those of its jobs, and the rest.
fn work(rng: &mut Rng, catalog: &Catalog, team: usize, haste: i64) -> (Vec<usize>, Vec<usize>, Habits) {
    let own = &catalog.teams[team].roles;
    let app = catalog.role(team, "-app");
    let read_only = catalog.role(team, "-ro");
    let worker = catalog.role(team, "-worker");
    let style = rng.below(10);
    let is_jobs = style >= 6;
    let renews = style < 4;
    let mut held = match style {
        0..=3 => vec![app],
        4 | 5 => vec![read_only],
        _ if rng.chance(0.4) => vec![app],
        _ => Vec::new(),
    };
    if rng.chance(0.25) {
        // A second one, of a neighbour in the same namespace.
        let near = catalog.roles_near(team);
        if let Some(role) = rng.pick(&near).copied()
            && i64::from(catalog.roles[role].default_ttl) * haste >= 7_200
            && role != catalog.stubborn
            && catalog.may(team, role)
            && !held.contains(&role)
        {
            held.push(role);
        }
    }
    let mut jobs = Vec::new();
    if is_jobs {
        jobs.push(worker);
        if rng.chance(0.3) {
            jobs.extend(rng.pick(own).filter(|role| **role != worker && **role != catalog.stubborn));
        }
    }
    let habits = Habits {
        held: Vec::new(),
        jobs: Vec::new(),
        jobs_per_day: if is_jobs {
            rng.around(22.0, 0.9).clamp(5.0, 130.0) * (1 + haste / 4) as f64
        } else {
            0.0
        },
        swing: if rng.chance(0.6) { 0.5 + 0.5 * rng.unit() } else { 0.0 },
        renews,
        revokes: match rng.below(5) {
            0 => Some(Revoke::Path),
            1 => Some(Revoke::Queued),
            2 | 3 => Some(Revoke::Body),
            _ => None,
        },
        is_tidy: rng.chance(0.45),
        settings: rng.between(0, 3) as u32,
        settings_every: if rng.chance(0.4) { rng.between(30, 240) * MINUTE / haste } else { 0 },
        certificate_every: if catalog.teams[team].pki.is_some() && rng.chance(0.2) { 16 * HOUR } else { 0 },
        instances: [1, 1, 1, 1, 2, 2, 2, 3][rng.index(8)],
        elastic: if rng.chance(0.18) { rng.between(1, 3) as u32 } else { 0 },
        deploys_per_week: rng.around(1.1, 1.0).clamp(0.1, 7.0),
        crash_days: rng.around(16.0, 0.9),
        starts_after: SECOND,
        is_new: false,
    };
    (held, jobs, habits)
}

pub(super) use super::staff::person;

/// Everybody who is there from the beginning, and those who bring others.
pub(super) fn everybody(scenario: &Scenario, catalog: &Catalog) -> Vec<Box<dyn Actor>> {
    let (from, size) = (scenario.from.as_nanos(), scenario.size);
    let mut rng = Rng::named(scenario.seed, "arrivals");
    let mut out: Vec<Box<dyn Actor>> = Vec::new();
    for number in 0..size.services {
        let after = rng.below((12 * HOUR).unsigned_abs()) as i64;
        out.push(service(scenario, catalog, number, after, false, from));
    }
    out.extend((0..size.crons).map(|number| staff::cron(scenario, catalog, number, from)));
    out.extend((0..size.people).map(|number| staff::person(scenario, catalog, number, false, from)));
    out.extend((0..size.pipelines).map(|number| staff::pipeline(scenario, catalog, number, from)));
    if size.served > 0 {
        out.push(staff::agent(scenario, catalog, from));
    }
    out.push(staff::keeper(scenario, catalog, from));
    out.push(staff::broker(scenario, catalog, from));
    out.push(Box::new(Founder::new(scenario)));
    if let Some(flood) = scenario.flood {
        out.push(Box::new(Masses::new(scenario.seed, flood)));
    }
    if let Some(from) = scenario.lively_from {
        out.push(Box::new(Chatter::new(scenario.seed, from.as_nanos())));
    }
    out
}
