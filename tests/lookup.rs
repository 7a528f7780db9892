//! Leases of a real server: looked up one by one, and listed by role.

#![allow(clippy::unwrap_used, reason = "what is not as it should be is a failed test")]

mod support;
#[path = "vault_api/watch.rs"]
mod watch;

use leasewatch::config::{AuthConfig, Secret, VaultConfig};
use leasewatch::event::{Fact, LeaseKey, OWN_MARKER_PREFIX, Timestamp};
use leasewatch::vault::ApiState;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use support::{Bao, Leasewatch, Postgres};
use watch::{Watch, config, pace, until};

/// A database mount with the roles `app` and `idle`, in the root namespace and in `team-a`.
struct Stage {
    bao: Bao,
    postgres: Postgres,
}

impl Stage {
    fn new() -> Self {
        let stage = Self { bao: Bao::start(), postgres: Postgres::start() };
        stage.bao.write("sys/namespaces/team-a", &json!({}));
        for namespace in ["", "team-a"] {
            let write = |path: &str, body: Value| stage.bao.write_in(namespace, path, &body);
            write("sys/mounts/database", json!({"type": "database"}));
            let url = stage.postgres.connection_url();
            let connection = json!({"plugin_name": "postgresql-database-plugin", "connection_url": url,
                "allowed_roles": "*", "username": "vault_admin", "password": "initial"});
            write("database/config/pg", connection);
            let create =
                "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'";
            for role in ["app", "idle"] {
                let body = json!({"db_name": "pg", "default_ttl": "10m", "max_ttl": "1h", "creation_statements": create});
                write(&format!("database/roles/{role}"), body);
            }
        }
        stage
    }

    fn issue(&self, namespace: &str) -> String {
        let reply = self.bao.root_call("GET", "database/creds/app").namespace(namespace).send();
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.string("/lease_id")
    }

    fn watch(&self, listing_interval: Option<Duration>) -> Watch {
        let auth = AuthConfig::Token(Secret::new(self.bao.root_token()));
        let namespaces = vec![String::new(), "team-a".to_owned()];
        let config = VaultConfig { auth, listing_interval, namespaces, ..config() };
        Watch::start(&[("a", &self.bao.address())], &config, &pace())
    }

    /// What the server itself says of a lease.
    fn times(&self, namespace: &str, lease: &str) -> [Option<Timestamp>; 3] {
        let call = self.bao.root_call("POST", "sys/leases/lookup").namespace(namespace);
        let answer = call.json(&json!({ "lease_id": lease })).send().json();
        let read = |key: &str| answer["data"][key].as_str().and_then(Timestamp::parse_rfc3339);
        [read("issue_time"), read("expire_time"), read("last_renewal")]
    }
}

