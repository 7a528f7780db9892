//! Leases that ended a short while ago: a second word about the same end, of
//! another log or of a request's answer, is not a second end.

use crate::event::Timestamp;
use foldhash::HashSet;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::num::NonZeroU64;

/// How long one is remembered, in seconds.
const REMEMBER_SECS: i64 = 600;
/// How many are remembered at most.
const MOST: usize = 1 << 16;

/// What ended lately, the oldest first.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "VecDeque<(Timestamp, NonZeroU64)>")]
pub(super) struct Recent {
    order: VecDeque<(Timestamp, NonZeroU64)>,
    keys: HashSet<NonZeroU64>,
}

impl Recent {
    /// `false` if it had ended already.
    pub(super) fn insert(&mut self, key: NonZeroU64, at: Timestamp) -> bool {
        if !self.keys.insert(key) {
            return false;
        }
        self.order.push_back((at, key));
        if self.order.len() > MOST
            && let Some((_, oldest)) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        true
    }

    pub(super) fn contains(&self, key: NonZeroU64) -> bool {
        self.keys.contains(&key)
    }

    pub(super) fn advance(&mut self, now: Timestamp) {
        let before = now.plus_secs(-REMEMBER_SECS);
        while let Some((_, key)) = self.order.front().copied().filter(|(at, _)| *at < before) {
            self.order.pop_front();
            self.keys.remove(&key);
        }
    }
}

impl Serialize for Recent {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.order.serialize(serializer)
    }
}

impl From<VecDeque<(Timestamp, NonZeroU64)>> for Recent {
    fn from(order: VecDeque<(Timestamp, NonZeroU64)>) -> Self {
        Self { keys: order.iter().map(|(_, key)| *key).collect(), order }
    }
}
