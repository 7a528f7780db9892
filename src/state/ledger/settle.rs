//! Settling: what the passing of event time decides. Why leases ended, which
//! requests meant what, and which leases must have ended unseen.

use super::Ledger;
use super::ending::{Ending, Known, SETTLE_SECS, TokenEnds, decide};
use super::lease::{Certainty, Lease, NOBODY, NONE, RENEWED, SPOKEN};
use super::role::Cause;
use super::told::Settled;
use super::words::Named;
use super::{Counted, count};
use crate::event::Timestamp;
use crate::state::labels::RoleId;

/// How often the whole book is looked through, in seconds of event time.
const SWEEP_SECS: i64 = 300;
/// How long an end may wait for its role's TTL to be learnt, in seconds.
const HOLD_SECS: i64 = 600;
/// A lease that is so far past a TTL, in seconds, has another one.
const LATE_SECS: i64 = 10;
/// How many ends may wait for their causes.
const ENDINGS_MOST: usize = 1 << 16;
/// How many ends of a role may wait for its TTL.
const HOLD_MOST: usize = 64;
/// A lease that was due so long ago without a word, in seconds, ended while nobody saw it, if
/// that can be: no two attempts of Vault's are further apart than 480 s, and one takes 90.
const UNHEARD_SECS: i64 = 600;
/// The same where ends are estimated, in seconds: the server log may still come to prove itself.
const ESTIMATED_SECS: i64 = 3600;
/// Vault tries what it gave up again after a day, in seconds, and an hour to spare.
const RETRY_SECS: i64 = 25 * 3600;
/// Silence about a lease that is due becomes doubt in the log after this long, in seconds.
const SILENCE_SECS: i64 = 600;
/// Nothing lives longer without a TTL that anybody knows, in seconds: Vault's 768 hours, doubled.
const FOREVER_SECS: i64 = 2 * 768 * 3600;

/// What became certain.
#[derive(Debug, Default)]
pub(in crate::state) struct Outcomes {
    /// Requests to revoke a lease by its hash.
    pub(in crate::state) asked: Vec<Counted>,
    /// Requests that failed.
    pub(in crate::state) failed: Vec<Settled>,
}

