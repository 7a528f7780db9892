//! Who is there beside services: batch jobs, people, pipelines, and those who
//! keep the server. Draws everybody's nature from the seed.

use super::actors::{Actor, Agent, Broker, Cron, Every, Farm, Keeper, Person, Pipeline, Ways};
use super::calendar::{DAY, HOUR, MINUTE};
use super::catalog::Catalog;
use super::identity::{Identity, Method, Profile};
use super::network::Network;
use super::rng::Rng;
use super::scenario::Scenario;
use super::town::{Kind, Resident};
use std::sync::Arc;

#[allow(clippy::too_many_arguments, reason = "all that makes somebody's entry")]
fn resident(
    scenario: &Scenario,
    catalog: &Catalog,
    kind: Kind,
    team: usize,
    profile: &Profile<'_>,
    network: Network,
    roles: Vec<usize>,
    now: i64,
) -> Resident {
    Resident {
        identity: Arc::new(Identity::new(scenario.seed, catalog, profile)),
        kind,
        team,
        zone: catalog.teams[team].zone,
        network,
        roles,
        tokens: Vec::new(),
        since: now,
        issued: 0,
    }
}

/// One batch job.
pub(super) fn cron(scenario: &Scenario, catalog: &Catalog, number: u32, now: i64) -> Box<dyn Actor> {
    let mut rng = Rng::named(scenario.seed, &format!("cron {number}"));
    let team = rng.index(catalog.teams.len());
    let of_team = &catalog.teams[team];
    let (every, many) = match number % 15 {
        0 => (Every::Minutes(30), 1),
        1 | 2 => (Every::Hour, rng.between(1, 3) as u32),
        3..=9 => (Every::Day, (rng.heavy(2.0) as u32).min(60)),
        10 | 11 => (Every::Week, rng.between(4, 40) as u32),
        _ => (Every::Month, rng.between(15, 90) as u32),
    };
    let name = format!(
        "{}-{}",
        ["sync", "report", "cleanup", "backup", "rollup", "archive"][number as usize % 6],
        number
    );
    let policy = format!("{}-batch", of_team.name);
    let is_pod = rng.chance(0.4);
    let profile = Profile {
        method: if is_pod { Method::Kubernetes } else { Method::AppRole },
        namespace: of_team.namespace,
        name: &name,
        role: &name,
        team: of_team.name,
        policy: &policy,
        is_batch: rng.chance(0.3),
        ttl: (2 * HOUR, 2 * HOUR),
    };
    let mut roles = vec![catalog.role(team, "-batch")];
    if rng.chance(0.4) {
        roles.push(catalog.role(team, "-ro"));
    }
    let network = if is_pod {
        Network::Pods { cluster: 1, nodes: 4 }
    } else {
        Network::Machines(60 + rng.below(3) as u8)
    };
    let resident = resident(scenario, catalog, Kind::Cron, team, &profile, network, roles, now);
    Box::new(Cron::new(rng, resident, every, many))
}

/// First names, for user names.
const PEOPLE: [&str; 40] = [
    "anna", "ben", "carla", "david", "elif", "felix", "grace", "hiro", "ines", "jonas", "kavya", "liam",
    "mina", "noah", "olga", "pablo", "qi", "rahul", "sofia", "tom", "uma", "vera", "will", "xenia", "yusuf",
    "zoe", "amit", "bea", "chen", "dora", "emil", "fatou", "gita", "hugo", "ivan", "jana", "karl", "lena",
    "marc", "nina",
];

/// One person.
pub(super) fn person(
    scenario: &Scenario,
    catalog: &Catalog,
    number: u32,
    is_new: bool,
    now: i64,
) -> Box<dyn Actor> {
    let mut rng = Rng::named(scenario.seed, &format!("person {number}"));
    let team = rng.index(catalog.teams.len());
    let of_team = &catalog.teams[team];
    let is_userpass = of_team.namespace == 0 && rng.chance(0.2);
    let first = PEOPLE[number as usize % PEOPLE.len()];
    let name = match (is_userpass, number as usize / PEOPLE.len()) {
        (true, 0) => first.to_owned(),
        (true, more) => format!("{first}{more}"),
        (false, 0) => format!("{first}@corp.example"),
        (false, more) => format!("{first}{more}@corp.example"),
    };
    let is_admin = number % 13 == 5;
    let policy = if is_admin { "operator".to_owned() } else { format!("{}-people", of_team.name) };
    let profile = Profile {
        method: if is_userpass { Method::Userpass } else { Method::Oidc },
        namespace: of_team.namespace,
        name: &name,
        role: "dev",
        team: of_team.name,
        policy: &policy,
        is_batch: false,
        ttl: (10 * HOUR, 10 * HOUR),
    };
    let mut roles =
        vec![catalog.role(team, "-support"), catalog.role(team, "-ro"), catalog.role(team, "-admin")];
    rng.shuffle(&mut roles);
    roles.truncate(rng.between(1, 3) as usize);
    let home = if rng.chance(0.25) {
        Network::Home6(rng.next() as u32)
    } else {
        Network::Provider(rng.below(60) as u16 * 97 + rng.below(3) as u16)
    };
    let office = Network::Office(match of_team.zone {
        super::calendar::Zone::Europe => 0,
        super::calendar::Zone::America => 1,
        super::calendar::Zone::India => 2,
    });
    let ways = Ways {
        office,
        home,
        in_office: [0.0, 0.3, 0.5, 0.6, 0.9][rng.index(5)],
        uses_vpn: rng.chance(0.45),
        starts: 8 * HOUR + rng.between(0, 130) * MINUTE,
        per_day: rng.around(4.0, 0.8).clamp(1.0, 14.0),
        busy: 0.3 + 0.65 * rng.unit(),
        is_on_call: rng.chance(0.35),
        is_admin,
    };
    let resident = resident(scenario, catalog, Kind::Person, team, &profile, home, roles, now);
    Box::new(Person::new(rng, resident, ways, is_new))
}

