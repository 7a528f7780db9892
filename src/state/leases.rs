//! Leases in the audit log: issued, renewed, asked to be revoked. What each
//! entry means for the counters and for the ledger.

use super::State;
use super::labels::{MountId, RoleId};
use super::ledger::{Counted, Failed, Issue, Renewal, Target, key};
use super::renewals::Renewed;
use super::revocations::Asked;
use super::subject::{self, Subject};
use super::traffic::Ended;
use crate::contract::credentials as metric;
use crate::event::{
    Action, Entry, Failure, GrantedToken, LeaseRef, Outcome, Privileged, RenewalTrouble, RequestId,
    RevocationForm, Text, Timestamp, TokenHash,
};

/// Engines whose credentials may come without a lease: a wrapped one is only counted as a lease
/// where its role is known to make them.
const OFTEN_WITHOUT_LEASE: [&str; 4] = ["pki", "ssh", "gcp", "kubernetes"];

impl State {
    /// A credential was issued; it has a lease if its answer shows one, or may have hidden it.
    pub(super) fn lease_issued(&mut self, role: RoleId, mount: MountId, at: Timestamp, entry: &Entry) {
        let is_doubtful = OFTEN_WITHOUT_LEASE.contains(&self.labels.engine(mount));
        if entry.lease.is_none() && (!entry.wrapped || is_doubtful && !self.ledger.counts(role)) {
            return;
        }
        self.ledger.issued(Issue {
            role,
            at,
            lease: entry.lease.as_deref(),
            caller: entry.caller,
            requester: entry.who.as_deref().map(|who| &who.requester),
            wrapping: entry.wrapping,
            granted: entry.granted,
        });
    }

    /// An answer carries a token: a login's, a new one, or one that was renewed.
    pub(super) fn token(&mut self, at: Timestamp, entry: &Entry, mount: MountId, token: GrantedToken) {
        let is_renewal = entry.path.starts_with("auth/token/renew");
        let mut caller = entry.caller;
        if entry.path.starts_with("auth/token/create-orphan") {
            caller.accessor = None;
        }
        self.ledger.token_granted(token, mount, caller, is_renewal, at);
    }

    /// What was wrapped is seen: the lease of a credential issued before.
    pub(super) fn unwrapped(&mut self, at: Timestamp, entry: &Entry) {
        let Some(lease) = &entry.lease else { return };
        let namespace = self.namespace_asked(entry, Some(lease));
        let role = self.role_of_lease(&namespace, lease, true, at, &metric::ISSUED);
        self.ledger.unwrapped(role, lease, entry.wrapping, at);
    }

    /// A request to revoke was logged, which may explain an end.
    pub(super) fn asked(&mut self, at: Timestamp, id: RequestId, entry: &Entry) {
        // A lease that a renewal has shown, and that is gone, ends no more.
        let is_gone = matches!(&entry.action, Action::Revoke(_, LeaseRef::Hashed(hash))
            if self.renewals.role_of(*hash).is_some() && !self.ledger.knows_hash(*hash));
        if let Some(target) = target(entry).filter(|_| !is_gone) {
            self.ledger.asked(id, target, at);
        }
    }

    pub(super) fn renewal(&mut self, at: Timestamp, entry: &Entry, asked: &LeaseRef, took: Option<i64>) {
        let plain = match (&entry.lease, asked) {
            (Some(lease), _) | (None, LeaseRef::Plain(lease)) => Some(lease),
            _ => None,
        };
        let namespace = self.namespace_asked(entry, plain.map(Text::as_str));
        let hash = if let LeaseRef::Hashed(hash) = asked { Some(*hash) } else { None };
        if entry.outcome == Outcome::Ok {
            let role = match plain {
                Some(lease) => self.role_of_lease(&namespace, lease, true, at, &metric::RENEWALS),
                None => self.unknown_role(&namespace, at),
            };
            if let Some(hash) = hash {
                self.renewals.teach(hash, role);
            }
            self.renewals.count(role, if entry.capped { Renewed::Capped } else { Renewed::Ok });
            if let Some(lease) = plain {
                let renewal =
                    Renewal { increment: entry.increment, granted: entry.granted, is_capped: entry.capped };
                if let Some(share) = self.ledger.renewed(role, lease, hash, renewal, at) {
                    self.ledger.elapsed(self.labels.mount_of(role), share);
                }
            }
            return;
        }
        let role = match (plain, hash) {
            (Some(lease), _) => Some(self.role_of_lease(&namespace, lease, false, at, &metric::RENEWALS)),
            (None, Some(hash)) => self.ledger.role_of_hash(hash).or_else(|| self.renewals.role_of(hash)),
            _ => None,
        }
        .unwrap_or_else(|| self.unknown_role(&namespace, at));
        let trouble = match entry.failure() {
            Some(Failure::Denied | Failure::InvalidToken) => RenewalTrouble::Denied,
            Some(Failure::Backend) => RenewalTrouble::Backend,
            _ => RenewalTrouble::Other,
        };
        if trouble == RenewalTrouble::Denied {
            self.renewals.count(role, Renewed::Failed);
            self.renewals.failed(role, trouble);
            return;
        }
        self.ledger.failed(Failed {
            from: at.plus_nanos(-took.unwrap_or(0)),
            until: at,
            key: plain.map(|lease| key(lease)),
            namespace,
            renewal: Some((role, trouble)),
        });
    }