impl Ledger {
    /// Event time has come from `before` to `now`, both on the grid.
    pub(in crate::state) fn advance(&mut self, before: Timestamp, now: Timestamp) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for point in sweeps(before, now) {
            self.pass(point, &mut outcomes);
            self.sweep(point);
        }
        self.pass(now, &mut outcomes);
        outcomes
    }

    /// What the passing of time decides at once.
    fn pass(&mut self, now: Timestamp, outcomes: &mut Outcomes) {
        self.settle(now.plus_secs(-SETTLE_SECS));
        if !self.asks.is_empty() {
            outcomes.asked.extend(self.asks.advance(now));
        }
        if !self.told.is_empty() {
            outcomes.failed.extend(self.told.advance(now));
        }
        self.recent.advance(now);
    }

    /// Decides what waits for no more than time, since no line will come any more.
    pub(in crate::state) fn close(&mut self) -> Outcomes {
        let end = Timestamp::from_nanos(i64::MAX);
        self.settle(end);
        let roles: Vec<_> = self.roles.keys().copied().collect();
        for role in roles {
            self.release(role, end);
        }
        Outcomes { asked: self.asks.advance(end), failed: self.told.advance(end) }
    }

    fn settle(&mut self, until: Timestamp) {
        while self.endings.front().is_some_and(|ending| ending.at <= until) {
            let Some(ending) = self.endings.pop_front() else { break };
            self.decide(ending);
        }
    }

    /// The ends that are decided by `now` and belong to no known role, by their places.
    pub(in crate::state) fn unplaced(&self, now: Timestamp) -> Vec<(usize, String)> {
        let until = now.plus_secs(-SETTLE_SECS);
        let due = self.endings.iter().enumerate().take_while(|(_, ending)| ending.at <= until);
        due.filter(|(_, ending)| ending.known.is_none() && self.mixed.contains(&ending.role))
            .map(|(place, ending)| (place, ending.lease.clone()))
            .collect()
    }

    /// The role of such an end was found: if a wrapped lease of that role waits for it, it is its.
    pub(in crate::state) fn place_end(&mut self, place: usize, named: Named<'_>) {
        let Some((key, at)) = self.endings.get(place).map(|ending| (ending.key, ending.at)) else { return };
        let anonymous = self.unnamed(named.role, key, named.lease, at);
        let Some(ending) = self.endings.get_mut(place) else { return };
        ending.role = named.role;
        ending.mount = named.mount;
        named.namespace.clone_into(&mut ending.namespace);
        ending.known = anonymous.map(|lease| Known::of(&lease.named(Lease::new("", NOBODY, named.role))));
        ending.anonymous = anonymous;
    }

    /// Where time stands still and ends do not, the oldest is decided as it is.
    pub(super) fn make_room(&mut self) {
        if self.endings.len() >= ENDINGS_MOST
            && let Some(ending) = self.endings.pop_front()
        {
            self.decide(ending);
        }
    }

    fn decide(&mut self, ending: Ending) {
        let token = ending.known.and_then(|known| self.tokens.of(known.token, known.issued));
        let token = token.map_or(TokenEnds::default(), |token| TokenEnds {
            revoked: token.revoked(),
            expires: token.ends(),
        });
        let role = self.roles.entry(ending.role).or_default();
        let cause = decide(&ending, &role.ttl, token, &mut self.asks, &mut self.offset, &self.endings);
        let is_asked = matches!(cause, Some(Cause::Requested | Cause::Prefix | Cause::Forced));
        if !is_asked && !ending.lease.is_empty() {
            self.proof.automatic_end(ending.at);
        }
        // Without the requests of that time a cause is only known where the TTL tells it.
        let is_unasked = self.unasked.covers(ending.at);
        let cause = match cause {
            None | Some(Cause::Early) if is_unasked => Some(Cause::Unknown),
            cause => cause,
        };
        let is_natural = !is_unasked && matches!(cause, None | Some(Cause::Expired | Cause::Early));
        let teaches = is_natural && !self.mixed.contains(&ending.role);
        let telling = ending.known.filter(|known| teaches && known.is_telling(ending.at));
        let is_news = telling.is_some_and(|known| {
            role.ttl.learn(known.issued, ending.at.nanos_since(known.issued) - self.offset.nanos())
        });
        let (id, now) = (ending.role, ending.at);
        if let Some(cause) = cause {
            role.ended[cause as usize] += 1;
        } else {
            role.held.push_back(ending);
            if role.held.len() > HOLD_MOST {
                role.held.pop_front();
                role.ended[Cause::Unknown as usize] += 1;
            }
        }
        if is_news {
            self.release(id, now);
        }
        if telling.is_some() {
            self.confirm(id, now);
        }
    }

    /// Makes certain of a TTL that was learnt: nobody of the role lives longer.
    pub(super) fn confirm(&mut self, id: RoleId, now: Timestamp) {
        let Some(role) = self.roles.get_mut(&id) else { return };
        let Some(secs) = role.ttl.confirmable(self.completeness.since(), now) else { return };
        let is_older = |lease: &Lease| {
            lease.role == id
                && role.ttl.governs(lease.issued)
                && !lease.has(RENEWED | SPOKEN)
                && lease.limit == NONE
                && lease.issued.plus_secs(secs + LATE_SECS) < now
        };
        if !self.leases.iter().any(|(_, lease)| is_older(lease)) {
            role.ttl.confirm();
        }
    }

    /// Decides the ends that waited for a role's TTL, as far as it is known or they are too old.
    fn release(&mut self, role: RoleId, now: Timestamp) {
        let Some(kept) = self.roles.get_mut(&role) else { return };
        for ending in std::mem::take(&mut kept.held) {
            let cause = match ending.known.and_then(|known| known.due(&kept.ttl)) {
                Some(due) if ending.at >= due.at.plus_nanos(-super::ask::SKEW) => Some(Cause::Expired),
                Some(due) if due.certainty > Certainty::AtMost => Some(Cause::Early),
                _ if ending.at.plus_secs(HOLD_SECS) <= now => Some(Cause::Unknown),
                _ => None,
            };
            match cause {
                Some(cause) => kept.ended[cause as usize] += 1,
                None => kept.held.push_back(ending),
            }
        }
    }

    /// By slot, the tokens of leases that are out: a lease that ended with its token without a
    /// word must not outlive what is known of it.
    fn tokens_held(&self) -> Vec<bool> {
        let mut held = vec![false; self.tokens.book.places() as usize];
        let anonymous = self.roles.values().flat_map(|role| &role.anonymous).map(|lease| lease.token);
        for token in self.leases.iter().map(|(_, lease)| lease.token).chain(anonymous) {
            if let Some(place) = held.get_mut(token as usize) {
                *place = true;
            }
        }
        held
    }

    /// Looks through all that is kept, for what has ended without a word.
    fn sweep(&mut self, now: Timestamp) {
        let held = self.tokens_held();
        self.tokens.sweep(now, &held);
        let moment = self.moment(now);
        let since = moment.since;
        let horizon = self.proof.horizon().min(now);
        let mut gone = Vec::new();
        let mut unheard = None;
        for (slot, lease) in self.leases.iter() {
            let Some(role) = self.roles.get(&lease.role) else {
                gone.push((slot, false));
                continue;
            };
            let is_vouched = since.is_some_and(|since| count::is_vouched(lease, since));
            let token = self.tokens.of(lease.token, lease.issued);
            let due = count::end(is_vouched, lease.granted, lease.due(&role.ttl), &role.ttl, token);
            match since {
                Some(_) if is_vouched => {
                    if let Some(due) = lease.due(&role.ttl)
                        && due.certainty == Certainty::Certain
                        && lease.attempts == 0
                        && due.at.plus_secs(SILENCE_SECS) <= horizon
                    {
                        unheard = unheard.max(Some(due.at));
                    }
                }
                Some(_) if is_over(lease, due, UNHEARD_SECS, horizon) => gone.push((slot, true)),
                None if is_over(lease, due, ESTIMATED_SECS, now) => gone.push((slot, false)),
                _ => {}
            }
        }
        for (slot, is_counted) in gone {
            if let Some(lease) = self.take(slot)
                && is_counted
            {
                self.roles.entry(lease.role).or_default().ended[Cause::Unknown as usize] += 1;
            }
        }
        let (tokens, completeness) = (&self.tokens, &self.completeness);
        let wait = if since.is_some() { UNHEARD_SECS } else { ESTIMATED_SECS };
        for role in self.roles.values_mut() {
            let is_covered = role.is_covered(completeness, now);
            for lease in std::mem::take(&mut role.anonymous) {
                let forever = lease.issued.plus_secs(FOREVER_SECS);
                let due = count::anonymous_end(&lease, &role.ttl, tokens);
                let is_over = due.map_or(forever, |due| due.plus_secs(wait)) <= now;
                if !is_over || since.is_some_and(|since| role.vouches(&lease, since, completeness, now)) {
                    role.anonymous.push_back(lease);
                    continue;
                }
                self.anonymous = self.anonymous.saturating_sub(1);
                // Elsewhere its end was counted already, as that of an ID that nobody knew.
                if since.is_some() && is_covered && !role.is_doubted(&lease) {
                    role.ended[Cause::Unknown as usize] += 1;
                }
            }
        }
        if let Some(due) = unheard {
            self.proof.unheard(due, now);
        }
        let roles: Vec<_> =
            self.roles.iter().filter(|(_, role)| !role.held.is_empty()).map(|(id, _)| *id).collect();
        for role in roles {
            self.release(role, now);
        }
    }
}

