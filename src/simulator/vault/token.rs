//! A token, as the server keeps it, with the texts that every entry of its requests has.

use super::super::hex;
use super::super::identity::Identity;
use super::super::network::Peer;
use super::super::slab::Key;
use std::sync::Arc;

/// A token.
#[derive(Debug)]
pub(in super::super) struct Token {
    pub(in super::super) identity: Arc<Identity>,
    /// What its hash is made of.
    pub(in super::super) secret: u64,
    pub(in super::super) issued: i64,
    pub(in super::super) expires: i64,
    /// Where renewals end.
    pub(in super::super) ends: i64,
    /// The leases that go with it.
    pub(in super::super) leases: Vec<Key>,
    /// Where it was last used from by its owner.
    pub(in super::super) peer: Peer,
    /// The path that made it, which its own lease is named after.
    pub(super) made_by: String,
    /// The credential that it holds for somebody, where it wraps one.
    pub(super) holds: Option<Key>,
    /// `"client_token":…,"accessor":…,` and the names.
    pub(super) head: String,
    /// From the metadata on.
    pub(super) tail: String,
    /// `"client_token":…,"client_token_accessor":…,`
    pub(super) of_request: String,
}

/// `"client_token":…,` and, of a service token, the accessor under this name.
pub(super) fn hashes(out: &mut String, secret: u64, is_batch: bool, accessor: &str) {
    out.push_str("\"client_token\":");
    hex::hmac(out, secret);
    out.push(',');
    if !is_batch {
        out.push_str(accessor);
        hex::hmac(out, secret ^ 0xacce_5507);
        out.push(',');
    }
}

/// What ends the `auth` object of an answer with a new token.
pub(super) fn kind(out: &mut String, is_batch: bool, ttl: i64) {
    out.push_str(if is_batch { "\"token_type\":\"batch\"" } else { "\"token_type\":\"service\"" });
    if ttl > 0 {
        out.push_str(",\"token_ttl\":");
        hex::decimal(out, (ttl / 1_000_000_000).unsigned_abs());
    }
}

impl Token {
    /// A new one; `issued` is written by the caller's clock.
    pub(super) fn new(
        identity: &Arc<Identity>,
        secret: u64,
        peer: Peer,
        (issued, text): (i64, &str),
    ) -> Self {
        let is_batch = identity.is_batch;
        let (mut head, mut tail, mut of_request) =
            (String::with_capacity(420), String::with_capacity(320), String::with_capacity(220));
        hashes(&mut head, secret, is_batch, "\"accessor\":");
        head.push_str(&identity.shown);
        tail.push_str(&identity.meta);
        kind(&mut tail, is_batch, identity.ttl);
        tail.push_str(",\"token_issue_time\":\"");
        tail.push_str(text);
        tail.push_str("\"}");
        hashes(&mut of_request, secret, is_batch, "\"client_token_accessor\":");
        let end = |ttl: i64| if ttl == 0 { i64::MAX } else { issued + ttl };
        Self {
            identity: Arc::clone(identity),
            secret,
            issued,
            expires: end(identity.ttl),
            ends: if is_batch { end(identity.ttl) } else { end(identity.max_ttl) },
            leases: Vec::new(),
            peer,
            made_by: identity.login_path.clone(),
            holds: None,
            head,
            tail,
            of_request,
        }
    }
}
