//! How things ended, and why: the classes that metrics show. The raw texts
//! stay behind in the decoders, since they can hold secrets.

use serde::{Deserialize, Serialize};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It did what was asked.
    Ok,
    /// It was accepted to be done later (HTTP 202).
    Queued,
    /// It was refused or failed.
    Failed(Failure),
    /// A standby left it to the active node, whose own log has it.
    Forwarded,
}

/// Why a request failed, as its audit entry tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// A policy said no.
    Denied,
    /// The token is unknown, dead or not allowed any more.
    InvalidToken,
    /// No such mount, path or role, in plain words.
    NotFound,
    /// The database connection does not allow the role.
    NotAllowed,
    /// The engine or what is behind it failed.
    Backend,
    /// A quota was reached.
    Quota,
    /// The caller was told why, but the log only has the hash of it (or words of the engine's own).
    Hashed,
    /// Anything else.
    Other,
}

/// How a revocation was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationForm {
    /// One lease.
    Lease,
    /// Every lease below a prefix.
    Prefix,
    /// The same, whatever the backend says.
    Force,
    /// A token, and with it every lease it made.
    Token,
}

impl RevocationForm {
    /// Every form, in the order of their label values.
    pub const ALL: [Self; 4] = [Self::Lease, Self::Prefix, Self::Force, Self::Token];

    /// The label value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lease => "lease",
            Self::Prefix => "prefix",
            Self::Force => "force",
            Self::Token => "token",
        }
    }
}

/// Why an attempt to revoke a lease failed, as the server log tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationTrouble {
    /// The database user owns something, or something depends on it.
    ObjectDependency,
    /// The database user, or Vault's role or connection, is gone.
    MissingRole,
    /// Vault's own database user may not.
    Permission,
    /// The database cannot be reached.
    Connection,
    /// It took too long.
    Timeout,
    /// The engine cannot do it, ever.
    Unsupported,
    /// Anything else.
    Other,
}

impl RevocationTrouble {
    /// Every cause, in the order of the contract.
    pub const ALL: [Self; 7] = [
        Self::ObjectDependency,
        Self::MissingRole,
        Self::Permission,
        Self::Connection,
        Self::Timeout,
        Self::Unsupported,
        Self::Other,
    ];

    /// The label value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ObjectDependency => "object_dependency",
            Self::MissingRole => "missing_role",
            Self::Permission => "permission",
            Self::Connection => "connection",
            Self::Timeout => "timeout",
            Self::Unsupported => "unsupported",
            Self::Other => "other",
        }
    }
}

/// Why a lease could not be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenewalTrouble {
    /// There is no such lease, or not any more.
    NotFound,
    /// It is over, and its revocation goes on or has failed.
    Expired,
    /// It cannot be renewed at all.
    NotRenewable,
    /// A policy said no.
    Denied,
    /// The engine or what is behind it failed.
    Backend,
    /// Anything else.
    Other,
}

impl RenewalTrouble {
    /// Every reason, in the order of the contract.
    pub const ALL: [Self; 6] =
        [Self::NotFound, Self::Expired, Self::NotRenewable, Self::Denied, Self::Backend, Self::Other];

    /// The label value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Expired => "expired",
            Self::NotRenewable => "not_renewable",
            Self::Denied => "denied",
            Self::Backend => "backend",
            Self::Other => "other",
        }
    }
}