/// One CI system; the last one or two of five have an entity for every run.
pub(super) fn pipeline(scenario: &Scenario, catalog: &Catalog, number: u32, now: i64) -> Box<dyn Actor> {
    let mut rng = Rng::named(scenario.seed, &format!("pipeline {number}"));
    // Teams of the root namespace, where the auth mount of CI is.
    let team = rng.index(6);
    let of_team = &catalog.teams[team];
    let churns = number % 5 > 2;
    let runners = Network::Runners(number as u8 % 3);
    let names: &[&str] = if churns { &["any"] } else { &["web", "jobs"] };
    let residents = names
        .iter()
        .take(1 + usize::from(rng.chance(0.5)))
        .map(|project| {
            let name = format!("project_path:{}/{project}-{number}:ref:main", of_team.name);
            let policy = format!("{}-ci", of_team.name);
            let profile = Profile {
                method: Method::Jwt,
                namespace: 0,
                name: &name,
                role: "ci",
                team: of_team.name,
                policy: &policy,
                is_batch: rng.chance(0.3),
                ttl: (HOUR / 2, HOUR / 2),
            };
            let mut roles =
                vec![catalog.role(team, "-admin"), catalog.role(team, "-ro"), catalog.role(team, "-app")];
            rng.shuffle(&mut roles);
            roles.truncate(rng.between(1, 3) as usize);
            // Of a system whose entities change nobody can be followed.
            let kind = if churns { Kind::Operator } else { Kind::Pipeline };
            resident(scenario, catalog, kind, team, &profile, runners, roles, now)
        })
        .collect();
    let farm = Farm {
        team,
        zone: of_team.zone,
        runners,
        runs_per_day: rng.around(11.0, 0.8).clamp(3.0, 40.0),
        churns,
        has_nightly: rng.chance(0.6),
    };
    Box::new(Pipeline::new(rng, farm, residents))
}

/// The secrets operator.
pub(super) fn agent(scenario: &Scenario, catalog: &Catalog, now: i64) -> Box<dyn Actor> {
    let mut rng = Rng::named(scenario.seed, "agent");
    let haste = i64::from(scenario.size.haste.max(1));
    let near: Vec<usize> = (0..6)
        .flat_map(|team: usize| catalog.teams[team].roles.iter().copied())
        .filter(|role| *role != catalog.stubborn && !catalog.roles[*role].name.ends_with("-admin"))
        .collect();
    let served: Vec<(usize, i64)> = (0..scenario.size.served)
        .map(|_| {
            let role = near[rng.index(near.len())];
            // Two thirds of the TTL, the interval that its documentation recommends.
            (
                role,
                (i64::from(catalog.roles[role].default_ttl) * 666_666_667).max(3 * HOUR / haste)
                    + rng.between(0, 600) * 1_000_000_000 / haste,
            )
        })
        .collect();
    let mut roles: Vec<usize> = served.iter().map(|(role, _)| *role).collect();
    roles.sort_unstable();
    roles.dedup();
    let profile = Profile {
        method: Method::Kubernetes,
        namespace: 0,
        name: "external-secrets",
        role: "external-secrets",
        team: "external-secrets",
        policy: "external-secrets",
        is_batch: false,
        ttl: (12 * HOUR, 8 * DAY),
    };
    let network = Network::Pods { cluster: 0, nodes: 7 };
    Box::new(Agent::new(
        rng,
        resident(scenario, catalog, Kind::Operator, 5, &profile, network, roles, now),
        served,
    ))
}

/// Infrastructure as code and the monitoring.
pub(super) fn keeper(scenario: &Scenario, catalog: &Catalog, now: i64) -> Box<dyn Actor> {
    let rng = Rng::named(scenario.seed, "keeper");
    let code = Profile {
        method: Method::Jwt,
        namespace: 0,
        name: "project_path:platform/vault-config:ref:main",
        role: "terraform",
        team: "platform",
        policy: "operator",
        is_batch: false,
        ttl: (HOUR, HOUR),
    };
    let metrics = Profile {
        method: Method::AppRole,
        namespace: 0,
        name: "prometheus",
        role: "prometheus",
        team: "platform",
        policy: "metrics",
        is_batch: false,
        ttl: (24 * HOUR, 24 * HOUR),
    };
    let of = |profile: &Profile<'_>, network| {
        resident(scenario, catalog, Kind::Operator, 5, profile, network, Vec::new(), now)
    };
    Box::new(Keeper::new(rng, [of(&code, Network::Runners(0)), of(&metrics, Network::Machines(90))]))
}

/// The deployment tool that hands on what it never sees.
pub(super) fn broker(scenario: &Scenario, catalog: &Catalog, now: i64) -> Box<dyn Actor> {
    let rng = Rng::named(scenario.seed, "broker");
    let profile = Profile {
        method: Method::AppRole,
        namespace: 0,
        name: "deployer",
        role: "deployer",
        team: "platform",
        policy: "deployer",
        is_batch: false,
        ttl: (8 * HOUR, 8 * HOUR),
    };
    let roles = vec![catalog.role(0, "-worker"), catalog.role(5, "-app")];
    let customers = vec![Network::Machines(2), Network::Machines(8), Network::Pods { cluster: 1, nodes: 4 }];
    let resident =
        resident(scenario, catalog, Kind::Operator, 5, &profile, Network::Machines(91), roles, now);
    Box::new(Broker::new(rng, resident, customers, 14.0))
}
