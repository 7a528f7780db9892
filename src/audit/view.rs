//! A view of an audit line: the fields we use, borrowed from the line. Every
//! field may be missing (Vault leaves out what is empty, older versions lack
//! many): a text is empty then. Unknown ones are passed over.

use super::loose::{Amount, Data, Loose, Metadata, Policies, Str, TokenType};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Line<'a> {
    #[serde(borrow, default)]
    pub(super) time: Str<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Str<'a>,
    #[serde(borrow)]
    pub(super) auth: Option<Auth<'a>>,
    #[serde(borrow)]
    pub(super) request: Option<Request<'a>>,
    #[serde(borrow)]
    pub(super) response: Option<Response<'a>>,
    #[serde(borrow, default)]
    pub(super) error: Str<'a>,
    #[serde(borrow)]
    pub(super) forwarded: Option<Loose<'a>>,
    #[serde(borrow, default)]
    pub(super) forwarded_from: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Auth<'a> {
    #[serde(borrow, default)]
    pub(super) display_name: Str<'a>,
    #[serde(borrow, default)]
    pub(super) entity_id: Str<'a>,
    #[serde(borrow, default)]
    pub(super) accessor: Str<'a>,
    #[serde(default)]
    pub(super) policies: Policies,
    #[serde(borrow)]
    pub(super) metadata: Option<Metadata<'a>>,
    #[serde(default)]
    pub(super) token_type: TokenType,
    #[serde(default)]
    pub(super) token_ttl: Amount,
    #[serde(borrow, default)]
    pub(super) token_issue_time: Str<'a>,
}

/// `response.auth`: a token that the answer carries.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Granted<'a> {
    #[serde(borrow, default)]
    pub(super) accessor: Str<'a>,
    #[serde(borrow, default)]
    pub(super) client_token: Str<'a>,
    #[serde(default)]
    pub(super) token_type: TokenType,
    #[serde(default)]
    pub(super) token_ttl: Amount,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Request<'a> {
    #[serde(borrow, default)]
    pub(super) id: Str<'a>,
    #[serde(borrow, default)]
    pub(super) operation: Str<'a>,
    #[serde(borrow, default)]
    pub(super) mount_point: Str<'a>,
    #[serde(borrow, default)]
    pub(super) mount_type: Str<'a>,
    #[serde(borrow)]
    pub(super) namespace: Option<Namespace<'a>>,
    #[serde(borrow, default)]
    pub(super) path: Str<'a>,
    #[serde(borrow)]
    pub(super) data: Option<Data<'a>>,
    #[serde(borrow, default)]
    pub(super) remote_address: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Namespace<'a> {
    #[serde(borrow, default)]
    pub(super) id: Str<'a>,
    #[serde(borrow, default)]
    pub(super) path: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Response<'a> {
    #[serde(borrow)]
    pub(super) auth: Option<Box<Granted<'a>>>,
    #[serde(borrow, default)]
    pub(super) mount_point: Str<'a>,
    #[serde(borrow, default)]
    pub(super) mount_type: Str<'a>,
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
    #[serde(borrow, default)]
    pub(super) lease_id: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct WrapInfo<'a> {
    #[serde(borrow, default)]
    pub(super) token: Str<'a>,
    #[serde(borrow, default)]
    pub(super) accessor: Str<'a>,
    #[serde(borrow, default)]
    pub(super) creation_path: Str<'a>,
}
