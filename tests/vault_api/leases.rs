//! Single leases that are looked up, and the leases of roles that are listed.

use crate::fake::{Answer, Fake, health};
use crate::watch::{Watch, config, until};
use leasewatch::config::VaultConfig;
use leasewatch::event::{Fact, LeaseKey, Timestamp};
use leasewatch::vault::{ApiState, JSON_LIMIT};
use serde_json::{Value, json};
use std::time::Duration;

const LEASE: &str = "database/creds/app/IQKPMGwQG9pFyGhiLuRyKjV6";

/// Asks for the times of a lease once there is room.
async fn want(watch: &Watch, lease: &str, namespace: &str) {
    until("room", || watch.lookups.has_room()).await;
    watch.lookups.want(lease.to_owned(), namespace.to_owned());
}

fn times(expire: &Value, renewed: &Value) -> Value {
    json!({"id": LEASE, "issue_time": "2026-11-23T20:00:00.25Z", "expire_time": expire, "last_renewal": renewed,
        "renewable": true, "ttl": 30})
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

#[tokio::test]
async fn a_lease_that_is_wanted_is_looked_up_once() {
    let fake = Fake::active();
    fake.data("sys/leases/lookup", times(&json!("2026-11-23T20:01:00.25Z"), &Value::Null));
    let watch = fake.watched(&config()).await;
    want(&watch, LEASE, "team-a").await;
    let lease = LeaseKey::of(LEASE);
    let (issued, expires) = (at("2026-11-23T20:00:00.25Z"), at("2026-11-23T20:01:00.25Z"));
    let fact = Fact::LeaseTimes { lease, issued, expires, renewed: None, renewable: true };
    until("its times", || watch.facts().contains(&fact)).await;
    let asked = &fake.seen_at("sys/leases/lookup")[0];
    assert_eq!((asked.method.as_str(), &asked.body["lease_id"]), ("POST", &json!(LEASE)));
    assert_eq!(asked.headers.get("x-vault-namespace").map(String::as_str), Some("team-a"));
    let marker = Fact::OwnMarker { marker: asked.marker().unwrap() };
    assert!(watch.observations().iter().any(|told| told.fact == marker));
    // What was learnt may take a moment to be counted: the same lease has no room again yet.
    want(&watch, LEASE, "team-a").await;
    fake.intervals(3).await;
    assert_eq!(fake.seen_at("sys/leases/lookup").len(), 1);
    assert!(watch.is("lease_lookup", ApiState::Ok));
}

#[tokio::test]
async fn a_renewed_lease_and_one_that_is_gone() {
    let fake = Fake::active();
    let renewed = json!("2026-11-23T20:00:40Z");
    fake.data("sys/leases/lookup", times(&json!("2026-11-23T20:01:40Z"), &renewed));
    let watch = fake.watched(&config()).await;
    want(&watch, LEASE, "").await;
    let renewal = |fact: &Fact| matches!(fact, Fact::LeaseTimes { renewed, .. } if *renewed == Some(at("2026-11-23T20:00:40Z")));
    until("its renewal", || watch.facts().iter().any(renewal)).await;
    fake.says("sys/leases/lookup", Answer::Json(400, json!({"errors": ["invalid lease"]})));
    want(&watch, "database/creds/app/gone", "").await;
    let absent = Fact::LeaseAbsent { lease: LeaseKey::of("database/creds/app/gone") };
    until("its absence", || watch.facts().contains(&absent)).await;
    assert!(watch.is("lease_lookup", ApiState::Ok));
}

#[tokio::test]
async fn other_refusals_say_nothing_of_the_lease() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    for (answer, state) in [
        (Answer::Json(400, json!({"errors": ["namespace not found"]})), ApiState::Failing),
        (Answer::Json(200, json!({"data": times(&Value::Null, &Value::Null)})), ApiState::Failing),
        (Answer::Json(503, json!({"errors": ["Vault is sealed"]})), ApiState::Failing),
    ] {
        fake.says("sys/leases/lookup", answer);
        let before = fake.seen_at("sys/leases/lookup").len();
        want(&watch, &format!("database/creds/app/{before}"), "").await;
        until("asked", || {
            fake.seen_at("sys/leases/lookup").len() > before && watch.is("lease_lookup", state)
        })
        .await;
    }
    let of_a_lease = |fact: &Fact| matches!(fact, Fact::LeaseTimes { .. } | Fact::LeaseAbsent { .. });
    assert!(!watch.facts().iter().any(of_a_lease));
}

