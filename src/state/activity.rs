//! Activities: what an answered request is to the models that score it.

use super::State;
use super::labels::{MountId, RoleId};
use super::subject::Subject;
use crate::anomaly::{Act, Activity, Place};
use crate::engine::Meaning;
use crate::event::{Action, Entry, Failure, Outcome, Privileged, Timestamp};

impl State {
    /// Hands on what somebody did; once for each exchange.
    pub(super) fn score(&mut self, at: Timestamp, entry: &Entry, subject: &Subject<'_>) {
        let Some(act) = self.act(entry, subject).filter(|_| !self.is_late) else { return };
        let mount = subject.mount;
        let role = match subject.meaning {
            Meaning::Issue(role) | Meaning::ReadStatic(role) => self.labels.find_role(mount, role.label),
            _ => None,
        };
        let activity = Activity {
            at,
            request: entry.id,
            namespace: self.labels.namespace_of(mount),
            mount: self.labels.path_of(mount),
            engine: self.labels.engine(mount),
            place: place(mount, role),
            who: entry.who.as_deref(),
            accessor: entry.caller.accessor,
            source: entry.source,
            act,
        };
        let is_done = matches!(entry.outcome, Outcome::Ok | Outcome::Queued);
        if entry.caller.root && is_done && entry.action != Action::Login {
            let act = Act::Privileged(Privileged::RootToken);
            self.anomalies.see(&Activity { act, ..activity });
        }
        self.anomalies.see(&activity);
    }

    /// Vault failed to revoke a lease of that role.
    pub(super) fn score_failed_revocation(&mut self, at: Timestamp, role: RoleId) {
        if self.is_late {
            return;
        }
        let mount = self.labels.mount_of(role);
        self.anomalies.see(&Activity {
            at,
            request: None,
            namespace: self.labels.namespace_of(mount),
            mount: self.labels.path_of(mount),
            engine: self.labels.engine(mount),
            place: place(mount, (!self.labels.is_reserved(role)).then_some(role)),
            who: None,
            accessor: None,
            source: None,
            act: Act::RevocationFailed,
        });
    }

    /// What it was; `None` for what says nothing about anybody.
    fn act<'e>(&self, entry: &'e Entry, subject: &Subject<'e>) -> Option<Act<'e>> {
        if matches!(entry.outcome, Outcome::Ok | Outcome::Queued) {
            return self.done(entry, subject);
        }
        if entry.action == Action::Login {
            return Some(Act::LoginFailed);
        }
        let asked = match subject.meaning {
            Meaning::Issue(role) | Meaning::ReadStatic(role) => Some(role),
            _ => None,
        };
        let failure = match asked {
            Some(role) => self.failure(entry, subject, role)?,
            None => entry.failure()?,
        };
        let is_known = entry.caller.known;
        match failure {
            Failure::Denied if is_known => Some(Act::Denied { path: path(entry) }),
            Failure::Denied | Failure::InvalidToken => Some(Act::InvalidToken),
            Failure::NotFound if is_known && entry.action == Action::Engine => {
                Some(Act::NoSuchRole { path: path(entry) })
            }
            Failure::NotFound => None,
            failure => asked.map(|_| Act::Failed { failure }),
        }
    }

    fn done<'e>(&self, entry: &'e Entry, subject: &Subject<'e>) -> Option<Act<'e>> {
        // Nobody's: a look at the seal, a list of mounts without a token.
        if !entry.caller.known {
            return None;
        }
        Some(match (&entry.action, subject.meaning) {
            (Action::Login, _) => Act::LoggedIn,
            (Action::Unwrap, _) => Act::Unwrapped { tokens: entry.wrapping },
            (Action::Privileged(operation), _) => Act::Privileged(*operation),
            (Action::Revoke(form, _), _) => match form {
                crate::event::RevocationForm::Prefix => Act::Privileged(Privileged::RevokePrefix),
                crate::event::RevocationForm::Force => Act::Privileged(Privileged::RevokeForce),
                _ => Act::Other,
            },
            (_, Meaning::Issue(role) | Meaning::ReadStatic(role))
                if self.failure(entry, subject, role).is_some() =>
            {
                Act::NoSuchRole { path: path(entry) }
            }
            (_, Meaning::Issue(role)) => Act::Issued { role: role.label, wrapping: entry.wrapping },
            (_, Meaning::ReadStatic(role)) => Act::ReadStatic { role: role.label },
            (_, Meaning::ListRoles) => Act::ListedRoles,
            (_, Meaning::WriteRole(_) | Meaning::DeleteRole(_) | Meaning::ChangeStaticRole) => {
                Act::Privileged(Privileged::RoleWrite)
            }
            (_, Meaning::WriteConfig(_)) => Act::Privileged(Privileged::ConfigWrite),
            (_, Meaning::RotateRoot(_)) => Act::Privileged(Privileged::RotateRoot),
            (_, Meaning::Other) => Act::Other,
        })
    }
}

fn place(mount: MountId, role: Option<RoleId>) -> Place {
    Place { mount: mount.number(), role: role.map(RoleId::number) }
}

/// What stands for a path that may not exist, and that its asker chose.
fn path(entry: &Entry) -> u64 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(entry.namespace.as_bytes());
    hash.update(b"/");
    hash.update(entry.path.as_bytes());
    hash.digest()
}
