//! The ledger at every second of the corpus.

use crate::causes::{Causes, ROUNDING, causes, rewritten, ttls};
use crate::corpus::{corpus, listed};
use crate::lives::{Lives, Role, count, lives};
use crate::play::{Log, Numbers, Play, SECOND, View};
use std::collections::BTreeMap;

pub const ROLE: [&str; 2] = ["mount", "role"];
pub const LEASES: &str = "leasewatch_leases";
pub const OBSERVED: &str = "leasewatch_ledger_observed";
pub const REVOCATIONS: &str = "leasewatch_revocations_total";

/// First and last whole second: after the audit log has begun, and before Vault goes down.
pub fn span() -> std::ops::RangeInclusive<i64> {
    let first = lives().named[0].issued / SECOND;
    first..=lives().sealed / SECOND
}

/// Numbers that are not 0.
pub fn some(mut numbers: Numbers) -> Numbers {
    numbers.retain(|_, number| *number != 0.0);
    numbers
}

/// What is checked at every second, with what it has to remember.
struct Watch {
    lives: &'static Lives,
    causes: Causes,
    counters: BTreeMap<(String, Vec<String>), f64>,
    observed_since: Option<i64>,
    problems: Vec<String>,
}

impl Watch {
    fn expect(&mut self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.problems.push(what());
        }
    }

    fn equal(&mut self, second: i64, what: &str, shown: &Numbers, expected: &Numbers) {
        for key in shown.keys().chain(expected.keys().filter(|key| !shown.contains_key(*key))) {
            let (got, want) = (shown.get(key), expected.get(key));
            self.expect(got == want, || format!("{second}: {what} {key:?} is {got:?}, should be {want:?}"));
        }
    }

    fn look(&mut self, second: i64, view: &View) {
        let at = second * SECOND;
        self.never_falls(second, view);
        let observed = view.by(OBSERVED, &ROLE);
        let is_observed = |role: &Role| observed.get(role) == Some(&1.0);
        self.proof(second, &observed);
        self.outstanding(second, view, &is_observed);
        self.attempts(second, view);
        self.ends(second, view);
        self.overdue(second, view, &is_observed);
        self.learnt(second, view);
        let unknown = view.total("leasewatch_leases_unknown");
        self.expect(unknown == 0.0, || format!("{second}: {unknown} leases of unknown issue"));
        let within = view.by("leasewatch_leases_expiring", &["mount", "role", "within"]);
        let leases = view.by(LEASES, &ROLE);
        for role in self.lives.roles() {
            let steps =
                ["5m", "1h", "6h", "24h", "7d"].map(|step| [role.clone(), vec![step.into()]].concat());
            let steps: Vec<f64> = steps.iter().filter_map(|key| within.get(key)).copied().collect();
            let most = leases.get(role).copied().unwrap_or(0.0);
            let rises = steps.is_sorted() && steps.iter().all(|step| *step <= most);
            if !rises {
                self.problems.push(format!("{second}: {role:?} expiring {steps:?} of {most}"));
            }
        }
        let _ = at;
    }

    /// No counter falls or vanishes.
    fn never_falls(&mut self, second: i64, view: &View) {
        let mut seen = BTreeMap::new();
        for family in view.0.iter().filter(|family| family.metric.name.ends_with("_total")) {
            let (name, labels) = (family.metric.name, family.metric.labels);
            for (key, value) in view.by(name, labels) {
                seen.insert((name.to_owned(), key), value);
            }
        }
        for (key, before) in &self.counters {
            let now = seen.get(key).copied();
            if now.is_none_or(|now| now < *before) {
                self.problems.push(format!("{second}: {key:?} fell from {before} to {now:?}"));
            }
        }
        self.counters = seen;
    }

    /// The server log is proven by the first end that nobody asked for, and stays so. A few
    /// seconds are allowed to be sure that nobody did.
    fn proof(&mut self, second: i64, observed: &Numbers) {
        let at = second * SECOND;
        let shown: Vec<Role> = self.lives.outstanding(at).into_keys().collect();
        let all = shown.iter().all(|role| observed.get(role) == Some(&1.0));
        let proof = self.causes.first_unasked;
        if observed.values().any(|value| *value == 1.0) {
            self.expect(at >= proof, || format!("{second}: observed without proof"));
            self.observed_since.get_or_insert(second);
        }
        if at >= proof + 5 * SECOND {
            self.expect(all, || format!("{second}: not observed: {observed:?}"));
        }
    }

    fn outstanding(&mut self, second: i64, view: &View, is_observed: &impl Fn(&Role) -> bool) {
        let at = second * SECOND;
        let leases = view.by(LEASES, &ROLE);
        let oldest = view.by("leasewatch_lease_oldest_issue_timestamp_seconds", &ROLE);
        for (role, expected) in self.lives.outstanding(at) {
            if !is_observed(&role) {
                continue;
            }
            let shown = leases.get(&role).copied();
            self.expect(shown == Some(expected), || {
                format!("{second}: {role:?} has {shown:?} leases, should have {expected}")
            });
            let since = oldest.get(&role).copied();
            let (youngest, others) = self.oldest(&role, at);
            let is_right = match (since, youngest) {
                (None | Some(0.0), None) => true,
                (Some(since), Some(youngest)) => {
                    let is = |issued: &i64| (since - *issued as f64 / 1e9).abs() < 1e-6;
                    is(&youngest) || others.iter().any(is)
                }
                _ => false,
            };
            self.expect(is_right, || format!("{second}: {role:?} oldest {since:?}, should be {youngest:?}"));
        }
    }

    /// When the oldest outstanding lease of a role was issued. Of anonymous leases only the number
    /// of those that ended is known: if `n` have, the oldest one left is the one after the first
    /// `n`, or any older one.
    fn oldest(&self, role: &Role, at: i64) -> (Option<i64>, Vec<i64>) {
        let lasts = |id: &str| self.lives.ends.get(id).is_none_or(|end| *end > at);
        let named = self.lives.named.iter().filter(|life| life.role == *role && life.issued <= at);
        let named = named.filter(|life| lasts(&life.id)).map(|life| life.issued).min();
        let of_role = self.lives.anonymous.iter().filter(|life| life.role == *role && life.issued <= at);
        let anonymous: Vec<i64> = of_role.map(|life| life.issued).collect();
        let nameless = self.lives.nameless_ends(role);
        let ended = nameless.iter().filter(|end| **end <= at).count();
        let youngest = named.into_iter().chain(anonymous.get(ended).copied()).min();
        let before = |issued: &i64| youngest.is_some_and(|youngest| *issued <= youngest);
        let others = if ended < anonymous.len() { &anonymous[..] } else { &[] };
        (youngest, others.iter().copied().filter(before).collect())
    }

    fn attempts(&mut self, second: i64, view: &View) {
        let at = second * SECOND;
        let (stuck, retrying): (Vec<_>, Vec<_>) =
            self.lives.failing(at).into_iter().partition(|failure| failure.is_stuck(at));
        let with = |failure: &&crate::lives::FailedAttempt, text: &str| {
            [failure.role.clone(), vec![text.to_owned()]].concat()
        };
        let expected = count(retrying.iter().map(|failure| with(failure, &failure.attempts.to_string())));
        let shown = view.some("leasewatch_leases_retrying", &["mount", "role", "failed_attempts"]);
        self.equal(second, "retrying", &shown, &expected);
        let of_mount = |failure: &&crate::lives::FailedAttempt| {
            vec!["root".to_owned(), failure.role[0].clone(), "database".to_owned(), failure.reason.to_owned()]
        };
        let expected = count(retrying.iter().map(of_mount));
        let keys = ["vault_namespace", "mount", "engine", "reason"];
        let shown = view.some("leasewatch_leases_retrying_by_cause", &keys);
        self.equal(second, "retrying by cause", &shown, &expected);
        let expected = count(stuck.iter().map(|failure| failure.role.clone()));
        self.equal(second, "stuck", &view.some("leasewatch_leases_stuck", &ROLE), &expected);
        let failed = self.lives.failures.iter().take_while(|failure| failure.at <= at);
        let expected = count(failed.map(|failure| with(&failure, failure.reason)));
        let shown = view.some("leasewatch_revocation_failures_total", &["mount", "role", "reason"]);
        self.equal(second, "failed attempts", &shown, &expected);
        let failed = self.lives.renewals_failed.iter().filter(|(failed, ..)| *failed <= at);
        let expected = count(failed.map(|(_, role, why)| [role.clone(), vec![(*why).to_owned()]].concat()));
        let shown = view.some("leasewatch_renewal_failures_total", &["mount", "role", "reason"]);
        self.equal(second, "failed renewals", &shown, &expected);
    }

    /// No end is counted before it is there, and what is counted has left the ledger.
    fn ends(&mut self, second: i64, view: &View) {
        let counted = view.by(REVOCATIONS, &ROLE);
        let ended = self.lives.ended(second * SECOND);
        for (role, counted) in counted {
            let most = ended.get(&role).copied().unwrap_or(0.0);
            self.expect(counted <= most, || format!("{second}: {role:?} {counted} ends of {most}"));
        }
    }

    /// Never more than there are, by the latest of the times that Vault's rounding allows.
    fn overdue(&mut self, second: i64, view: &View, is_observed: &impl Fn(&Role) -> bool) {
        for (role, shown) in view.some("leasewatch_leases_overdue", &ROLE) {
            let most = self.should_be_gone(&role, second * SECOND);
            self.expect(shown <= most, || format!("{second}: {role:?} {shown} overdue of {most}"));
            self.expect(is_observed(&role), || format!("{second}: {role:?} overdue but not observed"));
        }
    }

    fn should_be_gone(&self, role: &Role, at: i64) -> f64 {
        let late = |due: i64| at >= due + 15 * SECOND - ROUNDING;
        let lasts = |id: &str| self.lives.ends.get(id).is_none_or(|end| *end > at);
        let named = self.lives.named.iter().filter(|life| life.role == *role && life.issued <= at);
        let named = named.filter(|life| lasts(&life.id) && late(self.causes.due[&life.id])).count();
        let due =
            self.causes.anonymous.get(role).map_or(0, |due| due.iter().filter(|due| late(**due)).count());
        let ended = self.lives.nameless_ends(role).iter().filter(|end| **end <= at).count();
        (named + due.saturating_sub(ended)) as f64
    }

    /// A TTL that is shown is the role's, and one that was written anew is not shown as it was.
    fn learnt(&mut self, second: i64, view: &View) {
        let at = second * SECOND;
        for (metric, is_max) in
            [("leasewatch_role_default_ttl_seconds", false), ("leasewatch_role_max_ttl_seconds", true)]
        {
            for (role, shown) in view.by(metric, &ROLE) {
                let right = ttls(&role, at)
                    .map(|(default, max)| (if is_max { max } else { default } / SECOND) as f64);
                let is_right = match right {
                    Some(right) => shown == right,
                    // Nothing of the run tells how long PKI leases live, but longer than their tokens.
                    None => shown > 120.0,
                };
                self.expect(is_right, || format!("{second}: {metric}{role:?} {shown}, should be {right:?}"));
            }
        }
    }
}

