//! A moment of a story: one thing that happened, with all that the logs say of it.

use super::place::{self, Place};
use crate::engine::Meaning;
use crate::event::{
    Action, Entry, Failure, Outcome, Privileged, RenewalTrouble, RequestId, RevocationForm,
    RevocationTrouble, ServerEvent, Text, Timestamp, TokenHash, Who,
};
use core::net::IpAddr;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A login.
    Login,
    /// A token was made out of another.
    TokenCreation,
    /// A token was renewed.
    TokenRenewal,
    /// A credential was asked for.
    Issue,
    /// A static credential was read.
    StaticRead,
    /// A wrapped answer was unwrapped.
    Unwrap,
    /// A lease was to be renewed.
    Renewal,
    /// It was asked for that a lease, all below a prefix, or a token be revoked.
    Revocation(RevocationForm),
    /// The server log says that the lease has ended.
    Ended,
    /// An attempt of Vault's own to revoke it failed.
    AttemptFailed,
    /// The server log says why a requested revocation failed.
    RequestedAttemptFailed,
    /// The server log says why a renewal failed.
    RenewalRefused,
    /// A privileged operation.
    Privileged(Privileged),
    /// Any other request; a story tells those that were denied.
    Other,
}

/// On what it rests that a moment belongs to the story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rests {
    /// The log names it.
    #[default]
    Named,
    /// The log has a hash that another entry ties to the name.
    Hash,
    /// Nothing but the time: the server log told of the end while the request was under way, and
    /// of no other that it could have been.
    Time,
    /// The same, but another end or another request would fit as well.
    TimeOfSeveral,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When, by the log that tells it.
    pub at: Timestamp,
    /// What.
    pub what: What,
    /// `ok`, `queued`, `denied` or `failed`.
    pub outcome: &'static str,
    /// Why it failed, by class.
    pub reason: Option<&'static str>,
    /// The token has the root policy.
    pub root: bool,
    /// Its request.
    pub request: Option<RequestId>,
    /// Who asked.
    pub who: Option<Box<Who>>,
    /// From where.
    pub source: Option<IpAddr>,
    /// The token's accessor, by the first half of its hash.
    pub accessor: Option<TokenHash>,
    /// `""` for the root namespace.
    pub namespace: Text,
    /// With the last slash.
    pub mount: Text,
    /// The role that a credential is of.
    pub role: Text,
    /// What was asked for by path, where no role says it.
    pub path: Text,
    /// The lease, by its plain ID.
    pub lease: Option<Text>,
    /// Seconds that were granted, where the log says so: a token's TTL, or what a warning says is left.
    pub ttl: Option<u64>,
    /// Seconds that a renewal asked for.
    pub asked_ttl: Option<u64>,
    /// The answer was wrapped: the log does not have its lease.
    pub wrapped: bool,
    /// Attempts that failed so far.
    pub attempts: u32,
    /// Nanoseconds to the next one.
    pub next_attempt: Option<i64>,
    /// Why it is in the story.
    pub rests: Rests,
}

impl Moment {
    pub(super) fn new(at: Timestamp, what: What) -> Self {
        Self {
            at,
            what,
            outcome: "ok",
            reason: None,
            root: false,
            request: None,
            who: None,
            source: None,
            accessor: None,
            namespace: Text::default(),
            mount: Text::default(),
            role: Text::default(),
            path: Text::default(),
            lease: None,
            ttl: None,
            asked_ttl: None,
            wrapped: false,
            attempts: 0,
            next_attempt: None,
            rests: Rests::Named,
        }
    }

    /// It did what was asked, or will.
    pub fn is_done(&self) -> bool {
        matches!(self.outcome, "ok" | "queued")
    }

    /// Of an audit entry; `None` for a request that a story passes over.
    pub(super) fn of(at: Timestamp, entry: &Entry) -> Option<Self> {
        let place = place::of(entry);
        Some(Self::made(at, entry, place, what(entry, place.meaning)?))
    }

    /// Of any audit entry.
    pub(super) fn of_any(at: Timestamp, entry: &Entry) -> Self {
        let place = place::of(entry);
        Self::made(at, entry, place, what(entry, place.meaning).unwrap_or(What::Other))
    }

    fn made(at: Timestamp, entry: &Entry, place: Place<'_>, what: What) -> Self {
        let Place { mount, meaning } = place;
        let mut moment = Self::new(at, what);
        (moment.outcome, moment.reason) = outcome(entry, meaning);
        moment.root = entry.caller.root;
        moment.request = entry.id;
        moment.who.clone_from(&entry.who);
        moment.source = entry.source;
        moment.accessor = entry.caller.accessor;
        moment.namespace.clone_from(&entry.namespace);
        moment.mount = mount.into();
        moment.role = match meaning {
            Meaning::Issue(role)
            | Meaning::ReadStatic(role)
            | Meaning::WriteRole(role)
            | Meaning::DeleteRole(role) => role.label.into(),
            _ => Text::default(),
        };
        moment.path = path(entry);
        moment.lease.clone_from(&entry.lease);
        moment.ttl = entry.token.map(|token| token.ttl).or(entry.granted);
        moment.asked_ttl = entry.increment.filter(|secs| *secs > 0);
        moment.wrapped = entry.wrapped;
        moment
    }

