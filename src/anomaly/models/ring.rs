//! A sliding count: events of the last five minutes, hour or day, in slots that are dropped one
//! by one as time passes.

use serde::{Deserialize, Serialize};

/// Counts of the last `N` slots. `N` at most 32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring<const N: usize> {
    slots: [u16; N],
    /// Number of the newest slot since the Unix epoch.
    newest: i64,
    sum: u32,
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self { slots: [0; N], newest: 0, sum: 0 }
    }
}

impl<const N: usize> Ring<N> {
    /// Moves on to `slot`, dropping what is older than the window.
    pub fn pass(&mut self, slot: i64) {
        let passed = slot.saturating_sub(self.newest);
        if passed <= 0 {
            return;
        }
        if passed >= N as i64 {
            self.slots = [0; N];
            self.sum = 0;
        } else {
            for slot in self.newest + 1..=slot {
                let dropped = &mut self.slots[place::<N>(slot)];
                self.sum -= u32::from(*dropped);
                *dropped = 0;
            }
        }
        self.newest = slot;
    }

    /// Counts one event in `slot` (one of the past counts as now) and gives the sum.
    pub fn add(&mut self, slot: i64) -> u32 {
        self.pass(slot);
        let count = &mut self.slots[place::<N>(self.newest)];
        if *count < u16::MAX {
            *count += 1;
            self.sum += 1;
        }
        self.sum
    }

    /// Events in the window.
    pub fn sum(&self) -> u32 {
        self.sum
    }
}

/// Where a slot is kept.
fn place<const N: usize>(slot: i64) -> usize {
    // N is small and positive, so the remainder fits.
    usize::try_from(slot.rem_euclid(N as i64)).unwrap_or(0)
}

impl<const N: usize> Serialize for Ring<N> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Most rings are empty most of the time.
        let slots: &[u16] = if self.sum == 0 { &[] } else { &self.slots };
        (self.newest, slots).serialize(serializer)
    }
}

impl<'de, const N: usize> Deserialize<'de> for Ring<N> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (newest, slots) = <(i64, Vec<u16>)>::deserialize(deserializer)?;
        let mut ring = Self { newest, ..Self::default() };
        // Slots of another width, of another version, are left out: they are a day old at most.
        if slots.len() == N {
            ring.slots.copy_from_slice(&slots);
            ring.sum = slots.iter().map(|count| u32::from(*count)).sum();
        }
        Ok(ring)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sum_is_that_of_the_window(steps in prop::collection::vec((0i64..15, 1usize..4), 1..80)) {
            let (mut ring, mut all, mut slot) = (Ring::<12>::default(), Vec::new(), 1000);
            for (passed, events) in steps {
                slot += passed;
                for _ in 0..events {
                    all.push(slot);
                    let sum = ring.add(slot);
                    prop_assert_eq!(sum as usize, all.iter().filter(|at| slot - **at < 12).count());
                }
                let written = serde_json::to_string(&ring).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Ring<12>>(&written).unwrap(), &ring);
            }
        }
    }

    #[test]
    fn a_late_event_counts_as_now() {
        let mut ring = Ring::<10>::default();
        ring.add(50);
        assert_eq!(ring.add(45), 2);
        ring.pass(59);
        assert_eq!(ring.sum(), 2);
        ring.pass(60);
        assert_eq!(ring.sum(), 0);
    }
}
