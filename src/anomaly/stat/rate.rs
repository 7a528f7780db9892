//! How often an hour brings something: a Beta posterior whose prior is what the peers do.

use super::decay::remains;
use serde::{Deserialize, Serialize};

/// Hours that brought it, and hours in all; both fade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Hours with it.
    #[serde(rename = "y", default)]
    pub hits: f32,
    /// Hours in all.
    #[serde(rename = "n", default)]
    pub trials: f32,
}

impl Rate {
    /// Lets `hours` of time pass.
    pub fn fade(&mut self, hours: i64, life: f64) {
        let left = remains(hours, life) as f32;
        self.hits *= left;
        self.trials *= left;
    }

    /// Counts one more hour.
    pub fn add(&mut self, hit: bool) {
        self.trials += 1.0;
        if hit {
            self.hits += 1.0;
        }
    }

    /// The posterior mean where peers differ as a gamma distribution of this `shape` does: the rarer
    /// something is among them, the more hours their habits weigh, but no less than `weight`.
    pub fn among(self, prior: f64, weight: f64, shape: f64) -> f64 {
        self.mean(prior, weight.max(shape / prior.max(1e-9)))
    }

    /// The posterior mean, with a prior of this mean that weighs so many hours.
    pub fn mean(self, prior: f64, weight: f64) -> f64 {
        (prior * weight + f64::from(self.hits)) / (weight + f64::from(self.trials))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_speak_until_the_subject_has_hours_of_its_own() {
        let mut rate = Rate::default();
        assert!((rate.mean(0.01, 20.0) - 0.01).abs() < 1e-12);
        for hour in 0..180 {
            rate.add(hour % 60 == 0);
        }
        assert!((rate.mean(0.01, 20.0) - 3.2 / 200.0).abs() < 1e-6);
        // One hour in ten thousand, among peers, weighs three thousand hours.
        assert!((Rate::default().among(1e-4, 20.0, 0.3) - 1e-4).abs() < 1e-12);
        assert!((Rate { hits: 0.0, trials: 3_000.0 }.among(1e-4, 20.0, 0.3) - 0.5e-4).abs() < 1e-9);
        rate.fade(100, 100.0);
        assert!((f64::from(rate.trials) - 180.0 / std::f64::consts::E).abs() < 1e-3);
    }
}
