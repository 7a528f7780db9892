//! The parts of Vault's API that are scraped, each with its own success, and
//! the waits between their calls.

use super::error::Error;
use super::nonce::jittered;
use std::time::{Duration, Instant};

/// A part of the API, as the label `api` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// `sys/health`.
    Health,
    /// `sys/leader`.
    Leader,
    /// Getting a token: its file, a login, a renewal.
    Login,
    /// `auth/token/lookup-self`.
    Token,
    /// `sys/metrics`.
    Metrics,
    /// `sys/leases/count`.
    IrrevocableLeases,
    /// `sys/mounts` and `sys/auth`.
    Mounts,
    /// `<mount>/roles` of database mounts.
    Roles,
    /// `sys/monitor`.
    Monitor,
    /// `sys/leases/lookup` of single leases.
    LeaseLookup,
    /// `sys/leases/lookup/<prefix>` of roles.
    LeaseListing,
}

impl Api {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::Health,
        Self::Leader,
        Self::Login,
        Self::Token,
        Self::Metrics,
        Self::IrrevocableLeases,
        Self::Mounts,
        Self::Roles,
        Self::Monitor,
        Self::LeaseLookup,
        Self::LeaseListing,
    ];

    /// Value of the label `api`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Leader => "leader",
            Self::Login => "login",
            Self::Token => "token",
            Self::Metrics => "metrics",
            Self::IrrevocableLeases => "irrevocable_leases",
            Self::Mounts => "mounts",
            Self::Roles => "roles",
            Self::Monitor => "monitor",
            Self::LeaseLookup => "lease_lookup",
            Self::LeaseListing => "lease_listing",
        }
    }
}

/// How often what is asked. The defaults keep the exporter's share of the audit
/// log small: two entries each for metrics, lease count (every interval), token
/// (a minute), and mounts and roles (ten minutes).
#[derive(Clone, Debug)]
pub struct Pace {
    /// Between scrapes of a node.
    pub interval: Duration,
    /// Between look-ups of the own token.
    pub token: Duration,
    /// Between readings of mounts and roles.
    pub inventory: Duration,
    /// Shortest time between readings of mounts and roles, when something
    /// unknown shows up.
    pub inventory_at_least: Duration,
    /// Between look-ups of single leases.
    pub lookup: Duration,
    /// Shortest time between listings of the leases of two roles.
    pub listing_at_least: Duration,
    /// After a refusal that only a human can lift.
    pub denied: Duration,
    /// Longest wait after failures.
    pub longest_wait: Duration,
    /// Roles read in one scrape.
    pub roles_per_scrape: usize,
    /// Roles read at all; more are left out, and said so.
    pub max_roles: usize,
}

impl Pace {
    /// The usual pace at this interval.
    pub fn every(interval: Duration) -> Self {
        Self {
            interval,
            token: interval.max(Duration::from_secs(60)),
            inventory: interval.max(Duration::from_secs(600)),
            inventory_at_least: interval.max(Duration::from_secs(60)),
            lookup: Duration::from_secs(5),
            listing_at_least: Duration::from_secs(1),
            denied: interval.max(Duration::from_secs(600)),
            longest_wait: interval.max(Duration::from_secs(300)),
            roles_per_scrape: 25,
            max_roles: 1000,
        }
    }

    /// Between calls of `api` that succeed.
    pub(super) fn of(&self, api: Api) -> Duration {
        match api {
            Api::Token => self.token,
            Api::Mounts | Api::Roles => self.inventory,
            _ => self.interval,
        }
    }
}

/// When one part of the API of one node is to be asked next.
#[derive(Debug, Default)]
pub(super) struct Due {
    at: Option<Instant>,
    failures: u32,
}

impl Due {
    /// Whether it is time. A tenth of the interval early counts, or each
    /// second scrape would come too soon for its own clock.
    pub(super) fn now(&self, pace: &Pace) -> bool {
        self.at.is_none_or(|at| Instant::now() + pace.interval / 10 >= at)
    }

    /// At once, whatever was.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }

    /// After an outcome. Gives the wait until the next call.
    pub(super) fn after(&mut self, api: Api, error: Option<&Error>, pace: &Pace) -> Duration {
        let wait = match error {
            None => {
                self.failures = 0;
                pace.of(api)
            }
            // That node will not answer it before its role changes.
            Some(Error::Standby) if api == Api::Metrics => pace.denied,
            Some(error) if error.is_lasting() => jittered(pace.denied),
            Some(_) => {
                let doubled = pace.interval.saturating_mul(1 << self.failures.min(10));
                self.failures = self.failures.saturating_add(1);
                // The first failure may be a hiccup: the next scrape tells.
                if self.failures == 1 { doubled } else { jittered(doubled.min(pace.longest_wait)) }
            }
        };
        self.at = Some(Instant::now() + wait);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_a_success_ends_them() {
        let pace = Pace::every(Duration::from_secs(15));
        let mut due = Due::default();
        let failure = Error::RateLimited;
        let waits: Vec<_> = (0..12).map(|_| due.after(Api::Metrics, Some(&failure), &pace)).collect();
        assert_eq!(waits[0], Duration::from_secs(15));
        assert!(waits[4] > waits[1] * 2, "{waits:?}");
        assert!(waits.iter().all(|wait| *wait <= pace.longest_wait.mul_f64(1.2)), "{waits:?}");
        assert_eq!(due.after(Api::Metrics, None, &pace), Duration::from_secs(15));
        assert!(!due.now(&pace));
    }

    #[test]
    fn a_missing_right_is_asked_for_seldom() {
        let pace = Pace::every(Duration::from_secs(15));
        let denied = Error::Denied { missing: String::new() };
        let wait = Due::default().after(Api::Mounts, Some(&denied), &pace);
        assert!(wait >= Duration::from_secs(480), "{wait:?}");
    }
}
