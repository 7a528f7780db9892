//! The wall clock, as a moment of event time.

use crate::event::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by the system's clock.
pub fn wall() -> Timestamp {
    since_epoch(SystemTime::now())
}

/// A moment of the system's clock.
pub fn since_epoch(moment: SystemTime) -> Timestamp {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
