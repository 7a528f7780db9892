//! The server: what it knows of tokens and leases, and what it writes about
//! them. Who asks it for what, and when, is the business of the actors.

mod access;
mod exchange;
mod expiration;
mod general;
mod lease;
mod outage;
mod probe;
mod secrets;
mod token;

pub(super) use exchange::{Ask, DENIED, Policy, Reply, Sender};
pub(super) use general::Plain;
pub(super) use lease::Lease;
pub(super) use secrets::{Issue, Revoke};
pub(super) use token::Token;

use super::calendar::{Clock, stamp};
use super::catalog::Catalog;
use super::hex;
use super::network::Peer;
use super::rng::Rng;
use super::scenario::Scenario;
use super::slab::{Key, Slab};
use super::truth::{Counters, Truth};
use crate::event::Timestamp;
use core::net::{IpAddr, Ipv4Addr};
use outage::Outages;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Which log a line belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Log {
    /// The file audit device.
    Audit,
    /// The server's own log, in its JSON form.
    Server,
}

/// The server.
#[derive(Debug)]
pub(super) struct Vault {
    pub(super) seed: u64,
    pub(super) catalog: Catalog,
    pub(super) tokens: Slab<Token>,
    pub(super) leases: Slab<Lease>,
    pub(super) outages: Outages,
    pub(super) truth: Truth,
    pub(super) counters: Counters,
    behind_proxy: bool,
    stubborn_from: i64,
    outbox: BinaryHeap<Line>,
    timers: BinaryHeap<Timer>,
    written: u64,
    pool: Vec<String>,
    clock: Clock,
    scratch: Scratch,
}

#[derive(Debug, Default)]
struct Scratch {
    auth: String,
    request: String,
}

/// A line that waits for its time.
#[derive(Debug)]
struct Line {
    at: i64,
    number: u64,
    log: Log,
    text: String,
}

/// What the server does by itself.
#[derive(Clone, Copy, Debug)]
enum Task {
    /// Looks whether a lease has ended.
    Lease(Key),
    /// Tries again to revoke one.
    Retry(Key),
    /// Revokes one with its token.
    WithToken(Key),
    /// Looks whether a token has ended.
    Token(Key),
}

#[derive(Debug)]
struct Timer {
    at: i64,
    number: u64,
    task: Task,
}

macro_rules! earliest_first {
    ($type:ty) => {
        impl PartialEq for $type {
            fn eq(&self, other: &Self) -> bool {
                self.cmp(other) == Ordering::Equal
            }
        }
        impl Eq for $type {}
        impl PartialOrd for $type {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for $type {
            fn cmp(&self, other: &Self) -> Ordering {
                (other.at, other.number).cmp(&(self.at, self.number))
            }
        }
    };
}
earliest_first!(Line);
earliest_first!(Timer);

impl Vault {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let catalog = Catalog::new(scenario.seed, scenario.size.haste.max(1));
        let outages = Outages::new(scenario.seed, catalog.databases, scenario.from.as_nanos());
        Self {
            seed: scenario.seed,
            catalog,
            tokens: Slab::new(),
            leases: Slab::new(),
            outages,
            truth: Truth::default(),
            counters: Counters::default(),
            behind_proxy: scenario.behind_proxy,
            stubborn_from: scenario.revocations_fail_from.map_or(i64::MAX, Timestamp::as_nanos),
            outbox: BinaryHeap::new(),
            timers: BinaryHeap::new(),
            written: 0,
            pool: Vec::new(),
            clock: Clock::new(),
            scratch: Scratch::default(),
        }
    }

    fn push(&mut self, at: i64, log: Log, text: String) {
        self.written += 1;
        self.outbox.push(Line { at, number: self.written, log, text });
    }

    fn later(&mut self, at: i64, task: Task) {
        self.written += 1;
        self.timers.push(Timer { at, number: self.written, task });
    }

    /// When the next line is due.
    pub(super) fn next_line_at(&self) -> i64 {
        self.outbox.peek().map_or(i64::MAX, |line| line.at)
    }

    /// When the server does something by itself next.
    pub(super) fn next_task_at(&self) -> i64 {
        self.timers.peek().map_or(i64::MAX, |timer| timer.at)
    }

    /// Hands out the next line; the text that was in `out` is used again.
    pub(super) fn take_line(&mut self, out: &mut String) -> Option<(Timestamp, Log)> {
        let mut line = self.outbox.pop()?;
        std::mem::swap(out, &mut line.text);
        if self.pool.len() < 64 {
            self.pool.push(line.text);
        }
        Some((stamp(line.at), line.log))
    }

    /// Where a token was last used from by its owner.
    pub(super) fn tokens_peer(&self, key: Key) -> Peer {
        self.tokens.get(key).map_or_else(|| self.proxy(0), |token| token.peer)
    }

    fn proxy(&self, port: u16) -> Peer {
        Peer { address: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5)), port }
    }

    /// A line of the server log: level, message, module, and what else stands in it, in the order of names.
    fn log(&mut self, at: i64, level: &str, message: &str, module: &str, rest: &[(&str, &str)]) {
        let mut line = self.pool.pop().unwrap_or_default();
        line.clear();
        line.push_str("{\"@level\":\"");
        line.push_str(level);
        line.push_str("\",\"@message\":\"");
        line.push_str(message);
        line.push_str("\",\"@module\":\"");
        line.push_str(module);
        line.push_str("\",\"@timestamp\":\"");
        self.clock.micros(&mut line, at);
        line.push('"');
        for (name, value) in rest {
            line.push_str(",\"");
            line.push_str(name);
            line.push_str("\":");
            line.push_str(value);
        }
        line.push('}');
        self.push(at, Log::Server, line);
    }

    /// What a server says when it has been unsealed: it knows its leases.
    pub(super) fn start(&mut self, at: i64) {
        for (after, message, module) in [
            (0, "post-unseal setup starting", "core"),
            (9_200_000, "loaded wrapping token key", "core"),
            (13_500_000, "restoring leases", "core"),
            (14_200_000, "starting rollback manager", "rollback"),
            (16_300_000, "lease restore complete", "expiration"),
            (16_400_000, "entities restored", "core"),
            (16_500_000, "groups restored", "core"),
            (17_000_000, "post-unseal setup complete", "core"),
            (21_000_000, "vault is unsealed", "core"),
        ] {
            self.log(at + after, "info", message, module, &[]);
        }
    }
}

/// How long the server takes: about so many microseconds.
pub(super) fn takes(rng: &mut Rng, micros: i64) -> i64 {
    let tail = if rng.chance(0.02) { 4.0 } else { 1.0 };
    (rng.around(micros as f64 * 1_000.0, 0.35) * tail) as i64
}

/// A text of the lease's hash.
fn digest(seed: u64) -> String {
    let mut text = String::with_capacity(64);
    hex::digest(&mut text, seed);
    text
}
