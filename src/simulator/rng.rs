//! Random numbers that are the same on every machine: only integers, and of
//! floating-point numbers only sums, products and comparisons, which IEEE 754
//! fixes to the bit. No function of a system's mathematical library.

/// A stream of random numbers (xoshiro256++), one for each actor, so that what
/// one does never changes what another does.
#[derive(Clone, Debug)]
pub(super) struct Rng([u64; 4]);

/// One step of splitmix64: spreads any number over all 64 bits.
pub(super) const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// A number for a text (FNV-1a, mixed), the same wherever the text stands.
pub(super) const fn number_of(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    mix(hash)
}

impl Rng {
    /// The stream of this name under this seed.
    pub(super) fn named(seed: u64, name: &str) -> Self {
        Self::numbered(mix(seed) ^ number_of(name))
    }

    /// The stream of this number.
    pub(super) fn numbered(number: u64) -> Self {
        let mut state = [0; 4];
        let mut at = number;
        for word in &mut state {
            at = mix(at);
            *word = at;
        }
        Self(state)
    }

    /// Another stream, that starts from this one.
    pub(super) fn fork(&mut self) -> Self {
        Self::numbered(self.next())
    }

    /// 64 random bits.
    pub(super) fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.0;
        let result = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        result
    }

    /// A whole number below `bound`; 0 for a bound of 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The bias of the product form is below 2^-40 for the bounds used here.
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// An index into a list of this length.
    pub(super) fn index(&mut self, length: usize) -> usize {
        self.below(length as u64) as usize
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1).unsigned_abs()) as i64
    }

    /// A number in [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Whether something of this probability happens.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of a list.
    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.index(list.len()))
    }

    /// An index, with probabilities in proportion to the weights.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (at, weight) in weights.iter().enumerate() {
            if left < *weight {
                return at;
            }
            left -= weight;
        }
        weights.len().saturating_sub(1)
    }

    /// Puts a list in random order.
    pub(super) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.index(at + 1));
        }
    }

    /// Exponentially distributed with mean 1, by von Neumann's comparisons.
    pub(super) fn exponential(&mut self) -> f64 {
        let mut whole = 0.0;
        loop {
            let first = self.unit();
            let (mut last, mut falls) = (first, 0_u32);
            loop {
                let next = self.unit();
                if next >= last {
                    break;
                }
                last = next;
                falls += 1;
            }
            if falls % 2 == 0 {
                return whole + first;
            }
            whole += 1.0;
        }
    }

    /// Nanoseconds until the next of events that come `mean` nanoseconds apart on average.
    pub(super) fn gap(&mut self, mean: i64) -> i64 {
        (self.exponential() * mean as f64) as i64 + 1
    }

    /// About normally distributed, with mean 0 and deviation 1 (a sum of twelve).
    pub(super) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Log-normally distributed around a median; `spread` in powers of two (1: two thirds of
    /// the numbers lie between half and twice the median).
    pub(super) fn around(&mut self, median: f64, spread: f64) -> f64 {
        median * exp2(self.normal() * spread)
    }

    /// Heavy-tailed: at least `low`, beyond a number x with probability `low` / x.
    pub(super) fn heavy(&mut self, low: f64) -> f64 {
        low / (1.0 - self.unit())
    }

    /// How many of `tries` succeed.
    pub(super) fn successes(&mut self, tries: u32, probability: f64) -> u32 {
        (0..tries).map(|_| u32::from(self.chance(probability))).sum()
    }
}

/// Two to this power, by sums and products alone; 0 below the range of the integers of 32 bits.
pub(super) fn exp2(power: f64) -> f64 {
    let power = power.clamp(-60.0, 60.0);
    let whole = power.floor();
    let rest = (power - whole) * std::f64::consts::LN_2;
    let mut sum = 1.0;
    for divisor in (1..=14_u32).rev() {
        sum = 1.0 + sum * rest / f64::from(divisor);
    }
    let whole = whole as i32;
    let scale = (1_u64 << whole.unsigned_abs()) as f64;
    if whole < 0 { sum / scale } else { sum * scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_for_ever() {
        let mut rng = Rng::named(1, "a");
        let first = [rng.next(), rng.next(), rng.next()];
        let mut again = Rng::named(1, "a");
        assert_eq!(first, [again.next(), again.next(), again.next()]);
        assert_ne!(first[0], Rng::named(1, "b").next());
        assert_ne!(first[0], Rng::named(2, "a").next());
    }

    #[test]
    fn shapes_have_their_means() {
        let mut rng = Rng::numbered(7);
        let mean = |mut f: Box<dyn FnMut() -> f64>| (0..20_000).map(|_| f()).sum::<f64>() / 20_000.0;
        let mut forked = rng.fork();
        assert!((mean(Box::new(move || forked.exponential())) - 1.0).abs() < 0.05);
        let mut forked = rng.fork();
        assert!(mean(Box::new(move || forked.normal())).abs() < 0.05);
        let mut forked = rng.fork();
        assert!((mean(Box::new(move || forked.below(10) as f64)) - 4.5).abs() < 0.1);
        assert!((exp2(10.0) - 1024.0).abs() < 1e-9 && (exp2(-1.5) - 0.353_553_390_593).abs() < 1e-9);
    }
}
