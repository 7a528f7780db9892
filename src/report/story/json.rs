//! JSON: a story for programs. The names of its fields are stable; what is not known is absent.

use super::{Told, words};
use crate::event::{Timestamp, Who};
use crate::harmless;
use crate::story::{End, Life, Moment, What};
use serde_json::{Map, Value, json};

/// One document: `as_of`, `period` where one was asked for, `story`, `episodes`.
pub fn json(told: &Told) -> String {
    let story = &told.story;
    let left_out = story.left_out;
    let mut of = fields([
        ("kind", Some(json!(story.topic.kind()))),
        ("name", Some(json!(story.topic.name()))),
        ("lease", story.resolved.as_ref().map(|lease| json!(lease))),
        ("part", story.part.as_ref().map(|part| json!(part))),
        ("clients", Some(story.clients.iter().map(client).collect())),
        ("moments", Some(story.moments.iter().map(moment).collect())),
        ("moments_left_out", Some(json!(left_out.moments))),
        ("left_out_from", left_out.between.map(|(from, _)| time(from))),
        ("left_out_until", left_out.between.map(|(_, until)| time(until))),
        ("other_requests", Some(json!(story.others))),
        ("leases", Some(story.lives.iter().map(life).collect())),
        ("leases_left_out", Some(json!(story.lives_left_out))),
    ]);
    of.insert("untold".to_owned(), json!(told.untold()));
    let mut document = json!({ "as_of": time(told.as_of), "story": of, "episodes": told.episodes });
    if let Some(period) = told.period {
        document["period"] = period.json();
    }
    harmless::json(format!("{document:#}\n"))
}

fn moment(moment: &Moment) -> Value {
    let operation = match moment.what {
        What::Privileged(operation) => Some(json!(operation.name())),
        What::Revocation(form) => Some(json!(form.name())),
        _ => None,
    };
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    Value::Object(fields([
        ("at", Some(time(moment.at))),
        ("event", Some(json!(words::name(moment.what)))),
        ("operation", operation),
        ("outcome", Some(json!(moment.outcome))),
        ("reason", moment.reason.map(|reason| json!(reason))),
        ("root_token", moment.root.then_some(Value::Bool(true))),
        ("request", moment.request.map(|id| json!(id.to_string()))),
        ("client", moment.who.as_deref().map(client)),
        ("source", moment.source.map(|source| json!(source.to_string()))),
        ("accessor", moment.accessor.map(|hash| json!(words::hash(hash)))),
        ("namespace", moment.request.map(|_| json!(root(&moment.namespace)))),
        ("mount", text(&moment.mount)),
        ("role", text(&moment.role)),
        ("path", text(&moment.path)),
        ("lease", moment.lease.as_ref().map(|lease| json!(&**lease))),
        ("rests_on", moment.lease.as_ref().map(|_| json!(words::rests(moment.rests).0))),
        ("wrapped", moment.wrapped.then_some(Value::Bool(true))),
        ("ttl_seconds", moment.ttl.map(|secs| json!(secs))),
        ("asked_ttl_seconds", moment.asked_ttl.map(|secs| json!(secs))),
        ("failed_attempts", (moment.attempts > 0).then(|| json!(moment.attempts))),
        ("next_attempt_seconds", moment.next_attempt.map(|nanos| json!(nanos as f64 / 1e9))),
    ]))
}

fn life(life: &Life) -> Value {
    Value::Object(fields([
        ("lease", Some(json!(&*life.lease))),
        ("namespace", life.issued.map(|_| json!(root(&life.namespace)))),
        ("mount", (!life.mount.is_empty()).then(|| json!(&*life.mount))),
        ("role", (!life.role.is_empty()).then(|| json!(&*life.role))),
        ("issued_at", life.issued.map(time)),
        ("request", life.request.map(|id| json!(id.to_string()))),
        ("client", life.who.as_deref().map(client)),
        ("source", life.source.map(|source| json!(source.to_string()))),
        ("accessor", life.accessor.map(|hash| json!(words::hash(hash)))),
        ("renewals", Some(json!(life.renewals))),
        ("renewed_at", life.renewed.map(time)),
        ("failed_attempts", Some(json!(life.failed_attempts))),
        ("ended_at", life.ended.map(time)),
        ("ended_by", life.end.filter(|_| life.ended.is_some()).map(|end| json!(end.name()))),
        ("ended_by_request", life.end.and_then(End::request).map(|id| json!(id.to_string()))),
        ("used_seconds", life.used().map(|secs| json!(secs))),
        ("role_ttl_seconds", life.granted.as_ref().map(|granted| json!(granted.secs))),
        ("role_ttl_source", life.granted.as_ref().map(|granted| json!(granted.source))),
    ]))
}

/// A client, as a moment and a lease name it.
pub(super) fn client(who: &Who) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| json!(text));
    Value::Object(fields([
        ("entity_id", text(&who.requester.entity)),
        ("display_name", text(&who.requester.display_name)),
        ("role", text(&who.role)),
    ]))
}

fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn time(at: Timestamp) -> Value {
    json!(at.to_string())
}

fn root(namespace: &str) -> &str {
    if namespace.is_empty() { "root" } else { namespace }
}
