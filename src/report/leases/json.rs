//! Leases as JSON, for programs. docs/leases.md documents every field.

use super::group::{Group, Key, groups};
use super::{By, Is, Leases, View};
use crate::event::{Requester, RevocationTrouble, Timestamp};
use crate::harmless;
use crate::state::{Condition, LeaseView};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Document<'l> {
    as_of: String,
    notes: &'l [String],
    #[serde(flatten)]
    what: What<'l>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum What<'l> {
    Groups(Vec<GroupRow>),
    Leases(Vec<LeaseRow<'l>>),
}

#[derive(Serialize)]
struct GroupRow {
    #[serde(flatten)]
    key: KeyRow,
    leases: u64,
    oldest_issued: Option<String>,
    next_end: Option<String>,
    overdue: u64,
    retrying: u64,
    stuck: u64,
    causes: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum KeyRow {
    Role { vault_namespace: String, mount: String, role: String },
    Requester { requester: Option<Requester> },
}

#[derive(Serialize)]
struct LeaseRow<'l> {
    vault_namespace: &'l str,
    mount: &'l str,
    engine: &'l str,
    role: &'l str,
    condition: &'static str,
    issued: Option<String>,
    age_seconds: Option<i64>,
    ends: Option<String>,
    ends_in_seconds: Option<i64>,
    failed_attempts: Option<u32>,
    next_attempt: Option<String>,
    cause: Option<&'static str>,
    requester: Option<&'l Requester>,
}

/// The leases as one JSON document: `as_of`, `notes`, and `groups` or `leases`.
///
/// # Errors
/// None that these types can have.
pub fn json(leases: &Leases, view: View) -> serde_json::Result<String> {
    let what = match view {
        View::Summary(by) => What::Groups(summary(leases, by)),
        View::List => What::Leases(leases.leases.iter().map(|lease| row(lease, leases.as_of)).collect()),
    };
    let document = Document { as_of: leases.as_of.to_string(), notes: &leases.notes, what };
    serde_json::to_string_pretty(&document).map(|text| harmless::json(text) + "\n")
}

fn summary(leases: &Leases, by: By) -> Vec<GroupRow> {
    let row = |(key, group): (Key, Group)| GroupRow {
        key: match key {
            Key::Role(namespace, mount, role) => KeyRow::Role {
                vault_namespace: namespace.to_string(),
                mount: mount.to_string(),
                role: role.to_string(),
            },
            Key::Requester(who) => KeyRow::Requester {
                requester: who.map(|(display_name, entity)| Requester { entity, display_name }),
            },
        },
        leases: group.leases,
        oldest_issued: text(group.oldest),
        next_end: text(group.next_end),
        overdue: group.overdue,
        retrying: group.retrying,
        stuck: group.stuck,
        causes: group.causes.iter().map(|(cause, count)| (cause.name(), *count)).collect(),
    };
    groups(&leases.leases, by).into_iter().map(row).collect()
}

fn row(lease: &LeaseView, as_of: Timestamp) -> LeaseRow<'_> {
    let (attempts, next, cause) = match lease.condition {
        Condition::Live | Condition::Overdue => (None, None, None),
        Condition::Retrying { attempts, next_attempt, cause } => (Some(attempts), next_attempt, Some(cause)),
        Condition::Stuck { cause } => (None, None, Some(cause)),
    };
    let secs = |nanos: i64| nanos.div_euclid(1_000_000_000);
    LeaseRow {
        vault_namespace: &lease.vault_namespace,
        mount: &lease.mount,
        engine: &lease.engine,
        role: &lease.role,
        condition: Is::of(&lease.condition).name(),
        issued: text(lease.issued),
        age_seconds: lease.issued.map(|issued| secs(as_of.nanos_since(issued))),
        ends: text(lease.ends),
        ends_in_seconds: lease.ends.map(|ends| secs(ends.nanos_since(as_of))),
        failed_attempts: attempts,
        next_attempt: text(next),
        cause: cause.map(RevocationTrouble::name),
        requester: lease.requester.as_ref(),
    }
}

fn text(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, examples};
    use super::*;
    use serde_json::{Value, json};

    fn shown(view: View) -> Value {
        let mut leases = examples::leases();
        leases.select(&Filter::default());
        serde_json::from_str(&super::json(&leases, view).unwrap()).unwrap()
    }

    #[test]
    fn a_lease_has_every_field_and_no_id() {
        let document = shown(View::List);
        assert_eq!(document["as_of"], "2026-01-02T03:00:00Z");
        assert_eq!(document["notes"], json!(["Ends are estimated"]));
        let leases = document["leases"].as_array().unwrap();
        assert_eq!(leases.len(), 7);
        let retrying = json!({
            "vault_namespace": "root", "mount": "database/", "engine": "database", "role": "app",
            "condition": "retrying", "issued": "2026-01-02T01:58:20Z", "age_seconds": 3700,
            "ends": "2026-01-02T02:58:20Z", "ends_in_seconds": -100, "failed_attempts": 3,
            "next_attempt": "2026-01-02T03:00:40Z", "cause": "connection",
            "requester": {"entity": "ent-1", "display_name": "approle"},
        });
        assert_eq!(leases[1], retrying);
        assert_eq!(leases[6]["issued"], Value::Null);
        assert!(!document.to_string().contains("secret"));
    }

    #[test]
    fn groups_have_their_name_and_their_counts() {
        let document = shown(View::Summary(By::Role));
        let app = json!({
            "vault_namespace": "root", "mount": "database/", "role": "app", "leases": 5,
            "oldest_issued": "2026-01-01T02:00:00Z", "next_end": "2026-01-02T03:00:30Z",
            "overdue": 0, "retrying": 1, "stuck": 1, "causes": {"connection": 1, "object_dependency": 1},
        });
        assert_eq!(document["groups"][0], app);
        let document = shown(View::Summary(By::Requester));
        assert_eq!(document["groups"][0]["requester"], Value::Null);
        assert_eq!(document["groups"][2]["requester"]["display_name"], "kubernetes-web");
    }
}
