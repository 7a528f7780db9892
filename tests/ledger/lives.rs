//! What became of every lease of the corpus, from the clients' memory and the
//! server log alone.

use crate::corpus::{self, Call, nanos};
use crate::play::{Numbers, SECOND};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;

/// Mount and role.
pub type Role = Vec<String>;

/// Everything, at any moment.
pub struct Lives {
    /// Leases with a name, in the order of their issue.
    pub named: Vec<Life>,
    /// Leases of wrapped answers, whose names only the server log has.
    pub anonymous: Vec<Life>,
    /// When a lease ended; tokens left out.
    pub ends: HashMap<String, i64>,
    /// Attempts of Vault's own that failed, in order.
    pub failures: Vec<FailedAttempt>,
    /// Renewals that failed: role and reason.
    pub renewals_failed: Vec<(i64, Role, &'static str)>,
    /// When Vault began to go down.
    pub sealed: i64,
    issues: BTreeMap<Role, Vec<i64>>,
    ended: BTreeMap<Role, Vec<i64>>,
    nameless_ends: BTreeMap<Role, Vec<i64>>,
    /// Places in `named`.
    of_role: BTreeMap<Role, Vec<usize>>,
    /// When leases of wrapped answers were issued.
    anonymous_issues: BTreeMap<Role, Vec<i64>>,
}

/// One lease.
#[derive(Clone, Debug)]
pub struct Life {
    pub id: String,
    pub role: Role,
    /// When the answer that carried it was logged.
    pub issued: i64,
    /// When it ended; never, for one that was there at the end, or that has no name.
    pub ended: i64,
    /// What names the token that asked for it.
    pub token: String,
}

#[derive(Debug)]
pub struct FailedAttempt {
    pub lease: String,
    pub role: Role,
    pub at: i64,
    pub attempts: u32,
    /// When the next one is due.
    pub next: i64,
    pub reason: &'static str,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "@timestamp")]
    time: String,
    #[serde(rename = "@message")]
    message: String,
    #[serde(rename = "@module", default)]
    module: String,
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    next_attempt: i64,
    #[serde(default)]
    error: String,
}

/// Mount and role of a lease: `database/creds/app/…` is of `database/` and `app`.
pub fn role_of(lease: &str) -> Role {
    let parts: Vec<&str> = lease.split('/').collect();
    vec![format!("{}/", parts[0]), parts[2].to_owned()]
}

/// A token's lease ends with `h` and 64 hexadecimal digits, a wrapping token's below a role too.
pub fn is_token(lease: &str) -> bool {
    let last = lease.rsplit('/').next().unwrap();
    last.len() == 65 && last.starts_with('h')
}

pub fn lives() -> &'static Lives {
    static LIVES: OnceLock<Lives> = OnceLock::new();
    LIVES.get_or_init(read)
}

fn read() -> Lives {
    let mut lives = Lives {
        named: Vec::new(),
        anonymous: Vec::new(),
        ends: HashMap::new(),
        failures: Vec::new(),
        renewals_failed: Vec::new(),
        sealed: 0,
        issues: BTreeMap::new(),
        ended: BTreeMap::new(),
        nameless_ends: BTreeMap::new(),
        of_role: BTreeMap::new(),
        anonymous_issues: BTreeMap::new(),
    };
    for call in corpus::calls().iter().filter(|call| issues(call)) {
        let role = vec![call.mount.clone(), call.role.clone()];
        let life = Life {
            id: call.lease.clone(),
            role,
            issued: call.answered,
            ended: i64::MAX,
            token: call.token.clone(),
        };
        if life.id.is_empty() { &mut lives.anonymous } else { &mut lives.named }.push(life);
    }
    let mut floor = i64::MIN;
    for text in &corpus::corpus().server {
        let Ok(line) = serde_json::from_str::<Line>(text) else { continue };
        floor = floor.max(nanos(&line.time));
        lives.line(floor, line);
    }
    for (at, life) in lives.named.iter_mut().enumerate() {
        life.ended = lives.ends.get(&life.id).copied().unwrap_or(i64::MAX);
        lives.of_role.entry(life.role.clone()).or_default().push(at);
    }
    lives.anonymous_issues = times(lives.anonymous.iter().map(|life| (life.role.clone(), life.issued)));
    lives.issues = times(lives.all().map(|life| (life.role.clone(), life.issued)));
    lives.ended = times(lives.ends.iter().map(|(lease, end)| (role_of(lease), *end)));
    let nameless = lives.nameless().into_iter();
    lives.nameless_ends = times(nameless.filter_map(|lease| Some((role_of(lease), *lives.ends.get(lease)?))));
    lives
}

/// A call that got a credential.
pub fn issues(call: &Call) -> bool {
    matches!(call.op.as_str(), "generate" | "pki") && call.status == 200
}

