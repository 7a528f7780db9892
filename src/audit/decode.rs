//! Decoding: one line of an audit device to one event, or the reason why not.

use super::classify::{action, operation};
use super::duration::seconds;
use super::hashed::is_hashed;
use super::loose::{Amount, Data, Loose};
use super::view::{self, Line};
use super::{error_text, hashed, json, token};
use crate::event::{
    Action, Caller, Entry, Event, EventKind, Failure, Mount, OWN_MARKER_PREFIX, Operation, Outcome,
    RequestId, Requester, Stage, Text, Timestamp, Who, WrittenTtl, WrittenTtls,
};
use core::net::IpAddr;

/// Why a line could not be read: the label `reason` of `leasewatch_log_unreadable_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Unreadable {
    /// It is not one JSON object.
    #[error("not a JSON object")]
    NotJson,
    /// It is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// A JSON object, but no audit entry: a field has the wrong type, or `request` is missing.
    #[error("not the shape of an audit entry")]
    WrongShape,
    /// It has no time that can be read.
    #[error("no readable time")]
    NoTime,
    /// It is XML: the format `jsonx`, which Vault offered and OpenBao dropped.
    #[error("jsonx, which is not supported: set format = \"json\" on the audit device")]
    Jsonx,
}

/// Decodes one line: a JSON object, without a prefix and without its end.
///
/// # Errors
/// The reason, to be counted; the next line is not affected.
pub fn decode(line: &str) -> Result<Event, Unreadable> {
    // The quick way, and the thorough one for what is unusual or wrong.
    let line: Line<'_> = match json::read(line).map_or_else(|| serde_json::from_str(line), Ok) {
        Ok(line) => line,
        Err(error) if error.is_data() => return Err(Unreadable::WrongShape),
        Err(_) if line.starts_with("<json:object") => return Err(Unreadable::Jsonx),
        Err(_) => return Err(Unreadable::NotJson),
    };
    let at = Timestamp::parse_rfc3339(&line.time).ok_or(Unreadable::NoTime)?;
    let stage = match &*line.kind {
        "request" => Stage::Request,
        "response" => Stage::Response,
        // `kmip-request` and other kinds that engines log for themselves.
        kind if kind.ends_with("-request") || kind.ends_with("-response") => {
            return Ok(Event { at, kind: EventKind::Nothing });
        }
        _ => return Err(Unreadable::WrongShape),
    };
    let entry = entry(stage, &line).ok_or(Unreadable::WrongShape)?;
    Ok(Event { at, kind: EventKind::Audit(Box::new(entry)) })
}

fn entry(stage: Stage, line: &Line<'_>) -> Option<Entry> {
    let request = line.request.as_ref()?;
    let response = line.response.as_ref();
    let namespace = request.namespace.as_ref().map_or("", |namespace| &namespace.path).trim_matches('/');
    let point = first(&request.mount_point, response.map_or("", |r| &r.mount_point));
    let engine = first(&request.mount_type, response.map_or("", |r| &r.mount_type));
    let point = below(namespace, point);
    let path = request.path.trim_start_matches('/');
    // Relative to the namespace in all code that was read; should a version
    // not agree, the mount point tells.
    let path = if point.is_empty() || path.starts_with(point) { path } else { below(namespace, path) };
    let mount = (!point.is_empty()).then(|| Mount { point: point.into(), engine: engine.into() });
    let operation = operation(&request.operation);

    let auth = line.auth.as_ref();
    let caller = token::caller(auth);
    let mut action = action(path, operation, mount.as_ref(), request.data.as_ref());
    let granted_token = response.and_then(|r| r.auth.as_ref());
    if granted_token.is_some() && path.starts_with("auth/") && !path.starts_with("auth/token/") {
        action = Action::Login;
    }
    let outcome = outcome(line, engine, caller);
    let lease = response
        .and_then(|r| r.secret.as_ref())
        .filter(|secret| !secret.lease_id.is_empty())
        .map(|secret| Text::from(&*secret.lease_id));
    // A call that failed while wrapped also carries `wrap_info`, but no path.
    let wrapped = outcome == Outcome::Ok
        && response.and_then(|r| r.wrap_info.as_ref()).is_some_and(|wrap| !wrap.creation_path.is_empty());
    let renews = matches!(action, Action::Renew(_));
    let cap = response.filter(|_| renews || action == Action::Engine && lease.is_some()).and_then(cap);
    let data = request.data.as_ref();
    let who = auth.filter(|_| stage == Stage::Response && caller.known).map(|auth| Who {
        requester: Requester {
            entity: Text::from(&*auth.entity_id),
            display_name: Text::from(&*auth.display_name),
        },
        role: auth.metadata.as_ref().and_then(|data| data.role.as_deref()).unwrap_or_default().into(),
    });
    Some(Entry {
        stage,
        id: RequestId::parse(&request.id),
        operation,
        namespace: namespace.into(),
        namespace_id: request.namespace.as_ref().map_or("", |namespace| &namespace.id).into(),
        path: path.into(),
        engine: (mount.is_none() && !engine.is_empty()).then(|| engine.into()),
        mount,
        caller,
        outcome,
        lease,
        wrapped,
        has_data: response.and_then(|r| r.data.as_ref()).is_some_and(|data| data.keys > 0),
        marker: data
            .and_then(|data| data.marker.as_deref()?.strip_prefix(OWN_MARKER_PREFIX))
            .and_then(RequestId::parse),
        capped: renews && cap.is_some(),
        granted: cap.and_then(left),
        increment: if renews { increment(data) } else { None },
        ttls: if action == Action::Engine && operation == Operation::Write {
            written(data)
        } else {
            WrittenTtls::default()
        },
        token: granted_token.filter(|_| outcome == Outcome::Ok).map(|auth| token::granted(auth)),
        wrapping: match (&action, response.and_then(|r| r.wrap_info.as_ref())) {
            // Whoever unwraps names the token, or uses it as his own.
            (Action::Unwrap, _) => [data.and_then(|data| data.rare().token), caller.accessor],
            (_, Some(wrap)) if wrapped => [hashed::token(&wrap.token), hashed::token(&wrap.accessor)],
            _ => [None; 2],
        },
        who: who.map(Box::new),
        source: source(&request.remote_address),
        action,
        relayed: match stage {
            Stage::Request => !line.forwarded_from.is_empty(),
            Stage::Response => matches!(line.forwarded, Some(Loose::Bool(true))),
        },
    })
}

