//! Why every lease of the corpus ended: a model made of what the clients
//! remember and of the TTLs that the roles had, without a look at the ledger.
//!
//! 1. A client's call names the lease: it ends by `requested` when it ends while
//!    a synchronous call is being answered, or any time after a queued one (202).
//! 2. It ends while an operator's call on its prefix is answered: `prefix`, `forced`.
//! 3. Else it fell due, by whatever came first: its TTL (`expired`), or the end or
//!    the revocation of the token that asked for it (`token`). Vault revokes what
//!    is due at once; where that fails at first, it is the first attempt that
//!    happens at the due time. The model holds itself to this within 1.2 s: Vault
//!    counts the time that max TTL leaves a lease, or a batch token has left, in
//!    whole seconds.
//!
//! TTLs, default and max, in seconds: app-role 60/180, analytics-role 30/60,
//! broken-revoke 10/20, reporting 20/40, and 25/45 on `database/` after the
//! operator wrote it anew. PKI leases live longer than the run. Each renewal
//! asks for 30 s from then on, and gets it within the max TTL since the issue
//! that the role has at that moment. Tokens live for 120 s; none is renewed.

use crate::corpus::{Call, calls};
use crate::lives::{Life, Lives, Role, count, lives, role_of};
use crate::play::{Numbers, SECOND};
use std::collections::{BTreeMap, HashMap};

/// How far Vault's rounding to whole seconds can move a due time.
pub const ROUNDING: i64 = 12 * SECOND / 10;

/// When and why every lease falls, or fell, due.
pub struct Causes {
    /// By mount, role and cause, of what has ended at the end.
    pub totals: Numbers,
    /// When the named leases fall due, in their order; by a queued request too.
    pub due: Vec<i64>,
    /// When their TTL alone would end them; never, for those that outlive the run.
    pub ttl_end: Vec<i64>,
    /// When the anonymous leases of a role fall due, and ended.
    pub anonymous: BTreeMap<Role, Vec<(i64, i64)>>,
    /// Ends that nobody asked for: the first proves that the server log is heard.
    pub first_unasked: i64,
}

/// Default and max TTL of a role for what happens at `at`; `None` for longer than the run.
pub fn ttls(role: &Role, at: i64) -> Option<(i64, i64)> {
    let secs = match (role[0].as_str(), role[1].as_str()) {
        (_, "app-role") => (60, 180),
        (_, "analytics-role") => (30, 60),
        (_, "broken-revoke") => (10, 20),
        ("database/", "reporting") if at > rewritten() => (25, 45),
        (_, "reporting") => (20, 40),
        _ => return None,
    };
    Some((secs.0 * SECOND, secs.1 * SECOND))
}

/// When the operator first wrote `reporting` on `database/` anew (the second time to the same).
pub fn rewritten() -> i64 {
    calls().iter().find(|call| call.op == "role-write").unwrap().answered
}

/// What ended, or will end, a token.
#[derive(Default)]
struct Token {
    expires: Option<i64>,
    revoked: Option<i64>,
}

struct Model {
    lives: &'static Lives,
    tokens: HashMap<&'static str, Token>,
    renewals: HashMap<&'static str, Vec<&'static Call>>,
    revocations: HashMap<&'static str, Vec<&'static Call>>,
    below: Vec<&'static Call>,
    first_failure: HashMap<&'static str, i64>,
}

/// Computes it all.
pub fn causes() -> Causes {
    let model = Model::read();
    let mut result = Causes {
        totals: Numbers::new(),
        due: Vec::new(),
        ttl_end: Vec::new(),
        anonymous: BTreeMap::new(),
        first_unasked: i64::MAX,
    };
    let mut ended = Vec::new();
    for life in &model.lives.named {
        let (due, why) = model.due(life);
        let queued = model.revocations.get(life.id.as_str()).into_iter().flatten();
        let queued = queued.filter(|call| call.status == 202).map(|call| call.asked);
        result.due.push(queued.chain([due]).min().unwrap_or(due));
        result.ttl_end.push(model.ttl_end(life).unwrap_or(i64::MAX));
        let end = life.ended;
        if end == i64::MAX {
            continue;
        }
        let cause = model.asked(&life.id, end).unwrap_or_else(|| {
            let first = model.first_failure.get(life.id.as_str()).copied().unwrap_or(end);
            assert!((first - due).abs() < ROUNDING, "{life:?} due {due} ended {end}");
            result.first_unasked = result.first_unasked.min(end);
            why
        });
        ended.push([life.role.clone(), vec![cause.to_owned()]].concat());
    }
    model.anonymous(&mut result, &mut ended);
    result.totals = count(ended.into_iter());
    result
}

