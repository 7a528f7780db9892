//! An empirical tail: how often values as large as this one occur, learnt online over all peers,
//! and extrapolated exponentially from the middle of the tail, which a few attacks do not bend.

use super::decay::remains;
use serde::{Deserialize, Serialize};

/// Values in bins of one width; the last bin takes what is larger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    #[serde(rename = "w")]
    width: f64,
    /// Faded counts by bin.
    #[serde(rename = "b")]
    bins: Vec<f32>,
    /// Faded number of trials, with a value or without.
    #[serde(rename = "n", default)]
    trials: f64,
    #[serde(rename = "h", default)]
    at: i64,
}

/// How the tail is read.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The slope before anything was seen: decades per unit.
    pub slope: f64,
    /// How many exceedances that slope weighs.
    pub weight: f64,
    /// Exceedances from which on the empirical tail is not trusted (too few), but extrapolated.
    pub few: f64,
    /// The same as a part of all trials: the more of the two counts.
    pub part: f64,
    /// The part of the tail above `few` that the slope is fitted to, as a multiple of `few`.
    pub many: f64,
    /// Bounds of a fitted slope, as multiples of the prior one.
    pub slopes: (f64, f64),
}

impl Tail {
    /// An empty one.
    pub fn new(width: f64, bins: usize) -> Self {
        Self { width, bins: vec![0.0; bins], trials: 0.0, at: i64::MIN }
    }

    /// Counts `trials` more hours (or whatever one value is drawn for).
    pub fn try_again(&mut self, trials: f64, hour: i64, life: f64) {
        if self.at == i64::MIN {
            self.at = hour;
        }
        let passed = hour - self.at;
        if passed >= 24 {
            let left = remains(passed, life);
            for bin in &mut self.bins {
                *bin *= left as f32;
            }
            self.trials *= left;
            self.at = hour;
        }
        self.trials += trials;
    }

    /// Counts a value, with a weight.
    pub fn add(&mut self, value: f64, weight: f64) {
        let bin = self.bin(value);
        self.bins[bin] += weight as f32;
    }

    /// Trials so far, faded.
    pub fn trials(&self) -> f64 {
        self.trials
    }

    fn bin(&self, value: f64) -> usize {
        let bin = (value / self.width).max(0.0);
        // Truncation is the point; a NaN goes to the first bin.
        (bin as usize).min(self.bins.len() - 1)
    }

    /// -log10 P(V >= value) per trial.
    pub fn strength(&self, value: f64, reading: &Reading) -> f64 {
        let few = reading.few.max(self.trials * reading.part);
        // From the top: the lowest edge above which there are fewer than `few`, and `many`.
        let (mut above, mut knot, mut deep) = (0.0, None, None);
        for (index, count) in self.bins.iter().enumerate().rev() {
            above += f64::from(*count);
            let edge = index as f64 * self.width;
            if knot.is_none() && above >= few {
                knot = Some((edge, above));
            }
            if above >= few * reading.many {
                deep = Some((edge, above));
                break;
            }
        }
        let trials = self.trials.max(1.0);
        let Some((edge, exceed)) = knot else {
            // Too little is known: the prior slope from what would be `few` exceedances.
            return value.max(0.0) * reading.slope;
        };
        let slope = deep.filter(|(low, _)| edge - low >= self.width).map_or(reading.slope, |(low, many)| {
            // Decades between the two, and the prior slope as some more exceedances.
            let fitted = (many / exceed).log10() / (edge - low);
            let weight = reading.weight / (reading.weight + exceed);
            let slope = fitted * (1.0 - weight) + reading.slope * weight;
            slope.clamp(reading.slope * reading.slopes.0, reading.slope * reading.slopes.1)
        });
        let at_knot = -(exceed / trials).min(1.0).log10();
        if value >= edge {
            return at_knot + (value - edge) * slope;
        }
        // Below the knot there are enough to count.
        let bin = self.bin(value);
        let inside = value / self.width - bin as f64;
        let higher: f64 = self.bins[bin + 1..].iter().map(|count| f64::from(*count)).sum();
        let reached = higher + f64::from(self.bins[bin]) * (1.0 - inside.clamp(0.0, 1.0));
        (-((reached + 0.5) / (trials + 1.0)).min(1.0).log10()).min(at_knot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading =
        Reading { slope: 1.0, weight: 5.0, few: 10.0, part: 0.0, many: 8.0, slopes: (0.25, 4.0) };

    /// Values whose exceedance is 10^(-rate * v), as their quantiles.
    fn exponential(rate: f64, count: u32) -> Tail {
        let mut tail = Tail::new(0.1, 100);
        for i in 0..count {
            let p = (f64::from(i) + 0.5) / f64::from(count);
            tail.try_again(1.0, 0, 1e9);
            tail.add(-p.log10() / rate, 1.0);
        }
        tail
    }

    #[test]
    fn strengths_are_those_of_the_values_that_were_seen_and_beyond() {
        for rate in [0.5, 1.0, 1.6] {
            let tail = exponential(rate, 20_000);
            for decades in [0.5, 1.0, 2.0, 3.0, 4.5, 6.0] {
                let found = tail.strength(decades / rate, &READING);
                assert!((found - decades).abs() < 0.1 + 0.16 * decades, "{rate} {decades}: {found}");
            }
        }
    }

    #[test]
    fn a_few_attacks_do_not_bend_it() {
        let mut tail = exponential(1.0, 20_000);
        let before = tail.strength(4.0, &READING);
        for _ in 0..4 {
            tail.add(9.0, 1.0);
        }
        assert!((tail.strength(4.0, &READING) - before).abs() < 0.5);
    }

    #[test]
    fn before_anything_was_seen_the_prior_speaks() {
        assert!((Tail::new(0.1, 10).strength(2.0, &READING) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn it_rises_with_the_value() {
        let tail = exponential(0.8, 3000);
        let strengths: Vec<f64> = (0..80).map(|i| tail.strength(f64::from(i) * 0.13, &READING)).collect();
        assert!(strengths.windows(2).all(|pair| pair[1] >= pair[0] - 1e-9), "{strengths:?}");
    }
}
