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
