//! An activity: one thing that a client did, as the models see it. `state`
//! makes it of a response, once an exchange, without the exporter's own.

use crate::event::{Failure, Privileged, RequestId, Timestamp, TokenHash, Who};
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

/// One thing that a client did.
#[derive(Clone, Copy, Debug)]
pub struct Activity<'a> {
    /// When it was answered.
    pub at: Timestamp,
    /// Its request, to be shown as a sample.
    pub request: Option<RequestId>,
    /// The namespace of the mount, `""` for the root one.
    pub namespace: &'a str,
    /// Path of the mount with the last slash: `database/`, `auth/approle/`; `(unknown)` where
    /// Vault did not say that it exists.
    pub mount: &'a str,
    /// Type of the mount: `database`, `approle`; `(unknown)` where nothing told it.
    pub engine: &'a str,
    /// Where the metrics show it.
    pub place: Place,
    /// Whose token it was; `None` where Vault did not know it, or nobody asked.
    pub who: Option<&'a Who>,
    /// Keyed hash of the token's accessor; batch tokens have none.
    pub accessor: Option<TokenHash>,
    /// Address that it came from.
    pub source: Option<IpAddr>,
    /// What it was.
    pub act: Act<'a>,
}

/// The place of a mount or role among the labels of the metrics: a number that means nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The mount's.
    pub mount: u32,
    /// The role's, where it is about one that is real.
    pub role: Option<u32>,
}

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Act<'a> {
    /// He got a dynamic credential.
    Issued {
        /// Role of the secret engine.
        role: &'a str,
        /// The wrapping token and its accessor, where the answer was wrapped.
        wrapping: [Option<TokenHash>; 2],
    },
    /// He read a static credential.
    ReadStatic {
        /// Role of the secret engine.
        role: &'a str,
    },
    /// He logged in: the token is the new one, the mount the auth method's.
    LoggedIn,
    /// Somebody failed to log in.
    LoginFailed,
    /// A policy denied it to him.
    Denied {
        /// Hash of namespace and path.
        path: u64,
    },
    /// Vault did not know the token.
    InvalidToken,
    /// He asked for a credential of a role, or for a path, that does not exist.
    NoSuchRole {
        /// Hash of namespace and path.
        path: u64,
    },
    /// Issuing failed for a reason that is not his doing.
    Failed {
        /// The reason.
        failure: Failure,
    },
    /// He unwrapped an answer. The token may be the wrapping token itself.
    Unwrapped {
        /// The wrapping token, its accessor, or both: as [`Act::Issued`] named them.
        tokens: [Option<TokenHash>; 2],
    },
    /// A privileged operation worked.
    Privileged(Privileged),
    /// He listed the roles of a secret engine.
    ListedRoles,
    /// Vault failed to revoke a lease; nobody asked.
    RevocationFailed,
    /// Anything else that worked: proof of a token in use from an address.
    Other,
}
