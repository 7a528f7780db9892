//! Tokens, for a short while: one token in use from two networks at once is either a proxy, which
//! is learnt, or a copy.

use super::now::Now;
use crate::anomaly::parameters as p;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The last two networks of one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Uses {
    #[serde(rename = "n")]
    network: u32,
    #[serde(rename = "s")]
    secs: i64,
    /// The network before it.
    #[serde(rename = "m", default)]
    other: u32,
    #[serde(rename = "r", default)]
    other_secs: i64,
}

/// Tokens by the hash of their accessors, the oldest dropped first.
#[derive(Clone, Debug)]
pub struct Tokens {
    uses: HashMap<u64, Uses, FixedState>,
    order: VecDeque<u64>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { uses: HashMap::with_hasher(FixedState::with_seed(p::SEED)), order: VecDeque::new() }
    }
}

impl Tokens {
    /// Notes where a token was used from. `true` if it has come back to a network that it had left
    /// for another one within the hour: it is in use in both.
    pub fn see(&mut self, token: u64, network: u32, now: &Now) -> bool {
        if let Some(uses) = self.uses.get_mut(&token) {
            if uses.network == network {
                uses.secs = now.secs;
                return false;
            }
            let back = uses.other == network
                && uses.other_secs > 0
                && now.secs - uses.other_secs <= p::TWO_NETWORKS_SECS;
            *uses = Uses { network, secs: now.secs, other: uses.network, other_secs: uses.secs };
            return back;
        }
        if self.order.len() >= p::TOKENS
            && let Some(oldest) = self.order.pop_front()
        {
            self.uses.remove(&oldest);
        }
        self.order.push_back(token);
        self.uses.insert(token, Uses { network, secs: now.secs, other: 0, other_secs: 0 });
        false
    }
}

impl Serialize for Tokens {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // In the order in which they came, which is the same in every run.
        serializer.collect_seq(self.order.iter().filter_map(|token| Some((token, self.uses.get(token)?))))
    }
}

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut tokens = Self::default();
        for (token, uses) in Vec::<(u64, Uses)>::deserialize(deserializer)? {
            tokens.order.push_back(token);
            tokens.uses.insert(token, uses);
        }
        Ok(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    fn at(secs: i64) -> Now {
        Now::of(Timestamp::from_secs(1_800_000_000 + secs))
    }

    #[test]
    fn a_token_that_comes_back_is_in_use_in_both() {
        let mut tokens = Tokens::default();
        assert!(!tokens.see(1, 10, &at(0)));
        assert!(!tokens.see(1, 20, &at(60)), "it may have moved");
        assert!(!tokens.see(1, 20, &at(70)));
        assert!(tokens.see(1, 10, &at(120)));
        assert!(!tokens.see(2, 10, &at(130)));
        // From the office to home and back the next day is no copy.
        assert!(!tokens.see(3, 10, &at(0)));
        assert!(!tokens.see(3, 20, &at(3_000)));
        assert!(!tokens.see(3, 10, &at(60_000)));
    }

    #[test]
    fn they_are_bounded_and_survive_a_restart() {
        let mut tokens = Tokens::default();
        for token in 0..p::TOKENS as u64 + 5 {
            tokens.see(token, 1, &at(0));
        }
        assert_eq!(tokens.uses.len(), p::TOKENS);
        tokens.see(p::TOKENS as u64, 2, &at(5));
        let written = serde_json::to_string(&tokens).unwrap();
        let mut read: Tokens = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
        assert!(read.see(p::TOKENS as u64, 1, &at(10)));
    }
}
