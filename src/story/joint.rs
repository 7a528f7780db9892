//! A joint: a request to revoke that names its lease by a hash alone, and the end of a lease that the
//! server log tells of meanwhile. Vault logs the end a moment before it answers the request.

use crate::event::{LeaseHash, RequestId, Text, Timestamp};
use std::collections::VecDeque;

/// Requests and ends that are kept at most.
const MOST: usize = 10_000;
/// How long a request may take, in nanoseconds.
const OPEN: i64 = 900_000_000_000;
/// How far the clocks of the two logs may be apart, in nanoseconds.
const SKEW: i64 = 5_000_000;

/// Requests under way, and ends that nothing explains yet.
#[derive(Debug, Default)]
pub(super) struct Joints {
    open: VecDeque<(RequestId, LeaseHash, Timestamp)>,
    ends: VecDeque<(Timestamp, Text)>,
}

/// The end that a request has most likely brought about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Joint {
    pub(super) lease: Text,
    /// No other end and no other request fits.
    pub(super) is_only: bool,
}

impl Joints {
    /// A request to revoke has come in.
    pub(super) fn asked(&mut self, id: RequestId, hash: LeaseHash, at: Timestamp) {
        while self.open.len() >= MOST
            || self.open.front().is_some_and(|(.., from)| at.nanos_since(*from) > OPEN)
        {
            self.open.pop_front();
        }
        if !self.open.iter().any(|(other, ..)| *other == id) {
            self.open.push_back((id, hash, at));
        }
    }

    /// The server log tells of an end.
    pub(super) fn ended(&mut self, at: Timestamp, lease: &Text) {
        let oldest = self.open.front().map_or(at, |(.., from)| *from).plus_nanos(-SKEW);
        while self.ends.len() >= MOST || self.ends.front().is_some_and(|(end, _)| *end < oldest) {
            self.ends.pop_front();
        }
        // Nobody who names it by a hash is waiting for it.
        if !self.open.is_empty() {
            self.ends.push_back((at, lease.clone()));
        }
    }

    /// The request was answered. `is_of` says of a lease whether the hash can be its: no where
    /// another hash is known to be.
    pub(super) fn answered(
        &mut self,
        id: RequestId,
        at: Timestamp,
        known: Option<&str>,
        is_of: impl Fn(&str) -> bool,
    ) -> Option<Joint> {
        let place = self.open.iter().position(|(other, ..)| *other == id)?;
        let (.., from) = self.open.remove(place)?;
        if let Some(known) = known {
            self.ends.retain(|(_, lease)| lease != known);
            return None;
        }
        let from = from.plus_nanos(-SKEW);
        let fits =
            |(end, lease): &(Timestamp, Text)| (from..=at.plus_nanos(SKEW)).contains(end) && is_of(lease);
        let places: Vec<_> = (0..self.ends.len()).filter(|place| fits(&self.ends[*place])).collect();
        // The last one before the answer: what came earlier belongs to others.
        let (end, lease) = self.ends.remove(*places.last()?)?;
        let is_only = places.len() == 1 && !self.open.iter().any(|(.., from)| *from <= end);
        Some(Joint { lease, is_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn an_end_while_one_asks_is_what_he_asked_for() {
        let mut joints = Joints::default();
        joints.ended(at(0), &"early".into());
        joints.asked(RequestId(1), LeaseHash(1), at(10));
        joints.ended(at(20), &"his".into());
        let joint = joints.answered(RequestId(1), at(21), None, |_| true);
        assert_eq!(joint, Some(Joint { lease: "his".into(), is_only: true }));
    }

    #[test]
    fn of_two_it_is_the_one_right_before_the_answer_and_not_certain() {
        let mut joints = Joints::default();
        for id in 1..3 {
            joints.asked(RequestId(id), LeaseHash(id), at(10));
        }
        joints.ended(at(20), &"a".into());
        joints.ended(at(22), &"b".into());
        let joint = joints.answered(RequestId(1), at(23), None, |lease| lease != "b");
        assert_eq!(joint, Some(Joint { lease: "a".into(), is_only: false }));
        assert_eq!(joints.answered(RequestId(2), at(24), Some("b"), |_| true), None);
        assert!(joints.ends.is_empty());
    }
}
