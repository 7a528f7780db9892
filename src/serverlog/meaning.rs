//! The meaning of a line: which logger says it, in which words.
//!
//! When a node is active: only such a one logs `restoring leases` (a standby with reads
//! enabled logs `post-unseal setup complete` too, but `skipping lease restoration`),
//! a node without high availability as well. `acquired lock, enabling active operation`
//! comes before it and tells an election; but then OpenBao ends its life as a standby,
//! which looks like the end of an active one. An end that a node does not live to log is made up for by the
//! first lines of its next process.

use super::Line;
use super::{renewal, trouble};
use crate::event::{ServerEvent, Text};

/// What `core` says when the node is not active, or not any more.
const INACTIVE: [&str; 8] = [
    "stepping down from active operation to standby",
    "leadership lost, stopping active operation",
    "marked as sealed",
    "pre-seal teardown starting",
    "vault is sealed",
    "entering standby mode",
    "entering read-enabled standby mode",
    "Initializing version history cache for core",
];

/// Of a line, if it says anything to us.
pub(super) fn of(line: &Line) -> Option<ServerEvent> {
    match line.module.as_str() {
        "expiration" => expiration(line),
        "core" if INACTIVE.contains(&line.message.as_str()) => Some(ServerEvent::BecameInactive),
        "core" if line.message == "acquired lock, enabling active operation" => {
            Some(ServerEvent::BecameActive { elected: true })
        }
        "core" if line.message == "restoring leases" => Some(ServerEvent::BecameActive { elected: false }),
        // Among the first words of a new process, before any logger has a name.
        "" if line.message == "proxy environment" => Some(ServerEvent::BecameInactive),
        "core" | "system" => request(line),
        module if module.starts_with("secrets.system") => request(line),
        _ => None,
    }
}

/// What the expiration manager says, which revokes leases that have ended.
fn expiration(line: &Line) -> Option<ServerEvent> {
    let trouble = || trouble::classify(line.error.as_deref().unwrap_or_default());
    Some(match line.message.as_str() {
        "revoked lease" => ServerEvent::LeaseRevoked { lease: lease(line)? },
        "failed to revoke lease" => ServerEvent::RevocationFailed {
            lease: lease(line)?,
            attempts: line.attempts,
            next_attempt: line.next_attempt,
            trouble: trouble(),
        },
        "revocation from the backend failed, but in force mode so ignoring" => {
            ServerEvent::ForcedDespite { trouble: trouble() }
        }
        "lease restore complete" => ServerEvent::LeasesRestored,
        "lease count exceeds warning lease threshold" => ServerEvent::ManyLeases { have: line.have? },
        _ => return None,
    })
}

/// What the system backend says of clients' requests about leases.
fn request(line: &Line) -> Option<ServerEvent> {
    Some(match line.message.as_str() {
        "lease revocation failed" => ServerEvent::RequestedRevocationFailed {
            lease: lease(line)?,
            trouble: trouble::classify(line.error.as_deref().unwrap_or_default()),
            is_unknown: line.error.as_deref().is_some_and(renewal::is_unknown),
        },
        "lease renewal failed" => ServerEvent::RenewalFailed {
            lease: lease(line)?,
            trouble: renewal::classify(line.error.as_deref()),
        },
        _ => return None,
    })
}

fn lease(line: &Line) -> Option<Text> {
    (!line.lease.is_empty()).then(|| Text::from(line.lease.as_str()))
}
