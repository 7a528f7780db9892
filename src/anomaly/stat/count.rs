//! Counts: the negative binomial as its mean and its overdispersion, with a tail that does not
//! underflow. Where there is no overdispersion it is the Poisson distribution.

use statrs::distribution::{Discrete, DiscreteCDF, NegativeBinomial, Poisson};

/// Counts with this mean, whose variance is `phi` times the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts {
    /// Mean; below [`LEAST_MEAN`] it counts as that.
    pub mean: f64,
    /// Variance over mean; 1 (or less) is Poisson.
    pub phi: f64,
}

/// A mean of zero would call the first event impossible.
const LEAST_MEAN: f64 = 1e-6;
/// Below this overdispersion the parameters of the negative binomial grow without bound.
const POISSON_BELOW: f64 = 1.0 + 1e-6;
/// A term that adds less than this part of the sum ends it.
const NEGLIGIBLE: f64 = 1e-13;
/// More terms than any tail needs that has not converged: phi would have to be past 10,000.
const MOST_TERMS: u32 = 400_000;

impl Counts {
    /// ln P(X >= x): 0 for `x` = 0, finite for every `x`.
    pub fn ln_sf(self, x: u64) -> f64 {
        if x == 0 {
            return 0.0;
        }
        if self.mean.is_nan() {
            return 0.0;
        }
        let mean = self.mean.max(LEAST_MEAN);
        let Some(law) = Law::of(mean, self.phi) else { return 0.0 };
        if (x as f64) <= mean {
            // P(X >= x) = P(X > x - 1) is large here, so nothing underflows.
            return law.sf(x - 1).clamp(f64::MIN_POSITIVE, 1.0).ln();
        }
        // Beyond the mean the terms fall, and their ratios are simple.
        let (mut sum, mut term, mut k) = (1.0, 1.0, x as f64);
        for _ in 0..MOST_TERMS {
            term *= law.ratio(k);
            sum += term;
            k += 1.0;
            if term < sum * NEGLIGIBLE {
                break;
            }
        }
        (law.ln_pmf(x) + f64::ln(sum)).min(0.0)
    }

    /// The smallest `x` with P(X >= x) < `p`, up to `most`: counts from here on are rarer than `p`.
    pub fn first_rarer(self, p: f64, most: u64) -> u64 {
        let ln_p = p.ln();
        let (mut low, mut high) = (0, 1);
        while high < most && self.ln_sf(high) >= ln_p {
            low = high;
            high = high.saturating_mul(2);
        }
        let mut high = high.min(most);
        while low + 1 < high {
            let middle = low + (high - low) / 2;
            if self.ln_sf(middle) >= ln_p {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// The distribution behind a mean and an overdispersion.
enum Law {
    Poisson(Poisson, f64),
    NegativeBinomial { law: NegativeBinomial, r: f64, failure: f64 },
}

impl Law {
    /// `None` for a mean that is not a number.
    fn of(mean: f64, phi: f64) -> Option<Self> {
        if phi.is_nan() || phi < POISSON_BELOW {
            return Poisson::new(mean).ok().map(|law| Self::Poisson(law, mean));
        }
        let r = mean / (phi - 1.0);
        let success = 1.0 / phi;
        // statrs takes r = 0 and p = 1, and then calls everything impossible.
        if !(r > 0.0 && success > 0.0 && success < 1.0) {
            return None;
        }
        let law = NegativeBinomial::new(r, success).ok()?;
        Some(Self::NegativeBinomial { law, r, failure: 1.0 - success })
    }

    fn sf(&self, x: u64) -> f64 {
        match self {
            Self::Poisson(law, _) => law.sf(x),
            Self::NegativeBinomial { law, .. } => law.sf(x),
        }
    }

    fn ln_pmf(&self, x: u64) -> f64 {
        match self {
            Self::Poisson(law, _) => law.ln_pmf(x),
            Self::NegativeBinomial { law, .. } => law.ln_pmf(x),
        }
    }

    /// P(k + 1) / P(k).
    fn ratio(&self, k: f64) -> f64 {
        match self {
            Self::Poisson(_, mean) => mean / (k + 1.0),
            Self::NegativeBinomial { r, failure, .. } => (k + r) / (k + 1.0) * failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Values of exact sums with 60 digits.
    #[test]
    fn the_tail_is_that_of_exact_arithmetic() {
        let reference = [
            (6.0, 4.0, 1, -0.064_538_521_137_571_2),
            (6.0, 4.0, 6, -0.809_801_702_836_531),
            (6.0, 4.0, 40, -9.109_387_625_272_87),
            (0.5, 1.3, 3, -3.526_847_103_939_92),
            (0.02, 1.3, 12, -22.367_064_325_553_5),
            (30.0, 8.0, 400, -42.645_178_942_351_7),
            (3.0, 2.0, 5000, -3_450.779_958_138_56),
            (200.0, 20.0, 150, -0.249_245_368_252_526),
            (0.1, 1.0, 1, -2.352_168_461_044_09),
            (0.1, 1.0, 8, -29.114_122_919_159_3),
            (5.0, 1.0, 5, -0.580_699_749_631_421),
            (5.0, 1.0, 60, -96.976_504_321_988_9),
            (100.0, 1.0, 900, -1_181.704_721_068_61),
            (100.0, 1.0, 80, -0.017_605_391_953_312_8),
        ];
        for (mean, phi, x, expected) in reference {
            let found = Counts { mean, phi }.ln_sf(x);
            assert!((found / expected - 1.0).abs() < 1e-8, "{mean} {phi} {x}: {found}, not {expected}");
        }
    }

    #[test]
    fn nothing_is_impossible_and_no_count_is_no_evidence() {
        for (mean, phi) in [(0.0, 1.3), (0.0, 1.0), (1e-300, 4.0), (5.0, 0.0), (5.0, 1e9), (1e7, 1.3)] {
            let counts = Counts { mean, phi };
            assert!(counts.ln_sf(0).abs() < f64::EPSILON, "{counts:?}");
            assert!(counts.ln_sf(1).is_finite() && counts.ln_sf(1_000_000).is_finite(), "{counts:?}");
        }
        assert!(Counts { mean: f64::NAN, phi: 2.0 }.ln_sf(3).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn the_tail_falls_and_the_first_rarer_count_is_the_first(
            mean in 0.001f64..300.0, phi in 1.0f64..40.0, decades in 0.5f64..6.0,
        ) {
            let counts = Counts { mean, phi };
            let p = 10f64.powf(-decades);
            let first = counts.first_rarer(p, 1_000_000);
            prop_assert!(counts.ln_sf(first) < p.ln());
            prop_assert!(first == 0 || counts.ln_sf(first - 1) >= p.ln());
            for x in 0..first + 20 {
                prop_assert!(counts.ln_sf(x + 1) <= counts.ln_sf(x) + 1e-9);
            }
        }
    }
}
