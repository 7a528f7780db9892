//! An audit entry: one request to Vault, or its response, as far as we use it.

use super::{Failure, Outcome, RevocationForm, Timestamp};
use compact_str::CompactString;
use core::net::IpAddr;
use serde::{Deserialize, Serialize};

/// Text of a log line; most are short, and short ones are kept in place.
pub type Text = CompactString;

/// One audit entry.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a mark that an entry has or lacks")]
pub struct Entry {
    /// Which half of the exchange it is.
    pub stage: Stage,
    /// Joins a request and its response; `None` before OpenBao 2.6 on some help requests.
    pub id: Option<RequestId>,
    /// What was asked.
    pub operation: Operation,
    /// `""` for the root namespace, else the path without the last slash.
    pub namespace: Text,
    /// The ID that lease IDs of this namespace end with; `root` for the root namespace.
    pub namespace_id: Text,
    /// Path relative to the namespace, without the first slash.
    pub path: Text,
    /// The mount that the path was routed to, where the entry names it (Vault 1.14 and later).
    pub mount: Option<Mount>,
    /// Mount type alone (Vault 1.5 and later), where the entry does not name the mount.
    pub engine: Option<Text>,
    /// Who asked. For the response of a login: the token it made.
    pub caller: Caller,
    /// What it is about, as far as the path and the operation tell without knowing engines.
    pub action: Action,
    /// A request entry: a standby handed the request on to this node (`forwarded_from`). A
    /// response entry: the request went from one node to another (`forwarded`), as the active
    /// node logs it and the standby too.
    pub relayed: bool,
    /// How it ended; on a request entry, `Ok` or the failure it was logged with.
    pub outcome: Outcome,
    /// Plain lease ID of the answer (`response.secret.lease_id`), where it has one.
    pub lease: Option<Text>,
    /// The answer was wrapped, successfully: what it holds is not logged.
    pub wrapped: bool,
    /// The answer holds something (`response.data`).
    pub has_data: bool,
    /// A key of `request.data` that marks the exporter's own requests, as a number.
    pub marker: Option<RequestId>,
    /// The answer warns that max TTL cut a renewal.
    pub capped: bool,
    /// What such a warning says is left, in seconds, of a renewal or of an issue: the lease ends then.
    pub granted: Option<u64>,
    /// For how long a renewal was asked (`request.data.increment`), in seconds; 0 where the
    /// request leaves it to the role, `None` where only a hash of it is logged.
    pub increment: Option<u64>,
    /// The TTLs that a request to a secret engine writes, as for a role.
    pub ttls: WrittenTtls,
    /// The token that the answer carries: of a login, a creation or a renewal.
    pub token: Option<GrantedToken>,
    /// The wrapping token and its accessor, where an answer was wrapped or unwrapped.
    pub wrapping: [Option<TokenHash>; 2],
    /// Who asked, on a response entry of a token that Vault knew.
    pub who: Option<Box<Who>>,
    /// Address that the request came from, as Vault saw it: a load balancer's, if one is in between.
    pub source: Option<IpAddr>,
}

/// Whose token it is that asked: never in metrics or log lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// As people know him.
    pub requester: Requester,
    /// What the login was for, by the token's metadata: the role of the auth method, or the user
    /// name; empty where it has none.
    pub role: Text,
}

/// Who asked, for people: never in metrics or log lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Requester {
    /// Entity ID; empty where the token has none.
    pub entity: Text,
    /// Display name of the token.
    pub display_name: Text,
}

/// Which half of the exchange an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Logged before the request is handled.
    Request,
    /// Logged before the answer leaves; repeats the request.
    Response,
}

/// The mount that a path was routed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Path relative to the namespace, with the last slash: `database/`, `auth/kubernetes/`.
    pub point: Text,
    /// Mount type: `database`; empty where the entry does not say.
    pub engine: Text,
}

/// Who asked, as far as counting needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// Vault knew the token: it has a name, policies, an entity or an accessor.
    pub known: bool,
    /// The token carries the `root` policy.
    pub root: bool,
    /// Keyed hash of the token's accessor; batch tokens have none.
    pub accessor: Option<TokenHash>,
    /// When a batch token ends: its leases end with it at the latest.
    pub batch_end: Option<Timestamp>,
}

/// The first 128 bits of the keyed hash of a token or of its accessor (or of the text
/// itself, where the device does not hash it). Means nothing on another audit device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash(pub u128);

/// A token that an answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantedToken {
    /// Keyed hash of its accessor; batch tokens have none.
    pub accessor: Option<TokenHash>,
    /// Keyed hash of the token itself, in the form in which it was handed out.
    pub token: Option<TokenHash>,
    /// Seconds from now until it ends; 0 for one that does not.
    pub ttl: u64,
    /// A service token, which has a lease; a batch token has none.
    pub is_service: bool,
}

/// The TTLs in `request.data` of a write (`default_ttl`, `max_ttl`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WrittenTtls {
    /// TTL of a lease that nobody renews.
    pub default: WrittenTtl,
    /// The longest that renewals can make it.
    pub max: WrittenTtl,
}

/// One of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WrittenTtl {
    /// The request does not say: what was there stays.
    #[default]
    Absent,
    /// It is written, but the log only has a hash of it.
    Hidden,
    /// Seconds; 0 leaves it to the mount.
    Secs(u64),
}

