//! New terms: a subject uses a role or an address that it did not use within 14 days. As products
//! have it each is an alarm; here the score is how many there are in one alarm.

use super::{Asked, Baseline};
use crate::measure::{Alarm, DAY, Grouper, HOUR};
use leasewatch::event::Timestamp;
use std::collections::HashMap;
use std::net::IpAddr;

/// For how long a term is remembered, in seconds.
const MEMORY: i64 = 14 * DAY;

#[derive(Debug, Default)]
pub(super) struct Terms {
    subjects: HashMap<String, Subject>,
    alarms: Grouper,
}

#[derive(Debug, Default)]
struct Subject {
    roles: HashMap<String, Timestamp>,
    sources: HashMap<IpAddr, Timestamp>,
    /// When the alarm that is open began, and the new terms in it.
    open: Option<(Timestamp, f64)>,
}

impl Baseline for Terms {
    fn name(&self) -> &'static str {
        "new terms, 14 days"
    }

    fn see(&mut self, asked: &Asked<'_>) {
        let at = asked.at;
        if !self.subjects.contains_key(asked.subject) {
            self.subjects.insert(asked.subject.to_string(), Subject::default());
        }
        let Some(subject) = self.subjects.get_mut(asked.subject) else { return };
        let is_new = |last: Option<Timestamp>| last.is_none_or(|last| last.plus_secs(MEMORY) < at);
        let mut fresh = 0.0;
        if let Some(last) = subject.roles.get_mut(asked.role) {
            fresh += f64::from(u8::from(is_new(Some(std::mem::replace(last, at)))));
        } else {
            subject.roles.insert(asked.role.to_string(), at);
            fresh += 1.0;
        }
        if let Some(source) = asked.source {
            fresh += f64::from(u8::from(is_new(subject.sources.insert(source, at))));
        }
        if fresh > 0.0 {
            let (began, before) =
                subject.open.filter(|(began, _)| at < began.plus_secs(6 * HOUR)).unwrap_or((at, 0.0));
            subject.open = Some((began, before + fresh));
            self.alarms.score(asked.subject, at, before + fresh);
        }
    }

    fn finish(self: Box<Self>) -> Vec<Alarm> {
        self.alarms.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_new_once_in_14_days() {
        let mut terms = Box::new(Terms::default());
        let mut see = |secs, role, source: &str| {
            let source = source.parse().ok();
            terms.see(&Asked { at: Timestamp::from_secs(secs), subject: "a", role, source });
        };
        see(0, "r", "10.0.0.1"); // both new
        see(10, "r", "10.0.0.1");
        see(DAY, "s", "10.0.0.1"); // a new role
        see(14 * DAY, "r", "10.0.0.1");
        see(14 * DAY + 1, "r", "10.0.0.2"); // a new address
        see(29 * DAY, "r", "10.0.0.2"); // both have been forgotten
        let alarms = terms.finish();
        let scores: Vec<_> =
            alarms.iter().map(|alarm| alarm.raises.last().map(|raise| raise.score)).collect();
        assert_eq!(scores, [Some(2.0), Some(1.0), Some(1.0), Some(2.0)]);
    }
}
