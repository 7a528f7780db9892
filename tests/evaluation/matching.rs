//! Alarms are matched with attacks.

use crate::measure::matching::Found;
use crate::measure::{Alarm, Caught, DAY, HOUR, Raise, Truth};
use leasewatch::event::Timestamp;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn attack(subject: &str, first: i64, last: i64) -> Truth {
    Truth { kind: "burst", subject: subject.into(), first: at(first), last: at(last), after: DAY }
}

fn alarm(subject: &str, raises: &[(i64, f64)]) -> Alarm {
    let raises = raises.iter().map(|(secs, score)| Raise { at: at(*secs), score: *score }).collect();
    Alarm { subject: subject.into(), raises }
}

fn sort(alarms: &[Alarm], attacks: &[Truth]) -> Caught {
    Caught::sort(alarms, attacks, at(0), at(100 * DAY))
}

#[test]
fn several_alarms_in_one_window_are_one_hit_and_none_is_false() {
    let alarms = [
        alarm("a", &[(1_000, 20.0), (1_060, 50.0)]),
        alarm("a", &[(1_000 + 7 * HOUR, 30.0), (1_000 + 8 * HOUR, 70.0)]),
        alarm("a", &[(2_000 + DAY - 1, 80.0)]),
    ];
    let caught = sort(&alarms, &[attack("a", 1_000, 2_000)]);
    assert!(caught.false_alarms.is_empty());
    let found = &caught.found[0];
    assert_eq!(found.best(), Some(80.0));
    assert_eq!(found.delay(10.0), Some(0.0));
    assert_eq!(found.delay(20.0), Some(60.0));
    assert_eq!(found.delay(50.0), Some(8.0 * 3_600.0));
    assert_eq!(found.delay(80.0), None, "a score has to pass the cut");
}

#[test]
fn outside_the_window_or_of_another_subject_it_is_false() {
    let alarms = [
        alarm("a", &[(999, 40.0)]),
        alarm("a", &[(2_001 + DAY, 41.0), (2_002 + DAY, 43.0)]),
        alarm("b", &[(1_500, 42.0)]),
        alarm("", &[(1_500, 44.0)]),
    ];
    let caught = sort(&alarms, &[attack("a", 1_000, 2_000)]);
    let scores: Vec<_> = caught.false_alarms.iter().map(|(_, score)| *score).collect();
    assert_eq!(scores, [40.0, 43.0, 42.0, 44.0]);
    assert_eq!(caught.found[0], Found::default());
}

#[test]
fn an_alarm_from_before_the_attack_is_false_for_what_it_was_then() {
    let alarms = [alarm("a", &[(900, 30.0), (950, 45.0), (1_010, 60.0)])];
    let caught = sort(&alarms, &[attack("a", 1_000, 2_000)]);
    assert_eq!(caught.false_alarms, [(at(900), 45.0)]);
    assert_eq!(caught.found[0].raises, [(10.0, 60.0)]);
}

#[test]
fn of_two_attacks_the_later_one_has_the_alarm() {
    let attacks = [attack("a", 1_000, 2_000), attack("a", 30_000, 31_000)];
    let caught = sort(&[alarm("a", &[(30_030, 50.0)])], &attacks);
    assert_eq!(caught.found[0].best(), None);
    assert_eq!(caught.found[1].raises, [(30.0, 50.0)]);
}

#[test]
fn what_was_raised_while_learning_counts_as_nothing() {
    let alarms = [alarm("a", &[(10, 90.0)]), alarm("b", &[(20, 50.0), (60, 55.0)])];
    let caught = Caught::sort(&alarms, &[], at(50), at(100));
    assert_eq!(caught.false_alarms, [(at(60), 55.0)]);
}