async fn look_up(watch: &Watch, namespace: &str, lease: &str) -> Fact {
    let key = LeaseKey::of(lease);
    let about = |fact: &Fact| match fact {
        Fact::LeaseTimes { lease, .. } | Fact::LeaseAbsent { lease } => *lease == key,
        _ => false,
    };
    until("room", || watch.lookups.has_room()).await;
    watch.lookups.want(lease.to_owned(), namespace.to_owned());
    let count = || watch.facts().into_iter().filter(about).count();
    until("an answer", || count() > 0).await;
    watch.facts().into_iter().rfind(about).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_a_lease_are_told_as_the_server_has_them() {
    let stage = Stage::new();
    let watched = stage.watch(None);
    for namespace in ["", "team-a"] {
        let lease = stage.issue(namespace);
        let fact = look_up(&watched, namespace, &lease).await;
        let [issued, expires, renewed] = stage.times(namespace, &lease);
        let [issued, expires] = [issued, expires].map(Option::unwrap);
        assert_eq!(renewed, None);
        let expected =
            Fact::LeaseTimes { lease: LeaseKey::of(&lease), issued, expires, renewed, renewable: true };
        assert_eq!(fact, expected);
        let ttl = expires.nanos_since(issued);
        assert!((599_000_000_000..=601_000_000_000).contains(&ttl), "{ttl}");
    }
    let renewed = stage.issue("");
    stage.bao.write("sys/leases/renew", &json!({"lease_id": renewed, "increment": 1200}));
    let Fact::LeaseTimes { issued, renewed: Some(at), expires, .. } = look_up(&watched, "", &renewed).await
    else {
        panic!("no renewal of {renewed}")
    };
    assert!(issued < at && at < expires);
    let revoked = stage.issue("team-a");
    stage.bao.write_in("team-a", "sys/leases/revoke", &json!({"lease_id": revoked, "sync": true}));
    let absent = Fact::LeaseAbsent { lease: LeaseKey::of(&revoked) };
    assert_eq!(look_up(&watched, "team-a", &revoked).await, absent);
    assert!(watched.is("lease_lookup", ApiState::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leases_of_a_role_are_listed_without_wrapping_tokens() {
    let stage = Stage::new();
    let [plain, other, theirs] = ["", "", "team-a"].map(|namespace| stage.issue(namespace));
    let wrapped = stage.bao.root_call("GET", "database/creds/app").wrap("5m").send();
    assert_eq!(wrapped.status, 200);
    let listed_by_hand: Vec<String> = {
        let reply = stage.bao.root_call("LIST", "sys/leases/lookup/database/creds/app").send();
        serde_json::from_value(reply.json()["data"]["keys"].clone()).unwrap()
    };
    assert_eq!(listed_by_hand.len(), 4, "two leases, the wrapped one, and its wrapping token");
    let before = std::fs::read_to_string(stage.bao.audit_log()).unwrap().len();

    let watched = stage.watch(Some(Duration::from_millis(50)));
    let listed = |namespace: &str, role: &str| {
        let wanted = format!("database/creds/{role}/");
        watched.facts().into_iter().rev().find_map(|fact| match fact {
            Fact::Listed { namespace: of, prefix, leases, .. } if of == namespace && prefix == wanted => {
                Some(leases.into_iter().map(|lease| wanted.clone() + &lease).collect::<BTreeSet<_>>())
            }
            _ => None,
        })
    };
    for (namespace, role) in [("", "app"), ("", "idle"), ("team-a", "app"), ("team-a", "idle")] {
        until("a list", || listed(namespace, role).is_some()).await;
    }
    let root = listed("", "app").unwrap();
    assert!(root.len() == 3 && root.contains(&plain) && root.contains(&other), "{root:?}");
    assert_eq!(listed("team-a", "app").unwrap(), BTreeSet::from([theirs]));
    assert_eq!((listed("", "idle").unwrap().len(), listed("team-a", "idle").unwrap().len()), (0, 0));
    assert!(watched.is("lease_listing", ApiState::Ok));

    // Every entry of these calls bears a marker that was told.
    let told = watched.told_so_far();
    watched.stop().await;
    let markers: BTreeSet<_> = told
        .lock()
        .unwrap()
        .iter()
        .filter_map(|told| match &told.fact {
            Fact::OwnMarker { marker } => Some(marker.clone()),
            _ => None,
        })
        .collect();
    let log = std::fs::read_to_string(stage.bao.audit_log()).unwrap();
    let entries = log[before..].lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut calls = 0;
    for entry in entries {
        let request = &entry["request"];
        if request["path"].as_str().is_some_and(|path| path.starts_with("sys/leases/lookup/")) {
            let keys = request["data"].as_object().expect("data").keys();
            let marker: Vec<_> = keys.filter(|key| key.starts_with(OWN_MARKER_PREFIX)).collect();
            assert!(marker.len() == 1 && markers.contains(marker[0]), "{entry}");
            calls += 1;
        }
    }
    assert!(calls >= 8, "{calls}");
}

/// A token of the default policy cannot read roles; one look-up tells what the TTL of one is.
#[test]
fn serve_looks_up_a_lease_of_a_role_whose_ttl_nothing_else_tells() {
    let stage = Stage::new();
    let state = tempfile::Builder::new().prefix("leasewatch-state-").tempdir().unwrap();
    let body = json!({"policies": ["default"], "ttl": "1h"});
    let token = stage.bao.write("auth/token/create", &body).string("/auth/client_token");
    let arguments = [
        "--audit-log",
        stage.bao.audit_log().to_str().unwrap(),
        "--state-dir",
        state.path().to_str().unwrap(),
        "--vault.scrape-interval",
        "1s",
    ]
    .map(str::to_owned);
    let address = stage.bao.address();
    let leasewatch =
        Leasewatch::start(arguments, &[("VAULT_ADDR", address.as_str()), ("VAULT_TOKEN", token.as_str())]);
    stage.issue("");
    leasewatch.metrics_when("the TTL is known by a look-up", |page| {
        let labels = [("mount", "database/"), ("role", "app"), ("source", "lookup")];
        match page.value("leasewatch_role_default_ttl_seconds", &labels) {
            Some(ttl) if (ttl - 600.0).abs() < 0.5 => Ok(()),
            other => Err(format!("it is {other:?}")),
        }
    });
}
