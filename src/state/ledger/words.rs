//! Words: what the server log says of leases, and of the node itself.

use super::ask::{SKEW, Target};
use super::ending::{Ending, Known};
use super::lease::{self, Certainty, Lease, NOBODY, NONE, QUEUED, SPOKEN, SURE};
use super::proof::NodeId;
use super::role::Anonymous;
use super::{Ledger, Unasked, count};
use crate::event::{RenewalTrouble, RevocationTrouble, Timestamp};
use crate::state::labels::{MountId, RoleId};
use std::num::NonZeroU64;

/// Time until the next attempt where a line does not say it, in seconds: the longest that
/// Vault waits, 10 s · 2⁵ and half as much again (expiration.go).
const WAIT_SECS: i64 = 480;

/// The lease that a line is about.
#[derive(Clone, Copy, Debug)]
pub(in crate::state) struct Named<'l> {
    pub(in crate::state) role: RoleId,
    pub(in crate::state) mount: MountId,
    pub(in crate::state) namespace: &'l str,
    pub(in crate::state) lease: &'l str,
}

impl Ledger {
    /// A lease has ended.
    pub(in crate::state) fn revoked(&mut self, node: NodeId, named: Named<'_>, at: Timestamp) {
        self.proof.word(node, at);
        let key = lease::key(named.lease);
        if !self.recent.insert(key, at) {
            return;
        }
        self.make_room();
        let known = self.leases.find(key).and_then(|slot| self.take(slot));
        let role = known.map_or(named.role, |lease| lease.role);
        // Nobody has seen its ID before: it is a wrapped one's, if there is one.
        let anonymous = if known.is_none() { self.unnamed(role, key, named.lease, at) } else { None };
        let unnamed = anonymous.map(|lease| lease.named(Lease::new(named.lease, NOBODY, role)));
        self.endings.push_back(Ending {
            at,
            key,
            role,
            mount: named.mount,
            namespace: named.namespace.to_owned(),
            lease: named.lease.to_owned(),
            known: known.or(unnamed).as_ref().map(Known::of),
            anonymous,
            cause: None,
        });
    }

    /// A token has ended, by its TTL unless somebody has just asked for it.
    pub fn token_ended(&mut self, node: NodeId, at: Timestamp) {
        self.proof.word(node, at);
        if self.asks.covering(at, SKEW, |ask| ask.target == Target::Token).is_none() {
            self.proof.automatic_end(at);
        }
    }

    /// The lease without an ID that ended at `at`, taken out.
    pub(super) fn unnamed(
        &mut self,
        role: RoleId,
        key: NonZeroU64,
        lease: &str,
        at: Timestamp,
    ) -> Option<Anonymous> {
        let is_asked = self.asks.covering(at, SKEW, |ask| ask.wants(key, lease)).is_some();
        let kept = self.roles.entry(role).or_default();
        // Where issues may have been missed, an unknown ID can be one of theirs.
        let must_be_due = !is_asked && !kept.is_covered(&self.completeness, at);
        let tokens = &self.tokens;
        let found = kept.identify(at, must_be_due, |lease, ttl| count::anonymous_end(lease, ttl, tokens))?;
        self.anonymous = self.anonymous.saturating_sub(1);
        Some(found)
    }

