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
