//! Intervals: how far a figure may be off by chance, as a half-width at 95 %.

/// The quantile of the normal law that leaves 2.5 % above it.
const Z: f64 = 1.959_964;

/// Of a share of `of` trials (Wilson's interval: it holds up near 0 and 1).
pub(crate) fn share(hits: usize, of: usize) -> f64 {
    if of == 0 {
        return f64::NAN;
    }
    let (n, p) = (of as f64, hits as f64 / of as f64);
    let spread = (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    Z * spread / (1.0 + Z * Z / n)
}

/// Of a figure that is computed anew on worlds drawn with replacement (a bootstrap): attacks and
/// false alarms of one world are not independent of each other, and a threshold that is set from
/// the same worlds is uncertain too. `figure` gets the numbers of the worlds.
pub(crate) fn bootstrap(worlds: usize, figure: impl Fn(&[usize]) -> f64) -> f64 {
    const DRAWS: usize = 400;
    if worlds < 2 {
        return f64::NAN;
    }
    let mut random = SplitMix(0x5eed);
    let mut figures: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let drawn: Vec<usize> = (0..worlds).map(|_| random.below(worlds)).collect();
            figure(&drawn)
        })
        .filter(|figure| figure.is_finite())
        .collect();
    if figures.len() < DRAWS / 2 {
        return f64::NAN;
    }
    figures.sort_by(f64::total_cmp);
    let at = |share: f64| figures[(share * (figures.len() - 1) as f64).round() as usize];
    (at(0.975) - at(0.025)) / 2.0
}

/// A small generator of random numbers, the same on every run (`SplitMix64`, public domain).
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * end as u128) >> 64) as usize
    }
}
