//! A view of an audit line: the fields we use, borrowed from the line. Every
//! field may be missing (Vault leaves out what is empty, older versions lack
//! many), and unknown ones are passed over.

use super::loose::{Data, Loose, Policies, Present, Str};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow)]
    pub(super) time: Option<Str<'a>>,
    #[serde(borrow, rename = "type")]
    pub(super) kind: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) auth: Option<Auth<'a>>,
    #[serde(borrow)]
    pub(super) request: Option<Request<'a>>,
    #[serde(borrow)]
    pub(super) response: Option<Response<'a>>,
    #[serde(borrow)]
    pub(super) error: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) forwarded: Option<Loose<'a>>,
    #[serde(borrow)]
    pub(super) forwarded_from: Option<Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Auth<'a> {
    #[serde(borrow)]
    pub(super) display_name: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) entity_id: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) accessor: Option<Str<'a>>,
    #[serde(default)]
    pub(super) policies: Policies,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) operation: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) mount_point: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) mount_type: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) namespace: Option<Namespace<'a>>,
    #[serde(borrow)]
    pub(super) path: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) data: Option<Data<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Namespace<'a> {
    #[serde(borrow)]
    pub(super) id: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) path: Option<Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Response<'a> {
    #[serde(default)]
    pub(super) auth: Present,
    #[serde(borrow)]
    pub(super) mount_point: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) mount_type: Option<Str<'a>>,
    #[serde(borrow)]
    pub(super) secret: Option<Secret<'a>>,
    #[serde(borrow)]
    pub(super) data: Option<Data<'a>>,
    #[serde(borrow)]
    pub(super) warnings: Option<Vec<Str<'a>>>,
    #[serde(borrow)]
    pub(super) wrap_info: Option<WrapInfo<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Secret<'a> {
    #[serde(borrow)]
    pub(super) lease_id: Option<Str<'a>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct WrapInfo<'a> {
    #[serde(borrow)]
    pub(super) creation_path: Option<Str<'a>>,
}

/// The text of an optional field, empty where it is missing.
pub(super) fn text<'v>(field: Option<&'v Str<'_>>) -> &'v str {
    field.map_or("", |Str(text)| text)
}
