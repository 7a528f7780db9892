//! A seasonal rate: counts per hour by kind of day and hour of day, each bin drawn towards the
//! whole, so that a bin seen twice does not speak alone (Gamma-Poisson).

use super::decay::remains;
use serde::{Deserialize, Serialize};

/// Weekday or weekend, times 24 hours.
pub const BINS: usize = 48;

/// The bin of an hour since the Unix epoch, in UTC.
pub fn bin(hour: i64) -> usize {
    let day = hour.div_euclid(24);
    // The epoch was a Thursday: days 2 and 3 of each week that begins on it are the weekend.
    let weekend = matches!(day.rem_euclid(7), 2 | 3);
    usize::from(weekend) * 24 + usize::try_from(hour.rem_euclid(24)).unwrap_or(0)
}

/// Sums and hours by bin, faded, and of all bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Season {
    /// (sum, hours) by bin; empty until something was counted.
    #[serde(rename = "b", default)]
    bins: Vec<(f32, f32)>,
    #[serde(rename = "s", default)]
    sum: f32,
    #[serde(rename = "n", default)]
    hours: f32,
    /// Sum of squared residuals and of their expected values: overdispersion.
    #[serde(rename = "q", default)]
    squares: f32,
    #[serde(rename = "e", default)]
    expected: f32,
    /// The hour that is faded to.
    #[serde(rename = "h", default)]
    at: i64,
}

impl Default for Season {
    fn default() -> Self {
        Self { bins: Vec::new(), sum: 0.0, hours: 0.0, squares: 0.0, expected: 0.0, at: i64::MIN }
    }
}

impl Season {
    /// The mean of an hour: the bin's own, with the whole counting as `kappa` hours of it, and a
    /// `prior` mean as `weight` hours of the whole.
    pub fn mean(&self, hour: i64, kappa: f64, prior: f64, weight: f64) -> f64 {
        let whole = self.level(prior, weight);
        let (sum, hours) = self.bins.get(bin(hour)).copied().unwrap_or_default();
        (kappa * whole + f64::from(sum)) / (kappa + f64::from(hours))
    }

    /// The mean of all hours.
    pub fn level(&self, prior: f64, weight: f64) -> f64 {
        (f64::from(self.sum) + prior * weight) / (f64::from(self.hours) + weight)
    }

    /// Overdispersion: variance over mean, drawn to `prior` with the weight of `weight` expected
    /// events, and not below `least`.
    pub fn phi(&self, prior: f64, weight: f64, least: f64) -> f64 {
        ((f64::from(self.squares) + prior * weight) / (f64::from(self.expected) + weight)).max(least)
    }

    /// Hours seen, faded.
    pub fn hours(&self) -> f64 {
        f64::from(self.hours)
    }

    /// Takes the count of a whole hour in; `mean` is what was expected of it.
    pub fn add(&mut self, count: f64, mean: f64, hour: i64, life: f64) {
        self.fade(hour, life);
        if self.bins.is_empty() {
            self.bins = vec![(0.0, 0.0); BINS];
        }
        let slot = &mut self.bins[bin(hour)];
        slot.0 += count as f32;
        slot.1 += 1.0;
        self.sum += count as f32;
        self.hours += 1.0;
        self.squares += (count - mean).powi(2) as f32;
        self.expected += mean as f32;
    }

    /// Makes everything so many times as much: somebody knows better than the past does.
    pub fn scale(&mut self, factor: f64) {
        for (sum, _) in &mut self.bins {
            *sum *= factor as f32;
        }
        self.sum *= factor as f32;
        self.squares *= factor as f32;
        self.expected *= factor as f32;
    }

    fn fade(&mut self, hour: i64, life: f64) {
        if self.at == i64::MIN {
            self.at = hour;
        }
        // Once a day is fine enough, and 24 times cheaper.
        let passed = hour - self.at;
        if passed < 24 {
            return;
        }
        let left = remains(passed, life) as f32;
        for (sum, hours) in &mut self.bins {
            *sum *= left;
            *hours *= left;
        }
        for whole in [&mut self.sum, &mut self.hours, &mut self.squares, &mut self.expected] {
            *whole *= left;
        }
        self.at = hour;
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.bins.capacity() * size_of::<(f32, f32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bins_follow_the_calendar() {
        // 1970-01-01 was a Thursday, 2026-11-21 and 22 a Saturday and a Sunday.
        assert_eq!(bin(5), 5);
        assert_eq!(bin(2 * 24), 24);
        assert_eq!(bin(4 * 24 - 1), 47);
        let saturday = 1_795_219_200 / 3600;
        assert_eq!(bin(saturday), 24);
        assert_eq!(bin(saturday - 1), 23);
        assert_eq!(bin(saturday + 47), 47);
        assert_eq!(bin(saturday + 48), 0);
    }

    #[test]
    fn a_bin_is_believed_as_far_as_it_was_seen() {
        let mut season = Season::default();
        assert!((season.mean(0, 4.0, 3.0, 10.0) - 3.0).abs() < 1e-9);
        for hour in 0..24 * 28 {
            let count = if hour % 24 == 9 { 20.0 } else { 1.0 };
            let mean = season.mean(hour, 4.0, 1.0, 10.0);
            season.add(count, mean, hour, 24.0 * 28.0);
        }
        let (peak, rest) =
            (season.mean(24 * 28 + 9, 4.0, 1.0, 10.0), season.mean(24 * 28 + 12, 4.0, 1.0, 10.0));
        assert!(peak > 12.0 && peak < 20.0, "{peak}");
        assert!(rest < 2.0, "{rest}");
    }

    #[test]
    fn overdispersion_is_measured() {
        let mut season = Season::default();
        for hour in 0..2000 {
            season.add(if hour % 4 == 0 { 16.0 } else { 0.0 }, 4.0, hour, 1e9);
        }
        // Variance 48 over mean 4.
        assert!((season.phi(1.0, 1.0, 1.3) - 12.0).abs() < 0.1);
        assert!((Season::default().phi(2.0, 1.0, 1.3) - 2.0).abs() < 1e-9);
    }
}
