//! Answers: what the simulated Vault says to each request of leasewatch's, from the simulated
//! world as it is then. Pure.

use super::entry::Asked;
use crate::simulator::{RoleState, World};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Name of the simulated cluster.
const CLUSTER: &str = "vault-cluster-demo";
/// The version whose logs the simulator writes.
const VERSION: &str = "2.7.2";

/// TTL of the system, in seconds, which the API shows as 0.
const SYSTEM: u32 = 768 * 3_600;

/// What to say.
#[derive(Debug)]
pub(super) enum Answer {
    /// The `data` of an answer in JSON.
    Data(Value),
    /// A text.
    Text(String),
    /// No, and why.
    Refused(StatusCode, &'static str),
    /// There is nothing at that path.
    Nothing,
}

/// What everybody may know.
pub(super) fn open(path: &str) -> Option<Value> {
    match path {
        "sys/health" => Some(json!({
            "initialized": true,
            "sealed": false,
            "standby": false,
            "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled",
            "version": VERSION,
            "cluster_name": CLUSTER,
            "cluster_id": "0d3a0c6e-6f1d-4b7c-9a59-2f6a5de70001",
        })),
        "sys/leader" => Some(json!({
            "ha_enabled": false,
            "is_self": false,
            "leader_address": "",
            "leader_cluster_address": "",
        })),
        _ => None,
    }
}

/// The answer to a request with a token.
pub(super) fn answer(world: &World, asked: &Asked, body: &Value) -> Answer {
    if !asked.is_allowed {
        return Answer::Refused(StatusCode::FORBIDDEN, "permission denied");
    }
    let namespace = asked.namespace.as_str();
    match asked.path.as_str() {
        // A token without an end.
        "auth/token/lookup-self" => Answer::Data(json!({
            "display_name": "token-leasewatch",
            "expire_time": null,
            "policies": ["default", "leasewatch"],
            "ttl": 0,
            "type": "service",
        })),
        "sys/metrics" => Answer::Text(metrics(world)),
        "sys/mounts" => Answer::Data(mounts(world, namespace, false)),
        "sys/auth" => Answer::Data(mounts(world, namespace, true)),
        "sys/leases/count" => {
            let counts = irrevocable(world, namespace);
            Answer::Data(json!({ "lease_count": counts.values().sum::<u64>(), "counts": counts }))
        }
        "sys/leases/lookup" => lease(world, body["lease_id"].as_str().unwrap_or_default()),
        path => roles(world, namespace, path),
    }
}

fn mounts(world: &World, namespace: &str, is_auth: bool) -> Value {
    let of_namespace = world.mounts().filter(|mount| mount.namespace.trim_end_matches('/') == namespace);
    let entries = of_namespace.filter(|mount| mount.path.starts_with("auth/") == is_auth).map(|mount| {
        let [default, max] =
            [mount.default_ttl, mount.max_ttl].map(|ttl| if ttl == SYSTEM { 0 } else { ttl });
        let config = json!({ "default_lease_ttl": default, "max_lease_ttl": max });
        let value = json!({ "type": mount.kind, "accessor": mount.accessor, "config": config });
        (mount.path.trim_start_matches("auth/").to_owned(), value)
    });
    Value::Object(entries.collect())
}

/// The roles of a database mount, or one of them.
fn roles(world: &World, namespace: &str, path: &str) -> Answer {
    let Some((mount, rest)) = path.split_once("roles") else { return Answer::Nothing };
    let is_of_mount =
        |role: &RoleState<'_>| role.mount == mount && role.namespace.trim_end_matches('/') == namespace;
    let mut roles = world.roles().filter(is_of_mount);
    if let Some(name) = rest.strip_prefix('/') {
        return roles.find(|role| role.name == name).map_or(Answer::Nothing, |role| {
            Answer::Data(json!({
                "db_name": role.connection,
                "default_ttl": role.default_ttl,
                "max_ttl": role.max_ttl,
            }))
        });
    }
    let mut keys: Vec<_> = roles.map(|role| role.name).collect();
    keys.sort_unstable();
    // Vault's way to say that a list is empty.
    if keys.is_empty() { Answer::Nothing } else { Answer::Data(json!({ "keys": keys })) }
}

/// How many leases of a namespace are given up, by the accessors of their mounts.
fn irrevocable(world: &World, namespace: &str) -> BTreeMap<String, u64> {
    let of_namespace = world.mounts().filter(|mount| mount.namespace.trim_end_matches('/') == namespace);
    let accessors: Vec<_> = of_namespace.map(|mount| mount.accessor).collect();
    let mut counts = BTreeMap::new();
    for (_, accessor, _) in world.irrevocable() {
        if accessors.contains(&accessor) {
            *counts.entry(accessor.to_owned()).or_default() += 1;
        }
    }
    counts
}

fn lease(world: &World, id: &str) -> Answer {
    let Some(lease) = world.lease(id) else {
        return Answer::Refused(StatusCode::BAD_REQUEST, "invalid lease");
    };
    Answer::Data(json!({
        "id": id,
        "issue_time": lease.issued.to_string(),
        "expire_time": lease.expires.to_string(),
        "last_renewal": lease.renewed.map(|at| at.to_string()),
        "ttl": lease.ttl,
        "renewable": !lease.is_irrevocable,
    }))
}

/// What Prometheus would be told: of Vault's metrics those that leasewatch makes durable.
fn metrics(world: &World) -> String {
    let totals = world.counters();
    let outstanding = world.leases_outstanding() + world.tokens_outstanding();
    let core = format!("vault_core_active{{cluster=\"{CLUSTER}\"}}");
    let samples = [
        (core.as_str(), 1),
        ("vault_core_handle_request_count", world.truth().requests),
        ("vault_core_handle_login_request_count", world.truth().logins.values().sum()),
        ("vault_database_NewUser_count", totals.leases_created),
        ("vault_database_UpdateUser_count", totals.renewals),
        ("vault_database_DeleteUser_count", totals.revocations),
        ("vault_database_DeleteUser_error", totals.revocation_errors),
        ("vault_expire_lease_expiration", totals.revocations),
        ("vault_expire_lease_expiration_error", totals.revocation_errors),
        ("vault_expire_num_irrevocable_leases", world.irrevocable().len() as u64),
        ("vault_expire_num_leases", outstanding as u64),
        ("vault_expire_renew_count", totals.renewals),
        ("vault_secret_lease_creation", totals.leases_created),
        ("vault_token_creation", totals.tokens_created),
    ];
    let lines: Vec<_> = samples.iter().map(|(name, value)| format!("{name} {value}\n")).collect();
    lines.concat()
}
