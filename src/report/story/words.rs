//! Words: moments, clients and ends as people say them, and as JSON names them.

use crate::event::{RevocationForm, TokenHash, Who};
use crate::report::span;
use crate::story::{End, Life, Moment, Rests, What};

/// The name of what happened, in JSON.
pub(in crate::report) const fn name(what: What) -> &'static str {
    match what {
        What::Login => "login",
        What::TokenCreation => "token_creation",
        What::TokenRenewal => "token_renewal",
        What::Issue => "credential",
        What::StaticRead => "static_credential",
        What::Unwrap => "unwrap",
        What::Renewal => "renewal",
        What::Revocation(_) => "revocation_request",
        What::Ended => "lease_ended",
        What::AttemptFailed => "revocation_attempt",
        What::RequestedAttemptFailed => "requested_revocation_attempt",
        What::RenewalRefused => "renewal_attempt",
        What::Privileged(_) => "privileged",
        What::Other => "other_request",
    }
}

/// What happened, with how it ended.
pub(super) fn headline(moment: &Moment) -> String {
    let done = moment.is_done();
    let role = format!("{}{}", moment.mount, moment.role);
    let what = match moment.what {
        What::Login => format!("{} at {}", if done { "logged in" } else { "login failed" }, moment.mount),
        What::TokenCreation => "token created".to_owned(),
        What::TokenRenewal => "token renewed".to_owned(),
        What::Issue if done && moment.wrapped => format!("credential of {role} issued, wrapped"),
        What::Issue if done => format!("credential of {role} issued"),
        What::Issue => format!("credential of {role} refused"),
        What::StaticRead if done => format!("static credential {role} read"),
        What::StaticRead => format!("static credential {role} refused"),
        What::Unwrap => if done { "credential unwrapped" } else { "unwrapping failed" }.to_owned(),
        What::Renewal => if done { "lease renewed" } else { "renewal of the lease failed" }.to_owned(),
        What::Revocation(form) => {
            let whose = match form {
                RevocationForm::Lease => "the lease be revoked".to_owned(),
                RevocationForm::Prefix => format!("all below {} be revoked", below(&moment.path)),
                RevocationForm::Force => format!("all below {} be revoked by force", below(&moment.path)),
                RevocationForm::Token => "the token be revoked, and its leases with it".to_owned(),
            };
            format!("asked that {whose}")
        }
        What::Ended => "the lease has ended".to_owned(),
        What::AttemptFailed => match moment.attempts {
            0 => "an attempt to revoke failed".to_owned(),
            attempts => format!("attempt {attempts} to revoke failed"),
        },
        What::RequestedAttemptFailed => "the requested revocation failed".to_owned(),
        What::RenewalRefused => "the renewal failed".to_owned(),
        What::Privileged(operation) => format!("privileged: {} on {}", operation.name(), moment.path),
        What::Other => format!("request for {}", moment.path),
    };
    match (moment.outcome, moment.reason) {
        ("ok", _) => what,
        ("queued", _) => format!("{what}: queued"),
        (_, Some("hashed")) => format!("{what}: refused by the engine, the reason is hashed in the log"),
        (outcome, None) => format!("{what}: {outcome}"),
        (_, Some(reason)) => format!("{what}: {reason}"),
    }
}

/// How an issue ended, in a word.
pub(super) fn headline_of_issue(moment: &Moment) -> &'static str {
    if moment.is_done() { "issued" } else { "failed, which may leave a user behind:" }
}

/// What a request to revoke many names in its path.
fn below(path: &str) -> &str {
    path.split_once("revoke-prefix/").or_else(|| path.split_once("revoke-force/")).map_or(path, |(_, of)| of)
}

/// What a moment rests on, where that is not its own log line alone.
pub(super) const fn rests(rests: Rests) -> (&'static str, Option<&'static str>) {
    match rests {
        Rests::Named => ("named", None),
        Rests::Hash => ("hash", Some("the log has a hash of the lease ID, which another entry ties to it")),
        Rests::Time => {
            ("time", Some("the log has a hash of the lease ID; by time it can only have been this lease"))
        }
        Rests::TimeOfSeveral => {
            ("time_of_several", Some("the log has a hash of the lease ID; by time most likely this lease"))
        }
    }
}

/// A client in a few words.
pub(in crate::report) fn client(who: &Who) -> String {
    let requester = &who.requester;
    let mut parts = Vec::new();
    for (title, name) in
        [("", &who.role), ("display name ", &requester.display_name), ("entity ", &requester.entity)]
    {
        if !name.is_empty() {
            parts.push(format!("{title}{name}"));
        }
    }
    if parts.is_empty() { "a token without a name".to_owned() } else { parts.join(", ") }
}

/// The first half of a hash, as it stands in the audit log.
pub(in crate::report) fn hash(TokenHash(half): TokenHash) -> String {
    format!("hmac-sha256:{half:032x}")
}

/// How a lease ended.
pub(super) fn end(life: &Life) -> String {
    let Some(end) = life.end else {
        return if life.failed_attempts > 0 { "not ended, attempts failed" } else { "not ended" }.to_owned();
    };
    if life.ended.is_none() {
        return "asked for, end not seen".to_owned();
    }
    match end {
        End::Requested(_) => "revoked on request",
        End::Prefix(_) => "revoked by prefix",
        End::Forced(_) => "revoked by force",
        End::Token(_) => "revoked with its token",
        End::Expired => "expired",
        End::Unasked => "ended unasked",
    }
    .to_owned()
}

/// For how long, when next, and what it rests on.
pub(super) fn terms(moment: &Moment) -> Vec<String> {
    let mut terms = Vec::new();
    if let Some(ttl) = moment.ttl.filter(|ttl| *ttl > 0) {
        terms.push(format!("granted {ttl}s"));
    }
    if let Some(asked) = moment.asked_ttl {
        terms.push(format!("asked for {asked}s"));
    }
    if let Some(next) = moment.next_attempt {
        terms.push(format!("next attempt in {}", seconds(next as f64 / 1e9)));
    }
    if let (Some(_), Some(why)) = (&moment.lease, rests(moment.rests).1) {
        terms.push(why.to_owned());
    }
    terms
}

/// Seconds, as people say them.
pub(in crate::report) fn seconds(secs: f64) -> String {
    // What would be rounded to a minute is one.
    if secs < 59.95 {
        return format!("{secs:.1}s");
    }
    #[allow(clippy::cast_possible_truncation, reason = "seconds of a lease's life")]
    span((secs.round() * 1e9) as i64)
}
