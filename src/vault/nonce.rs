//! Random numbers: names for own requests that nobody can guess, and jitter.

use crate::event::OWN_MARKER_PREFIX;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// 64 bits from the standard library's keyed hash: its key comes from the
/// operating system, and its output does not show it.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A name for one request, never used before and not to be guessed.
pub(super) fn marker() -> String {
    format!("{OWN_MARKER_PREFIX}{:016x}{:016x}", random(), random())
}

/// `base`, up to a fifth longer or shorter, so that exporters that failed
/// together do not come back together.
pub(super) fn jittered(base: Duration) -> Duration {
    let share = random() as f64 / u64::MAX as f64;
    base.mul_f64(0.8 + 0.4 * share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn markers_differ() {
        let markers: HashSet<_> = (0..1000).map(|_| marker()).collect();
        assert_eq!(markers.len(), 1000);
        assert!(markers.iter().all(|m| m.len() == OWN_MARKER_PREFIX.len() + 32));
    }

    #[test]
    fn jitter_stays_within_a_fifth() {
        for _ in 0..1000 {
            let wait = jittered(Duration::from_secs(100)).as_secs_f64();
            assert!((80.0..=120.0).contains(&wait), "{wait}");
        }
    }
}
