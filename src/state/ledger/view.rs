//! A view of one outstanding lease, for a person who asks.

use crate::event::{Requester, RevocationTrouble, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One outstanding lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseView {
    /// Namespace as metrics spell it: `root`, or the path without the last slash.
    pub vault_namespace: Arc<str>,
    /// Mount path relative to its namespace, with the last slash.
    pub mount: Arc<str>,
    /// Mount type.
    pub engine: Arc<str>,
    /// Role, as in the metrics.
    pub role: Arc<str>,
    /// Plain lease ID; absent where it was wrapped and has not been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it was issued; absent where that was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Timestamp>,
    /// When it ends by its TTL; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// Who asked for it; absent where that was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Requester>,
    /// How it is.
    pub condition: Condition,
}

/// How an outstanding lease is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "condition", rename_all = "snake_case")]
pub enum Condition {
    /// Within its TTL, or nobody knows better.
    Live,
    /// 15 seconds or more past its TTL, without a word of its end.
    Overdue,
    /// Its revocation failed, and Vault will try again.
    Retrying {
        /// Failed attempts so far.
        attempts: u32,
        /// When the next one is due, where Vault has said so.
        next_attempt: Option<Timestamp>,
        /// Why the last one failed.
        cause: RevocationTrouble,
    },
    /// Five attempts failed and the sixth's time has passed: presumed irrevocable.
    Stuck {
        /// Why the last attempt failed.
        cause: RevocationTrouble,
    },
}