/// The warning that max TTL cut what was asked for, from where it says to how much:
/// `TTL of "30s" exceeded the effective max_ttl of "27s"; TTL value is capped accordingly`.
fn cap<'l>(response: &'l view::Response<'_>) -> Option<&'l str> {
    let warnings = response.warnings.as_ref()?;
    warnings.iter().find_map(|warning| Some(warning.split_once("exceeded the effective max_ttl")?.1))
}

/// The seconds that such a warning says are left.
fn left(cap: &str) -> Option<u64> {
    let (left, _) = cap.strip_prefix(" of \"")?.split_once('"')?;
    seconds(left)
}

/// For how long a renewal was asked.
fn increment(data: Option<&Data<'_>>) -> Option<u64> {
    match data.map_or(Amount::Absent, |data| data.rare().increment) {
        Amount::Absent => Some(0),
        increment => increment.secs(),
    }
}

/// The TTLs that a write to a secret engine holds, as a role's does.
fn written(data: Option<&Data<'_>>) -> WrittenTtls {
    let data = data.map(Data::rare).unwrap_or_default();
    let ttl = |amount| match amount {
        Amount::Absent => WrittenTtl::Absent,
        Amount::Hidden => WrittenTtl::Hidden,
        Amount::Secs(secs) => WrittenTtl::Secs(secs),
    };
    // Some engines call the default one simply `ttl`.
    let default = if data.default_ttl == Amount::Absent { data.ttl } else { data.default_ttl };
    WrittenTtls { default: ttl(default), max: ttl(data.max_ttl) }
}

/// How it ended. Success is: no `error`, and no `response.data.error`, which is
/// all that is logged where an engine answered with an error of its own (HTTP 400).
fn outcome(line: &Line<'_>, engine: &str, caller: Caller) -> Outcome {
    let error = &*line.error;
    if !error.is_empty() && error_text::left_to_active(error) {
        return Outcome::Forwarded;
    }
    if !error.is_empty() {
        return Outcome::Failed(error_text::classify(error, caller.known));
    }
    let Some(data) = line.response.as_ref().and_then(|response| response.data.as_ref()) else {
        return Outcome::Ok;
    };
    // A secret of a key/value store may have keys of these names. Version 1 answers with an
    // empty `secret`, which no failure has.
    let is_store = matches!(engine, "kv" | "generic" | "cubbyhole");
    if is_store && line.response.as_ref().is_some_and(|response| response.secret.is_some()) {
        return Outcome::Ok;
    }
    if let Some(told) = &data.error
        && (!is_store || data.keys == 1)
    {
        let failure = match error_text::classify(told, caller.known) {
            _ if is_hashed(told) => Failure::Hashed,
            // The engine's own words: as good as hashed.
            Failure::Backend => Failure::Hashed,
            failure => failure,
        };
        return Outcome::Failed(failure);
    }
    match data.http_status_code {
        Some(202) => Outcome::Queued,
        Some(400..) => Outcome::Failed(Failure::Other),
        _ => Outcome::Ok,
    }
}

/// The address of the client; an IPv4 one in the clothes of IPv6 as what it is.
fn source(text: &str) -> Option<IpAddr> {
    // A zone (`%eth0`) belongs to the machine that Vault runs on.
    let address = text.split('%').next().unwrap_or(text);
    address.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// The first of two texts that is not empty.
fn first<'t>(a: &'t str, b: &'t str) -> &'t str {
    if a.is_empty() { b } else { a }
}

/// `path` without the namespace in front, where it has it.
fn below<'p>(namespace: &str, path: &'p str) -> &'p str {
    if namespace.is_empty() {
        return path;
    }
    path.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}
