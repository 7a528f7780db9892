//! Why a revocation failed: the class of the error text in the server log.
//! The text itself ends here, since it can hold user names.
//!
//! To add a cause: a variant of `event::RevocationTrouble` and its pattern below.
//! The patterns are messages of PostgreSQL, MySQL and of Vault itself; the
//! first that fits decides.

use crate::event::RevocationTrouble;

static PATTERNS: &[(RevocationTrouble, &[&str])] = &[
    (
        RevocationTrouble::Connection,
        &[
            "connection refused",
            "failed to connect",
            "connection reset",
            "broken pipe",
            "no such host",
            "no route to host",
            "network is unreachable",
            "unexpected EOF",
            "the database system is",
            "too many clients",
            "too many connections",
            "SQLSTATE 57P0",
            "bad connection",
            "error verifying connection",
            "error creating database object",
            "conn closed",
        ],
    ),
    (
        RevocationTrouble::Timeout,
        &[
            "deadline exceeded",
            "timed out",
            "i/o timeout",
            "statement timeout",
            "lock timeout",
            "SQLSTATE 57014",
        ],
    ),
    (
        RevocationTrouble::ObjectDependency,
        &["cannot be dropped because", "depend on it", "owner of", "SQLSTATE 2BP01", "owns objects"],
    ),
    (
        RevocationTrouble::MissingRole,
        &[
            "does not exist",
            "failed to find entry for connection",
            "error during revoke: could not find role",
            "could not find role",
            "SQLSTATE 42704",
            "Operation DROP USER failed",
            "unknown user",
        ],
    ),
    (
        RevocationTrouble::Permission,
        &[
            "permission denied",
            "Access denied",
            "must be superuser",
            "must have",
            "SQLSTATE 42501",
            "not authorized",
        ],
    ),
    (
        RevocationTrouble::Unsupported,
        &["unsupported operation", "unsupported path", "unrecoverable", "invalid request"],
    ),
];

/// The class of an error text.
pub(super) fn classify(text: &str) -> RevocationTrouble {
    PATTERNS
        .iter()
        .find(|(_, patterns)| patterns.iter().any(|pattern| text.contains(pattern)))
        .map_or(RevocationTrouble::Other, |(trouble, _)| *trouble)
}