fn play() -> Play {
    Play::new(&[Log::audit(&corpus().audit), Log::server(&corpus().server)])
}

#[test]
fn the_ledger_is_right_at_every_second_of_the_corpus() {
    let mut watch = Watch {
        lives: lives(),
        causes: causes(),
        counters: BTreeMap::new(),
        observed_since: None,
        problems: Vec::new(),
    };
    let mut play = play();
    for second in span() {
        let view = play.to(second * SECOND);
        watch.look(second, &view);
    }
    // What the server itself listed then, and nothing elsewhere.
    let last = play.view();
    let ends = watch.lives.outstanding(*span().end() * SECOND);
    assert_eq!(some(listed()), some(ends));
    let shown = last.some(LEASES, &ROLE);
    watch.equal(*span().end(), "listed", &shown, &some(listed()));
    let overdue = last.some("leasewatch_leases_overdue", &ROLE);
    watch.equal(*span().end(), "overdue", &overdue, &some(listed()));

    // Every lease is accounted for, once.
    let view = play.finish();
    let ended = watch.lives.ended(i64::MAX);
    watch.equal(0, "ends", &view.by(REVOCATIONS, &ROLE), &ended);
    let issued = view.some("leasewatch_credentials_issued_total", &ROLE);
    watch.equal(0, "issued", &issued, &watch.lives.issued(i64::MAX));
    let shown = view.some(REVOCATIONS, &["mount", "role", "cause"]);
    let expected = watch.causes.totals.clone();
    watch.equal(0, "ends by cause", &shown, &expected);

    // Reading at every second has changed nothing.
    let problems = watch.problems.len();
    let few: Vec<&String> = watch.problems.iter().take(60).collect();
    assert!(problems == 0, "observed since {:?}; {problems} problems: {few:#?}", watch.observed_since);
}
