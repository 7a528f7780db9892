//! A rate: how often something happened in the last minutes and hour of event time.

use crate::event::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Width of a bucket, in nanoseconds.
const BUCKET: i64 = 5_000_000_000;
/// The windows: label value and length in buckets.
const WINDOWS: [(&str, i64); 3] = [("1m", 12), ("5m", 60), ("1h", 720)];

/// Counts in buckets of five seconds, for as long as the longest window.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Recent(VecDeque<(i64, u32)>);

impl Recent {
    /// It happened once more. An event of a time before the last one's counts with the last.
    pub fn add(&mut self, at: Timestamp) {
        let bucket = at.as_nanos().div_euclid(BUCKET);
        match self.0.back_mut() {
            Some((last, count)) if bucket <= *last => *count = count.saturating_add(1),
            _ => self.0.push_back((bucket, 1)),
        }
        let oldest = bucket - WINDOWS[WINDOWS.len() - 1].1;
        while self.0.front().is_some_and(|(first, _)| *first <= oldest) {
            self.0.pop_front();
        }
    }

    /// Per second, for each window that ends with the bucket of `as_of`.
    pub fn rates(&self, as_of: Timestamp) -> impl Iterator<Item = (&'static str, f64)> + '_ {
        let now = as_of.as_nanos().div_euclid(BUCKET);
        WINDOWS.into_iter().map(move |(window, buckets)| {
            let within = self.0.iter().rev().take_while(|(bucket, _)| *bucket > now - buckets);
            let count: u64 = within.map(|(_, count)| u64::from(*count)).sum();
            (window, count as f64 / (buckets * BUCKET / 1_000_000_000) as f64)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_rises_with_events_and_falls_with_time() {
        let mut recent = Recent::default();
        for second in 0..120 {
            recent.add(Timestamp::from_secs(1_000_000 + second));
        }
        let at = |secs: i64| recent.rates(Timestamp::from_secs(1_000_000 + secs)).collect::<Vec<_>>();
        assert_eq!(at(119), [("1m", 1.0), ("5m", 0.4), ("1h", 120.0 / 3600.0)]);
        assert_eq!(at(179)[0], ("1m", 0.0));
        assert_eq!(at(7200)[2], ("1h", 0.0));
    }
}
