//! Grants: what the audit log says of leases. Issues, renewals, unwrapped
//! answers, and requests to revoke.

use super::ask::{Counted, SKEW, Target};
use super::ending::{Ending, Known};
use super::lease::{
    self, Certainty, END_HIDDEN, Lease, NOBODY, NONE, QUEUED, QUEUED_FORCE, QUEUED_PREFIX, RENEWED, SURE,
    is_below,
};
use super::names::{form_of, id_of, requester_of};
use super::role::{Anonymous, Cause};
use super::told::Failed;
use super::{ANONYMOUS_MOST, Ledger, count};
use crate::event::{
    Caller, GrantedToken, LeaseHash, RequestId, Requester, Timestamp, TokenHash, WrittenTtls,
};
use crate::state::labels::{MountId, RoleId};

/// A credential that was issued.
#[derive(Clone, Copy, Debug)]
pub(in crate::state) struct Issue<'e> {
    pub(in crate::state) role: RoleId,
    pub(in crate::state) at: Timestamp,
    /// Its plain lease ID; nothing where the answer was wrapped.
    pub(in crate::state) lease: Option<&'e str>,
    pub(in crate::state) caller: Caller,
    pub(in crate::state) requester: Option<&'e Requester>,
    /// The wrapping token and its accessor.
    pub(in crate::state) wrapping: [Option<TokenHash>; 2],
    /// Seconds that max TTL left of what was asked for.
    pub(in crate::state) granted: Option<u64>,
}

/// How long a renewal was granted for, as far as its entry tells.
#[derive(Clone, Copy, Debug)]
pub(in crate::state) struct Renewal {
    /// Seconds asked for, 0 for the role's default, `None` where the log hides it.
    pub(in crate::state) increment: Option<u64>,
    /// Seconds that max TTL left of it.
    pub(in crate::state) granted: Option<u64>,
    /// Max TTL cut it, by however much.
    pub(in crate::state) is_capped: bool,
}

impl Ledger {
    /// A credential with a lease was issued.
    pub fn issued(&mut self, issue: Issue<'_>) {
        let role = self.roles.entry(issue.role).or_default();
        role.is_counted = true;
        let token = issue.caller.accessor.and_then(|token| self.tokens.seen(token, issue.at, self.capacity));
        let anonymous = Anonymous {
            issued: issue.at,
            token: token.unwrap_or(NOBODY),
            requester: issue
                .requester
                .map_or(NOBODY, |requester| requester_of(&mut self.requesters, requester)),
            limit: issue.caller.batch_end.unwrap_or(NONE),
            end: issue.granted.map_or(NONE, |left| issue.at.plus_secs(secs(left))),
            wrapping: issue.wrapping.map(|hash| hash.map(TokenHash::half)),
        };
        let Some(id) = issue.lease else {
            self.place(issue.role, anonymous, issue.at);
            return;
        };
        let key = lease::key(id);
        if self.leases.find(key).is_some() {
            return;
        }
        let form = form_of(&mut self.forms, id);
        let lease = anonymous.named(Lease::new(id, form, issue.role));
        if self.recent.contains(key) {
            // Its end was read first.
            let waits = |ending: &Ending| ending.known.is_none() || ending.anonymous.is_some();
            let ended = |ending: &&mut Ending| ending.key == key && waits(ending);
            if let Some(ending) = self.endings.iter_mut().find(ended) {
                ending.known = Some(Known::of(&lease));
                // It was none of the anonymous ones.
                if let Some(other) = ending.anonymous.take() {
                    self.place(issue.role, other, issue.at);
                }
            }
            return;
        }
        self.put(lease, issue.at);
    }

    /// A lease without an ID is out, unless its end was read before its issue.
    fn place(&mut self, role: RoleId, anonymous: Anonymous, at: Timestamp) {
        let is_its = |ending: &&mut Ending| {
            ending.role == role && ending.known.is_none() && ending.at.nanos_since(anonymous.issued) >= -SKEW
        };
        if let Some(ending) = self.endings.iter_mut().find(is_its) {
            ending.known = Some(Known::of(&anonymous.named(Lease::new("", NOBODY, role))));
            ending.anonymous = Some(anonymous);
        } else if self.anonymous < ANONYMOUS_MOST {
            self.anonymous += 1;
            let waiting = &mut self.roles.entry(role).or_default().anonymous;
            let place = waiting.partition_point(|lease| lease.issued <= anonymous.issued);
            waiting.insert(place, anonymous);
        } else {
            self.evicted += 1;
            self.completeness.lost(at);
        }
    }