    pub(super) fn revocation(
        &mut self,
        at: Timestamp,
        entry: &Entry,
        subject: &Subject<'_>,
        (form, lease): (RevocationForm, &LeaseRef),
        ended: Ended,
        took: Option<i64>,
    ) {
        let plain = if let LeaseRef::Plain(lease) = lease { Some(lease.as_str()) } else { None };
        let namespace = self.namespace_asked(entry, plain);
        let mount = match (form, lease) {
            (RevocationForm::Token, _) => Some(subject.mount),
            (_, LeaseRef::Plain(lease)) => Some(
                subject::of_lease(&self.labels, &namespace, lease)
                    .map_or_else(|| self.labels.unknown_mount(&namespace), |(mount, _)| mount),
            ),
            (_, LeaseRef::Hashed(hash)) => {
                let role = self.ledger.role_of_hash(*hash).or_else(|| self.renewals.role_of(*hash));
                role.map(|role| self.labels.mount_of(role))
            }
            (_, LeaseRef::Absent) => Some(self.labels.unknown_mount(&namespace)),
        };
        let asked = match (entry.outcome, ended) {
            (Outcome::Queued, _) => Asked::Queued,
            (_, Ended::Ok) => Asked::Ok,
            (_, Ended::Denied) => Asked::Denied,
            _ => Asked::Failed,
        };
        if form == RevocationForm::Token && asked == Asked::Ok {
            let token = match lease {
                LeaseRef::Hashed(hash) => Some(TokenHash(hash.0)),
                _ => entry.caller.accessor,
            };
            if let Some(token) = token {
                self.ledger.token_revoked(token, at.plus_nanos(-took.unwrap_or(0)));
            }
        }
        let is_done = matches!(asked, Asked::Ok | Asked::Queued);
        let target = entry.id.zip(target(entry));
        if let Some((id, target)) = &target {
            if is_done {
                let place = mount.unwrap_or(MountId::UNKNOWN);
                let count =
                    mount.is_none().then(|| Counted { namespace: namespace.clone(), mount: None, asked });
                self.asked(at.plus_nanos(-took.unwrap_or(0)), *id, entry);
                self.ledger.done(*id, target, (&namespace, place), asked == Asked::Queued, count, at);
            } else if asked == Asked::Failed && form != RevocationForm::Lease {
                // One lease failed; those before it are gone.
                self.ledger.answered(*id, at);
            } else {
                self.ledger.refused(*id);
            }
        }
        // Which mount a hash is about may still be found out, by what ends or fails meanwhile.
        match mount {
            None if is_done && target.is_some() => {}
            None if asked == Asked::Failed => self.ledger.failed(Failed {
                from: at.plus_nanos(-took.unwrap_or(0)),
                until: at,
                key: None,
                namespace: namespace.clone(),
                renewal: None,
            }),
            mount => {
                let mount = mount.unwrap_or_else(|| self.labels.unknown_mount(&namespace));
                self.revocations.asked(mount, form, asked);
            }
        }
        let mount = mount.unwrap_or(MountId::UNKNOWN);
        match form {
            RevocationForm::Prefix => self.privileged(at, entry, mount, Privileged::RevokePrefix, ended),
            RevocationForm::Force => self.privileged(at, entry, mount, Privileged::RevokeForce, ended),
            RevocationForm::Lease | RevocationForm::Token => {}
        }
    }
}

/// What a request to revoke wants gone, as the ledger looks for it.
fn target(entry: &Entry) -> Option<Target> {
    let Action::Revoke(form, lease) = &entry.action else { return None };
    match (form, lease) {
        (RevocationForm::Lease, LeaseRef::Plain(lease)) => Some(Target::Lease(key(lease))),
        (RevocationForm::Lease, LeaseRef::Hashed(hash)) => {
            Some(Target::Hashed(hash.half(), entry.namespace.to_string()))
        }
        (RevocationForm::Prefix | RevocationForm::Force, LeaseRef::Plain(prefix)) => Some(Target::Prefix {
            suffix: if entry.namespace.is_empty() {
                String::new()
            } else {
                format!(".{}", entry.namespace_id)
            },
            prefix: prefix.to_string(),
            by_force: *form == RevocationForm::Force,
        }),
        (RevocationForm::Token, _) => Some(Target::Token),
        _ => None,
    }
}
