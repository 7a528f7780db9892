//! Requests in a time: a bucket that is filled by one request an interval, up to a burst.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The bucket, behind its lock.
#[derive(Debug)]
pub(super) struct Rate {
    interval: Duration,
    burst: f64,
    held: Mutex<(f64, Instant)>,
}

impl Rate {
    /// A full bucket.
    pub(super) fn new(interval: Duration, burst: u32, now: Instant) -> Self {
        let burst = f64::from(burst);
        Self { interval, burst, held: Mutex::new((burst, now)) }
    }

    /// Takes one request out; false if there is none.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, at) = *held;
        let come = now.saturating_duration_since(at).as_secs_f64() / self.interval.as_secs_f64();
        let left = (left + come).min(self.burst);
        let is_there = left >= 1.0;
        *held = (if is_there { left - 1.0 } else { left }, now);
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let rate = Rate::new(Duration::from_secs(1), 2, began);
        assert!(rate.take(at(0)) && rate.take(at(0)));
        assert!(!rate.take(at(900)));
        assert!(rate.take(at(1_100)));
        assert!(!rate.take(at(1_200)));
        // However long nobody asked, no more than the burst.
        assert!(rate.take(at(60_000)) && rate.take(at(60_000)) && !rate.take(at(60_000)));
    }
}
