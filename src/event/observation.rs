//! An observation: what was learnt in a way that cannot be read again, such
//! as a scrape of Vault's API. One JSON object a line of the observations file.

use super::{ServerEvent, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the marker of an own request begins ([`Fact::OwnMarker`]).
pub const OWN_MARKER_PREFIX: &str = "leasewatch-";

/// One fact, with its time and the node that told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// When it held: Vault's time where Vault gives one, else the exporter's.
    pub at: Timestamp,
    /// Configured name of the node it is about; absent for the whole cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What was learnt.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What an observation says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A request of the exporter's own: to be left out of every count, and the
    /// canary that proves the audit log is alive. `at` is a moment safely
    /// before Vault can have logged it.
    OwnRequest {
        /// The `request_id` of Vault's answer: the audit entry's `request.id`.
        request_id: String,
    },
    /// The same, told before the request is sent: its audit entries, request and
    /// response, have `marker` as a key of `request.data`.
    ///
    /// Only JSON answers carry a `request_id`; metrics text, refusals and
    /// answers that never arrive do not, though Vault logs them all. So every
    /// authenticated request and every login bears a parameter of its own, named
    /// by [`OWN_MARKER_PREFIX`] and a random number. Vault ignores the parameter
    /// and hashes the values of `request.data`, never its keys: the audit log
    /// shows the name as it is. A marker is used once, so that nobody who reads
    /// it in the log can hide requests of his own behind it; one that was not
    /// told beforehand means nothing.
    OwnMarker {
        /// The key, prefix included.
        marker: String,
    },
    /// The mounts of a namespace, as `sys/mounts` and `sys/auth` list them.
    Mounts {
        /// `""` for the root namespace, else the path without the last slash.
        namespace: String,
        /// The mounts, secret engines and auth methods alike, by path.
        mounts: Vec<MountFact>,
        /// Only mounts that the exporter's token may touch are listed: that one
        /// is missing here does not say that it does not exist.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// The roles of one mount, as the API lists them.
    Roles {
        /// `""` for the root namespace, else the path without the last slash.
        namespace: String,
        /// Mount path relative to the namespace, with the last slash.
        mount: String,
        /// Every role that could be read, by name.
        roles: Vec<RoleFact>,
        /// Not all roles were read, by the cap on their number or for lack of a
        /// right: that one is missing here does not say that it does not exist.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        partial: bool,
    },
    /// Raw values of the chosen counters of `sys/metrics` of one node. A counter
    /// that is absent here was absent in that scrape. Empty when Vault was seen
    /// to have been started anew: whatever comes next counts from 0.
    VaultCounters {
        /// Name below `leasewatch_vault_…_total`, to the raw value.
        raw: BTreeMap<String, f64>,
    },
    /// A line of the server's log, streamed from `sys/monitor` of a node.
    Server(ServerEvent),
    /// The stream of a node's server log began (again): what it said before is lost.
    ServerGap,
    /// The times of one lease, as `sys/leases/lookup` tells them.
    LeaseTimes {
        /// What the state calls the lease ([`LeaseKey`]).
        lease: LeaseKey,
        /// When it was issued.
        issued: Timestamp,
        /// When it ends.
        expires: Timestamp,
        /// When it was last renewed, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        renewed: Option<Timestamp>,
        /// Whether it can be renewed.
        renewable: bool,
    },
    /// Vault has no such lease as was asked about: it has ended.
    LeaseAbsent {
        /// What the state calls the lease.
        lease: LeaseKey,
    },
    /// Somebody vouches for an episode of the anomaly scores.
    Acknowledged {
        /// The episode's ID: 16 hexadecimal digits.
        episode: String,
        /// Who.
        author: String,
        /// Why it is no reason to worry.
        reason: String,
        /// Until when the same is expected again.
        expires: Timestamp,
    },
    /// All leases of one role, as `LIST sys/leases/lookup/<prefix>` gives them; wrapping tokens
    /// left out.
    Listed {
        /// `""` for the root namespace, else the path without the last slash.
        namespace: String,
        /// The listed prefix with the last slash: `database/creds/app/`.
        prefix: String,
        /// What stands below it, as it was listed (a namespace's suffix included).
        leases: Vec<String>,
        /// When the request was sent: leases issued since may be missing.
        asked: Timestamp,
    },
}

/// What stands for a lease ID where the ID itself shall not: the first 128 bits of a hash of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LeaseKey(pub u128);

impl LeaseKey {
    /// The key of a plain lease ID.
    pub fn of(lease: &str) -> Self {
        Self(xxhash_rust::xxh3::xxh3_128(lease.as_bytes()))
    }
}

impl From<LeaseKey> for String {
    fn from(LeaseKey(key): LeaseKey) -> Self {
        format!("{key:032x}")
    }
}

impl TryFrom<String> for LeaseKey {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16).map(Self)
    }
}

/// One mount of a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountFact {
    /// Path relative to the namespace, with the last slash; auth methods begin with `auth/`.
    pub path: String,
    /// Mount type: `database`, `pki`, `approle`, ….
    pub engine: String,
    /// Mount accessor, as `sys/leases/count` names mounts.
    pub accessor: String,
    /// Secret engine or auth method.
    pub class: MountClass,
    /// Default lease TTL in seconds, 0 where the mount uses the system's.
    pub default_lease_ttl: u64,
    /// Longest lease TTL in seconds, 0 where the mount uses the system's.
    pub max_lease_ttl: u64,
}

/// What kind of thing is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MountClass {
    /// A secret engine.
    Secret,
    /// An auth method.
    Auth,
}

/// One role of a mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleFact {
    /// Role name.
    pub name: String,
    /// Database connection it uses, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Default TTL in seconds, 0 where the role leaves it to the mount.
    pub default_ttl: u64,
    /// Longest TTL in seconds, 0 where the role leaves it to the mount.
    pub max_ttl: u64,
}
