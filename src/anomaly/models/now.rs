//! The moment of an activity, in the units that the models count in.

use crate::event::Timestamp;

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The moment itself.
    pub at: Timestamp,
    /// Whole seconds since the Unix epoch.
    pub secs: i64,
    /// Whole hours since the Unix epoch.
    pub hour: i32,
}

const NANOS: i64 = 1_000_000_000;

impl Now {
    /// Of a timestamp.
    pub fn of(at: Timestamp) -> Self {
        let secs = at.as_nanos().div_euclid(NANOS);
        // The years 1678 to 2262 are three million hours away at most.
        let hour = i32::try_from(secs.div_euclid(3_600)).unwrap_or(0);
        Self { at, secs, hour }
    }
}

/// The beginning of an hour.
pub fn of_hour(hour: i32) -> Timestamp {
    Timestamp::from_secs(i64::from(hour) * 3_600)
}

/// A hash that is kept: 32 bits, since it is only held against a few dozen others.
pub fn short(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// The hash of a name, the same in every run.
pub fn hash(text: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), super::super::parameters::SEED)
}
