//! What must hold at any moment, whatever is known: no counter falls, nothing
//! is shown twice, claimed falsely, or taught wrongly. And what must hold when
//! both logs are whole: everything is exact.

use crate::causes::{Causes, ROUNDING, causes, ttls};
use crate::lives::{FailedAttempt, Lives, Role, count, lives};
use crate::play::{Numbers, SECOND, View};
use std::collections::BTreeMap;

pub const ROLE: [&str; 2] = ["mount", "role"];
pub const LEASES: &str = "leasewatch_leases";
pub const OBSERVED: &str = "leasewatch_ledger_observed";
pub const REVOCATIONS: &str = "leasewatch_revocations_total";
pub const OVERDUE: &str = "leasewatch_leases_overdue";
/// How long the end of a lease that nobody has heard of waits for an answer that carries it:
/// the server log's line can come before the audit log's.
pub const HELD: i64 = 5 * SECOND;

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

/// What is checked, with what it has to remember.
pub struct Watch {
    pub lives: &'static Lives,
    pub causes: Causes,
    counters: BTreeMap<(String, Vec<String>), f64>,
    pub observed_since: Option<i64>,
    pub problems: Vec<String>,
}

impl Watch {
    pub fn new() -> Self {
        Self {
            lives: lives(),
            causes: causes(),
            counters: BTreeMap::new(),
            observed_since: None,
            problems: Vec::new(),
        }
    }

    /// Panics with the first of the problems, if there are any.
    pub fn verdict(self) {
        let few: Vec<&String> = self.problems.iter().take(40).collect();
        assert!(few.is_empty(), "{} problems: {few:#?}", self.problems.len());
    }

