//! The life of a lease: from its issue to its end, as far as the logs tell.

use crate::event::{RequestId, Text, Timestamp, TokenHash, Who};
use core::net::IpAddr;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Somebody asked for it, by this request.
    Requested(Option<RequestId>),
    /// Somebody asked for all leases below a prefix.
    Prefix(Option<RequestId>),
    /// The same by force: the database may not know of it.
    Forced(Option<RequestId>),
    /// The token that got it was revoked.
    Token(Option<RequestId>),
    /// Its TTL was over.
    Expired,
    /// Nobody was seen to ask, and its TTL is not known or was not over: its token may have ended.
    Unasked,
}

impl End {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested(_) => "requested",
            Self::Prefix(_) => "prefix",
            Self::Forced(_) => "forced",
            Self::Token(_) => "token",
            Self::Expired => "expired",
            Self::Unasked => "unasked",
        }
    }

    /// The request that brought it about.
    pub const fn request(self) -> Option<RequestId> {
        match self {
            Self::Requested(request)
            | Self::Prefix(request)
            | Self::Forced(request)
            | Self::Token(request) => request,
            Self::Expired | Self::Unasked => None,
        }
    }
}

/// For how long leases of a role are granted.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// Seconds.
    pub secs: f64,
    /// On what it rests: the label `source` of `leasewatch_role_default_ttl_seconds`.
    pub source: String,
}

/// One lease.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its plain ID.
    pub lease: Text,
    /// `""` for the root namespace; what is known of leases from before the logs.
    pub namespace: Text,
    /// Path of its mount, with the last slash.
    pub mount: Text,
    /// Its role.
    pub role: Text,
    /// When it was issued, unless that was before the logs.
    pub issued: Option<Timestamp>,
    /// The request that it came of.
    pub request: Option<RequestId>,
    /// Who got it.
    pub who: Option<Box<Who>>,
    /// From where it was asked for.
    pub source: Option<IpAddr>,
    /// The token that got it.
    pub accessor: Option<TokenHash>,
    /// How often it was renewed, and when last.
    pub renewals: u64,
    /// When it was last renewed.
    pub renewed: Option<Timestamp>,
    /// For how many seconds that was, where the request asked for a number or a warning says it.
    pub renewed_for: Option<u64>,
    /// Attempts to revoke it that failed.
    pub failed_attempts: u64,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How.
    pub end: Option<End>,
    /// What its role grants, as known at the end of the logs.
    pub granted: Option<Granted>,
}

impl Life {
    pub(super) fn new(lease: Text) -> Self {
        Self {
            lease,
            namespace: Text::default(),
            mount: Text::default(),
            role: Text::default(),
            issued: None,
            request: None,
            who: None,
            source: None,
            accessor: None,
            renewals: 0,
            renewed: None,
            renewed_for: None,
            failed_attempts: 0,
            ended: None,
            end: None,
            granted: None,
        }
    }

    /// Seconds that it was out.
    pub fn used(&self) -> Option<f64> {
        Some(self.ended?.nanos_since(self.issued?) as f64 / 1e9)
    }

    /// Nobody asked for its end: whether its TTL was over, as far as that is known.
    pub(super) fn unasked(&self) -> End {
        let (Some(ended), Some(from)) = (self.ended, self.renewed.or(self.issued)) else {
            return End::Unasked;
        };
        let role = self.granted.as_ref().map(|granted| granted.secs);
        let granted = self.renewed_for.map(|secs| secs as f64).or(role);
        let lasted = ended.nanos_since(from) as f64 / SECOND as f64;
        if granted.is_some_and(|secs| lasted >= secs - 0.5) { End::Expired } else { End::Unasked }
    }
}
