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
