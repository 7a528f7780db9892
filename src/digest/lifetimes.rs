//! Lifetimes: how long the leases of a role were out, and whether anybody renewed them.

use super::bounded::{Bounded, Weight};
use super::place::Place;
use crate::event::Timestamp;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64;

/// Leases that are followed from issue to end.
const LEASES_MOST: usize = 1 << 20;
/// Roles that are told apart.
const ROLES_MOST: usize = 2_000;

/// The lifetimes of a role's leases.
#[derive(Clone, Debug, Default)]
pub struct Lifetimes {
    /// Leases that were issued in the period.
    pub issued: u64,
    /// Leases of which issue and end are in the logs, and the end in the period.
    pub ended: u64,
    /// Those of them that were never renewed.
    pub never_renewed: u64,
    /// Milliseconds, to two digits, and how many leases were out that long.
    used: BTreeMap<u64, u64>,
}

impl Lifetimes {
    /// Seconds within which that part of the leases had ended; to two digits.
    pub fn quantile(&self, part: f64) -> Option<f64> {
        let count: u64 = self.used.values().sum();
        let mut left = (count as f64 * part).ceil().max(1.0);
        for (millis, leases) in &self.used {
            left -= *leases as f64;
            if left <= 0.0 {
                return Some(*millis as f64 / 1e3);
            }
        }
        None
    }
}

impl Weight for Lifetimes {
    fn weight(&self) -> u64 {
        self.issued + self.ended
    }
}

#[derive(Clone, Debug)]
struct Open {
    issued: Timestamp,
    place: Place,
    is_renewed: bool,
}

impl Weight for Open {
    /// The oldest go first.
    fn weight(&self) -> u64 {
        self.issued.as_nanos().cast_unsigned()
    }
}

/// Of all roles.
#[derive(Debug)]
pub(super) struct Lives {
    open: Bounded<u64, Open>,
    roles: Bounded<Place, Lifetimes>,
}

impl Lives {
    pub(super) fn new() -> Self {
        Self { open: Bounded::new(LEASES_MOST), roles: Bounded::new(ROLES_MOST) }
    }

    pub(super) fn issue(&mut self, at: Timestamp, lease: &str, place: &Place, counts: bool) {
        let open = || Open { issued: at, place: place.clone(), is_renewed: false };
        self.open.entry(&xxh3_64(lease.as_bytes()), open);
        if counts {
            self.roles.entry(place, Lifetimes::default).issued += 1;
        }
    }

    pub(super) fn renew(&mut self, lease: &str) {
        if let Some(open) = self.open.get_mut(&xxh3_64(lease.as_bytes())) {
            open.is_renewed = true;
        }
    }

    pub(super) fn end(&mut self, at: Timestamp, lease: &str, counts: bool) {
        let Some(open) = self.open.remove(&xxh3_64(lease.as_bytes())).filter(|_| counts) else { return };
        let role = self.roles.entry(&open.place, Lifetimes::default);
        role.ended += 1;
        role.never_renewed += u64::from(!open.is_renewed);
        *role.used.entry(two_digits(at.nanos_since(open.issued))).or_default() += 1;
    }

    /// Every role, and how many leases were not followed for lack of room.
    pub(super) fn take(self) -> (Vec<(Place, Lifetimes)>, u64) {
        (self.roles.take().0, self.open.take().1)
    }
}

/// Milliseconds to two digits: few values, however many leases.
fn two_digits(nanos: i64) -> u64 {
    let millis = u64::try_from(nanos).unwrap_or(0) / 1_000_000;
    let mut unit = 1;
    while millis / unit >= 100 {
        unit *= 10;
    }
    (millis + unit / 2) / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_told_to_two_digits() {
        assert_eq!(
            [0, 40_000, 40_440, 44_600, 3_599_000].map(|millis| two_digits(millis * 1_000_000)),
            [0, 40_000, 40_000, 45_000, 3_600_000]
        );
    }

    #[test]
    fn half_have_ended_by_the_median() {
        let mut lives = Lives::new();
        let place = Place::default();
        for (lease, secs) in [("a", 10), ("b", 20), ("c", 600)] {
            lives.issue(Timestamp::from_secs(0), lease, &place, true);
            if lease == "c" {
                lives.renew(lease);
            }
            lives.end(Timestamp::from_secs(secs), lease, true);
            lives.end(Timestamp::from_secs(secs + 1), lease, true);
        }
        let (roles, _) = lives.take();
        let role = &roles[0].1;
        assert_eq!((role.ended, role.never_renewed), (3, 2));
        assert_eq!((role.quantile(0.5), role.quantile(0.9)), (Some(20.0), Some(600.0)));
    }
}