    /// Of a line of the server log about a lease.
    pub(super) fn of_server(at: Timestamp, event: &ServerEvent) -> Option<Self> {
        let (what, lease, reason) = match event {
            ServerEvent::LeaseRevoked { lease } => (What::Ended, lease, None),
            ServerEvent::RevocationFailed { lease, trouble, .. } => {
                (What::AttemptFailed, lease, Some(trouble.name()))
            }
            ServerEvent::RequestedRevocationFailed { lease, trouble, is_unknown } => (
                What::RequestedAttemptFailed,
                lease,
                Some(if *is_unknown { "not_found" } else { trouble.name() }),
            ),
            ServerEvent::RenewalFailed { lease, trouble } => {
                (What::RenewalRefused, lease, Some(trouble.name()))
            }
            _ => return None,
        };
        let mut moment = Self::new(at, what);
        moment.outcome = if reason.is_some() { "failed" } else { "ok" };
        moment.reason = reason;
        if let ServerEvent::RevocationFailed { attempts, next_attempt, .. } = event {
            moment.attempts = *attempts;
            moment.next_attempt = *next_attempt;
        }
        if let Some((mount, role)) = place::of_lease(lease) {
            (moment.mount, moment.role) = (mount.into(), role.into());
        }
        moment.lease = Some(lease.clone());
        Some(moment)
    }

    /// The line that it was made of may go on with others.
    pub(super) fn goes_on(&self) -> bool {
        self.what == What::AttemptFailed && self.attempts == 0
    }

    /// The lines below the one that it was made of say more.
    pub(super) fn go_on(&mut self, trouble: Option<RevocationTrouble>, attempts: u32, next: Option<i64>) {
        if let Some(trouble) = trouble.filter(|_| self.reason == Some(RevocationTrouble::Other.name())) {
            self.reason = Some(trouble.name());
        }
        self.attempts = self.attempts.max(attempts);
        self.next_attempt = self.next_attempt.or(next);
    }
}

fn what(entry: &Entry, meaning: Meaning<'_>) -> Option<What> {
    Some(match (&entry.action, meaning) {
        (Action::Login, _) => What::Login,
        (Action::Renew(_), _) => What::Renewal,
        (Action::Revoke(form, _), _) => What::Revocation(*form),
        (Action::Unwrap, _) => What::Unwrap,
        (Action::Privileged(operation), _) => What::Privileged(*operation),
        (_, Meaning::Issue(_)) => What::Issue,
        (_, Meaning::ReadStatic(_)) => What::StaticRead,
        (_, Meaning::WriteRole(_) | Meaning::DeleteRole(_) | Meaning::ChangeStaticRole) => {
            What::Privileged(Privileged::RoleWrite)
        }
        (_, Meaning::WriteConfig(_)) => What::Privileged(Privileged::ConfigWrite),
        (_, Meaning::RotateRoot(_)) => What::Privileged(Privileged::RotateRoot),
        _ if entry.token.is_some() && entry.path.starts_with("auth/token/renew") => What::TokenRenewal,
        _ if entry.token.is_some() => What::TokenCreation,
        _ if matches!(entry.failure(), Some(Failure::Denied | Failure::InvalidToken)) => What::Other,
        _ if entry.caller.root => What::Privileged(Privileged::RootToken),
        _ => return None,
    })
}

fn outcome(entry: &Entry, meaning: Meaning<'_>) -> (&'static str, Option<&'static str>) {
    match entry.outcome {
        Outcome::Failed(Failure::Denied) => ("denied", Some("denied")),
        Outcome::Failed(failure) => ("failed", Some(reason(failure))),
        Outcome::Queued => ("queued", None),
        // An engine that answers nothing at all (HTTP 404) has no such role.
        _ if matches!(meaning, Meaning::Issue(_) | Meaning::ReadStatic(_))
            && entry.lease.is_none()
            && !entry.wrapped
            && !entry.has_data =>
        {
            ("failed", Some("not_found"))
        }
        _ => ("ok", None),
    }
}

fn reason(failure: Failure) -> &'static str {
    match failure {
        Failure::Denied => "denied",
        Failure::InvalidToken => "invalid_token",
        Failure::NotFound => "not_found",
        Failure::NotAllowed => "not_allowed",
        Failure::Backend => "backend",
        Failure::Quota => "quota",
        Failure::Hashed => "hashed",
        Failure::Other => RenewalTrouble::Other.name(),
    }
}

/// The path, without what may be a token or its accessor behind it.
fn path(entry: &Entry) -> Text {
    if matches!(entry.action, Action::Revoke(RevocationForm::Lease, _) | Action::Renew(_)) {
        // The lease is told by itself.
        return Text::default();
    }
    match entry.path.strip_prefix("auth/token/").and_then(|verb| verb.split_once('/')) {
        Some((verb, _)) => Text::from(format!("auth/token/{verb}")),
        None => entry.path.clone(),
    }
}
