//! The expiration manager: leases and tokens end, and what cannot be revoked
//! is tried again, with the server's own pauses, until it is given up.

use super::super::calendar::SECOND;
use super::super::hex;
use super::super::rng::mix;
use super::super::slab::Key;
use super::super::truth::Truth;
use super::{Lease, Task, Vault, digest};

/// Attempts after which a lease is irrevocable.
const ATTEMPTS: u32 = 6;

impl Vault {
    /// Does what is due next.
    pub(in super::super) fn run_task(&mut self) {
        let Some(timer) = self.timers.pop() else { return };
        match timer.task {
            Task::Lease(key) => match self.leases.get(key) {
                Some(lease) if lease.cause.is_some() => {}
                Some(lease) if lease.expires > timer.at => self.later(lease.expires, Task::Lease(key)),
                Some(lease) => {
                    let cause = if lease.is_cut { "token" } else { "expired" };
                    self.end_lease(key, timer.at, cause);
                }
                None => {}
            },
            Task::Retry(key) => self.attempt(key, timer.at),
            Task::WithToken(key) => self.end_lease(key, timer.at, "token"),
            Task::Token(key) => match self.tokens.get(key) {
                Some(token) if token.expires > timer.at => self.later(token.expires, Task::Token(key)),
                Some(_) => self.end_token(key, timer.at),
                None => {}
            },
        }
    }

    /// A lease is to end, for this cause, if its end has not begun.
    pub(super) fn end_lease(&mut self, key: Key, at: i64, cause: &'static str) {
        let Some(lease) = self.leases.get_mut(key) else { return };
        if lease.cause.is_none() {
            lease.cause = Some(cause);
            self.attempt(key, at);
        }
    }

    /// Whether its revocation fails for a reason of its own.
    pub(super) fn is_stuck(&self, lease: &Lease) -> bool {
        lease.role == Some(self.catalog.stubborn) && lease.expires.min(lease.ends) >= self.stubborn_from
    }

    fn attempt(&mut self, key: Key, at: i64) {
        let Some(lease) = self.leases.get(key) else { return };
        if lease.is_irrevocable {
            return;
        }
        self.counters.revocations += 1;
        let (seed, attempts, role) = (lease.seed, lease.attempts + 1, lease.role);
        let database = self.catalog.mounts[lease.mount].database;
        let is_stuck = self.is_stuck(lease);
        if is_stuck || self.outages.is_down(database, at) {
            self.fail(key, at, seed, attempts);
            return;
        }
        let took = if role.is_some() { 1_500_000 + (mix(seed) % 3_000_000) as i64 } else { 200_000 };
        let Some(lease) = self.leases.remove(key) else { return };
        let id = format!("\"{}\"", lease.id);
        self.log(at + took, "info", "revoked lease", "expiration", &[("lease_id", &id)]);
        let place = self.place_of_lease(&lease);
        Truth::add(&mut self.truth.ended, place);
        Truth::add(&mut self.truth.ended_by, lease.cause.unwrap_or("unknown"));
        if let Some(token) = self.tokens.get_mut(lease.token) {
            token.leases.retain(|lease| *lease != key);
        }
    }

    fn fail(&mut self, key: Key, at: i64, seed: u64, attempts: u32) {
        self.counters.revocation_errors += 1;
        let trouble = self.trouble(key);
        let Some(lease) = self.leases.get_mut(key) else { return };
        lease.attempts = attempts;
        if attempts >= ATTEMPTS {
            // The server says nothing more about it.
            lease.is_irrevocable = true;
            return;
        }
        self.truth.revocation_failures += 1;
        // Half to one and a half of ten seconds, doubled with each attempt.
        let base = (10 * SECOND) << attempts;
        let pause = base / 2 + (mix(seed ^ u64::from(attempts)) % base.unsigned_abs()) as i64;
        let id = format!("\"{}\"", lease.id);
        let (mut number, mut next) = (String::new(), String::new());
        hex::decimal(&mut number, u64::from(attempts));
        hex::decimal(&mut next, pause.unsigned_abs());
        let trouble = format!("\"{trouble}\"");
        let took = 2_000_000;
        let rest: [(&str, &str); 4] =
            [("attempts", &number), ("error", &trouble), ("lease_id", &id), ("next_attempt", &next)];
        self.log(at + took, "error", "failed to revoke lease", "expiration", &rest);
        self.later(at + took + pause, Task::Retry(key));
    }

    /// Why a revocation fails, as JSON writes it.
    pub(in super::super) fn trouble(&self, key: Key) -> String {
        let start = "failed to revoke entry: resp: (*logical.Response)(nil) err:";
        match self.leases.get(key).filter(|lease| self.is_stuck(lease)) {
            Some(lease) => {
                let user = &digest(lease.seed)[..20];
                let secs = lease.issued / SECOND;
                format!(
                    r#"{start} ERROR: role \"v-approle-legacy-r-{user}-{secs}\" cannot be dropped because some objects depend on it (SQLSTATE 2BP01)"#
                )
            }
            None => format!(
                "{start} failed to connect to `user=vault_admin database=postgres`: 10.20.250.10:5432 (10.20.250.10): dial error: dial tcp 10.20.250.10:5432: connect: connection refused"
            ),
        }
    }

    /// What the system backend says of a request about a lease that failed.
    pub(super) fn complain(&mut self, at: i64, system: usize, message: &str, error: &str, id: &str) {
        let module = format!("secrets.system.{}", self.catalog.mounts[system].accessor);
        let (error, id) = (format!("\"{error}\""), format!("\"{id}\""));
        self.log(at, "error", message, &module, &[("error", &error), ("lease_id", &id)]);
    }

    /// A token ends, and soon after it its leases.
    pub(super) fn end_token(&mut self, key: Key, at: i64) {
        let Some(token) = self.tokens.remove(key) else { return };
        if token.identity.is_batch {
            return;
        }
        let suffix = &self.catalog.namespaces[token.identity.namespace].suffix;
        let id = format!("\"{}/h{}{suffix}\"", token.made_by, digest(token.secret));
        self.log(at, "info", "revoked lease", "expiration", &[("lease_id", &id)]);
        for lease in token.leases {
            if let Some(found) = self.leases.get(lease) {
                let after = 4_000_000 + (mix(found.seed) % 180_000_000) as i64;
                self.later(at + after, Task::WithToken(lease));
            }
        }
    }
}
