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

#[cfg(test)]
mod tests {
    use super::*;
    use leasewatch::event::Timestamp;

    #[test]
    fn the_score_is_the_count_of_the_minute() {
        let mut count = Box::new(Count::default());
        for secs in [0, 1, 59, 60, 61] {
            let at = Timestamp::from_secs(secs);
            count.see(&Asked { at, subject: "a", role: "database/creds/app", source: None });
        }
        let alarms = count.finish();
        assert_eq!(alarms.len(), 1);
        let raises: Vec<_> =
            alarms[0].raises.iter().map(|raise| (raise.at.as_nanos(), raise.score)).collect();
        assert_eq!(raises, [(0, 1.0), (1_000_000_000, 2.0), (59_000_000_000, 3.0)]);
    }
}
