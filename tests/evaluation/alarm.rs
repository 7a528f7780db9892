//! Scores are grouped to alarms.

use crate::measure::{Grouper, HOUR, Raise};
use leasewatch::event::Timestamp;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(secs)
}

#[test]
fn scores_within_six_hours_are_one_alarm_with_its_maxima() {
    let mut grouper = Grouper::default();
    for (secs, score) in [(0, 2.0), (10, 1.0), (20, 3.0), (6 * HOUR - 1, 4.0)] {
        grouper.score("a", at(secs), score);
    }
    let alarms = grouper.finish();
    assert_eq!(alarms.len(), 1);
    let raises: Vec<_> = alarms[0].raises.iter().map(|raise| raise.score).collect();
    assert_eq!(raises, [2.0, 3.0, 4.0]);
}

#[test]
fn the_next_six_hours_and_another_subject_are_other_alarms() {
    let mut grouper = Grouper::default();
    grouper.score("a", at(0), 5.0);
    grouper.score("b", at(1), 1.0);
    grouper.score("a", at(6 * HOUR), 1.0);
    grouper.score("c", at(7 * HOUR), 0.0);
    let alarms = grouper.finish();
    let subjects: Vec<_> = alarms.iter().map(|alarm| alarm.subject.as_str()).collect();
    assert_eq!(subjects, ["a", "b", "a"]);
    assert_eq!(alarms[2].raises, [Raise { at: at(6 * HOUR), score: 1.0 }]);
}