    pub fn expect(&mut self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.problems.push(what());
        }
    }

    pub fn equal(&mut self, second: i64, what: &str, shown: &Numbers, expected: &Numbers) {
        for key in shown.keys().chain(expected.keys().filter(|key| !shown.contains_key(*key))) {
            let (got, want) = (shown.get(key), expected.get(key));
            self.expect(got == want, || format!("{second}: {what} {key:?} is {got:?}, should be {want:?}"));
        }
    }

    /// All that must hold while both logs are whole.
    pub fn exact(&mut self, second: i64, view: &View) {
        let observed = view.by(OBSERVED, &ROLE);
        self.proof(second, &observed);
        self.outstanding(second, view);
        self.attempts(second, view);
        let unknown = view.total("leasewatch_leases_unknown");
        self.expect(unknown == 0.0, || format!("{second}: {unknown} leases of unknown issue"));
    }

    /// All that must hold in any case.
    pub fn sane(&mut self, second: i64, view: &View) {
        self.never_falls(second, view);
        self.ends(second, view);
        self.overdue(second, view);
        self.learnt(second, view);
        let within = view.by("leasewatch_leases_expiring", &["mount", "role", "within"]);
        let leases = view.by(LEASES, &ROLE);
        for role in self.lives.roles() {
            let steps =
                ["5m", "1h", "6h", "24h", "7d"].map(|step| [role.clone(), vec![step.into()]].concat());
            let steps: Vec<f64> = steps.iter().filter_map(|key| within.get(key)).copied().collect();
            let most = leases.get(role).copied().unwrap_or(0.0);
            let is_right = steps.is_sorted() && steps.iter().all(|step| *step <= most);
            self.expect(is_right, || format!("{second}: {role:?} expiring {steps:?} of {most}"));
        }
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

    pub fn outstanding(&mut self, second: i64, view: &View) {
        let at = second * SECOND;
        let observed = view.by(OBSERVED, &ROLE);
        let leases = view.by(LEASES, &ROLE);
        let oldest = view.by("leasewatch_lease_oldest_issue_timestamp_seconds", &ROLE);
        for (role, expected) in self.lives.outstanding(at) {
            if observed.get(&role) != Some(&1.0) {
                continue;
            }
            let shown = leases.get(&role).copied().unwrap_or(-1.0);
            let held = self.held(&role, at);
            let is_right = (expected..=expected + held).contains(&shown);
            self.expect(is_right, || {
                format!("{second}: {role:?} has {shown} leases, should have {expected} (+ {held})")
            });
            let since = oldest.get(&role).copied();
            let (youngest, others) = self.oldest(&role, at);
            let is_right = match (since, youngest) {
                (None | Some(0.0), None) => true,
                (Some(since), None) => {
                    others.iter().any(|issued| (since - *issued as f64 / 1e9).abs() < 1e-6)
                }
                (Some(since), Some(youngest)) => {
                    let is = |issued: &i64| (since - *issued as f64 / 1e9).abs() < 1e-6;
                    is(&youngest) || others.iter().any(is)
                }
                _ => false,
            };
            self.expect(is_right, || format!("{second}: {role:?} oldest {since:?}, should be {youngest:?}"));
        }
    }

    /// How many nameless leases ended just now: they may still be shown.
    pub fn held(&self, role: &Role, at: i64) -> f64 {
        (self.lives.nameless_ended(role, at) - self.lives.nameless_ended(role, at - HELD)) as f64
    }

    /// When the oldest outstanding lease of a role was issued. Of anonymous leases only the number
    /// of those that ended is known: if `n` have, the oldest one left is the one after the first
    /// `n`, or any older one.
    fn oldest(&self, role: &Role, at: i64) -> (Option<i64>, &[i64]) {
        let named = self.lives.of_role(role, at).find(|(_, life)| life.ended > at);
        let anonymous = self.lives.anonymous_issues(role, at);
        let ended = self.lives.nameless_ended(role, at);
        let named = named.map(|(_, life)| life.issued);
        let youngest = named.into_iter().chain(anonymous.get(ended).copied()).min();
        // Those that ended just now may not yet be known to be anonymous.
        let before = anonymous.partition_point(|issued| youngest.is_none_or(|most| *issued <= most));
        let is_sure = ended == anonymous.len() && self.lives.nameless_ended(role, at - HELD) == ended;
        (youngest, if is_sure { &[] } else { &anonymous[..before] })
    }

    /// How many leases were given up.
    pub fn stuck(&self, at: i64) -> Numbers {
        let failing = self.lives.failing(at);
        count(failing.iter().filter(|failure| failure.is_stuck(at)).map(|failure| failure.role.clone()))
    }

    pub fn attempts(&mut self, second: i64, view: &View) {
        let at = second * SECOND;
        let (stuck, retrying): (Vec<_>, Vec<_>) =
            self.lives.failing(at).into_iter().partition(|failure| failure.is_stuck(at));
        let with =
            |failure: &&FailedAttempt, text: &str| [failure.role.clone(), vec![text.to_owned()]].concat();
        let expected = count(retrying.iter().map(|failure| with(failure, &failure.attempts.to_string())));
        let shown = view.some("leasewatch_leases_retrying", &["mount", "role", "failed_attempts"]);
        self.equal(second, "retrying", &shown, &expected);
        let of_mount = |failure: &&FailedAttempt| {
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
        // A renewal that failed counts once both logs have had the time to tell of it.
        let failed = |at| {
            let failed = self.lives.renewals_failed.iter().filter(move |(failed, ..)| *failed <= at);
            count(failed.map(|(_, role, why)| [role.clone(), vec![(*why).to_owned()]].concat()))
        };
        let (least, most) = (failed(at - HELD), failed(at));
        let shown = view.some("leasewatch_renewal_failures_total", &["mount", "role", "reason"]);
        for key in shown.keys().chain(most.keys()) {
            let of = |numbers: &Numbers| numbers.get(key).copied().unwrap_or(0.0);
            let (shown, least, most) = (of(&shown), of(&least), of(&most));
            if !(least..=most).contains(&shown) {
                self.problems
                    .push(format!("{second}: failed renewals {key:?} {shown}, not {least} to {most}"));
            }
        }
    }

    /// The same by mount and without what the ledger cannot know of leases whose issue is lost.
    pub fn attempts_by_mount(&mut self, second: i64, view: &View) {
        let at = second * SECOND;
        let failing = self.lives.failing(at);
        let key = |failure: &&FailedAttempt| vec![failure.role[0].clone(), failure.attempts.to_string()];
        let expected = count(failing.iter().filter(|failure| !failure.is_stuck(at)).map(key));
        let shown = view.some("leasewatch_leases_retrying", &["mount", "failed_attempts"]);
        self.equal(second, "retrying", &shown, &expected);
        let failed = self.lives.failures.iter().take_while(|failure| failure.at <= at);
        let expected = count(failed.map(|failure| vec![failure.role[0].clone(), failure.reason.to_owned()]));
        let shown = view.some("leasewatch_revocation_failures_total", &["mount", "reason"]);
        self.equal(second, "failed attempts", &shown, &expected);
    }

    /// No end is counted before it is there, nor twice. By mount: what is not known to be of a
    /// role is shown without one.
    fn ends(&mut self, second: i64, view: &View) {
        let counted = view.by(REVOCATIONS, &["mount"]);
        let ended = by_mount(&self.lives.ended(second * SECOND));
        let all: f64 = ended.values().sum();
        for (mount, counted) in counted {
            // A mount that no audit entry names is not known to be one.
            let is_known = mount[0] != "(unknown)";
            let most = if is_known { ended.get(&mount).copied().unwrap_or(0.0) } else { all };
            self.expect(counted <= most, || format!("{second}: {mount:?} {counted} ends of {most}"));
        }
    }

    /// Never more than there are, by the latest of the times that Vault's rounding allows; and
    /// nothing while ends are not seen.
    pub fn overdue(&mut self, second: i64, view: &View) {
        let observed = view.by(OBSERVED, &ROLE);
        for (role, shown) in view.some(OVERDUE, &ROLE) {
            let most = self.should_be_gone(&role, second * SECOND, 15 * SECOND - ROUNDING);
            self.expect(shown <= most, || format!("{second}: {role:?} {shown} overdue of {most}"));
            let is_observed = observed.get(&role) == Some(&1.0);
            self.expect(is_observed, || format!("{second}: {role:?} overdue but not observed"));
        }
    }

    /// How many leases are out though they fell due so long ago.
    pub fn should_be_gone(&self, role: &Role, at: i64, ago: i64) -> f64 {
        let late = |due: i64, ended: i64| ended > at && at >= due.saturating_add(ago);
        let named =
            self.lives.of_role(role, at).filter(|(place, life)| late(self.causes.due[*place], life.ended));
        let anonymous = self.causes.anonymous.get(role).into_iter().flatten();
        (named.count() + anonymous.filter(|(due, ended)| late(*due, *ended)).count()) as f64
    }

    /// Between how many leases an estimate by TTLs alone must lie: not fewer than those that are
    /// out and within their TTL, not more than those that were issued and are within it, or of
    /// which an attempt failed and the next one may not be over. What Vault rounds counts on
    /// either side; where a role's TTL was changed without saying to what, both may be meant.
    pub fn estimate(&self, role: &Role, at: i64) -> (f64, f64) {
        let (mut least, mut most) = (0, self.lives.anonymous_issues(role, at).len());
        for (place, life) in self.lives.of_role(role, at) {
            let end = self.causes.ttl_end[place];
            least += usize::from(life.ended > at && end - ROUNDING > at);
            let other = if role[1] == "reporting" { 5 * SECOND } else { 0 };
            most += usize::from(end.saturating_add(ROUNDING + other) > at);
        }
        let failed = self.lives.last_failures(at).into_iter().filter(|failure| failure.role == *role);
        let failing = failed.filter(|failure| failure.attempts >= 5 || at <= failure.next + 100 * SECOND);
        (least as f64, (most + failing.count()) as f64)
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

/// The same by mount.
pub fn by_mount(numbers: &Numbers) -> Numbers {
    let mut mounts = Numbers::new();
    for (role, number) in numbers {
        *mounts.entry(vec![role[0].clone()]).or_default() += number;
    }
    mounts
}
