//! A security event as OCSF has it: of an episode, and of a privileged operation. Every field that leaves
//! stands in docs/oneuptime.md; those that name a client go through `Pseudonyms`.

use super::privacy::Pseudonyms;
use crate::anomaly::{Episode, Severity};
use crate::event::{Privileged, PrivilegedUse, Timestamp};
use crate::harmless::line;
use serde_json::{Map, Value, json};

/// The version of OCSF that the classes and fields are of.
const SCHEMA: &str = "1.3.0";

/// Where an episode stands: it is told again when this changes, and the same twice has the same ID.
pub(super) fn stage(episode: &Episode) -> String {
    let end = if episode.closed_at.is_some() { "closed" } else { "open" };
    let vouched = if episode.acknowledged.is_some() { "-acknowledged" } else { "" };
    format!("{}-{end}{vouched}", episode.severity.name())
}

/// What an episode is about, in a few words without names.
pub(super) fn headline(episode: &Episode) -> String {
    let components: Vec<_> = episode.components.iter().map(|component| component.name.as_str()).collect();
    let touched: Vec<_> = episode.touched.iter().take(3).map(place).collect();
    let touched = if touched.is_empty() { String::new() } else { format!(" at {}", touched.join(", ")) };
    format!(
        "Anomaly ({}, score {:.0}): {}{touched}",
        episode.severity.name(),
        episode.score,
        components.join(", ")
    )
}

/// Namespace, mount and role as one text.
fn place(touched: &crate::anomaly::episodes::TouchedView) -> String {
    let namespace =
        if touched.namespace == "root" { String::new() } else { format!("{}/", touched.namespace) };
    format!("{namespace}{}{}", touched.mount, touched.role)
}

/// Detection Finding.
pub(super) fn episode(episode: &Episode, names: &Pseudonyms) -> Value {
    let is_closed = episode.closed_at.is_some();
    let is_first = episode.raised.len() < 2 && episode.acknowledged.is_none();
    let (activity, activity_name) = match (is_closed, is_first) {
        (true, _) => (3, "Close"),
        (false, true) => (1, "Create"),
        (false, false) => (2, "Update"),
    };
    let (status_id, status) = match (is_closed, episode.acknowledged.is_some()) {
        (_, true) => (3, "Suppressed"),
        (true, false) => (4, "Resolved"),
        (false, false) => (1, "New"),
    };
    let at = if is_closed { episode.closed_at.unwrap_or(episode.updated_at) } else { episode.updated_at };
    let subject = &episode.subject;
    let name = if subject.display_name.is_empty() { &subject.entity_id } else { &subject.display_name };
    let mut event = base(2004, activity, severity(episode.severity), at);
    set(&mut event, "class_name", "Detection Finding");
    set(&mut event, "activity_name", activity_name);
    set(&mut event, "status", status);
    event.insert("status_id".into(), json!(status_id));
    let headline = headline(episode);
    set(&mut event, "message", if names.are_names() { &episode.summary } else { &headline });
    let uid = format!("leasewatch-{}-{}", episode.id, stage(episode));
    event.insert("metadata".into(), metadata(&uid));
    event.insert(
        "finding_info".into(),
        json!({
            "uid": format!("leasewatch-{}", episode.id),
            "title": "Vault access anomaly",
            "types": episode.components.iter().map(|component| &component.name).collect::<Vec<_>>(),
            "first_seen_time": millis(episode.opened_at),
            "last_seen_time": millis(episode.updated_at),
        }),
    );
    if !name.is_empty() {
        event.insert("actor".into(), actor(name, &subject.entity_id, names));
    }
    let resources =
        episode.touched.iter().take(10).map(
            |touched| json!({"type": "vault role", "name": place(touched), "namespace": touched.namespace}),
        );
    event.insert("resources".into(), resources.collect());
    let samples = episode.samples.iter().map(|sample| names.of("request", sample));
    event.insert(
        "unmapped".into(),
        json!({
            "episode": episode.id.to_string(),
            "score": (episode.score * 10.0).round() / 10.0,
            "severity": episode.severity.name(),
            "class": episode.class,
            "by_rule": episode.by_rule,
            "recurrence": episode.recurrence,
            "components": episode.components.iter().map(|component| &component.name).collect::<Vec<_>>(),
            "subject_kind": subject.kind,
            "auth_mount": subject.mount,
            "vault_namespace": subject.namespace,
            "requests": samples.collect::<Vec<_>>(),
        }),
    );
    harmless(Value::Object(event))
}