    /// A renewal succeeded. How much of what had been granted before was used up, in millionths,
    /// if that is known.
    pub(in crate::state) fn renewed(
        &mut self,
        role: RoleId,
        id: &str,
        hash: Option<LeaseHash>,
        renewal: Renewal,
        at: Timestamp,
    ) -> Option<u32> {
        let key = lease::key(id);
        if self.recent.contains(key) {
            // Its end was read first, by a clock that is behind.
            let known = self.endings.iter_mut().find(|ending| ending.key == key)?.known.as_mut()?;
            known.hash = hash.map_or(known.hash, LeaseHash::half);
            known.flags = known.flags & !SURE | END_HIDDEN | RENEWED;
            return None;
        }
        let slot = self.find_or_adopt(role, id, at, false)?;
        let kept = self.leases.get_mut(slot)?;
        let ttl = &mut self.roles.entry(kept.role).or_default().ttl;
        let due = kept.due(ttl).filter(|due| due.certainty > Certainty::AtMost && kept.granted != NONE);
        let elapsed = due.map(|due| {
            let whole = i128::from(due.at.nanos_since(kept.granted).max(1));
            let used = i128::from(at.nanos_since(kept.granted).max(0));
            u32::try_from(used * 1_000_000 / whole).unwrap_or(u32::MAX)
        });
        if let Some(hash) = hash.map(LeaseHash::half).filter(|hash| *hash != 0) {
            // Another device's hash of the same ID takes the place of this one's.
            if self.by_hash.get(&kept.hash) == Some(&slot) {
                self.by_hash.remove(&kept.hash);
            }
            kept.hash = hash;
            self.by_hash.insert(hash, slot);
        }
        kept.granted = at;
        kept.flags = kept.flags & !(SURE | END_HIDDEN) | RENEWED;
        kept.end = match (renewal.granted, renewal.increment) {
            (Some(left), _) => {
                kept.flags |= SURE;
                let end = at.plus_secs(secs(left));
                if kept.issued != NONE && !self.mixed.contains(&kept.role) {
                    ttl.capped(kept.issued, end.nanos_since(kept.issued));
                }
                end
            }
            (None, Some(asked)) if asked > 0 && !renewal.is_capped => {
                kept.flags |= SURE;
                at.plus_secs(secs(asked))
            }
            (None, Some(0)) if !renewal.is_capped => NONE,
            _ => {
                kept.flags |= END_HIDDEN;
                NONE
            }
        };
        elapsed
    }

    /// A wrapped answer was unwrapped, and shows its lease.
    pub fn unwrapped(&mut self, role: RoleId, id: &str, wrapping: [Option<TokenHash>; 2], at: Timestamp) {
        let key = lease::key(id);
        if self.recent.contains(key) || self.leases.find(key).is_some() {
            return;
        }
        let kept = self.roles.entry(role).or_default();
        match kept.unwrap(wrapping.map(|hash| hash.map(TokenHash::half))) {
            Some(anonymous) => {
                self.anonymous = self.anonymous.saturating_sub(1);
                let form = form_of(&mut self.forms, id);
                self.put(anonymous.named(Lease::new(id, form, role)), at);
            }
            // Wrapped before anything was read.
            None => {
                self.find_or_adopt(role, id, at, true);
            }
        }
    }

    /// A role was written.
    pub fn role_written(&mut self, role: RoleId, ttls: WrittenTtls, at: Timestamp) {
        self.role_writes += 1;
        if self.mixed.contains(&role) {
            return;
        }
        self.freeze(role);
        self.roles.entry(role).or_default().ttl.written(ttls, at);
        self.looked_up.remove(&role);
        self.inherit(role);
    }

    /// A token was handed out (by whose token, if by one) or renewed.
    pub fn token_granted(
        &mut self,
        token: GrantedToken,
        mount: MountId,
        caller: Caller,
        is_renewal: bool,
        at: Timestamp,
    ) {
        let parent = caller.accessor.filter(|accessor| Some(*accessor) != token.accessor);
        self.tokens.granted(token, mount, parent, is_renewal, at, self.capacity);
    }

    /// A token was revoked, by the hash of it or of its accessor.
    pub fn token_revoked(&mut self, token: TokenHash, at: Timestamp) {
        self.tokens.revoke(token, at);
    }

    /// A request to revoke leases was logged.
    pub(in crate::state) fn asked(&mut self, id: RequestId, target: Target, at: Timestamp) {
        // A hash that a renewal has told is as good as the ID.
        let target = match target {
            Target::Hashed(hash, namespace) => {
                self.key_of_hash(hash).map_or(Target::Hashed(hash, namespace), Target::Lease)
            }
            target => target,
        };
        self.asks.begin(id, target, at);
    }

    /// It was done, or accepted to be done later.
    pub(in crate::state) fn done(
        &mut self,
        id: RequestId,
        target: &Target,
        place: (&str, MountId),
        is_queued: bool,
        count: Option<Counted>,
        at: Timestamp,
    ) {
        self.asks.done(id, at, count);
        let slot = match target {
            Target::Lease(key) => self.leases.find(*key),
            Target::Hashed(hash, _) => self.by_hash.get(hash).copied(),
            Target::Token => return,
            Target::Prefix { suffix, prefix, by_force } => {
                self.prefix_done((prefix, suffix), place, is_queued, *by_force, at);
                return;
            }
        };
        let Some(slot) = slot else { return };
        if is_queued {
            if let Some(lease) = self.leases.get_mut(slot) {
                lease.flags |= QUEUED;
            }
        } else {
            self.end_at_request(slot, place, Cause::Requested, at);
        }
    }

