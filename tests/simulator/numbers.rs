//! What `leasewatch` makes of a simulated world's logs is what truly happened in it.

use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress};
use leasewatch::simulator::{AttackKind, Attacks, Log, Place, Scenario, Size, World};
use leasewatch::snapshot::{Family, Value};
use leasewatch::source::{LineSource, Position, Status, Step};
use leasewatch::state::Limits;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Instant;

struct Text(VecDeque<String>);

impl LineSource for Text {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        line.clear();
        let Some(text) = self.0.pop_front() else { return Step::End };
        line.extend_from_slice(text.as_bytes());
        Step::Line
    }
    fn position(&self) -> Position {
        Position::default()
    }
    fn next_position(&self) -> Position {
        Position::default()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

/// Runs a world to its end; what is known of it, and what leasewatch makes of it.
fn run(scenario: &Scenario) -> (World, Vec<Family>) {
    let mut world = World::new(scenario);
    let (mut audit, mut server, mut line) = (VecDeque::new(), VecDeque::new(), String::new());
    while let Some((_, log)) = world.next_line(&mut line) {
        if log == Log::Audit { &mut audit } else { &mut server }.push_back(line.clone());
    }
    let log = |kind, name, lines| Input::new(name, Lines::Log(kind), Box::new(Text(lines)));
    let inputs = vec![log(LogKind::Audit, "audit.log", audit), log(LogKind::Server, "server.log", server)];
    let mut pipeline = Pipeline::new(Limits::default(), inputs);
    let end = Timestamp::from_nanos(i64::MAX);
    while pipeline.run(Instant::now(), Timestamp::MIN, end, 10_000) != Progress::Done {}
    for input in pipeline.inputs() {
        assert!(input.stats().unreadable.is_empty(), "{:?}", input.stats());
    }
    let families = pipeline.families(pipeline.front());
    (world, families)
}

/// The values of a metric, by the labels that `key` picks out; zeros left out.
fn counts(families: &[Family], metric: &str, key: &[&str]) -> BTreeMap<Vec<String>, u64> {
    let mut counts = BTreeMap::new();
    let family = families.iter().find(|family| family.metric.name == metric).unwrap();
    for series in &family.series {
        let count = match series.value {
            Value::Count(count) => count,
            Value::Number(number) => number as u64,
            Value::Histogram(_) => panic!("{metric} is no number"),
        };
        let label = |name: &&str| {
            let at = family.metric.labels.iter().position(|label| label == name).unwrap();
            series.labels[at].to_string()
        };
        if count > 0 {
            *counts.entry(key.iter().map(label).collect()).or_default() += count;
        }
    }
    counts
}

fn namespace(path: &str) -> String {
    if path.is_empty() { "root".to_owned() } else { path.trim_end_matches('/').to_owned() }
}

fn place((space, mount, role): &Place) -> Vec<String> {
    let role = if role.is_empty() { "(unknown)" } else { role };
    vec![namespace(space), mount.clone(), role.to_owned()]
}

const ROLE: [&str; 3] = ["vault_namespace", "mount", "role"];

#[test]
fn the_numbers_are_those_of_the_truth() {
    let plain = Scenario::weeks(11, 2).size(Size { haste: 4, ..Size::small() });
    let from = plain.from;
    let scenario = Scenario {
        revocations_fail_from: Some(from.plus_secs(9 * 86_400)),
        ..plain.attacks(Attacks::Placed {
            from: from.plus_secs(7 * 86_400),
            to: from.plus_secs(14 * 86_400),
            count: 8,
        })
    };
    let scenario = scenario.attack_at(AttackKind::ProbeFast, from.plus_secs(8 * 86_400));
    let (world, families) = run(&scenario);
    let truth = world.truth();
    assert!(world.attacks().len() >= 8, "{:?}", world.attacks());

    let by = |metric, key: &[&str]| counts(&families, metric, key);
    let issued: BTreeMap<_, _> = truth.issued.iter().map(|(role, count)| (place(role), *count)).collect();
    assert_eq!(by("leasewatch_credentials_issued_total", &ROLE), issued);

    let mut failed = BTreeMap::new();
    for (((space, mount, _), reason), count) in &truth.failed {
        // Roles that nobody has had a credential of yet are not known to exist.
        let key = vec![namespace(space), mount.clone(), (*reason).to_owned()];
        *failed.entry(key).or_default() += *count;
    }
    assert!(failed.len() > 3, "{failed:?}");
    assert_eq!(by("leasewatch_credential_failures_total", &["vault_namespace", "mount", "reason"]), failed);

    let logins: BTreeMap<_, _> = truth
        .logins
        .iter()
        .map(|((space, mount, ok), count)| {
            let outcome = if *ok { "ok" } else { "failed" };
            (vec![namespace(space), mount.clone(), outcome.to_owned()], *count)
        })
        .collect();
    assert_eq!(by("leasewatch_logins_total", &["vault_namespace", "mount", "outcome"]), logins);

    let denied: BTreeMap<_, _> = truth
        .denied
        .iter()
        .map(|((space, mount), count)| (vec![namespace(space), mount.clone(), "policy".to_owned()], *count))
        .collect();
    let mut seen = by("leasewatch_denied_total", &["vault_namespace", "mount", "kind"]);
    seen.retain(|key, _| key[2] == "policy");
    assert_eq!(seen, denied);

    let mut renewed = by("leasewatch_renewals_total", &["outcome"]);
    let ok = renewed.remove(&vec!["ok".to_owned()]).unwrap_or(0);
    let capped = renewed.remove(&vec!["capped".to_owned()]).unwrap_or(0);
    assert_eq!(ok + capped, truth.renewed);
    assert!(capped > 0);

    let ended: BTreeMap<_, _> = truth.ended.iter().map(|(role, count)| (place(role), *count)).collect();
    assert_eq!(by("leasewatch_revocations_total", &ROLE), ended);
    let causes: BTreeMap<_, _> =
        truth.ended_by.iter().map(|(cause, count)| (vec![(*cause).to_owned()], *count)).collect();
    // No log says why a lease ended: leasewatch concludes it from times, and calls it early or
    // unknown where they decide nothing. Every end is counted (above); of the causes, as
    // many as one in two hundred may be judged so.
    let told = by("leasewatch_revocations_total", &["cause"]);
    let all: u64 = causes.values().sum();
    assert_eq!(told.values().sum::<u64>(), all);
    assert_eq!(told.get(&vec!["requested".to_owned()]), causes.get(&vec!["requested".to_owned()]));
    let names: BTreeSet<_> = told.keys().chain(causes.keys()).collect();
    let count = |of: &BTreeMap<Vec<String>, u64>, name| of.get(name).copied().unwrap_or(0);
    let moved: u64 = names.into_iter().map(|name| count(&told, name).abs_diff(count(&causes, name))).sum();
    assert!(moved / 2 * 200 <= all, "{told:?} {causes:?}");

    let failures: u64 = by("leasewatch_revocation_failures_total", &["mount"]).values().sum();
    assert_eq!(failures, truth.revocation_failures);
    assert!(!world.irrevocable().is_empty());

    let outstanding: BTreeMap<_, _> =
        world.leases_by_role().iter().map(|(role, count)| (place(role), *count as u64)).collect();
    assert_eq!(by("leasewatch_leases", &ROLE), outstanding);
}
