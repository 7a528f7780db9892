//! Decayed numbers: what was counted, fading with time, so that a habit given up is forgotten.

use serde::{Deserialize, Serialize};

/// The factor that remains after `hours` with this mean life in hours.
pub fn remains(hours: i64, life: f64) -> f64 {
    if hours <= 0 { 1.0 } else { (-(hours as f64) / life).exp() }
}

/// A sum that fades. Times are whole hours of event time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fading {
    #[serde(rename = "v", default)]
    value: f64,
    #[serde(rename = "h", default)]
    hour: i64,
}

impl Fading {
    /// What is left at `hour`.
    pub fn at(self, hour: i64, life: f64) -> f64 {
        self.value * remains(hour - self.hour, life)
    }

    /// Adds `amount` at `hour`; an hour before the last one counts as that.
    pub fn add(&mut self, amount: f64, hour: i64, life: f64) {
        self.value = self.at(hour, life) + amount;
        self.hour = self.hour.max(hour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fades_with_its_life_and_never_grows() {
        let mut sum = Fading::default();
        sum.add(10.0, 100, 24.0);
        assert!((sum.at(124, 24.0) - 10.0 / std::f64::consts::E).abs() < 1e-9);
        sum.add(1.0, 90, 24.0);
        assert!((sum.at(100, 24.0) - 11.0).abs() < 1e-9);
        assert!((sum.at(50, 24.0) - 11.0).abs() < 1e-9);
    }
}
