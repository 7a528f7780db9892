//! What one model says, in words: a line of its own with all its numbers, and the part that it has in
//! the summary.

use super::number::{count, hours, name, network, number};
use crate::anomaly::{Component, Evidence};
use crate::event::Privileged;
use std::fmt::Write;

/// From this strength (`-log10 p`) on it is rare; below, infrequent.
const RARE: f64 = 3.0;
/// From this strength on it is infrequent; below, frequent.
const INFREQUENT: f64 = 1.5;

/// How rare it is for its subject, in one word.
pub(in super::super) fn rarity(evidence: &Evidence) -> &'static str {
    let is_first = match evidence.component {
        Component::NewRole
        | Component::NewSource
        | Component::NewSubject
        | Component::TwoNetworks
        | Component::UnwrappedElsewhere
        | Component::RoleListing => evidence.last_seen.is_none(),
        _ => evidence.own_max.is_some_and(|(most, _)| evidence.observed > most),
    };
    match evidence.strength {
        _ if is_first => "unseen",
        RARE.. => "rare",
        INFREQUENT.. => "infrequent",
        _ => "frequent",
    }
}

/// A line with all that it says.
pub(in super::super) fn component(evidence: &Evidence) -> String {
    let seen = evidence.observed;
    let detail =
        if evidence.detail.is_empty() { String::new() } else { format!(" ({})", name(&evidence.detail)) };
    let mut line = match evidence.component {
        Component::Burst5m => format!("{} in 5 minutes{detail}", credentials(seen)),
        Component::Burst1h => format!("{} in an hour{detail}", credentials(seen)),
        Component::Burst1d => format!("{} in a day{detail}", credentials(seen)),
        Component::Slow => format!("{} since it began to be more than usual{detail}", credentials(seen)),
        Component::NewRole => format!("{} never used before{detail}", count(seen, "role", "roles")),
        Component::NewSource if evidence.detail.is_empty() => "a network never used before".to_owned(),
        Component::NewSource => format!("a network never used before ({})", network(&evidence.detail)),
        Component::OffHours => format!("an hour of the week with hardly any work before{detail}"),
        Component::Denials => {
            format!("{} in an hour{detail}", count(seen, "request denied", "requests denied"))
        }
        Component::UnknownPaths => {
            format!("{} that it never asked for before{detail}", count(seen, "path denied", "paths denied"))
        }
        Component::Silence => format!("silent for {}{detail}", hours(seen)),
        Component::TwoNetworks => format!("one token used from two networks{detail}"),
        Component::UnwrappedElsewhere => {
            format!("a wrapped credential unwrapped from another network{detail}")
        }
        Component::NeverUnwrapped => {
            format!("{} never unwrapped{detail}", count(seen, "wrapped credential", "wrapped credentials"))
        }
        Component::Operational => format!("{} in an hour{detail}", count(seen, "failure", "failures")),
        Component::UnknownTokens => format!(
            "{} with a token that Vault does not know in an hour{detail}",
            count(seen, "request", "requests")
        ),
        Component::NewSubject => format!("never seen before{detail}"),
        Component::FailedLogins => {
            format!("{} in an hour{detail}", count(seen, "failed login", "failed logins"))
        }
        Component::RoleListing => format!("the names of roles listed for the first time{detail}"),
        Component::Rule(operation) => format!("{}{detail}", operation_done(operation)),
    };
    if is_count(evidence.component) {
        let _ = write!(
            line,
            "; usual is {}, and more than {} once in a thousand times",
            number(evidence.expected),
            number(evidence.upper)
        );
    } else if evidence.component == Component::Silence {
        let _ = write!(line, "; longer than {} was hardly ever seen", hours(evidence.upper));
    }
    if let Some((most, at)) = evidence.own_max.filter(|_| is_count(evidence.component)) {
        let _ = write!(line, "; its most so far was {}, on {}", number(most), at.day());
    }
    if let Some(last) = evidence.last_seen {
        let _ = write!(line, "; last so on {}", last.day());
    }
    let is_one = evidence.component != Component::NewRole || seen <= 1.0;
    if let Some((of, all)) = evidence.peers {
        // Of several things, the last one is what the peers are asked for.
        let what = if is_one { "do this".to_owned() } else { format!("use {}", name(&evidence.detail)) };
        let _ = write!(line, "; {of} of {all} of its peers {what}");
    }
    line
}