#[tokio::test]
async fn without_the_right_nothing_is_looked_up_for_long() {
    let fake = Fake::active();
    fake.denies("sys/leases/lookup");
    let watch = fake.watched(&config()).await;
    want(&watch, LEASE, "").await;
    until("denied", || watch.is("lease_lookup", ApiState::Denied)).await;
    let trouble = watch.api("lease_lookup").and_then(|report| report.trouble).unwrap();
    assert!(trouble.contains(r#"path "sys/leases/lookup" { capabilities = ["update"] }"#), "{trouble}");
    fake.intervals(4).await;
    assert!(!watch.lookups.has_room());
    assert_eq!(fake.seen_at("sys/leases/lookup").len(), 1);
}

#[tokio::test]
async fn a_standby_takes_no_look_up() {
    let fake = Fake::active();
    fake.says("sys/health", Answer::Json(200, health("standby")));
    let watch = fake.watched(&config()).await;
    until("it rests", || watch.is("lease_lookup", ApiState::Idle)).await;
    fake.intervals(3).await;
    assert!(!watch.lookups.has_room());
}

fn listing() -> VaultConfig {
    VaultConfig { listing_interval: Some(Duration::from_millis(80)), ..config() }
}

fn lists(watch: &Watch) -> Vec<(String, Vec<String>, Timestamp)> {
    let listed = |fact| match fact {
        Fact::Listed { prefix, leases, asked, .. } => Some((prefix, leases, asked)),
        _ => None,
    };
    watch.facts().into_iter().filter_map(listed).collect()
}

#[tokio::test]
async fn every_role_is_listed_in_turn_without_wrapping_tokens() {
    let fake = Fake::active();
    fake.data("database/roles", json!({"keys": ["app", "idle"]}));
    fake.data("database/roles/idle", json!({"db_name": "pg", "default_ttl": 60, "max_ttl": 180}));
    let token = "h".to_owned() + &"0a".repeat(32);
    let keys = json!({"keys": ["IQKPMGwQG9pFyGhiLuRyKjV6", token, "aQKPMGwQG9pFyGhiLuRyKjV6.a1B2c"]});
    fake.data("sys/leases/lookup/database/creds/app/", keys);
    let watch = fake.watched(&listing()).await;
    until("four lists", || lists(&watch).len() >= 4).await;
    let lists = lists(&watch);
    // The walk through the roles may tell the second one a moment later.
    for (prefix, leases, _) in &lists {
        match prefix.as_str() {
            "database/creds/app/" => {
                assert_eq!(*leases, ["IQKPMGwQG9pFyGhiLuRyKjV6", "aQKPMGwQG9pFyGhiLuRyKjV6.a1B2c"]);
            }
            "database/creds/idle/" => assert!(leases.is_empty()),
            other => panic!("{other}"),
        }
    }
    let prefixes: Vec<_> = lists.iter().rev().take(3).map(|(prefix, ..)| prefix).collect();
    assert!(prefixes[0] != prefixes[1] && prefixes[0] == prefixes[2], "{prefixes:?}");
    assert!(lists.windows(2).all(|pair| pair[0].2 < pair[1].2));
    let told = watch.observations();
    let told = told.iter().find(|told| matches!(told.fact, Fact::Listed { .. })).unwrap();
    assert!(matches!(told.fact, Fact::Listed { asked, .. } if asked <= told.at));
    let asked = &fake.seen_at("sys/leases/lookup/database/creds/app/")[0];
    assert!(asked.query.starts_with("list=true&leasewatch-"), "{}", asked.query);
    assert!(watch.is("lease_listing", ApiState::Ok));
}

#[tokio::test]
async fn a_role_with_too_many_leases_is_not_told_and_the_others_are() {
    let fake = Fake::active();
    fake.data("database/roles", json!({"keys": ["app", "huge", "long"]}));
    for role in ["huge", "long"] {
        fake.data(
            &format!("database/roles/{role}"),
            json!({"db_name": "pg", "default_ttl": 0, "max_ttl": 0}),
        );
    }
    fake.data("sys/leases/lookup/database/creds/app/", json!({"keys": ["a"]}));
    let many: Vec<_> = (0..200_001).map(|number| format!("{number:06}")).collect();
    fake.data("sys/leases/lookup/database/creds/huge/", json!({ "keys": many }));
    fake.says("sys/leases/lookup/database/creds/long/", Answer::Huge(JSON_LIMIT + 1));
    let watch = fake.watched(&listing()).await;
    for role in ["huge", "long"] {
        let path = format!("sys/leases/lookup/database/creds/{role}/");
        until("asked", || fake.seen_at(&path).len() >= 2).await;
    }
    until("a list", || !lists(&watch).is_empty()).await;
    assert!(lists(&watch).iter().all(|(prefix, ..)| prefix == "database/creds/app/"));
    let report = watch.api("lease_listing").unwrap();
    assert_eq!(report.state, ApiState::Failing, "one role that can be listed makes up for no other");
    let trouble = report.trouble.unwrap();
    assert!(trouble.contains("200000 leases") && trouble.contains("vault.listing_interval"), "{trouble}");
}

#[tokio::test]
async fn without_the_right_to_list_the_missing_line_is_named() {
    let fake = Fake::active();
    fake.denies("sys/leases/lookup/database/creds/app/");
    let watch = fake.watched(&listing()).await;
    until("denied", || watch.is("lease_listing", ApiState::Denied)).await;
    fake.intervals(5).await;
    assert_eq!(fake.seen_at("sys/leases/lookup/database/creds/app/").len(), 1);
    let trouble = watch.api("lease_listing").and_then(|report| report.trouble).unwrap();
    let line = r#"path "sys/leases/lookup/database/creds/*" { capabilities = ["list", "sudo"] }"#;
    assert!(trouble.contains(line), "{trouble}");
}

#[tokio::test]
async fn nobody_lists_unless_told_to() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    until("roles", || watch.is("roles", ApiState::Ok)).await;
    fake.intervals(4).await;
    assert!(watch.api("lease_listing").is_none());
    assert!(fake.seen().iter().all(|seen| !seen.path.starts_with("sys/leases/lookup/")));
}
