//! Matching: which alarms found an attack, and which are false. The rule is that of
//! docs/evaluation.md, the same for every detector.

use super::{Alarm, secs_between};
use leasewatch::event::Timestamp;
use std::collections::HashMap;

/// An attack, as the simulator tells it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Truth {
    /// Its kind, by name.
    pub(crate) kind: &'static str,
    /// Entity ID of the subject that it is done with.
    pub(crate) subject: String,
    /// Its first and its last event.
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    /// For so many seconds after the last event an alarm still counts as of this attack.
    pub(crate) after: i64,
}

impl Truth {
    fn covers(&self, at: Timestamp) -> bool {
        self.first <= at && at <= self.last.plus_secs(self.after)
    }
}

/// What alarms said about one attack.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Each new maximum of the score in its window: seconds since the first event, and the score.
    pub(crate) raises: Vec<(f64, f64)>,
}

impl Found {
    /// The highest score in its window.
    pub(crate) fn best(&self) -> Option<f64> {
        self.raises.last().map(|(_, score)| *score)
    }

    /// Seconds from the first event until the score was above `cut`.
    pub(crate) fn delay(&self, cut: f64) -> Option<f64> {
        self.raises.iter().find(|(_, score)| *score > cut).map(|(delay, _)| *delay)
    }
}

/// All alarms of one world, sorted into what they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Caught {
    /// For each attack, in their order.
    pub(crate) found: Vec<Found>,
    /// The highest score of each false alarm, and when it was first raised.
    pub(crate) false_alarms: Vec<(Timestamp, f64)>,
}

impl Caught {
    /// Sorts alarms that were raised from `from` to `to`.
    ///
    /// An alarm is of an attack if it is raised in the attack's window and about its subject;
    /// where windows overlap, of the attack that began last. An alarm first raised outside every
    /// window of its subject is false, with the highest score that it had before one began; if it
    /// then rises in a window, it has found that attack as well.
    pub(crate) fn sort(alarms: &[Alarm], attacks: &[Truth], from: Timestamp, to: Timestamp) -> Self {
        let mut of_subject: HashMap<&str, Vec<usize>> = HashMap::new();
        for (number, attack) in attacks.iter().enumerate() {
            of_subject.entry(&attack.subject).or_default().push(number);
        }
        let mut raises: Vec<Vec<(Timestamp, f64)>> = vec![Vec::new(); attacks.len()];
        let mut false_alarms = Vec::new();
        for alarm in alarms {
            let numbers = of_subject.get(alarm.subject.as_str()).map_or(&[][..], Vec::as_slice);
            let (mut was_in_window, mut is_false) = (false, None);
            for raise in alarm.raises.iter().filter(|raise| from <= raise.at && raise.at < to) {
                let covers = |number: &&usize| attacks[**number].covers(raise.at);
                let attack = numbers.iter().filter(covers).max_by_key(|number| attacks[**number].first);
                if let Some(number) = attack {
                    raises[*number].push((raise.at, raise.score));
                    was_in_window = true;
                } else if !was_in_window {
                    let began = is_false.map_or(raise.at, |(began, _)| began);
                    is_false = Some((began, raise.score));
                }
            }
            false_alarms.extend(is_false);
        }
        let found = attacks.iter().zip(raises).map(|(attack, raises)| maxima(attack.first, raises)).collect();
        Self { found, false_alarms }
    }
}

/// The new maxima over all alarms of an attack.
fn maxima(first: Timestamp, mut raises: Vec<(Timestamp, f64)>) -> Found {
    raises.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut found = Found::default();
    for (at, score) in raises {
        if found.best().is_none_or(|best| score > best) {
            found.raises.push((secs_between(first, at), score));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{DAY, HOUR, Raise};
    use super::*;

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
}
