//! Wrapped credentials between their issue and their unwrapping: who asked for them, and from
//! where. Only the network can be compared: whoever unwraps shows the wrapping token.

use crate::anomaly::parameters as p;
use crate::event::TokenHash;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// One that was not unwrapped yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Key of the subject that asked for it.
    #[serde(rename = "k")]
    pub subject: u64,
    /// Network that it asked from; 0 where it is not known.
    #[serde(rename = "n", default)]
    pub network: u32,
    /// In an IPv6 network.
    #[serde(rename = "v", default)]
    pub is_v6: bool,
    /// When.
    #[serde(rename = "h")]
    pub hour: i32,
    /// What else names it: the token or its accessor; 0 for nothing.
    #[serde(rename = "t", default)]
    pub twin: u64,
}

/// Those that were not unwrapped yet, the oldest first.
#[derive(Clone, Debug)]
pub struct Wrapped {
    waiting: HashMap<u64, Waiting, FixedState>,
    order: VecDeque<(u64, i32)>,
}

impl Default for Wrapped {
    fn default() -> Self {
        Self { waiting: HashMap::with_hasher(FixedState::with_seed(p::SEED)), order: VecDeque::new() }
    }
}

/// A hash of a hash: enough to tell tens of thousands apart.
fn key(token: TokenHash) -> u64 {
    (token.0 >> 64) as u64 ^ token.0 as u64
}

impl Wrapped {
    /// One was issued, known by its token, its accessor, or both.
    pub fn issued(&mut self, tokens: [Option<TokenHash>; 2], waiting: Waiting) {
        let keys = tokens.map(|token| token.map_or(0, key));
        for (at, key) in keys.into_iter().enumerate().filter(|(_, key)| *key != 0) {
            if self.order.len() >= p::TOKENS
                && let Some((oldest, _)) = self.order.pop_front()
            {
                self.waiting.remove(&oldest);
            }
            if self.waiting.insert(key, Waiting { twin: keys[1 - at], ..waiting }).is_none() {
                self.order.push_back((key, waiting.hour));
            }
        }
    }

    fn take(&mut self, key: u64) -> Option<Waiting> {
        // Its place in the order is left behind, and dropped when its time comes.
        let waiting = self.waiting.remove(&key)?;
        self.waiting.remove(&waiting.twin);
        Some(waiting)
    }

    /// One was unwrapped.
    pub fn unwrapped(&mut self, tokens: [Option<TokenHash>; 2]) -> Option<Waiting> {
        tokens.into_iter().flatten().find_map(|token| self.take(key(token)))
    }

    /// One that nobody unwrapped in time, if there is one.
    pub fn expired(&mut self, hour: i32) -> Option<Waiting> {
        while let Some((key, issued)) = self.order.front().copied() {
            if i64::from(hour - issued) <= p::UNWRAP_WITHIN {
                return None;
            }
            self.order.pop_front();
            if let Some(waiting) = self.take(key) {
                return Some(waiting);
            }
        }
        None
    }
}

impl Serialize for Wrapped {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_seq(self.order.iter().filter_map(|(token, _)| Some((token, self.waiting.get(token)?))))
    }
}

impl<'de> Deserialize<'de> for Wrapped {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut wrapped = Self::default();
        for (token, waiting) in Vec::<(u64, Waiting)>::deserialize(deserializer)? {
            wrapped.order.push_back((token, waiting.hour));
            wrapped.waiting.insert(token, waiting);
        }
        Ok(wrapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_unwrapped_once_or_expires_once() {
        let mut wrapped = Wrapped::default();
        for token in 1..=3 {
            let hour = i32::try_from(token).unwrap();
            let waiting = Waiting { subject: 7, network: 1, is_v6: false, hour, twin: 0 };
            wrapped.issued([Some(TokenHash(token)), Some(TokenHash(token + 10))], waiting);
        }
        assert!(wrapped.unwrapped([None, Some(TokenHash(12))]).is_some());
        assert!(wrapped.unwrapped([Some(TokenHash(2)), Some(TokenHash(12))]).is_none());
        let written = serde_json::to_string(&wrapped).unwrap();
        let mut read: Wrapped = serde_json::from_str(&written).unwrap();
        assert_eq!(read.expired(20), None);
        assert_eq!(read.expired(28).map(|waiting| waiting.hour), Some(1));
        assert_eq!(read.expired(28).map(|waiting| waiting.hour), Some(3));
        assert_eq!(read.expired(28), None);
    }
}
