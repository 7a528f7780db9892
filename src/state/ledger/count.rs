//! Counting: how every outstanding lease is at a moment, and how many there
//! are of each kind. Pure reads; what they may claim is said by `proof`.

use super::Ledger;
use super::lease::{Certainty, Due, Lease, NONE};
use super::role::{Anonymous, Role};
use super::token::{Token, Tokens};
use super::ttl::RoleTtl;
use super::view::Condition;
use crate::event::{RevocationTrouble, Timestamp};
use crate::state::labels::RoleId;
use std::collections::BTreeMap;

/// A lease that is so long past its TTL, in seconds, is overdue (metrics contract).
const OVERDUE_SECS: i64 = 15;
/// How long an attempt to revoke may take, in seconds (expiration.go).
const ATTEMPT_SECS: i64 = 90;
/// Vault tries six times, and says nothing of the last.
const ATTEMPTS_MOST: u8 = 5;
/// Windows of `leasewatch_leases_expiring`: label value and seconds.
pub(super) const WINDOWS: [(&str, i64); 5] =
    [("5m", 300), ("1h", 3600), ("6h", 21_600), ("24h", 86_400), ("7d", 604_800)];

/// What is claimed, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) as_of: Timestamp,
    /// Since when every end is seen, if it is.
    pub(super) since: Option<Timestamp>,
    /// Up to when the logs are known to tell everything.
    pub(super) horizon: Timestamp,
    /// Since when what is due is revoked.
    pub(super) revoking_since: Option<Timestamp>,
    /// When lines of an audit log were last lost: what was granted before may have been renewed.
    pub(super) audit_gap: Option<Timestamp>,
}

/// The outstanding leases of a role, by kind.
#[derive(Clone, Debug, Default)]
pub(super) struct RoleCount {
    pub(super) leases: u64,
    pub(super) expiring: [u64; WINDOWS.len()],
    pub(super) oldest: Option<Timestamp>,
    pub(super) overdue: u64,
    /// By failed attempts, from 1.
    pub(super) retrying: [u64; ATTEMPTS_MOST as usize],
    pub(super) by_cause: BTreeMap<RevocationTrouble, u64>,
    pub(super) stuck: u64,
    /// Those whose issue was not seen.
    pub(super) unknown: u64,
    /// Those whose end may have been missed, counted as outstanding or not.
    pub(super) unvouched: u64,
}

/// Five attempts failed, and the time of the sixth has passed without a word.
pub(super) fn is_stuck(lease: &Lease, at: Timestamp) -> bool {
    lease.attempts >= ATTEMPTS_MOST && lease.next_attempt.plus_secs(ATTEMPT_SECS) <= at
}

/// Everything that happened to it since `since` was seen: it was issued after that, or its next
/// attempt was due after that, or it was given up before.
pub(super) fn is_vouched(lease: &Lease, since: Timestamp) -> bool {
    lease.issued >= since && lease.issued != NONE
        || lease.attempts > 0 && (lease.next_attempt >= since || is_stuck(lease, since))
}

/// When a lease without an ID ends: by its TTL, or with its token.
pub(super) fn anonymous_end(lease: &Anonymous, ttl: &RoleTtl, tokens: &Tokens) -> Option<Timestamp> {
    earliest(lease.due(ttl).map(|due| due.at), tokens.of(lease.token, lease.issued))
}

fn earliest(due: Option<Timestamp>, token: Option<&Token>) -> Option<Timestamp> {
    let of_token = token.and_then(|token| match (token.revoked(), token.ends()) {
        (Some(revoked), Some(ends)) => Some(revoked.min(ends)),
        (revoked, ends) => revoked.or(ends),
    });
    match (due, of_token) {
        (Some(due), Some(token)) => Some(due.min(token)),
        (due, token) => due.or(token),
    }
}

/// When a lease ends as far as one can tell: by its TTL or with its token. Where its end may
/// not be seen, by what its role's leases live for if nothing better is known.
pub(super) fn end(
    is_vouched: bool,
    granted: Timestamp,
    due: Option<Due>,
    ttl: &RoleTtl,
    token: Option<&Token>,
) -> Option<Timestamp> {
    let known = due.filter(|due| due.certainty > Certainty::AtMost).map(|due| due.at);
    let guess = || {
        let secs = ttl.guess().filter(|_| !is_vouched && granted != NONE)?;
        Some(granted.plus_secs(secs))
    };
    let bound = due.map(|due| due.at);
    let own = known.or_else(|| guess().map(|guess| bound.map_or(guess, |at| at.min(guess)))).or(bound);
    earliest(own, token)
}

impl Moment {
    /// How a lease is; nothing where it must have ended, or nobody can say that it has not.
    pub(super) fn condition(
        self,
        lease: &Lease,
        due: Option<Due>,
        end: Option<Timestamp>,
    ) -> Option<Condition> {
        let is_vouched = self.vouches(lease);
        if lease.attempts > 0 {
            let cause = lease.cause();
            // Whether the next attempt worked was not seen; of the last it is not hoped for.
            let is_unseen = !is_vouched && lease.next_attempt.plus_secs(ATTEMPT_SECS) < self.as_of;
            if is_unseen && lease.attempts < ATTEMPTS_MOST {
                return self.since.map(|_| Condition::Live);
            }
            return Some(if is_stuck(lease, self.as_of) {
                Condition::Stuck { cause }
            } else {
                let attempts = u32::from(lease.attempts);
                Condition::Retrying { attempts, next_attempt: Some(lease.next_attempt), cause }
            });
        }
        self.by_time(is_vouched, lease.granted, due, end)
    }

