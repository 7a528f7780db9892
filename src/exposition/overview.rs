//! The overview: what the page at `/` tells a person. Plain data; `page` draws it.

use super::episodes::EpisodesView;
use super::roles::Roles;
use super::site::Waiting;
use crate::event::Timestamp;

/// The state of the exporter at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// The wall clock; ages on the page count from it.
    pub now: Timestamp,
    /// Event time up to which everything is counted; `None` before the first event.
    pub as_of: Option<Timestamp>,
    /// Whether a backlog is being read.
    pub catching_up: bool,
    /// What `/ready` waits for.
    pub waiting: Vec<Waiting>,
    /// Why the configuration that was read last is not in force, with the remedy.
    pub configuration: Option<String>,
    /// When the state was last saved.
    pub checkpoint: Option<Timestamp>,
    /// What is unusual.
    pub anomalies: EpisodesView,
    /// The leases by role.
    pub roles: Roles,
    /// Every log source.
    pub sources: Vec<SourceView>,
    /// Every node that is asked.
    pub nodes: Vec<NodeView>,
    /// Every receiver that something is pushed to.
    pub pushed: Vec<PushView>,
}

/// One log source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceView {
    /// Its name, the label `source`.
    pub name: String,
    /// `audit log` or `server log`.
    pub kind: String,
    /// The node whose log it is.
    pub node: Option<String>,
    /// The path as configured, or the file being read.
    pub path: String,
    /// Bytes known to lie unread.
    pub lag_bytes: u64,
    /// Lines read, over restarts.
    pub lines: u64,
    /// Lines of them that were not understood.
    pub unreadable: u64,
    /// Time of the last entry.
    pub last_entry: Option<Timestamp>,
    /// What came of it, if it is received and no file.
    pub received: Option<ReceivedView>,
    /// Why it cannot be read now, with the remedy.
    pub trouble: Option<String>,
}

/// What comes in at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceivedView {
    /// Open connections.
    pub connections: usize,
    /// When a line last came.
    pub last_line: Option<Timestamp>,
    /// What was dropped, by reason, over restarts.
    pub dropped: Vec<(&'static str, u64)>,
}

/// One target of pushing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PushView {
    /// What is pushed there, the label `target`.
    pub target: String,
    /// Its address, without anything secret.
    pub address: String,
    /// Requests that it took, over restarts.
    pub delivered: u64,
    /// Requests that it did not take.
    pub undelivered: u64,
    /// When it last took one.
    pub last_success: Option<Timestamp>,
    /// Why nothing goes there now, with the remedy.
    pub trouble: Option<String>,
}

/// One Vault node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeView {
    /// Its name, the label `node`.
    pub name: String,
    /// Its API address.
    pub address: String,
    /// `active`, `standby`, `sealed`, `unreachable`, … as a word.
    pub state: String,
    /// Why it cannot be asked, with the remedy.
    pub trouble: Option<String>,
    /// Each API that is asked.
    pub apis: Vec<ApiView>,
}

/// One API of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiView {
    /// Its path, the label `api`.
    pub name: String,
    /// When it last answered.
    pub last_success: Option<Timestamp>,
    /// Why it does not answer now, with the remedy.
    pub trouble: Option<String>,
    /// Why it is not asked now, which is no trouble.
    pub rest: Option<String>,
}
