//! A subject's own extremes: its largest counts, as what it has been seen to do. A count that it
//! has reached before is no surprise whatever a formula says (deploys, batches); beyond the
//! largest one the tail falls exponentially.

use serde::{Deserialize, Serialize};

/// How many are kept.
pub const KEPT: usize = 10;

/// One of the largest counts, and the hour in which it was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extreme {
    /// The count.
    #[serde(rename = "x")]
    pub count: u32,
    /// Hours since the Unix epoch.
    #[serde(rename = "h")]
    pub hour: i32,
}

/// The largest counts of the last weeks, largest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Extremes {
    #[serde(rename = "t", default)]
    top: Vec<Extreme>,
}

impl Extremes {
    /// Takes one block's maximum in; drops what is older than `memory` hours.
    pub fn add(&mut self, count: u32, hour: i32, memory: i32) {
        self.top.retain(|extreme| hour.saturating_sub(extreme.hour) <= memory);
        if count == 0 || (self.top.len() == KEPT && self.top.last().is_some_and(|least| least.count >= count))
        {
            return;
        }
        let place = self.top.partition_point(|extreme| extreme.count >= count);
        if self.top.capacity() == 0 {
            self.top.reserve_exact(4);
        }
        self.top.insert(place, Extreme { count, hour });
        self.top.truncate(KEPT);
    }

    /// The largest one.
    pub fn largest(&self) -> Option<Extreme> {
        self.top.first().copied()
    }

    /// The counts, largest first.
    pub fn counts(&self) -> impl Iterator<Item = u32> {
        self.top.iter().map(|extreme| extreme.count)
    }

    /// ln P(X >= x) of a block, as far as `blocks` blocks tell.
    pub fn ln_sf(&self, x: u32, blocks: f64) -> f64 {
        self.ln_sf_in_steps(x, blocks, 1.0)
    }

    /// The same where what is counted comes in steps of that size, so that beyond the largest one no
    /// less than a step makes it rarer by a nat.
    pub fn ln_sf_in_steps(&self, x: u32, blocks: f64, step: f64) -> f64 {
        let blocks = blocks.max(1.0);
        let Some(largest) = self.largest() else {
            // None was ever counted: a first one is one in so many.
            return (0.5 / (blocks + 0.5)).ln();
        };
        if x <= largest.count {
            let reached = self.top.iter().take_while(|extreme| extreme.count >= x).count();
            // More than are kept may have reached it.
            let reached = if reached == KEPT { KEPT as f64 * 2.0 } else { reached as f64 };
            return ((reached + 0.5) / (blocks + 1.0)).min(1.0).ln();
        }
        (0.5 / (blocks + 0.5)).ln() - f64::from(x - largest.count) / self.excess().max(step)
    }

    /// Mean excess over the least of those kept; never less than a tenth of the largest, so that
    /// equal maxima do not make one more impossible.
    fn excess(&self) -> f64 {
        let (Some(largest), Some(least)) = (self.top.first(), self.top.last()) else { return 1.0 };
        let mean =
            self.top.iter().map(|extreme| f64::from(extreme.count)).sum::<f64>() / self.top.len() as f64;
        (mean - f64::from(least.count)).max(f64::from(largest.count) / 10.0).max(1.0)
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.top.capacity() * size_of::<Extreme>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_reached_before_is_no_surprise() {
        let mut own = Extremes::default();
        for day in 0..30 {
            own.add(if day % 10 == 0 { 40 } else { 2 }, day * 24, 24 * 40);
        }
        assert_eq!(own.largest().map(|extreme| extreme.count), Some(40));
        // Three of 720 hours reached 40.
        assert!((own.ln_sf(40, 720.0) - (3.5f64 / 721.0).ln()).abs() < 1e-12);
        assert!(own.ln_sf(41, 720.0) < own.ln_sf(40, 720.0));
        assert!(own.ln_sf(400, 720.0) < -20.0);
        // As many as are kept have reached 2; there may have been more.
        assert!(own.ln_sf(2, 720.0) > own.ln_sf(3, 720.0));
    }

    #[test]
    fn what_is_old_is_forgotten() {
        let mut own = Extremes::default();
        own.add(50, 0, 100);
        own.add(3, 101, 100);
        assert_eq!(own.largest().map(|extreme| extreme.count), Some(3));
        assert!(Extremes::default().ln_sf(1, 99.5) < -5.0);
    }
}