    fn by_time(
        self,
        is_vouched: bool,
        granted: Timestamp,
        due: Option<Due>,
        end: Option<Timestamp>,
    ) -> Option<Condition> {
        let is_past = |wait: i64| end.is_some_and(|end| end.plus_secs(wait) <= self.as_of);
        match self.since {
            Some(_) if is_vouched => {
                Some(if self.is_overdue(granted, due) { Condition::Overdue } else { Condition::Live })
            }
            Some(_) => (!is_past(OVERDUE_SECS)).then_some(Condition::Live),
            None => (!is_past(0)).then_some(Condition::Live),
        }
    }

    fn vouches(self, lease: &Lease) -> bool {
        self.since.is_some_and(|since| is_vouched(lease, since))
    }

    /// Its TTL is certain, and it is past it, as far as the logs go.
    fn is_overdue(self, granted: Timestamp, due: Option<Due>) -> bool {
        if self.audit_gap.is_some_and(|gap| granted <= gap) {
            return false;
        }
        let until = self.horizon.min(self.as_of);
        let (Some(_), Some(revoking), Some(due)) = (self.since, self.revoking_since, due) else {
            return false;
        };
        due.certainty == Certainty::Certain && due.at.max(revoking).plus_secs(OVERDUE_SECS) <= until
    }
}

impl RoleCount {
    fn add(
        &mut self,
        moment: Moment,
        condition: Condition,
        issued: Timestamp,
        overdue: bool,
        end: Option<Timestamp>,
    ) {
        self.leases += 1;
        if issued == NONE {
            self.unknown += 1;
        } else {
            self.oldest = Some(self.oldest.map_or(issued, |oldest| oldest.min(issued)));
        }
        self.overdue += u64::from(overdue);
        match condition {
            Condition::Retrying { attempts, cause, .. } => {
                let most = u32::from(ATTEMPTS_MOST);
                self.retrying[(attempts.clamp(1, most) - 1) as usize] += 1;
                *self.by_cause.entry(cause).or_default() += 1;
            }
            Condition::Stuck { .. } => self.stuck += 1,
            Condition::Live | Condition::Overdue => {}
        }
        if let Some(end) = end.filter(|end| *end > moment.as_of) {
            for (window, (_, secs)) in self.expiring.iter_mut().zip(WINDOWS) {
                *window += u64::from(end <= moment.as_of.plus_secs(secs));
            }
        }
    }
}

impl Ledger {
    pub(super) fn moment(&self, as_of: Timestamp) -> Moment {
        Moment {
            as_of,
            since: self.proof.since(),
            horizon: self.proof.horizon(),
            revoking_since: self.proof.revoking_since(),
            audit_gap: self.audit_gap,
        }
    }

    /// Shows every outstanding lease with an ID to `see`: its condition, its own end, and the
    /// end by which it is gone with its token.
    pub(super) fn each(
        &self,
        moment: Moment,
        mut see: impl FnMut(&Lease, &Role, Condition, Option<Due>, Option<Timestamp>),
    ) {
        for (_, lease) in self.leases.iter() {
            self.one(moment, lease, &mut see);
        }
    }

    /// The same for one of them.
    pub(super) fn one(
        &self,
        moment: Moment,
        lease: &Lease,
        mut see: impl FnMut(&Lease, &Role, Condition, Option<Due>, Option<Timestamp>),
    ) {
        let Some(role) = self.roles.get(&lease.role) else { return };
        let due = lease.due(&role.ttl);
        let token = self.tokens.of(lease.token, lease.issued);
        let end = end(moment.vouches(lease), lease.granted, due, &role.ttl, token);
        if let Some(condition) = moment.condition(lease, due, end) {
            see(lease, role, condition, due, end);
        }
    }

    /// The same for those without an ID.
    pub(super) fn each_anonymous(
        &self,
        moment: Moment,
        mut see: impl FnMut(&Anonymous, RoleId, Condition, Option<Due>, Option<Timestamp>),
    ) {
        for (id, role) in &self.roles {
            for lease in &role.anonymous {
                let due = lease.due(&role.ttl);
                let is_vouched = moment
                    .since
                    .is_some_and(|since| role.vouches(lease, since, &self.completeness, moment.as_of));
                let token = self.tokens.of(lease.token, lease.issued);
                let end = end(is_vouched, lease.issued, due, &role.ttl, token);
                if let Some(condition) = moment.by_time(is_vouched, lease.issued, due, end) {
                    see(lease, *id, condition, due, end);
                }
            }
        }
    }

    /// The outstanding leases of every role, by kind.
    pub(super) fn count(&self, moment: Moment) -> BTreeMap<RoleId, RoleCount> {
        let mut counts: BTreeMap<RoleId, RoleCount> =
            self.roles.keys().map(|role| (*role, RoleCount::default())).collect();
        self.each(moment, |lease, _, condition, due, end| {
            if let Some(count) = counts.get_mut(&lease.role) {
                count.add(moment, condition, lease.issued, moment.is_overdue(lease.granted, due), end);
            }
        });
        self.each_anonymous(moment, |lease, role, condition, _, end| {
            if let Some(count) = counts.get_mut(&role) {
                let is_overdue = condition == Condition::Overdue;
                count.add(moment, condition, lease.issued, is_overdue, end);
            }
        });
        let unvouched = self.leases.iter().filter(|(_, lease)| !moment.vouches(lease));
        for (_, lease) in unvouched {
            if let Some(count) = counts.get_mut(&lease.role) {
                count.unvouched += 1;
            }
        }
        for (role, count) in &mut counts {
            let anonymous = self.roles.get(role).into_iter().flat_map(|role| &role.anonymous);
            let unvouched = anonymous.filter(|lease| moment.since.is_none_or(|since| lease.issued < since));
            count.unvouched += unvouched.count() as u64;
        }
        counts
    }
}
