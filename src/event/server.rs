//! A line of the server's own log, as far as we use it.

use super::{RevocationTrouble, Text};

/// What the server's own log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerEvent {
    /// A lease ended: `revoked lease`.
    LeaseRevoked {
        /// Plain lease ID; a token's is `auth/…/h<64 hex>`.
        lease: Text,
    },
    /// An attempt to revoke a lease failed: `failed to revoke lease`.
    RevocationFailed {
        /// Plain lease ID.
        lease: Text,
        /// How many attempts failed so far, from 1.
        attempts: u32,
        /// Why.
        trouble: RevocationTrouble,
    },
}