impl Lives {
    fn line(&mut self, at: i64, line: Line) {
        let is_expiration = line.module == "expiration";
        match line.message.as_str() {
            "revoked lease" if is_expiration && !is_token(&line.lease_id) => {
                assert!(self.ends.insert(line.lease_id, at).is_none(), "a lease ended twice");
            }
            "failed to revoke lease" if is_expiration => {
                // The two troubles of that run: a statement that always fails, and no database.
                let reason =
                    if line.error.contains("SQLSTATE 42704") { "missing_role" } else { "connection" };
                assert!(reason == "missing_role" || line.error.contains("connection refused"));
                self.failures.push(FailedAttempt {
                    role: role_of(&line.lease_id),
                    lease: line.lease_id,
                    at,
                    attempts: line.attempts,
                    next: at + line.next_attempt,
                    reason,
                });
            }
            "lease renewal failed" => {
                let reason = match line.error.as_str() {
                    "lease not found" => "not_found",
                    "lease expired" => "expired",
                    text => {
                        assert!(text.contains("connection refused"), "{text}");
                        "backend"
                    }
                };
                self.renewals_failed.push((at, role_of(&line.lease_id), reason));
            }
            "pre-seal teardown starting" => self.sealed = at,
            _ => {}
        }
    }

    /// Every role of which a credential was ever issued.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.issues.keys()
    }

    fn all(&self) -> impl Iterator<Item = &Life> {
        self.named.iter().chain(&self.anonymous)
    }

    /// How many credentials were issued until `at`.
    pub fn issued(&self, at: i64) -> Numbers {
        until(&self.issues, at)
    }

    /// How many of them had ended.
    pub fn ended(&self, at: i64) -> Numbers {
        until(&self.ended, at)
    }

    /// How many were outstanding, every role named of which one was ever issued.
    pub fn outstanding(&self, at: i64) -> Numbers {
        let mut left = self.issued(at);
        left.retain(|_, issued| *issued > 0.0);
        for (role, ended) in self.ended(at) {
            // No end of this run comes before the answer that carried the lease.
            if ended > 0.0 {
                *left.get_mut(&role).unwrap() -= ended;
            }
        }
        left
    }

    /// The last failed attempt of every lease of which one failed.
    pub fn last_failures(&self, at: i64) -> Vec<&FailedAttempt> {
        let mut last: BTreeMap<&str, &FailedAttempt> = BTreeMap::new();
        for failure in self.failures.iter().take_while(|failure| failure.at <= at) {
            last.insert(&failure.lease, failure);
        }
        last.into_values().collect()
    }

    /// The same of those that are outstanding.
    pub fn failing(&self, at: i64) -> Vec<&FailedAttempt> {
        let mut last = self.last_failures(at);
        last.retain(|failure| self.ends.get(&failure.lease).is_none_or(|end| *end > at));
        last
    }

    /// The named leases of a role that were issued until `at`, with their places.
    pub fn of_role(&self, role: &Role, at: i64) -> impl Iterator<Item = (usize, &Life)> {
        let places = self.of_role.get(role).map_or(&[][..], Vec::as_slice).iter();
        places.map(|place| (*place, &self.named[*place])).take_while(move |(_, life)| life.issued <= at)
    }

    /// When the anonymous leases of a role were issued, until `at`.
    pub fn anonymous_issues(&self, role: &Role, at: i64) -> &[i64] {
        let issues = self.anonymous_issues.get(role).map_or(&[][..], Vec::as_slice);
        &issues[..issues.partition_point(|issued| *issued <= at)]
    }

    /// How many nameless leases of a role had ended.
    pub fn nameless_ended(&self, role: &Role, at: i64) -> usize {
        self.nameless_ends.get(role).map_or(0, |ends| ends.partition_point(|end| *end <= at))
    }

    /// IDs of leases that the server log names and no answer carried.
    pub fn nameless(&self) -> BTreeSet<&str> {
        let named: BTreeSet<&str> = self.named.iter().map(|life| life.id.as_str()).collect();
        let failed = self.failures.iter().map(|failure| failure.lease.as_str());
        self.ends.keys().map(String::as_str).chain(failed).filter(|lease| !named.contains(lease)).collect()
    }
}

impl FailedAttempt {
    /// The sixth attempt, which leaves no line, was due 90 seconds ago and more.
    pub fn is_stuck(&self, at: i64) -> bool {
        self.attempts >= 5 && at >= self.next + 90 * SECOND
    }
}

fn times(times: impl Iterator<Item = (Role, i64)>) -> BTreeMap<Role, Vec<i64>> {
    let mut by_role = BTreeMap::<Role, Vec<i64>>::new();
    for (role, at) in times {
        by_role.entry(role).or_default().push(at);
    }
    for times in by_role.values_mut() {
        times.sort_unstable();
    }
    by_role
}

fn until(times: &BTreeMap<Role, Vec<i64>>, at: i64) -> Numbers {
    times
        .iter()
        .map(|(role, times)| (role.clone(), times.partition_point(|time| *time <= at) as f64))
        .collect()
}

/// How often each comes.
pub fn count(keys: impl Iterator<Item = Vec<String>>) -> Numbers {
    let mut counts = Numbers::new();
    for key in keys {
        *counts.entry(key).or_default() += 1.0;
    }
    counts
}
