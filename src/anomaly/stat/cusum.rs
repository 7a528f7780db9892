//! A sum that rises while counts are those of a raised rate: finds a small lasting change that no
//! single hour shows. Its value is no probability; a pool's tail makes one of it.

use serde::{Deserialize, Serialize};

/// The sum, and since when it has been above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    /// Its value, in nats.
    #[serde(rename = "s", default)]
    pub sum: f32,
    /// The largest value since it left zero.
    #[serde(rename = "p", default)]
    pub peak: f32,
    /// The hour in which it left zero.
    #[serde(rename = "h", default)]
    pub since: i32,
}

/// The log likelihood ratio of a count under `factor` times the mean against the mean itself, with
/// the same overdispersion.
pub fn step(count: f64, mean: f64, phi: f64, factor: f64) -> f64 {
    let mean = mean.max(1e-6);
    if phi < 1.0 + 1e-6 {
        return count * factor.ln() - mean * (factor - 1.0);
    }
    // The negative binomial of dispersion r = mean / (phi - 1) under both.
    let r = mean / (phi - 1.0);
    let raised = mean * factor;
    count * (factor.ln() + ((r + mean) / (r + raised)).ln()) + r * ((r + mean) / (r + raised)).ln()
}

impl Cusum {
    /// Takes an hour's step in, no more than `most` and no less than `-most`. Gives the peak of an
    /// excursion that this ends.
    pub fn add(&mut self, step: f64, most: f64, hour: i32) -> Option<f32> {
        let before = self.sum;
        let value = self.sum + step.clamp(-most, most) as f32;
        if value <= 0.0 {
            let peak = self.peak;
            *self = Self::default();
            return (before > 0.0).then_some(peak);
        }
        if before <= 0.0 {
            self.since = hour;
        }
        self.sum = value;
        self.peak = self.peak.max(value);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_log_likelihood_ratio() {
        // Poisson: x ln f - m (f - 1).
        assert!((step(3.0, 2.0, 1.0, 2.0) - (3.0 * 2f64.ln() - 2.0)).abs() < 1e-12);
        // Negative binomial with a mean of 6, phi 4: r = 2, against a mean of 12 with the same r:
        // 5 ln(p1/p0) + 2 ln(q1/q0) with success 2/8 and 2/14.
        let expected =
            5.0 * ((12.0f64 / 14.0) / (6.0 / 8.0)).ln() + 2.0 * ((2.0f64 / 14.0) / (2.0 / 8.0)).ln();
        assert!((step(5.0, 6.0, 4.0, 2.0) - expected).abs() < 1e-12);
    }

    #[test]
    fn it_rises_with_a_lasting_change_only_and_tells_its_peak() {
        let mut sum = Cusum::default();
        for hour in 0..200 {
            sum.add(step(4.0, 4.0, 2.0, 1.6), 1.5, hour);
        }
        assert!(sum.sum < 0.1);
        for hour in 200..224 {
            sum.add(step(8.0, 4.0, 2.0, 1.6), 1.5, hour);
        }
        assert!(sum.sum > 5.0 && sum.since == 200);
        let peak = sum.peak;
        let ended = (224..300).find_map(|hour| sum.add(step(1.0, 4.0, 2.0, 1.6), 1.5, hour));
        assert_eq!(ended, Some(peak));
        assert_eq!(sum, Cusum::default());
        // One burst is one step.
        sum.add(step(500.0, 4.0, 2.0, 1.6), 1.5, 300);
        assert!((sum.sum - 1.5).abs() < 1e-6);
    }
}
