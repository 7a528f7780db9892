//! Measure: what a detector's output is worth, given the truth. Pure numbers; where alarms and
//! truth come from is the affair of `feed` and `baseline`.

pub(crate) mod alarm;
pub(crate) mod figures;
pub(crate) mod interval;
pub(crate) mod matching;

pub(crate) use alarm::{Alarm, Grouper, Raise};
pub(crate) use figures::{Pool, quantile};
pub(crate) use matching::{Caught, Truth};

use leasewatch::event::Timestamp;

/// Seconds of an hour, of a day and of a week.
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const WEEK: i64 = 7 * DAY;

/// Seconds from one moment to a later one.
pub(crate) fn secs_between(from: Timestamp, to: Timestamp) -> f64 {
    to.nanos_since(from) as f64 / 1e9
}