/// The moments of the sweeps from `before` to `now`. They do not depend on the steps in which time
/// passes. Where nothing happens in between, the first ones find doubt in the logs and the last
/// ones what has ended meanwhile: those in the middle of a long silence would find no more.
fn sweeps(before: Timestamp, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    const STEP: i64 = SWEEP_SECS * 1_000_000_000;
    let number = |at: Timestamp| at.as_nanos().div_euclid(STEP);
    let (first, last) = (number(before).saturating_add(1), number(now));
    let begin = first..=last.min(first.saturating_add(1));
    let end = last.saturating_sub(1).max(begin.end().saturating_add(1))..=last;
    begin.chain(end).map(|number| Timestamp::from_nanos(number.saturating_mul(STEP)))
}

/// Its end has passed so long ago, or it is older than anything can be; and it is not one that
/// Vault fails to revoke.
fn is_over(lease: &Lease, due: Option<Timestamp>, wait: i64, now: Timestamp) -> bool {
    if lease.attempts > 0 {
        // What was given up is tried again a day later.
        let wait = if count::is_stuck(lease, now) { RETRY_SECS } else { wait };
        return lease.next_attempt.plus_secs(wait) < now;
    }
    let known_since = if lease.issued == NONE { lease.granted } else { lease.issued };
    match due {
        Some(due) => due.plus_secs(wait) < now,
        None => known_since != NONE && known_since.plus_secs(FOREVER_SECS) < now,
    }
}