/// API Activity, or Account Change where it is about who may log in.
pub(super) fn privileged(used: &PrivilegedUse, names: &Pseudonyms) -> Value {
    let is_account = matches!(used.operation, Privileged::AuthWrite | Privileged::IdentityWrite);
    let (class, class_name) = if is_account { (3001, "Account Change") } else { (6003, "API Activity") };
    let operation = used.operation.name();
    let mut event = base(class, 99, importance(used.operation), used.at);
    set(&mut event, "class_name", class_name);
    set(&mut event, "activity_name", operation);
    let is_done = used.outcome == "ok";
    set(&mut event, "status", if is_done { "Success" } else { "Failure" });
    event.insert("status_id".into(), json!(if is_done { 1 } else { 2 }));
    set(&mut event, "status_detail", used.outcome);
    let request = used.request.map(|request| request.to_string()).unwrap_or_default();
    let uid = names.of("request", &format!("{request}{operation}"));
    event.insert("metadata".into(), metadata(&format!("leasewatch-{uid}-{operation}")));
    event.insert("api".into(), json!({"operation": operation, "service": {"name": "vault"}}));
    if !request.is_empty() {
        event["api"]["request"] = json!({"uid": names.of("request", &request)});
    }
    if let Some(who) = &used.who {
        let name = match who.requester.display_name.as_str() {
            "" => who.requester.entity.as_str(),
            name => name,
        };
        event.insert("actor".into(), actor(name, &who.requester.entity, names));
    }
    if let Some(source) = used.source {
        let (source, field) = (source.to_string(), if names.are_names() { "ip" } else { "hostname" });
        event.insert("src_endpoint".into(), json!({field: names.of("address", &source)}));
    }
    let namespace = if used.namespace.is_empty() { "root" } else { used.namespace.as_str() };
    let object = if used.object.is_empty() { used.mount.as_str() } else { used.object.as_str() };
    let resource = json!({"type": "vault mount", "name": object, "namespace": namespace});
    event.insert("resources".into(), json!([resource]));
    event.insert("unmapped".into(), json!({"mount": used.mount, "vault_namespace": namespace}));
    let how = if is_done { String::new() } else { format!(" ({})", used.outcome) };
    set(&mut event, "message", &format!("{} on {object}{how}", words(used.operation)));
    harmless(Value::Object(event))
}

/// The same with every text in one line, and nothing in it that a terminal or an eye would obey.
fn harmless(event: Value) -> Value {
    match event {
        Value::String(text) => Value::String(line(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(harmless).collect(),
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, harmless(value))).collect(),
        other => other,
    }
}

fn base(class: u32, activity: u32, severity: u8, at: Timestamp) -> Map<String, Value> {
    let mut event = Map::new();
    for (field, value) in [
        ("class_uid", json!(class)),
        ("category_uid", json!(class / 1_000)),
        ("activity_id", json!(activity)),
        ("type_uid", json!(class * 100 + activity)),
        ("severity_id", json!(severity)),
        ("time", json!(millis(at))),
    ] {
        event.insert(field.to_owned(), value);
    }
    event
}

fn set(event: &mut Map<String, Value>, field: &str, text: &str) {
    event.insert(field.to_owned(), json!(text));
}

fn metadata(uid: &str) -> Value {
    let product =
        json!({"name": "leasewatch", "vendor_name": "leasewatch", "version": env!("CARGO_PKG_VERSION")});
    json!({"uid": uid, "version": SCHEMA, "product": product})
}

fn actor(name: &str, entity: &str, names: &Pseudonyms) -> Value {
    let mut user = json!({"name": names.of("user", name)});
    if !entity.is_empty() {
        user["uid"] = json!(names.of("entity", entity));
    }
    json!({"user": user})
}

fn millis(at: Timestamp) -> i64 {
    at.as_nanos() / 1_000_000
}

/// High for what pages, medium for a notice.
fn severity(severity: Severity) -> u8 {
    match severity {
        Severity::Page => 4,
        Severity::Notice => 3,
        Severity::Info => 1,
    }
}

/// High: nobody can be watched or stopped any more. Medium: somebody can do more than before. Low: daily work.
fn importance(operation: Privileged) -> u8 {
    match operation {
        Privileged::RootToken
        | Privileged::GenerateRoot
        | Privileged::RawAccess
        | Privileged::AuditChange
        | Privileged::Seal => 4,
        Privileged::PolicyWrite
        | Privileged::AuthWrite
        | Privileged::IdentityWrite
        | Privileged::MountChange
        | Privileged::PluginChange
        | Privileged::NamespaceChange
        | Privileged::RaftSnapshot
        | Privileged::RevokeForce
        | Privileged::RevokePrefix => 3,
        Privileged::RoleWrite | Privileged::ConfigWrite | Privileged::RotateRoot | Privileged::AuditHash => 2,
    }
}

fn words(operation: Privileged) -> &'static str {
    match operation {
        Privileged::RootToken => "A root token was used",
        Privileged::GenerateRoot => "Generating a root token",
        Privileged::RoleWrite => "A role was written",
        Privileged::ConfigWrite => "A secret engine's configuration was written",
        Privileged::RotateRoot => "A root credential was rotated",
        Privileged::PolicyWrite => "A policy was written",
        Privileged::AuthWrite => "An auth method's users, roles or configuration were written",
        Privileged::MountChange => "A mount was changed",
        Privileged::AuditChange => "An audit device was changed",
        Privileged::IdentityWrite => "An identity was written",
        Privileged::PluginChange => "The plugin catalog was changed",
        Privileged::NamespaceChange => "A namespace was changed",
        Privileged::RaftSnapshot => "A snapshot of the storage was taken or restored",
        Privileged::RawAccess => "Raw storage was accessed",
        Privileged::Seal => "Vault was sealed or told to step down",
        Privileged::RevokeForce => "Leases were given up by force",
        Privileged::RevokePrefix => "All leases of a prefix were revoked",
        Privileged::AuditHash => "The hash of a text in the audit log was asked for",
    }
}
