//! An entry of an audit log as a bare decoder would have it: the fields that leasewatch uses.

#![allow(dead_code, reason = "what is read is not looked at")]

use serde::Deserialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// One line.
#[derive(Deserialize)]
pub struct Line<'a> {
    #[serde(borrow)]
    time: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    auth: Option<Auth<'a>>,
    #[serde(borrow)]
    pub request: Option<Request<'a>>,
    #[serde(borrow)]
    response: Option<Response<'a>>,
    #[serde(borrow)]
    error: Option<Cow<'a, str>>,
    #[serde(borrow)]
    forwarded_from: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Auth<'a> {
    #[serde(borrow)]
    display_name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    entity_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    accessor: Option<Cow<'a, str>>,
    #[serde(borrow)]
    policies: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    metadata: Option<HashMap<Cow<'a, str>, Cow<'a, str>>>,
    #[serde(borrow)]
    token_type: Option<Cow<'a, str>>,
    token_ttl: Option<u64>,
    #[serde(borrow)]
    token_issue_time: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
pub struct Request<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    operation: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mount_point: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mount_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Option<Namespace<'a>>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
    #[serde(borrow)]
    remote_address: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Namespace<'a> {
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    path: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow)]
    auth: Option<Granted<'a>>,
    #[serde(borrow)]
    mount_point: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mount_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    secret: Option<Secret<'a>>,
    #[serde(borrow)]
    warnings: Option<Vec<Cow<'a, str>>>,
}

#[derive(Deserialize)]
struct Granted<'a> {
    #[serde(borrow)]
    accessor: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_token: Option<Cow<'a, str>>,
    token_ttl: Option<u64>,
}

#[derive(Deserialize)]
struct Secret<'a> {
    #[serde(borrow)]
    lease_id: Option<Cow<'a, str>>,
}
