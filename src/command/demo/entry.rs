//! An entry: what the simulated Vault's audit log says of a request to its API, in the form of
//! `OpenBao` 2.7. The simulator writes those of the simulated clients; this is for real requests,
//! which are leasewatch's own: it must find them in the log, and leave them out of every count.

use crate::event::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// One request, as far as the log tells of it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// `request.id`, which the answer carries too.
    pub(super) id: String,
    /// `read`, `list` or `update`.
    pub(super) operation: &'static str,
    /// Without the last slash; nothing for root.
    pub(super) namespace: String,
    /// Below `/v1/`.
    pub(super) path: String,
    /// Names of the parameters, of the query or of the body.
    pub(super) parameters: Vec<String>,
    /// Whether Vault knows the token.
    pub(super) is_allowed: bool,
}

#[derive(Serialize)]
struct Entry<'a> {
    time: String,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Auth<'a>>,
    request: Request<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<Response<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Auth<'a> {
    client_token: String,
    accessor: String,
    display_name: &'a str,
    policies: [&'a str; 2],
    token_policies: [&'a str; 2],
    policy_results: PolicyResults,
    token_type: &'a str,
}

#[derive(Serialize)]
struct PolicyResults {
    allowed: bool,
}

#[derive(Serialize)]
struct Request<'a> {
    id: &'a str,
    operation: &'a str,
    mount_point: &'a str,
    mount_type: &'a str,
    mount_class: &'a str,
    client_token: String,
    namespace: Namespace<'a>,
    path: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    data: BTreeMap<&'a str, String>,
    remote_address: &'a str,
}

#[derive(Serialize)]
struct Namespace<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "the fields of the entry")]
struct Response<'a> {
    mount_point: &'a str,
    mount_type: &'a str,
    mount_class: &'a str,
}

impl Asked {
    /// The two entries, of the request and of its response. Vault hashes the values of all
    /// parameters and shows their names.
    pub(super) fn entries(&self, at: Timestamp) -> [String; 2] {
        ["request", "response"].map(|kind| self.entry(at, kind))
    }

    fn entry(&self, at: Timestamp, kind: &str) -> String {
        let (mount_point, mount_type) = mount_of(&self.path);
        let slash = if self.namespace.is_empty() { "" } else { "/" };
        let path = format!("{}{slash}", self.namespace);
        let mount_point = &format!("{path}{mount_point}");
        let policies = ["default", "leasewatch"];
        let entry = Entry {
            time: at.to_string(),
            r#type: kind,
            auth: self.is_allowed.then(|| Auth {
                client_token: hmac("token"),
                accessor: hmac("accessor"),
                display_name: "token-leasewatch",
                policies,
                token_policies: policies,
                policy_results: PolicyResults { allowed: true },
                token_type: "service",
            }),
            request: Request {
                id: &self.id,
                operation: self.operation,
                mount_point,
                mount_type,
                mount_class: "secret",
                client_token: hmac("token"),
                namespace: Namespace {
                    id: if path.is_empty() { "root" } else { &self.namespace },
                    path: Some(path.clone()).filter(|path| !path.is_empty()),
                },
                path: &self.path,
                data: self.parameters.iter().map(|name| (name.as_str(), hmac(name))).collect(),
                remote_address: "127.0.0.1",
            },
            response: (kind == "response").then_some(Response {
                mount_point,
                mount_type,
                mount_class: "secret",
            }),
            error: (!self.is_allowed).then_some("permission denied"),
        };
        // Texts and numbers: nothing that could fail.
        serde_json::to_string(&entry).unwrap_or_default()
    }
}

/// Path and type of the mount of what leasewatch asks.
fn mount_of(path: &str) -> (&str, &'static str) {
    if path.starts_with("sys/") {
        ("sys/", "system")
    } else if path.starts_with("auth/token/") {
        ("auth/token/", "token")
    } else {
        (path.split_once("roles").map_or(path, |(mount, _)| mount), "database")
    }
}

/// As a hash of Vault's looks, and as good: nothing here is secret.
fn hmac(text: &str) -> String {
    let hash = |seed| xxhash_rust::xxh3::xxh3_128_with_seed(text.as_bytes(), seed);
    format!("hmac-sha256:{:032x}{:032x}", hash(1), hash(2))
}

/// The ID of the request of this number, in the form of a UUID.
pub(super) fn request_id(seed: u64, number: u64) -> String {
    let hex = format!("{:032x}", xxhash_rust::xxh3::xxh3_128_with_seed(&number.to_le_bytes(), seed));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventKind, RequestId};

    #[test]
    fn the_decoder_finds_the_marker_and_the_request() {
        let marker = "leasewatch-0123456789abcdef0123456789abcdef";
        let asked = Asked {
            id: request_id(7, 1),
            operation: "read",
            namespace: "payments".to_owned(),
            path: "sys/metrics".to_owned(),
            parameters: vec!["format".to_owned(), marker.to_owned()],
            is_allowed: true,
        };
        assert!(RequestId::parse(&asked.id).is_some(), "{}", asked.id);
        for entry in asked.entries(Timestamp::from_secs(1_795_000_000)) {
            let event = crate::audit::decode(&entry).expect("an entry");
            let EventKind::Audit(decoded) = event.kind else { panic!("no entry: {entry}") };
            assert_eq!(decoded.marker, RequestId::parse("0123456789abcdef0123456789abcdef"));
            assert!(decoded.marker.is_some(), "{entry}");
        }
    }
}