impl Model {
    fn read() -> Self {
        let mut model = Self {
            lives: lives(),
            tokens: HashMap::new(),
            renewals: HashMap::new(),
            revocations: HashMap::new(),
            below: Vec::new(),
            first_failure: HashMap::new(),
        };
        for call in calls() {
            match (call.op.as_str(), call.status) {
                ("login", 200) => {
                    model.tokens.entry(&call.token).or_default().expires = Some(call.answered + 120 * SECOND);
                }
                ("token-revoke-self", 204) => {
                    model.tokens.entry(&call.token).or_default().revoked = Some(call.asked);
                }
                ("renew", 200) => model.renewals.entry(&call.target).or_default().push(call),
                ("revoke" | "revoke-path", 200..=299 | 400) => {
                    model.revocations.entry(&call.target).or_default().push(call);
                }
                ("revoke-prefix" | "revoke-force", 204) => model.below.push(call),
                _ => {}
            }
        }
        for failure in &model.lives.failures {
            model.first_failure.entry(&failure.lease).or_insert(failure.at);
        }
        model
    }

    /// Rules 1 and 2.
    fn asked(&self, lease: &str, end: i64) -> Option<&'static str> {
        let named = self.revocations.get(lease).into_iter().flatten();
        let mut named =
            named.filter(|call| call.asked <= end && (call.status == 202 || end <= call.answered));
        if named.next().is_some() {
            return Some("requested");
        }
        let mut below = self.below.iter().filter(|call| {
            let prefix = call.path.splitn(4, '/').nth(3).unwrap();
            lease.starts_with(prefix) && (call.asked..=call.answered).contains(&end)
        });
        below.next().map(|call| if call.op == "revoke-force" { "forced" } else { "prefix" })
    }

    /// Rule 3.
    fn due(&self, life: &Life) -> (i64, &'static str) {
        let token = (self.token_end(life), "token");
        self.ttl_end(life).map_or(token, |end| token.min((end, "expired")))
    }

    fn ttl_end(&self, life: &Life) -> Option<i64> {
        let (default, _) = ttls(&life.role, life.issued)?;
        let mut end = life.issued + default;
        for renewal in self.renewals.get(life.id.as_str()).into_iter().flatten() {
            let (_, max) = ttls(&life.role, renewal.answered)?;
            end = (renewal.answered + 30 * SECOND).min(life.issued + max);
        }
        Some(end)
    }

    fn token_end(&self, life: &Life) -> i64 {
        let token = &self.tokens[life.token.as_str()];
        [token.expires, token.revoked].into_iter().flatten().min().unwrap_or(i64::MAX)
    }

    /// Nobody knows which nameless lease is whose, but nobody can renew or revoke one of them by
    /// name either: in order, their due times are those of the first words about them.
    fn anonymous(&self, result: &mut Causes, ended: &mut Vec<Vec<String>>) {
        let mut expected: BTreeMap<&Role, Vec<(i64, &'static str)>> = BTreeMap::new();
        for life in &self.lives.anonymous {
            expected.entry(&life.role).or_default().push(self.due(life));
        }
        let mut heard: BTreeMap<Role, Vec<(i64, &str)>> = BTreeMap::new();
        for lease in self.lives.nameless() {
            let end = self.lives.ends.get(lease);
            let first = self.first_failure.get(lease).or(end).unwrap();
            assert!(end.is_none_or(|end| self.asked(lease, *end).is_none()), "{lease} was asked for");
            heard.entry(role_of(lease)).or_default().push((*first, lease));
        }
        for (role, mut expected) in expected {
            let mut heard = heard.remove(role).unwrap();
            expected.sort_unstable();
            heard.sort_unstable();
            assert_eq!(expected.len(), heard.len(), "{role:?}");
            for (&(due, why), &(first, lease)) in expected.iter().zip(&heard) {
                assert!((first - due).abs() < ROUNDING, "{lease} due {due} heard of {first}");
                let end = self.lives.ends.get(lease);
                let times = (due, end.copied().unwrap_or(i64::MAX));
                result.anonymous.entry(role.clone()).or_default().push(times);
                if let Some(end) = end {
                    result.first_unasked = result.first_unasked.min(*end);
                    ended.push([role.clone(), vec![why.to_owned()]].concat());
                }
            }
        }
        assert!(heard.is_empty(), "{heard:?}");
    }
}
