//! A privileged operation that somebody asked for, as it is told to those who collect such events.

use super::{Privileged, RequestId, Text, Timestamp, Who};
use core::net::IpAddr;

/// One use of a right that changes how Vault works.
#[derive(Clone, Debug, PartialEq)]
pub struct PrivilegedUse {
    /// When it was answered.
    pub at: Timestamp,
    /// Which operation.
    pub operation: Privileged,
    /// How it ended: `ok`, `denied`, `failed`.
    pub outcome: &'static str,
    /// `""` for the root namespace.
    pub namespace: Text,
    /// The mount that it was about, with the last slash; `sys/` for Vault itself.
    pub mount: Text,
    /// What it was about there, where its name is no secret and nobody's name: a policy, a mount, a role.
    pub object: Text,
    /// Whose token it was, where Vault knew it.
    pub who: Option<Box<Who>>,
    /// Address that it came from.
    pub source: Option<IpAddr>,
    /// Its request.
    pub request: Option<RequestId>,
}
