//! The corpus against its truth: what the audit log of a real run comes to,
//! held against what the clients of that run saw, call by call.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress};
use leasewatch::snapshot::{Family, Value};
use leasewatch::source::{LineSource, Position, Status, Step};
use leasewatch::state::Limits;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Instant;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

struct Text(Box<dyn BufRead + Send>);

impl LineSource for Text {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        line.clear();
        if self.0.read_until(b'\n', line).unwrap() == 0 {
            Step::End
        } else {
            line.pop();
            Step::Line
        }
    }
    fn position(&self) -> Position {
        Position::default()
    }
    fn next_position(&self) -> Position {
        Position::default()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

fn open(name: &str) -> Box<dyn BufRead + Send> {
    let file = File::open(format!("{CORPUS}{name}.zst")).unwrap();
    Box::new(BufReader::new(zstd::Decoder::new(file).unwrap()))
}

/// The whole corpus, counted.
fn families() -> Vec<Family> {
    let log = |kind, name| Input::new(name, Lines::Log(kind), Box::new(Text(open(name))));
    let inputs = vec![log(LogKind::Audit, "audit.log"), log(LogKind::Server, "server.log")];
    let mut pipeline = Pipeline::new(Limits::default(), inputs);
    let end = Timestamp::from_secs(i64::MAX / 1_000_000_000);
    while pipeline.run(Instant::now(), Timestamp::MIN, end, 10_000) != Progress::Done {}
    for input in pipeline.inputs() {
        assert!(input.stats().unreadable.is_empty(), "{:?}", input.stats());
    }
    pipeline.families(pipeline.front())
}

/// The values of a counter, by the labels that `key` picks out; zeros left out.
fn counts(families: &[Family], metric: &str, key: &[&str]) -> BTreeMap<Vec<String>, u64> {
    let mut counts = BTreeMap::new();
    let family = families.iter().find(|family| family.metric.name == metric).unwrap();
    for series in &family.series {
        let Value::Count(count) = series.value else { panic!("{metric} is no counter") };
        let label = |name: &&str| {
            let at = family.metric.labels.iter().position(|label| label == name).unwrap();
            series.labels[at].to_string()
        };
        if count > 0 {
            *counts.entry(key.iter().map(label).collect()).or_default() += count;
        }
    }
    counts
}

/// What the clients saw, by what `key` makes of a call; calls that it makes nothing of left out.
fn truth(key: impl Fn(&str, u64, &str, &str) -> Option<Vec<String>>) -> BTreeMap<Vec<String>, u64> {
    let mut counts = BTreeMap::new();
    for line in open("truth.jsonl").lines() {
        let call: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let text = |name: &str| call[name].as_str().unwrap_or("").to_owned();
        let status = call["status"].as_u64().unwrap_or(0);
        if let Some(key) = key(&text("op"), status, &text("mount"), &text("role")) {
            *counts.entry(key).or_default() += 1;
        }
    }
    assert!(!counts.is_empty());
    counts
}

fn key(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

const ROLES: [&str; 5] = ["app-role", "analytics-role", "reporting", "broken-revoke", "web"];

#[test]
fn issued_credentials_are_exact_by_role() {
    let issued =
        counts(&families(), "leasewatch_credentials_issued_total", &["vault_namespace", "mount", "role"]);
    let seen = truth(|op, status, mount, role| {
        (matches!(op, "generate" | "pki") && status == 200).then(|| key(&["root", mount, role]))
    });
    assert_eq!(issued, seen);
}

#[test]
fn failures_are_exact_by_role_and_reason_and_invented_roles_by_mount() {
    let failed = counts(&families(), "leasewatch_credential_failures_total", &["mount", "role", "reason"]);
    // To a client, a policy's no and a dead token are both 403.
    let mut as_seen = BTreeMap::new();
    for (mut key, count) in failed {
        if key[2] == "invalid_token" {
            key[2] = "denied".to_owned();
        }
        *as_seen.entry(key).or_default() += count;
    }
    let seen = truth(|op, status, mount, role| {
        let reason = match status {
            403 => "denied",
            400 => "not_found",
            500 => "backend",
            _ => return None,
        };
        let role = if ROLES.contains(&role) { role } else { "(unknown)" };
        matches!(op, "generate" | "pki" | "bad-token").then(|| key(&[mount, role, reason]))
    });
    assert_eq!(as_seen, seen);
}

#[test]
fn dead_tokens_are_told_from_denials() {
    let denied = counts(&families(), "leasewatch_credential_failures_total", &["reason"]);
    let seen = truth(|op, _, _, _| (op == "bad-token").then(|| key(&["invalid_token"])));
    assert_eq!(denied.get(&vec!["invalid_token".to_owned()]), seen.get(&vec!["invalid_token".to_owned()]));
}

#[test]
fn renewals_are_exact_in_total() {
    let mut renewed = BTreeMap::new();
    for (mut key, count) in counts(&families(), "leasewatch_renewals_total", &["outcome"]) {
        if key[0] == "capped" {
            key[0] = "ok".to_owned();
        }
        *renewed.entry(key).or_default() += count;
    }
    let seen = truth(|op, status, _, _| {
        (op == "renew").then(|| key(&[if status == 200 { "ok" } else { "failed" }]))
    });
    assert_eq!(renewed, seen);
}

#[test]
fn revocation_requests_are_exact_in_total() {
    let asked = counts(&families(), "leasewatch_revocation_requests_total", &["form", "outcome"]);
    let seen = truth(|op, status, _, _| {
        let form = match op {
            "revoke" | "revoke-path" => "lease",
            "revoke-prefix" => "prefix",
            "revoke-force" => "force",
            "token-revoke-self" => "token",
            _ => return None,
        };
        let outcome = match status {
            204 => "ok",
            202 => "queued",
            403 => "denied",
            _ => "failed",
        };
        Some(key(&[form, outcome]))
    });
    assert_eq!(asked, seen);
}

#[test]
fn logins_are_exact_in_total() {
    let logins = counts(&families(), "leasewatch_logins_total", &["outcome"]);
    let seen = truth(|op, status, _, _| {
        (op == "login").then(|| key(&[if status == 200 { "ok" } else { "failed" }]))
    });
    assert_eq!(logins, seen);
}

#[test]
fn failed_attempts_to_revoke_are_exact_by_role() {
    let failed = counts(&families(), "leasewatch_revocation_failures_total", &["mount", "role"]);
    let mut seen = BTreeMap::new();
    for line in open("server.log").lines() {
        let line = line.unwrap();
        if let Some((_, lease)) = line.split_once(r#""lease_id":""#)
            && line.contains(r#""@message":"failed to revoke lease""#)
        {
            let parts: Vec<&str> = lease.split('/').collect();
            *seen.entry(vec![format!("{}/", parts[0]), parts[2].to_owned()]).or_default() += 1;
        }
    }
    assert!(!seen.is_empty());
    assert_eq!(failed, seen);
}
