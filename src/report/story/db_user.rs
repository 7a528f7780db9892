//! A user of a database, and whose request may have made it.

use super::json::client;
use super::words;
use crate::report::printable;
use crate::story::{Candidate, Found};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// As text.
pub fn text(found: &Found) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "Database user {}", printable(&found.name.name));
    match found.name.made {
        Some(made) => {
            let _ = writeln!(out, "made at {made}, by its name; clocks may differ");
        }
        None => out.push_str("its name is cut before the second of issue: names alone decide\n"),
    }
    if let Some((from, until)) = found.logs {
        let _ = writeln!(out, "in logs from {from} until {until}");
    }
    if found.candidates.is_empty() {
        let _ = writeln!(out, "\nNobody: {}", nobody(found));
        return out;
    }
    out.push_str("\nCandidates, the most likely first\n");
    for (place, candidate) in found.candidates.iter().enumerate() {
        one(place + 1, candidate, &mut out);
    }
    if found.left_out > 0 {
        let _ = writeln!(
            out,
            "  … and {} more requests that fit; narrow it with --since and --until",
            found.left_out
        );
    }
    let _ = writeln!(
        out,
        "\nTo be sure: audit logs have a hash of the name in the answer, which `vault write sys/audit-hash/DEVICE \
         input=NAME`\ntells, unless the mount leaves user names unhashed. `grep` for it, and compare request IDs. \
         The rest of the\naccount: --lease."
    );
    out
}

fn one(place: usize, candidate: &Candidate, out: &mut String) {
    let moment = &candidate.moment;
    let who = moment.who.as_deref().map_or("a token that Vault did not know".to_owned(), words::client);
    let _ = writeln!(out, "  {place}. {}", printable(&who));
    let mut details = Vec::new();
    if let Some(source) = moment.source {
        details.push(format!("from {source}"));
    }
    details.push(format!("{} of {}{}", words::headline_of_issue(moment), moment.mount, moment.role));
    details.push(format!("at {}", moment.at));
    match candidate.off {
        Some(0) => details.push("under way in that second".to_owned()),
        Some(off) => details.push(format!("{} off", words::seconds(off as f64 / 1e9))),
        None => {}
    }
    details.push(format!("as {} names users", candidate.template.plugins));
    let _ = writeln!(out, "     {}", printable(&details.join(", ")));
    let mut ids = Vec::new();
    match &moment.lease {
        Some(lease) => ids.push(format!("lease {lease}")),
        None if moment.wrapped => {
            ids.push("wrapped: the log has its lease where it was unwrapped".to_owned());
        }
        None => {}
    }
    if let Some(request) = moment.request {
        ids.push(format!("request {request}"));
    }
    if let Some(accessor) = moment.accessor {
        ids.push(format!("token accessor {}", words::hash(accessor)));
    }
    let _ = writeln!(out, "     {}", printable(&ids.join(", ")));
}

/// Why there is no candidate.
pub(super) fn nobody(found: &Found) -> &'static str {
    match (found.name.made, found.logs) {
        (_, None) => "the logs have no audit entry",
        (Some(made), Some((from, _))) if made < from => "the logs begin after it was made",
        (Some(made), Some((_, until))) if made > until => "the logs end before it was made",
        (Some(_), _) => {
            "no credential was issued around that second to a client and of a role of these names. The connection \
             may have a username_template of its own, or the log of the node that issued it is missing"
        }
        (None, _) => "no credential was issued to a client and of a role of these names",
    }
}

/// As one JSON document: `db_user`.
pub fn json(found: &Found) -> String {
    let mut of = Map::new();
    of.insert("name".to_owned(), json!(found.name.name));
    if let Some(made) = found.name.made {
        of.insert("made_at".to_owned(), json!(made.to_string()));
    }
    if let Some((from, until)) = found.logs {
        of.insert("logs_from".to_owned(), json!(from.to_string()));
        of.insert("logs_until".to_owned(), json!(until.to_string()));
    }
    of.insert("candidates".to_owned(), found.candidates.iter().map(candidate).collect());
    of.insert("candidates_left_out".to_owned(), json!(found.left_out));
    if found.candidates.is_empty() {
        of.insert("nobody".to_owned(), json!(nobody(found)));
    }
    crate::harmless::json(format!("{:#}\n", json!({ "db_user": of })))
}

fn candidate(candidate: &Candidate) -> Value {
    let moment = &candidate.moment;
    let fields = [
        ("at", Some(json!(moment.at.to_string()))),
        ("asked_at", candidate.asked.map(|at| json!(at.to_string()))),
        ("off_seconds", candidate.off.map(|off| json!(off as f64 / 1e9))),
        ("template", Some(json!(candidate.template.plugins))),
        ("outcome", Some(json!(moment.outcome))),
        ("client", moment.who.as_deref().map(client)),
        ("source", moment.source.map(|source| json!(source.to_string()))),
        ("namespace", Some(json!(if moment.namespace.is_empty() { "root" } else { &moment.namespace }))),
        ("mount", Some(json!(&*moment.mount))),
        ("role", Some(json!(&*moment.role))),
        ("lease", moment.lease.as_ref().map(|lease| json!(&**lease))),
        ("wrapped", moment.wrapped.then_some(Value::Bool(true))),
        ("request", moment.request.map(|id| json!(id.to_string()))),
        ("accessor", moment.accessor.map(|hash| json!(words::hash(hash)))),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect::<Map<_, _>>()
        .into()
}
