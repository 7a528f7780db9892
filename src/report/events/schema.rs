//! The schema: which columns the file of events has, what is in each, and where it comes from. The names
//! are those of a story's moments, but for `time`, since `AT` is a word of SQL. They are stable; new ones come
//! at the end.

use super::column::{Cell, Form};
use crate::event::{RevocationForm, Text};
use crate::report::story::words;
use crate::story::{Registered, What};
use aws_lc_rs::digest::{SHA256, digest};
use std::fmt::Write;

/// Letters of a lease's name: 128 bits.
const LEASE_LETTERS: usize = 32;

/// A column of the file.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its values are.
    pub form: Form,
    /// What they mean.
    pub help: &'static str,
    /// The value of an event.
    pub(super) of: fn(&Registered) -> Cell<'_>,
}

impl std::fmt::Debug for Field {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.form.name())
    }
}

/// Every column.
pub const SCHEMA: &[Field] = &[
    field(
        "time",
        Form::Time,
        "when the log has it: an answer, or a line of the server log; cut to microseconds",
        |e| Cell::Whole(e.moment.at.as_nanos().div_euclid(1_000)),
    ),
    field("event", Form::Text, "what happened, see above", |e| text(words::name(e.moment.what))),
    field(
        "operation",
        Form::Text,
        "of `privileged`, which (as in [metrics.md](metrics.md)); of `revocation_request`, `lease`, `prefix`, `force` or `token`",
        |e| match e.moment.what {
            What::Privileged(operation) => text(operation.name()),
            What::Revocation(form) => text(form.name()),
            _ => Cell::Null,
        },
    ),
    field(
        "outcome",
        Form::Text,
        "`ok`, `queued` (to be done later), `denied` (by a policy) or `failed`",
        |e| text(e.moment.outcome),
    ),
    field(
        "reason",
        Form::Text,
        "why not, by class; `hashed` where the log has only a hash of what the caller was told",
        |e| e.moment.reason.map_or(Cell::Null, text),
    ),
    field("namespace", Form::Text, "path of the namespace; `root` for that one", namespace),
    field(
        "mount",
        Form::Text,
        "path of the mount in its namespace, with the last slash: that of the lease, where the event is about one whose ID is known",
        |e| text(&e.moment.mount),
    ),
    field("engine", Form::Text, "type of the mount, once a request to it has worked", |e| text(&e.engine)),
    field("role", Form::Text, "the role that a credential is of, as in metrics", |e| text(&e.moment.role)),
    field(
        "path",
        Form::Text,
        "what was asked for, without what may be a token, an accessor or a lease ID",
        path,
    ),
    field("entity", Form::Text, "entity ID of who asked", |e| {
        e.moment.who.as_deref().map_or(Cell::Null, |who| text(&who.requester.entity))
    }),
    field("display_name", Form::Text, "display name of the token", |e| {
        e.moment.who.as_deref().map_or(Cell::Null, |who| text(&who.requester.display_name))
    }),
    field(
        "auth_role",
        Form::Text,
        "role of the auth method, or user name, that the token was got with",
        |e| e.moment.who.as_deref().map_or(Cell::Null, |who| text(&who.role)),
    ),
    field("root_token", Form::Flag, "the token has the policy `root`; null in the server log", |e| {
        if e.moment.request.is_some() { Cell::Flag(e.moment.root) } else { Cell::Null }
    }),
    field("source", Form::Text, "address that the request came from, as Vault saw it", |e| {
        e.moment.source.map_or(Cell::Null, |source| Cell::Text(source.to_string().into()))
    }),
    field("request", Form::Text, "request ID", |e| {
        e.moment.request.map_or(Cell::Null, |id| Cell::Text(id.to_string().into()))
    }),
    field(
        "accessor",
        Form::Text,
        "the token's accessor, by the first half of the hash that the audit log has of it",
        |e| e.moment.accessor.map_or(Cell::Null, |hash| Cell::Text(words::hash(hash).into())),
    ),
    field(
        "lease",
        Form::Text,
        "the lease, by the first 32 letters of the SHA-256 of its ID; null where the log has no plain ID",
        |e| e.moment.lease.as_deref().map_or(Cell::Null, |lease| Cell::Text(name_of(lease).into())),
    ),
    field("wrapped", Form::Flag, "the answer was wrapped: the log does not have its lease", |e| {
        if e.moment.request.is_some() { Cell::Flag(e.moment.wrapped) } else { Cell::Null }
    }),
    field("took_seconds", Form::Number, "from request to answer, where one log has both", |e| {
        e.took.map_or(Cell::Null, |nanos| Cell::Number(nanos as f64 / 1e9))
    }),
    field("ttl_seconds", Form::Whole, "what a login or a warning granted", |e| whole(e.moment.ttl)),
    field("asked_ttl_seconds", Form::Whole, "what a renewal asked for", |e| whole(e.moment.asked_ttl)),
    field(
        "failed_attempts",
        Form::Whole,
        "how many attempts of Vault's own to revoke have failed so far",
        |e| whole(Some(u64::from(e.moment.attempts)).filter(|attempts| *attempts > 0)),
    ),
    field("next_attempt_seconds", Form::Number, "from then to the next attempt", |e| {
        e.moment.next_attempt.map_or(Cell::Null, |nanos| Cell::Number(nanos as f64 / 1e9))
    }),
];

const fn field(name: &'static str, form: Form, help: &'static str, of: fn(&Registered) -> Cell<'_>) -> Field {
    Field { name, form, help, of }
}

/// What is empty is not known.
fn text(text: &str) -> Cell<'_> {
    if text.is_empty() { Cell::Null } else { Cell::Text(text.into()) }
}

fn whole(number: Option<u64>) -> Cell<'static> {
    number.and_then(|number| i64::try_from(number).ok()).map_or(Cell::Null, Cell::Whole)
}

/// The server log has it by its ID alone, which is known once the audit log has named it.
fn namespace(event: &Registered) -> Cell<'_> {
    match (event.namespace_is_known, event.moment.namespace.as_str()) {
        (false, _) => Cell::Null,
        (true, "") => text("root"),
        (true, path) => text(path),
    }
}

/// What a request to revoke names may be a whole lease ID.
fn path(event: &Registered) -> Cell<'_> {
    let path = event.moment.path.as_str();
    let names_leases =
        matches!(event.moment.what, What::Revocation(RevocationForm::Prefix | RevocationForm::Force));
    let verb = |verb: &str| path.find(verb).map(|at| &path[..at + verb.len()]);
    let cut = names_leases.then(|| verb("revoke-prefix").or_else(|| verb("revoke-force")).unwrap_or(""));
    text(cut.unwrap_or(path))
}

/// A lease in the place of its ID, which is all that it takes to revoke it: whoever has the ID can make
/// this name of it, and nobody can do it the other way, since an ID has 24 letters by chance.
fn name_of(lease: &str) -> Text {
    let hash = digest(&SHA256, lease.as_bytes());
    let mut name = String::with_capacity(2 * hash.as_ref().len());
    for byte in hash.as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name.truncate(LEASE_LETTERS);
    name.into()
}