    /// An attempt of Vault's to revoke a lease has failed.
    pub(in crate::state) fn attempt_failed(
        &mut self,
        node: NodeId,
        named: Named<'_>,
        (attempts, next_attempt): (u32, Option<i64>),
        trouble: RevocationTrouble,
        at: Timestamp,
    ) {
        self.proof.word(node, at);
        if self.recent.contains(lease::key(named.lease)) {
            return;
        }
        let Some(slot) = self.find_or_adopt(named.role, named.lease, at, true) else { return };
        let Some(kept) = self.leases.get_mut(slot) else { return };
        let role = self.roles.entry(kept.role).or_default();
        let is_first = attempts <= 1 && kept.attempts == 0;
        let due = kept.due(&role.ttl);
        let token = self.tokens.of(kept.token, kept.issued);
        let is_token_over = token
            .is_some_and(|token| token.revoked().is_some() || token.ends().is_some_and(|ends| ends <= at));
        if is_first
            && Known::of(kept).is_telling(at)
            && !kept.has(QUEUED)
            && !is_token_over
            && !self.mixed.contains(&kept.role)
            && role.ttl.learn(kept.issued, at.nanos_since(kept.issued) - self.offset.nanos())
        {
            role.is_counted = true;
        }
        let learnt_of = kept.role;
        // Vault tries what should be gone.
        if due.is_none_or(|due| due.certainty == Certainty::AtMost || due.at > at) {
            kept.end = at;
            kept.flags |= SURE;
        }
        kept.flags |= SPOKEN;
        kept.attempts = match u8::try_from(attempts) {
            // The line does not say: one at least.
            Ok(0) => kept.attempts.max(1),
            attempts => attempts.unwrap_or(u8::MAX),
        };
        kept.next_attempt = at.plus_nanos(next_attempt.unwrap_or(WAIT_SECS * 1_000_000_000));
        kept.set_cause(trouble);
        if is_first {
            self.confirm(learnt_of, at);
        }
    }

    /// A request to renew or to revoke a lease has failed; `renewal` is why the former did.
    pub(in crate::state) fn request_failed(
        &mut self,
        node: NodeId,
        named: Named<'_>,
        renewal: Option<RenewalTrouble>,
        at: Timestamp,
    ) {
        self.proof.acted(node, at);
        self.told.line(at, named, renewal);
    }

    /// Vault has read its leases: it begins to count attempts anew, save for those it gave up.
    pub fn restored(&mut self, node: NodeId, at: Timestamp) {
        self.proof.acted(node, at);
        self.proof.restored(at);
        for slot in self.leases.slots(|lease| lease.attempts > 0 && !super::count::is_stuck(lease, at)) {
            if let Some(lease) = self.leases.get_mut(slot) {
                lease.attempts = 0;
                lease.next_attempt = NONE;
            }
        }
    }

    /// A node was elected.
    pub fn elected(&mut self, node: NodeId, at: Timestamp) {
        self.proof.restoring();
        if !self.proof.elected(node, at) {
            self.completeness.lost(at);
        }
    }

    /// A node is the active one.
    pub fn is_active(&mut self, node: NodeId, at: Timestamp) {
        self.proof.acted(node, at);
    }

    /// A node is not active any more.
    pub fn stepped_down(&mut self, node: NodeId) {
        self.proof.stepped_down(node);
    }

    /// Vault finds its leases too many.
    pub fn many_leases(&mut self) {
        self.many_leases += 1;
    }

    /// Lines of a node's server log were lost.
    pub fn server_gap(&mut self, node: NodeId, at: Timestamp) {
        self.proof.gap(node, at);
    }

    /// The same of a server log that is streamed.
    pub fn stream_gap(&mut self, node: NodeId, at: Timestamp) {
        self.proof.stream_gap(node, at);
    }

    /// How often streams of server logs broke or lost lines; nothing where none was asked for.
    pub fn stream_gaps(&self) -> Option<u64> {
        self.proof.stream_gaps()
    }

    /// Lines of an audit log were lost.
    pub fn audit_gap(&mut self, at: Timestamp) {
        self.completeness.lost(at);
        self.audit_gap = Some(at);
        self.unasked = Unasked { from: at, until: Timestamp::from_nanos(i64::MAX) };
    }

    /// A node has issued or revoked something: it is the active one.
    pub fn acted(&mut self, node: NodeId, at: Timestamp) {
        self.proof.acted(node, at);
    }

    /// A mount was made.
    pub fn born(&mut self, mount: MountId) {
        if mount == MountId::OTHER {
            return;
        }
        self.completeness.born(mount);
    }
}
