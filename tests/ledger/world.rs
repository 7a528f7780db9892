//! A small Vault, made up: it issues, renews and revokes, fails to, tries again
//! and gives up, writes both logs, and remembers what became of every lease.

use crate::play::SECOND;
use crate::render::{Exchange, Lines, hashed, server};
use serde_json::json;
use std::collections::BTreeSet;

mod requests;
mod truth;

/// When worlds begin.
pub const START: i64 = 1_800_000_000 * SECOND;
/// Default TTLs by role, in seconds; max TTL is three times as long.
pub const ROLES: [(&str, &str, i64); 3] =
    [("database/", "app", 20), ("database/", "slow", 60), ("orders-db/", "app", 10)];
const MILLI: i64 = 1_000_000;

/// What happens next; leases, tokens and roles are chosen among those there are.
#[derive(Clone, Debug)]
pub enum Action {
    /// `failures` attempts to revoke it will fail; from 6 on it is given up.
    Issue {
        role: usize,
        wrapped: bool,
        failures: u32,
    },
    Renew(usize),
    Revoke(usize, Form),
    Below {
        role: usize,
        force: bool,
    },
    Token(usize),
    Wait(i64),
}

/// How one lease is revoked.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    Path,
    Queued,
    Body,
}

/// One lease.
#[derive(Debug)]
pub struct Lease {
    pub id: String,
    role: usize,
    wrapped: bool,
    token: usize,
    pub issued: i64,
    /// When the TTL is over.
    expires: i64,
    /// When Vault tries to revoke it next.
    next: Option<i64>,
    /// Since when it should be gone.
    pub due: i64,
    failures_left: u32,
    /// Failed attempts of Vault's own since it began to try.
    failed: u32,
    /// What the log says of them: when, how many failed, and when the next one is due.
    told: Vec<(i64, u32, i64)>,
    pub ended: Option<i64>,
    /// All that was a reason for its end; the first by the ledger's order counts.
    reasons: BTreeSet<&'static str>,
    queued: bool,
}

/// All of it.
pub struct World {
    now: i64,
    exchanges: u64,
    pub leases: Vec<Lease>,
    /// Names, and when they were revoked.
    tokens: Vec<(String, Option<i64>)>,
    jitter: u64,
    pub audit: Lines,
    pub server: Lines,
}

impl World {
    /// Lets it all happen, and then lets `tail` seconds pass.
    pub fn of(actions: &[(i64, Action)], tail: i64) -> Self {
        let mut world = Self {
            now: START,
            exchanges: 0,
            leases: Vec::new(),
            tokens: Vec::new(),
            jitter: 1,
            audit: Lines::default(),
            server: Lines::default(),
        };
        world.login();
        // Ends that nobody asks for, which prove that the server log is heard.
        for role in [2, 2, 0, 1] {
            world.issue(role, false, 0);
        }
        world.pass(START + 70 * SECOND);
        for (millis, action) in actions {
            world.pass(world.now + millis * MILLI);
            world.act(action);
        }
        world.pass(world.now + tail * SECOND);
        world
    }

    pub fn end(&self) -> i64 {
        self.now
    }

    fn act(&mut self, action: &Action) {
        match *action {
            Action::Issue { role, wrapped, failures } => {
                self.issue(role, wrapped, failures);
            }
            Action::Renew(choice) => self.renew(choice),
            Action::Revoke(choice, form) => self.revoke(choice, form),
            Action::Below { role, force } => self.revoke_below(role, force),
            Action::Token(choice) => {
                self.revoke_token(choice);
                self.login();
            }
            Action::Wait(secs) => self.pass(self.now + secs * SECOND),
        }
    }

    /// Lets time pass: what falls due is tried; somebody else's requests keep the log alive.
    fn pass(&mut self, until: i64) {
        let beat = 4 * SECOND;
        loop {
            let pulse = (self.now / beat + 1) * beat;
            let due = self.leases.iter().enumerate().filter_map(|(at, lease)| Some((lease.next?, at))).min();
            match due {
                Some((next, at)) if next <= until.min(pulse) => {
                    self.now = self.now.max(next);
                    self.attempt(at);
                }
                _ if pulse <= until => {
                    self.now = pulse;
                    let number = self.number();
                    let token = self.tokens.last().map(|(name, _)| name.clone());
                    let read = Exchange {
                        number,
                        token: token.as_deref(),
                        operation: "read",
                        mount: "kv/",
                        engine: "kv",
                        path: "kv/config".to_owned(),
                        data: None,
                        wrap_ttl: None,
                    };
                    read.request(&mut self.audit, self.now);
                    read.response(
                        &mut self.audit,
                        self.now + MILLI / 10,
                        json!({"data": {"a": hashed("a")}}),
                    );
                }
                _ => break,
            }
        }
        self.now = self.now.max(until);
    }

    /// An attempt of Vault's own.
    fn attempt(&mut self, at: usize) {
        let now = self.now;
        let lease = &mut self.leases[at];
        if lease.failures_left == 0 {
            self.finish(at, now);
            return;
        }
        lease.failures_left -= 1;
        lease.failed += 1;
        // The sixth leaves no line, and there is no seventh.
        if lease.failed > 5 {
            lease.next = None;
            return;
        }
        self.jitter = self.jitter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let part = i64::try_from(self.jitter >> 54).unwrap();
        let pause = (10 << lease.failed) * SECOND / 1000 * (500 + part % 1000);
        lease.next = Some(now + pause);
        lease.told.push((now, lease.failed, now + pause));
        let keys = json!({
            "lease_id": lease.id,
            "attempts": lease.failed,
            "next_attempt": pause,
            "error": "failed to revoke entry: resp: (*logical.Response)(nil) err: ERROR: permission denied (SQLSTATE 42501)",
        });
        server(&mut self.server, now, "error", "expiration", "failed to revoke lease", keys);
    }

    /// It is gone.
    fn finish(&mut self, at: usize, when: i64) {
        let token = self.tokens[self.leases[at].token].1;
        let lease = &mut self.leases[at];
        lease.next = None;
        lease.ended = Some(when);
        if lease.queued {
            lease.reasons.insert("requested");
        }
        if token.is_some() {
            lease.reasons.insert("token");
        }
        if lease.expires <= when {
            lease.reasons.insert("expired");
        }
        assert!(!lease.reasons.is_empty(), "{lease:?}");
        let keys = json!({"lease_id": lease.id});
        server(&mut self.server, when, "info", "expiration", "revoked lease", keys);
    }

    fn number(&mut self) -> u64 {
        self.exchanges += 1;
        self.exchanges
    }
}
