//! A change: two counts, each of its own time, and between which bounds the ratio of their rates is.

use statrs::function::beta::inv_beta_reg;

/// Of all changes that are told of together, so rarely one is told that is none.
pub(super) const ERROR: f64 = 0.01;

/// Counts of one thing in the slices of a period of some length.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) slices: Vec<u64>,
    /// Seconds of the whole period.
    pub(super) seconds: f64,
}

/// How one rate compares with another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    /// The rate now over the rate before; nothing where there was none before.
    pub(super) ratio: Option<f64>,
    /// It is surely no less, and no more than the other.
    pub(super) bounds: (f64, f64),
}

impl Counts {
    pub(super) fn total(&self) -> u64 {
        self.slices.iter().sum()
    }

    /// In an hour.
    pub(super) fn rate(&self) -> f64 {
        self.total() as f64 * 3_600.0 / self.seconds
    }

    /// Sum of the squared deviations of the slices over their mean, and of how many that is free.
    fn spread(&self) -> (f64, f64) {
        let slices = self.slices.len() as f64;
        let mean = self.total() as f64 / slices;
        if self.slices.len() < 2 || mean <= 0.0 {
            return (0.0, 0.0);
        }
        let squares: f64 = self.slices.iter().map(|count| (*count as f64 - mean).powi(2)).sum();
        (squares / mean, slices - 1.0)
    }
}

impl Change {
    /// From before to now, as one of `among` that are judged together.
    ///
    /// Counts of events that come by themselves are Poisson: given their sum, each is binomial, which gives
    /// exact bounds (Clopper and Pearson). What comes in bursts varies more. By how much is seen in
    /// the slices of both periods, and so many events count as one.
    pub(super) fn new(before: &Counts, now: &Counts, among: usize) -> Self {
        let (free, spread) = [before, now].iter().fold((0.0, 0.0), |(free, sum), counts| {
            let (spread, more) = counts.spread();
            (free + more, sum + spread)
        });
        let burst = if free > 0.0 { (spread / free).max(1.0) } else { 1.0 };
        let (first, second) = (before.total() as f64 / burst, now.total() as f64 / burst);
        let tail = ERROR / among.max(1) as f64 / 2.0;
        let ratio_of = |share: f64| share / (1.0 - share) * before.seconds / now.seconds;
        let low = if second > 0.0 { ratio_of(inv_beta_reg(second, first + 1.0, tail)) } else { 0.0 };
        let high =
            if first > 0.0 { ratio_of(1.0 - inv_beta_reg(first, second + 1.0, tail)) } else { f64::INFINITY };
        let ratio = (before.total() > 0).then(|| now.rate() / before.rate());
        Self { ratio, bounds: (low, high) }
    }

    /// More than chance would bring about.
    pub(super) fn is_clear(self) -> bool {
        self.least() > 1.0
    }

    /// By which factor it surely is more, or less; 1 where it may be the same.
    pub(super) fn least(self) -> f64 {
        let (low, high) = self.bounds;
        if low > 1.0 { low } else { (1.0 / high).max(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same in every slice, and the rest in the first ones.
    fn even(total: u64, seconds: f64) -> Counts {
        let slices = (0..60).map(|slice| total / 60 + u64::from(slice < total % 60)).collect();
        Counts { slices, seconds }
    }

    #[test]
    fn bounds_are_the_exact_ones() {
        let change = Change::new(&even(15, 3_600.0), &even(5, 3_600.0), 1);
        let share = |ratio: f64| ratio / (1.0 + ratio);
        let (low, high) = change.bounds;
        // Of 5 in 20: where five or more, and five or fewer, come with a probability of 0.005.
        assert!(
            (share(low) - 0.058_334).abs() < 1e-5 && (share(high) - 0.559_761).abs() < 1e-5,
            "{change:?}"
        );
        assert!(!change.is_clear());
    }

    #[test]
    fn small_numbers_are_chance_and_large_ones_are_not() {
        let of = |before, now| Change::new(&even(before, 3_600.0), &even(now, 3_600.0), 1);
        for (before, now) in [(0, 0), (0, 3), (3, 0), (2, 6), (10, 18), (10_000, 10_200)] {
            assert!(!of(before, now).is_clear(), "{before} to {now}: {:?}", of(before, now));
        }
        for (before, now) in [(0, 10), (10, 0), (10, 40), (1_000, 1_200), (1_000_000, 1_010_000)] {
            assert!(of(before, now).is_clear(), "{before} to {now}: {:?}", of(before, now));
        }
        assert_eq!(of(0, 10).ratio, None);
        // The more that is judged, the less is clear.
        assert!(!Change::new(&even(0, 3_600.0), &even(10, 3_600.0), 1_000).is_clear());
    }

    #[test]
    fn periods_of_unlike_length_are_compared_by_rate() {
        let change = Change::new(&even(2_400, 86_400.0), &even(100, 3_600.0), 1);
        assert!((change.ratio.unwrap() - 1.0).abs() < 1e-9 && !change.is_clear(), "{change:?}");
        assert!(Change::new(&even(2_400, 86_400.0), &even(200, 3_600.0), 1).is_clear());
    }

    #[test]
    fn a_burst_is_no_change() {
        // Sixty at once, as a batch job asks for them.
        let mut slices = vec![0; 60];
        slices[7] = 60;
        let burst = Counts { slices, seconds: 3_600.0 };
        assert!(Change::new(&even(10, 3_600.0), &even(60, 3_600.0), 1).is_clear());
        assert!(!Change::new(&even(10, 3_600.0), &burst, 1).is_clear());
    }
}