/// What its subject did, after "The client …": `took 214 credentials of database/ledger in 5 minutes`.
/// `None` for what only says how.
pub(super) fn action(evidence: &Evidence, what: &str) -> Option<String> {
    let seen = evidence.observed;
    let detail =
        if evidence.detail.is_empty() { String::new() } else { format!(" ({})", name(&evidence.detail)) };
    let among = if evidence.detail.is_empty() {
        String::new()
    } else {
        format!(" ({} among them)", name(&evidence.detail))
    };
    Some(match evidence.component {
        Component::Burst5m => format!("took {}{what} in 5 minutes", credentials(seen)),
        Component::Burst1h => format!("took {}{what} in an hour", credentials(seen)),
        Component::Burst1d => format!("took {}{what} in a day", credentials(seen)),
        Component::Slow if evidence.detail.is_empty() => {
            format!(
                "has long been taking more credentials{what} than it used to, {} in that time",
                number(seen)
            )
        }
        Component::Slow => format!(
            "has been taking more credentials{what} than it used to {}, {} in that time",
            evidence.detail,
            number(seen)
        ),
        Component::NewRole if number(seen) == "1" => {
            format!("took a credential of a role that it never used before{detail}")
        }
        Component::NewRole => {
            format!("took credentials of {} roles that it never used before{among}", number(seen))
        }
        Component::Denials => {
            format!("was denied {}", count(seen, "request within an hour", "requests within an hour"))
        }
        Component::UnknownPaths if number(seen) == "1" => {
            "was denied a path that it had never asked for".to_owned()
        }
        Component::UnknownPaths => format!("was denied {} paths that it had never asked for", number(seen)),
        Component::Silence => format!("has been silent for {}", hours(seen)),
        Component::TwoNetworks => format!("used one token from two networks at a time{detail}"),
        Component::UnwrappedElsewhere => {
            format!("had a wrapped credential that was unwrapped from another network{detail}")
        }
        Component::NeverUnwrapped => {
            format!(
                "asked for {} that nobody unwrapped",
                count(seen, "wrapped credential", "wrapped credentials")
            )
        }
        Component::Operational => {
            format!("got {} instead of credentials{what} within an hour", count(seen, "error", "errors"))
        }
        Component::RoleListing => format!("listed the names of roles{detail} for the first time"),
        Component::FailedLogins => {
            format!("failed to log in {}", count(seen, "time within an hour", "times within an hour"))
        }
        Component::UnknownTokens => format!(
            "sent {} within an hour with a token that Vault does not know",
            count(seen, "request", "requests")
        ),
        Component::Rule(operation) => operation_done(operation).to_owned(),
        Component::NewSource | Component::OffHours | Component::NewSubject => return None,
    })
}

/// How its subject did it: ` from a network that it never used`.
pub(super) fn manner(evidence: &Evidence) -> &'static str {
    match evidence.component {
        Component::NewSource => " from a network that it never used",
        Component::OffHours => " at an hour at which it hardly ever works",
        _ => "",
    }
}

/// What counts something that goes on all the time.
pub(super) const fn is_count(component: Component) -> bool {
    matches!(
        component,
        Component::Burst5m
            | Component::Burst1h
            | Component::Burst1d
            | Component::Slow
            | Component::Denials
            | Component::Operational
            | Component::FailedLogins
            | Component::UnknownTokens
    )
}

/// Of these, the strongest says it all.
pub(super) const fn is_burst(component: Component) -> bool {
    matches!(component, Component::Burst5m | Component::Burst1h | Component::Burst1d | Component::Slow)
}

fn credentials(value: f64) -> String {
    count(value, "credential", "credentials")
}

/// What somebody did who did that.
const fn operation_done(operation: Privileged) -> &'static str {
    match operation {
        Privileged::RootToken => "used a token with the root policy",
        Privileged::GenerateRoot => "went about generating a root token",
        Privileged::RoleWrite => "wrote or deleted a role of a secret engine",
        Privileged::ConfigWrite => "changed the configuration of a secret engine",
        Privileged::RotateRoot => "rotated the root credential of a connection",
        Privileged::PolicyWrite => "wrote or deleted a policy",
        Privileged::AuthWrite => "changed an auth method, or one of its roles or users",
        Privileged::MountChange => "changed what is mounted",
        Privileged::AuditChange => "changed the audit devices",
        Privileged::IdentityWrite => "changed entities, aliases or groups",
        Privileged::PluginChange => "changed plugins",
        Privileged::NamespaceChange => "changed namespaces",
        Privileged::RaftSnapshot => "took or restored a snapshot of the storage",
        Privileged::RawAccess => "read or wrote the raw storage",
        Privileged::Seal => "sealed the server, or made it step down",
        Privileged::RevokeForce => "revoked leases by force, whatever their engine says",
        Privileged::RevokePrefix => "revoked every lease below a prefix",
        Privileged::AuditHash => "asked for the audit hash of a text",
    }
}
