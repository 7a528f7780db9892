//! What a role is expected to issue: one small seasonal model for each, for the metrics alone.

use crate::anomaly::parameters as p;
use crate::anomaly::stat::count::Counts;
use crate::anomaly::stat::season::Season;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

/// One role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Role {
    #[serde(rename = "s", default)]
    season: Season,
    #[serde(rename = "n", default)]
    issued: u32,
    #[serde(rename = "h", default)]
    hour: i32,
}

/// All roles that issue.
#[derive(Clone, Debug)]
pub struct Rates {
    roles: HashMap<u64, Role, FixedState>,
}

impl Default for Rates {
    fn default() -> Self {
        Self { roles: HashMap::with_hasher(FixedState::with_seed(p::SEED)) }
    }
}

const SECS_OF_HOUR: f64 = 3_600.0;

fn key(namespace: &str, mount: &str, role: &str) -> u64 {
    let seeded = |text: &str, seed| xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), seed);
    seeded(role, seeded(mount, seeded(namespace, p::SEED)))
}

impl Role {
    fn close(&mut self, hour: i32, was_live: impl Fn(i32) -> bool) {
        let first = self.hour.max(hour - 24 * 35);
        for over in first..hour {
            if over == self.hour || was_live(over) {
                let issued = if over == self.hour { std::mem::take(&mut self.issued) } else { 0 };
                let mean = self.mean(over);
                self.season.add(issued.into(), mean, over.into(), p::LIFE);
            }
        }
        self.hour = self.hour.max(hour);
    }

    fn mean(&self, hour: i32) -> f64 {
        self.season.mean(hour.into(), p::SEASON_KAPPA, 0.0, 1e-3)
    }
}

impl Rates {
    /// A role issued.
    pub fn issue(
        &mut self,
        namespace: &str,
        mount: &str,
        role: &str,
        hour: i32,
        was_live: impl Fn(i32) -> bool,
    ) {
        let key = key(namespace, mount, role);
        let full = self.roles.len() >= p::RATES;
        let Some(role) = self.roles.get_mut(&key) else {
            if !full {
                self.roles.insert(key, Role { issued: 1, hour, season: Season::default() });
            }
            return;
        };
        if role.hour < hour {
            role.close(hour, was_live);
        }
        role.issued += 1;
    }

    /// Credentials a second that a role is expected to issue in that hour, and what is exceeded in
    /// one hour of a thousand; `None` before it was followed for two days.
    pub fn expected(
        &self,
        namespace: &str,
        mount: &str,
        role: &str,
        hour: i32,
        was_live: impl Fn(i32) -> bool,
    ) -> Option<(f64, f64)> {
        let mut role = self.roles.get(&key(namespace, mount, role))?.clone();
        role.close(hour, was_live);
        if role.season.hours() < p::MATURE_AFTER * 0.9 {
            return None;
        }
        let mean = role.mean(hour);
        let phi = role.season.phi(p::SLOW_PHI.0, p::SLOW_PHI.1, p::LEAST_PHI);
        let upper = Counts { mean, phi }.first_rarer(1e-3, 1 << 32).saturating_sub(1);
        Some((mean / SECS_OF_HOUR, upper as f64 / SECS_OF_HOUR))
    }
}

impl Serialize for Rates {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all: Vec<_> = self.roles.iter().collect();
        all.sort_unstable_by_key(|(key, _)| **key);
        serializer.collect_seq(all)
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut rates = Self::default();
        rates.roles.extend(Vec::<(u64, Role)>::deserialize(deserializer)?);
        Ok(rates)
    }
}
