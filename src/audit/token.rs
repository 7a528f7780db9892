//! Tokens: what an entry says of the caller's own, and of one that an answer hands out.

use super::hashed;
use super::view::{Auth, Granted};
use crate::event::{Caller, GrantedToken, Timestamp};

/// Who asked.
pub(super) fn caller(auth: Option<&Auth<'_>>) -> Caller {
    let Some(auth) = auth else { return Caller::default() };
    let accessor = hashed::token(&auth.accessor);
    Caller {
        known: auth.policies.any
            || accessor.is_some()
            || !auth.display_name.is_empty()
            || !auth.entity_id.is_empty(),
        root: auth.policies.root,
        accessor,
        batch_end: if auth.token_type.is_batch { end(auth) } else { None },
    }
}

/// When the caller's token ends, where it cannot be renewed: a batch token.
fn end(auth: &Auth<'_>) -> Option<Timestamp> {
    let ttl = auth.token_ttl.secs().filter(|ttl| *ttl > 0)?;
    let issued = Timestamp::parse_rfc3339(&auth.token_issue_time)?;
    Some(issued.plus_secs(i64::try_from(ttl).ok()?))
}

/// The token that an answer hands out.
pub(super) fn granted(auth: &Granted<'_>) -> GrantedToken {
    GrantedToken {
        accessor: hashed::token(&auth.accessor),
        token: hashed::token(&auth.client_token),
        ttl: auth.token_ttl.secs().unwrap_or(0),
        is_service: !auth.token_type.is_batch,
    }
}