/// The operation of a request, as the audit log spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `read`
    Read,
    /// `create`, `update` or `patch`: by `POST` or `PUT`.
    Write,
    /// `delete`
    Delete,
    /// `list` or `scan`
    List,
    /// Anything that asks for no work of its own: `help`, `alias-lookahead`, `resolve-role`, ….
    Other,
}

/// What an entry is about, as far as path and operation tell without knowing engines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A request to a secret engine: what it means, the engine's own paths tell.
    Engine,
    /// A login.
    Login,
    /// A lease renewal.
    Renew(LeaseRef),
    /// A request to revoke. For [`RevocationForm::Token`] the reference is to a token or its
    /// accessor, and absent where the caller revokes its own.
    Revoke(RevocationForm, LeaseRef),
    /// A wrapped answer was unwrapped: `lease` is of a credential issued before.
    Unwrap,
    /// An operation that changes how Vault works, by its name in the metrics contract.
    Privileged(Privileged),
    /// The device's own probe, which says nothing about traffic.
    Probe,
    /// Anything else.
    Other,
}

/// An operation that changes how Vault works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Privileged {
    /// A request by a token with the root policy.
    RootToken,
    /// `sys/generate-root`
    GenerateRoot,
    /// A role of a secret engine.
    RoleWrite,
    /// A configuration of a secret engine, such as a database connection.
    ConfigWrite,
    /// A root credential of a secret engine was rotated.
    RotateRoot,
    /// `sys/policy`, `sys/policies`
    PolicyWrite,
    /// Roles, users and configuration of auth methods.
    AuthWrite,
    /// `sys/mounts`, `sys/auth`, `sys/remount`
    MountChange,
    /// `sys/audit`, `sys/config/auditing`
    AuditChange,
    /// `identity/`
    IdentityWrite,
    /// `sys/plugins`
    PluginChange,
    /// `sys/namespaces`
    NamespaceChange,
    /// `sys/storage/raft/snapshot`
    RaftSnapshot,
    /// `sys/raw`
    RawAccess,
    /// `sys/seal`, `sys/step-down`
    Seal,
    /// `sys/leases/revoke-force`
    RevokeForce,
    /// `sys/leases/revoke-prefix`
    RevokePrefix,
    /// `sys/audit-hash`
    AuditHash,
}

impl Privileged {
    /// The label value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RootToken => "root_token",
            Self::GenerateRoot => "generate_root",
            Self::RoleWrite => "role_write",
            Self::ConfigWrite => "config_write",
            Self::RotateRoot => "rotate_root",
            Self::PolicyWrite => "policy_write",
            Self::AuthWrite => "auth_write",
            Self::MountChange => "mount_change",
            Self::AuditChange => "audit_change",
            Self::IdentityWrite => "identity_write",
            Self::PluginChange => "plugin_change",
            Self::NamespaceChange => "namespace_change",
            Self::RaftSnapshot => "raft_snapshot",
            Self::RawAccess => "raw_access",
            Self::Seal => "seal",
            Self::RevokeForce => "revoke_force",
            Self::RevokePrefix => "revoke_prefix",
            Self::AuditHash => "audit_hash",
        }
    }
}

/// A lease, as an entry names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseRef {
    /// Its plain ID, or for a prefix the plain prefix.
    Plain(Text),
    /// A keyed hash of its ID, which means nothing on another audit device.
    Hashed(LeaseHash),
    /// Not at all.
    Absent,
}

/// The first 128 bits of the keyed hash of a lease ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseHash(pub u128);

impl TokenHash {
    /// The first half, which is enough to tell those apart that are kept.
    pub const fn half(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

impl LeaseHash {
    /// The first half, which is enough to tell those apart that are kept.
    pub const fn half(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

/// A request's ID: a UUID, or the hash of whatever else stood there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u128);

/// What each byte is as a hexadecimal digit in lower case; 16 for none.
const DIGITS: [u8; 256] = {
    let mut digits = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        digits[b"0123456789abcdef"[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

impl RequestId {
    /// Reads a UUID with or without dashes; anything else is hashed (FNV-1a), so
    /// that request and response still meet. `None` if empty.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        // By a table: digits and letters alternate at random, which branches cannot foresee.
        let (mut high, mut low, mut digits) = (0u64, 0u64, 0);
        for byte in text.bytes() {
            if byte == b'-' {
                continue;
            }
            let digit = DIGITS[usize::from(byte)];
            if digit > 15 {
                return Some(Self::hashed(text));
            }
            high = high << 4 | low >> 60;
            low = low << 4 | u64::from(digit);
            digits += 1;
        }
        let value = u128::from(high) << 64 | u128::from(low);
        Some(if digits == 32 { Self(value) } else { Self::hashed(text) })
    }

    fn hashed(text: &str) -> Self {
        const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        Self(text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME)))
    }
}

impl std::fmt::Display for RequestId {
    /// As a UUID.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hex = format!("{:032x}", self.0);
        write!(f, "{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }
}

impl Entry {
    /// The failure it ended with, if it did.
    pub fn failure(&self) -> Option<Failure> {
        match self.outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}