    /// It was answered, and has done a part of what it asked for.
    pub(in crate::state) fn answered(&mut self, id: RequestId, at: Timestamp) {
        self.asks.done(id, at, None);
    }

    /// It was refused, or it failed.
    pub(in crate::state) fn refused(&mut self, id: RequestId) {
        self.asks.drop(id);
    }

    /// A request failed, whose line in the server log may tell more.
    pub(in crate::state) fn failed(&mut self, request: Failed) {
        self.told.failed(request);
    }

    /// All below a prefix is gone, or will be. Where the server log is read, it names each.
    fn prefix_done(
        &mut self,
        (prefix, suffix): (&str, &str),
        place: (&str, MountId),
        is_queued: bool,
        by_force: bool,
        at: Timestamp,
    ) {
        if self.proof.since().is_some() && !is_queued {
            return;
        }
        let (forms, moment) = (&self.forms, self.moment(at));
        // There are few forms and many leases.
        let bare = prefix.trim_end_matches('/');
        let may_be =
            forms.which(|(start, of)| of == suffix && (start.starts_with(bare) || bare.starts_with(start)));
        let below = |lease: &Lease| {
            if !may_be.get(lease.form as usize).is_some_and(|may_be| *may_be) {
                return false;
            }
            // What has ended by its TTL, as far as one can tell, is not ended by this.
            let mut is_out = false;
            self.one(moment, lease, |_, _, _, _, _| is_out = true);
            is_out && id_of(forms, lease).is_some_and(|id| is_below(&id, prefix))
        };
        let (flag, cause) =
            if by_force { (QUEUED_FORCE, Cause::Forced) } else { (QUEUED_PREFIX, Cause::Prefix) };
        for slot in self.leases.slots(below) {
            if is_queued {
                if let Some(lease) = self.leases.get_mut(slot) {
                    lease.flags |= flag;
                }
            } else {
                self.end_at_request(slot, place, cause, at);
            }
        }
    }

    /// A lease has ended because a request for that was answered with success.
    fn end_at_request(
        &mut self,
        slot: u32,
        (namespace, mount): (&str, MountId),
        cause: Cause,
        at: Timestamp,
    ) {
        let Some(lease) = self.take(slot) else { return };
        self.recent.insert(lease.key, at);
        self.endings.push_back(Ending {
            at,
            key: lease.key,
            role: lease.role,
            mount,
            namespace: namespace.to_owned(),
            lease: String::new(),
            known: Some(Known::of(&lease)),
            anonymous: None,
            cause: Some(cause),
        });
    }

    /// The lease of that ID; if it is not in the books, an anonymous one of its role gets its
    /// name, or it is adopted as one whose issue nobody has seen.
    pub(super) fn find_or_adopt(
        &mut self,
        role: RoleId,
        id: &str,
        at: Timestamp,
        is_over: bool,
    ) -> Option<u32> {
        if let Some(slot) = self.leases.find(lease::key(id)) {
            return Some(slot);
        }
        let form = form_of(&mut self.forms, id);
        let lease = Lease::new(id, form, role);
        let kept = self.roles.entry(role).or_default();
        let must_be_due = is_over && !kept.is_covered(&self.completeness, at);
        let tokens = &self.tokens;
        let known = kept.identify(at, must_be_due, |lease, ttl| count::anonymous_end(lease, ttl, tokens));
        let lease = match known {
            Some(anonymous) => {
                self.anonymous = self.anonymous.saturating_sub(1);
                anonymous.named(lease)
            }
            // It ends some day; its TTL has run for nobody knows how long.
            None => Lease { granted: at, flags: END_HIDDEN, ..lease },
        };
        self.put(lease, at)
    }

    /// Keeps the ends that leases of a role have by now, before its TTLs change.
    pub(super) fn freeze(&mut self, role: RoleId) {
        let Some(kept) = self.roles.get_mut(&role) else { return };
        let ttl = kept.ttl.clone();
        if ttl.shown()[0].is_none() {
            return;
        }
        for lease in &mut kept.anonymous {
            let due = lease.due(&ttl).filter(|due| due.certainty > Certainty::AtMost);
            lease.end = due.map_or(NONE, |due| due.at);
        }
        for known in
            self.endings.iter_mut().filter(|ending| ending.role == role).filter_map(|e| e.known.as_mut())
        {
            let due = known.due(&ttl).filter(|due| due.certainty > Certainty::AtMost);
            known.end = due.map_or(known.end, |due| due.at);
        }
        if kept.leases == 0 {
            return;
        }
        for slot in self.leases.slots(|lease| lease.role == role && lease.end == NONE) {
            if let Some(lease) = self.leases.get_mut(slot)
                && let Some(due) = lease.due(&ttl).filter(|due| due.certainty > Certainty::AtMost)
            {
                lease.end = due.at;
                lease.flags |= if due.certainty == Certainty::Certain { SURE } else { 0 };
            }
        }
    }
}

fn secs(secs: u64) -> i64 {
    i64::try_from(secs).unwrap_or(i64::MAX)
}
