//! An alarm: what a detector says about one subject within six hours, with the course of its
//! score. The detector's own episodes are turned into these, and scores of the baselines grouped.

use super::HOUR;
use leasewatch::event::Timestamp;
use std::collections::HashMap;

/// One alarm for one subject.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Alarm {
    /// Entity ID of the subject; empty where it is of no entity.
    pub(crate) subject: String,
    /// Each new maximum of the score, in the order of time; never empty.
    pub(crate) raises: Vec<Raise>,
}

/// A score that was higher than all before it in the same alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Raise {
    pub(crate) at: Timestamp,
    pub(crate) score: f64,
}

/// A subject gives one alarm in this time, in seconds; scores within it raise that one.
const REFRACTORY: i64 = 6 * HOUR;

/// Groups the scores of a detector that knows no episodes: an alarm lasts six hours from its
/// first score.
#[derive(Debug, Default)]
pub(crate) struct Grouper {
    /// The alarm of each subject that still takes scores.
    open: HashMap<String, Alarm>,
    closed: Vec<Alarm>,
}

impl Grouper {
    /// A subject's score at a moment. Scores of a subject come in the order of time; those that
    /// are 0 or less are none.
    pub(crate) fn score(&mut self, subject: &str, at: Timestamp, score: f64) {
        if score <= 0.0 {
            return;
        }
        let raise = Raise { at, score };
        let Some(alarm) = self.open.get_mut(subject) else {
            self.open
                .insert(subject.to_string(), Alarm { subject: subject.to_string(), raises: vec![raise] });
            return;
        };
        if at >= alarm.raises[0].at.plus_secs(REFRACTORY) {
            let fresh = Alarm { subject: subject.to_string(), raises: vec![raise] };
            self.closed.push(std::mem::replace(alarm, fresh));
        } else if alarm.raises.last().is_none_or(|last| score > last.score) {
            alarm.raises.push(raise);
        }
    }

    /// All alarms, in the order of their first score.
    pub(crate) fn finish(self) -> Vec<Alarm> {
        let mut alarms = self.closed;
        alarms.extend(self.open.into_values());
        alarms.sort_by(|a, b| (a.raises[0].at, &a.subject).cmp(&(b.raises[0].at, &b.subject)));
        alarms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
