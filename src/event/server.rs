//! A line of the server's own log, as far as we use it.

use super::{RenewalTrouble, RevocationTrouble, Text};
use serde::{Deserialize, Serialize};

/// What the server's own log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ServerEvent {
    /// A lease ended: `revoked lease`.
    LeaseRevoked {
        /// Plain lease ID; a token's is `auth/…/h<64 hex>`.
        lease: Text,
    },
    /// An attempt of Vault's own to revoke a lease failed: `failed to revoke lease`.
    RevocationFailed {
        /// Plain lease ID.
        lease: Text,
        /// How many attempts failed so far, from 1; 0 where the line does not say.
        attempts: u32,
        /// Nanoseconds from this line to the next attempt; `None` where the line does not say.
        next_attempt: Option<i64>,
        /// Why.
        trouble: RevocationTrouble,
    },
    /// A line of the text format that goes on with the one before it in the same log. An error
    /// of several lines stands on lines of its own, and so does what follows it: of such a
    /// [`Self::RevocationFailed`], the `attempts` are 0, and this is its rest.
    Continued {
        /// The cause, where this line names one.
        trouble: Option<RevocationTrouble>,
        /// How many attempts failed so far; 0 where more lines follow.
        attempts: u32,
        /// Nanoseconds to the next attempt.
        next_attempt: Option<i64>,
    },
    /// A client's request to revoke a lease at once failed: `lease revocation failed`.
    RequestedRevocationFailed {
        /// Plain lease ID.
        lease: Text,
        /// Why.
        trouble: RevocationTrouble,
        /// There is no such lease: nothing was attempted.
        is_unknown: bool,
    },
    /// A client's request to renew a lease failed: `lease renewal failed`.
    RenewalFailed {
        /// Plain lease ID.
        lease: Text,
        /// Why.
        trouble: RenewalTrouble,
    },
    /// The engine could not revoke, and the lease is given up all the same, as somebody has
    /// asked by force: `revocation from the backend failed, but in force mode so ignoring`.
    /// The line names no lease.
    ForcedDespite {
        /// Why.
        trouble: RevocationTrouble,
    },
    /// Vault has read its leases, after unseal or on becoming active: attempts to revoke begin
    /// anew, and what fell due meanwhile is revoked now.
    LeasesRestored,
    /// This node is the active one.
    BecameActive {
        /// It was elected among several just now: another one may have been active before.
        elected: bool,
    },
    /// This node is not active any more: it stepped down, was sealed, is shutting down, or has
    /// just been started.
    BecameInactive,
    /// There are more leases than Vault thinks good: `lease count exceeds warning lease threshold`.
    ManyLeases {
        /// How many there are.
        have: u64,
    },
}
