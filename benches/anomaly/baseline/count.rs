//! A static threshold: how many credentials a subject asked for within one minute.

use super::{Asked, Baseline};
use crate::measure::{Alarm, Grouper};
use std::collections::HashMap;

const MINUTE: i64 = 60_000_000_000;

#[derive(Debug, Default)]
pub(super) struct Count {
    /// The minute of each subject's last request, and the requests in it.
    minutes: HashMap<String, (i64, u32)>,
    alarms: Grouper,
}

impl Baseline for Count {
    fn name(&self) -> &'static str {
        "static threshold, count a minute"
    }

    fn see(&mut self, asked: &Asked<'_>) {
        let minute = asked.at.as_nanos().div_euclid(MINUTE);
        if !self.minutes.contains_key(asked.subject) {
            self.minutes.insert(asked.subject.to_string(), (minute, 0));
        }
        let Some(last) = self.minutes.get_mut(asked.subject) else { return };
        if last.0 != minute {
            *last = (minute, 0);
        }
        last.1 += 1;
        self.alarms.score(asked.subject, asked.at, f64::from(last.1));
    }

    fn finish(self: Box<Self>) -> Vec<Alarm> {
        self.alarms.finish()
    }
}
