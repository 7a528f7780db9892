//! The server log's lines, folded: which role each is about, and what
//! becomes certain with time.

use super::State;
use super::labels::MountId;
use super::ledger::{Named, NodeId, Outcomes, Settled, is_token};
use super::renewals::Renewed;
use super::revocations::Asked;
use crate::contract::credentials::{RENEWALS, REVOCATION_FAILURES};
use crate::contract::leases::REVOCATIONS;
use crate::event::{RevocationForm, ServerEvent, Timestamp};
use crate::snapshot::Metric;

impl State {
    pub(super) fn server(&mut self, node: NodeId, at: Timestamp, line: ServerEvent) {
        match line {
            ServerEvent::LeaseRevoked { lease } if is_token(&lease) => self.ledger.token_ended(node, at),
            ServerEvent::LeaseRevoked { lease } => {
                self.named(&lease, at, &REVOCATIONS, |ledger, named| ledger.revoked(node, named, at));
            }
            ServerEvent::RevocationFailed { lease, attempts, next_attempt, trouble } => {
                let (role, ()) = self.named(&lease, at, &REVOCATION_FAILURES, |ledger, named| {
                    if !is_token(&lease) {
                        ledger.attempt_failed(node, named, (attempts, next_attempt), trouble, at);
                    }
                });
                self.revocations.failed(role, trouble);
                if !is_token(&lease) {
                    self.score_failed_revocation(at, role);
                }
            }
            // Counted as a request that failed; Vault's own attempts go on as before.
            ServerEvent::RequestedRevocationFailed { lease, .. } => {
                self.named(&lease, at, &REVOCATION_FAILURES, |ledger, named| {
                    ledger.request_failed(node, named, None, at);
                });
            }
            ServerEvent::RenewalFailed { lease, trouble } => {
                self.named(&lease, at, &RENEWALS, |ledger, named| {
                    ledger.request_failed(node, named, Some(trouble), at);
                });
            }
            ServerEvent::ForcedDespite { trouble } => {
                // The line names no lease; what is asked for by force now is the best that is known.
                let forced = self.ledger.forced(at);
                let lease =
                    forced.map(|(prefix, suffix)| format!("{}/x{suffix}", prefix.trim_end_matches('/')));
                let namespace = lease.as_deref().and_then(|lease| self.namespace_of(lease));
                let role = match lease.zip(namespace) {
                    Some((lease, namespace)) => {
                        self.role_of_lease(&namespace, &lease, false, at, &REVOCATION_FAILURES)
                    }
                    None => self.unknown_role("", at),
                };
                self.revocations.forced(role, trouble);
            }
            ServerEvent::LeasesRestored => self.ledger.restored(node, at),
            ServerEvent::BecameActive { elected: true } => self.ledger.elected(node, at),
            ServerEvent::BecameActive { elected: false } => self.ledger.is_active(node, at),
            ServerEvent::BecameInactive => self.ledger.stepped_down(node),
            ServerEvent::ManyLeases { .. } => self.ledger.many_leases(),
            // Joined with what it goes on with before it gets here.
            ServerEvent::Continued { .. } => {}
        }
    }

    /// Finds out what a plain lease ID of Vault's own names, for the ledger to use.
    fn named<T>(
        &mut self,
        lease: &str,
        at: Timestamp,
        metric: &'static Metric,
        tell: impl FnOnce(&mut super::ledger::Ledger, Named<'_>) -> T,
    ) -> (super::labels::RoleId, T) {
        let (namespace, role) = match self.namespace_of(lease) {
            Some(namespace) => {
                let role = self.role_of_lease(&namespace, lease, true, at, metric);
                (namespace, role)
            }
            None => (String::new(), self.unknown_role_of(MountId::UNKNOWN, at)),
        };
        let mount = self.labels.mount_of(role);
        let named = Named { role, mount, namespace: &namespace, lease };
        (role, tell(&mut self.ledger, named))
    }

    /// Ends whose namespace or mount no entry had named when they were read: looked up once more
    /// before they are counted.
    pub(super) fn place_ends(&mut self, now: Timestamp) {
        for (place, lease) in self.ledger.unplaced(now) {
            let Some(namespace) = self.namespace_of(&lease) else { continue };
            let role = self.role_of_lease(&namespace, &lease, true, now, &REVOCATIONS);
            let mount = self.labels.mount_of(role);
            self.ledger.place_end(place, Named { role, mount, namespace: &namespace, lease: &lease });
        }
    }

    /// Counts what has become certain.
    pub(super) fn settled(&mut self, outcomes: Outcomes) {
        for counted in outcomes.asked {
            let mount = counted.mount.unwrap_or_else(|| self.labels.unknown_mount(&counted.namespace));
            self.revocations.asked(mount, RevocationForm::Lease, counted.asked);
        }
        for settled in outcomes.failed {
            match settled {
                Settled::Renewal { role, trouble, is_logged } => {
                    self.renewals.failed(role, trouble);
                    if is_logged {
                        self.renewals.count(role, Renewed::Failed);
                    }
                }
                Settled::Revocation { namespace, mount } => {
                    let mount = mount.unwrap_or_else(|| self.labels.unknown_mount(&namespace));
                    self.revocations.asked(mount, RevocationForm::Lease, Asked::Failed);
                }
            }
        }
    }
}
