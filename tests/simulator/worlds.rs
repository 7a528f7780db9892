//! Worlds are what scenarios say: the same from the same seed, without an end
//! if asked, with attacks that touch nobody else's lines.

use leasewatch::event::Timestamp;
use leasewatch::simulator::{AttackKind, Attacks, Flood, Log, Plan, Scenario, Size, World};
use std::collections::{BTreeMap, BTreeSet};

fn lines(scenario: &Scenario) -> Vec<String> {
    let mut world = World::new(scenario);
    let (mut lines, mut line) = (Vec::new(), String::new());
    while world.next_line(&mut line).is_some() {
        lines.push(line.clone());
    }
    lines
}

fn text<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!("\"{key}\":\""))?;
    rest.split('"').next()
}

const DAY: i64 = 86_400;

#[test]
fn equal_scenarios_give_equal_lines_and_seeds_differ() {
    let scenario = Scenario::weeks(1, 1).size(Size::small());
    let first = lines(&scenario);
    assert_eq!(first, lines(&scenario));
    assert_ne!(first, lines(&Scenario { seed: 2, ..scenario }));
}

#[test]
fn worlds_are_the_same_on_every_machine() {
    // The number of lines and a checksum of one small world, as it was when this was written.
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let all = lines(&Scenario::weeks(1, 1).size(Size::small()));
    for byte in all.iter().flat_map(|line| line.bytes()) {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    assert_eq!((all.len(), sum), EXPECTED);
}

const EXPECTED: (usize, u64) = (21_266, 17_033_137_447_178_784_362);

#[test]
fn attacks_change_nothing_of_what_others_do() {
    let quiet = Scenario::weeks(3, 3).size(Size::small());
    let from = quiet.from.plus_secs(8 * DAY);
    let attacked =
        quiet.clone().attacks(Attacks::Placed { from, to: quiet.from.plus_secs(20 * DAY), count: 8 });
    let (quiet, attacked) = (lines(&quiet), lines(&attacked));
    assert!(attacked.len() > quiet.len() + 100);
    let all: BTreeSet<&String> = attacked.iter().collect();
    let missing: Vec<_> = quiet.iter().filter(|line| !all.contains(line)).collect();
    assert!(missing.is_empty(), "{} lines, such as {}", missing.len(), missing[0]);
}

#[test]
fn every_kind_of_attack_takes_place_with_its_label() {
    let plain = Scenario::weeks(4, 5).size(Size { services: 12, people: 10, ..Size::small() });
    let (from, to) = (plain.from.plus_secs(14 * DAY), plain.to);
    let mut world = World::new(&plain.attacks(Attacks::Placed { from, to, count: 16 }));
    let (mut line, mut of_entity) = (String::new(), BTreeMap::<String, u32>::new());
    while let Some((at, log)) = world.next_line(&mut line) {
        if log == Log::Audit && at >= from && line.contains("\"type\":\"request\"") {
            if let Some(entity) = text(&line, "client_id") {
                *of_entity.entry(entity.to_owned()).or_default() += 1;
            }
        }
    }
    let kinds: BTreeSet<AttackKind> = world.attacks().iter().map(|attack| attack.kind).collect();
    assert_eq!(kinds, AttackKind::ALL.into_iter().collect());
    for attack in world.attacks() {
        assert!(attack.first >= from && attack.last >= attack.first, "{attack:?}");
        assert!(attack.requests >= 3, "{attack:?}");
        assert!(of_entity[&attack.entity] >= attack.requests, "{attack:?}");
        let minutes = attack.last.nanos_since(attack.first) / 60_000_000_000;
        match attack.kind {
            AttackKind::Burst | AttackKind::ProbeFast => assert!(minutes <= 12, "{attack:?}"),
            AttackKind::SlowDoubling => assert!(minutes > 3 * 1_440, "{attack:?}"),
            AttackKind::ProbeSlow => assert!((900..1_800).contains(&minutes), "{attack:?}"),
            _ => assert!(minutes <= 190, "{attack:?}"),
        }
    }
}

#[test]
fn a_planned_attack_has_its_victim_and_time() {
    let plain = Scenario::weeks(4, 2).size(Size::small());
    let entity = World::new(&plain).entities().next().unwrap().0.to_owned();
    let at = plain.from.plus_secs(9 * DAY);
    let plans = (0..3).map(|day| Plan {
        kind: AttackKind::Burst,
        at: at.plus_secs(day * DAY),
        victim: Some(entity.clone()),
    });
    let mut world = World::new(&plain.attacks(Attacks::Planned(plans.collect())));
    let mut line = String::new();
    while world.next_line(&mut line).is_some() {}
    assert_eq!(world.attacks().len(), 3);
    for (day, attack) in world.attacks().iter().enumerate() {
        assert_eq!(attack.entity, entity);
        let after = attack.first.nanos_since(at) / 1_000_000_000 - day as i64 * DAY;
        assert!((0..720).contains(&after), "{attack:?}");
    }
}

#[test]
fn a_world_without_an_end_goes_on_and_becomes_lively() {
    let plain = Scenario::weeks(9, 1).size(Size { services: 6, ..Size::demo() });
    let lively = plain.from.plus_secs(3 * DAY);
    let far = Timestamp::from_nanos(i64::MAX);
    let mut world = World::new(&Scenario { to: far, lively_from: Some(lively), ..plain });
    let (mut line, mut before, mut after) = (String::new(), 0, 0);
    while let Some((at, _)) = world.next_line(&mut line) {
        if at >= lively.plus_secs(600) {
            break;
        }
        before += u32::from(at >= lively.plus_secs(-600) && at < lively);
        after += u32::from(at >= lively);
    }
    assert!(after > 1_000 && after > 5 * before, "{before} lines in ten minutes, then {after}");
    assert!(world.leases_outstanding() > 0 && world.tokens_outstanding() > 0);
}

#[test]
fn a_flood_brings_as_many_entities_as_it_says() {
    let plain = Scenario::weeks(2, 1).size(Size { services: 1, ..Size::small() });
    let begin = plain.from.plus_secs(DAY);
    let flood = Flood { from: begin, to: begin.plus_secs(3_600), identities: 500 };
    let all = lines(&plain.flood(flood));
    let made = all
        .iter()
        .filter(|line| line.contains("\"entity_created\":true") && line.contains("project_path:load/run-"));
    let entities: BTreeSet<_> = made.filter_map(|line| text(line, "entity_id")).collect();
    assert_eq!(entities.len(), 500);
}

#[test]
fn behind_a_proxy_there_is_one_address() {
    let scenario = Scenario { behind_proxy: true, ..Scenario::weeks(2, 1).size(Size::small()) };
    let all = lines(&scenario);
    let addresses: BTreeSet<_> = all.iter().filter_map(|line| text(line, "remote_address")).collect();
    assert_eq!(addresses.len(), 1);
}
