//! Outstanding leases over hours, days and restarts: what hand-made logs come to.

use super::support::{LIMITS, Memory, counts};
use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress};
use leasewatch::snapshot::Family;
use leasewatch::state::Limits;
use serde_json::{Value as Json, json};
use std::time::Instant;

const LEASES: &str = "leasewatch_leases";
const OVERDUE: &str = "leasewatch_leases_overdue";
const REVOCATIONS: &str = "leasewatch_revocations_total";
const TTL: &str = "leasewatch_role_default_ttl_seconds";
/// 2026-01-02T00:00:00Z, in seconds.
const START: i64 = 1_767_312_000;

fn at(secs: f64) -> Timestamp {
    #[allow(clippy::cast_possible_truncation, reason = "some minutes in nanoseconds")]
    let nanos = (secs * 1e9) as i64;
    Timestamp::from_nanos(START * 1_000_000_000 + nanos)
}

/// What stands in the log for a secret.
fn hashed(secret: u64) -> String {
    format!("hmac-sha256:{secret:016x}{secret:016x}{secret:016x}{secret:016x}")
}

fn id(role: &str, number: u64) -> String {
    format!("database/creds/{role}/AbCdEfGhIjKlMnOpQr{number:06}")
}

/// An audit log and a server log, by seconds since `START`.
#[derive(Default)]
struct Logs {
    audit: Vec<String>,
    server: Vec<String>,
    number: u64,
}

impl Logs {
    fn entry(&mut self, secs: f64, accessor: u64, operation: &str, mount: [&str; 2], path: &str) -> Json {
        self.number += 1;
        json!({
            "time": at(secs).to_string(),
            "type": "response",
            "auth": {"client_token": hashed(accessor + 1000), "accessor": hashed(accessor), "display_name": "app",
                "policies": ["app"], "token_type": "service"},
            "request": {"id": format!("00000000-0000-4000-8000-{:012x}", self.number), "operation": operation,
                "mount_point": mount[0], "mount_type": mount[1], "path": path, "namespace": {"id": "root"}},
            "response": {},
        })
    }

    fn push(&mut self, entry: &Json) {
        self.audit.push(entry.to_string());
    }

    /// Something of no importance: time passes.
    fn tick(&mut self, secs: f64) {
        let entry = self.entry(secs, 999, "read", ["secret/", "kv"], "secret/a");
        self.push(&entry);
    }

    fn issue(&mut self, secs: f64, accessor: u64, role: &str, number: u64) {
        let path = format!("database/creds/{role}");
        let mut entry = self.entry(secs, accessor, "read", ["database/", "database"], &path);
        entry["response"] =
            json!({"secret": {"lease_id": id(role, number)}, "data": {"username": hashed(1)}});
        self.push(&entry);
    }

    fn write_role(&mut self, secs: f64, role: &str, ttl: u64) {
        let path = format!("database/roles/{role}");
        let mut entry = self.entry(secs, 1, "create", ["database/", "database"], &path);
        entry["request"]["data"] = json!({"default_ttl": ttl, "max_ttl": ttl});
        self.push(&entry);
    }

    fn login(&mut self, secs: f64, accessor: u64, ttl: u64) {
        let mut entry =
            self.entry(secs, accessor, "update", ["auth/approle/", "approle"], "auth/approle/login");
        entry["auth"]["token_ttl"] = json!(ttl);
        entry["response"] = json!({"auth": entry["auth"]});
        self.push(&entry);
    }

    fn renew(&mut self, secs: f64, role: &str, number: u64, hash: u64) {
        let mut entry = self.entry(secs, 1, "update", ["sys/", "system"], "sys/leases/renew");
        entry["request"]["data"] = json!({"lease_id": hashed(hash)});
        entry["response"] = json!({"secret": {"lease_id": id(role, number)}});
        self.push(&entry);
    }

    fn revoke_hashed(&mut self, secs: f64, hash: u64) {
        let mut entry = self.entry(secs, 1, "update", ["sys/", "system"], "sys/leases/revoke");
        entry["request"]["data"] = json!({"lease_id": hashed(hash), "sync": true});
        self.push(&entry);
    }

    fn revoke(&mut self, secs: f64, lease: &str) {
        let path = format!("sys/leases/revoke/{lease}");
        let entry = self.entry(secs, 1, "update", ["sys/", "system"], &path);
        self.push(&entry);
    }

    fn revoke_self(&mut self, secs: f64, accessor: u64) {
        let entry = self.entry(secs, accessor, "update", ["auth/token/", "token"], "auth/token/revoke-self");
        self.push(&entry);
    }

    fn ended(&mut self, secs: f64, role: &str, number: u64) {
        let line = json!({"@level": "info", "@message": "revoked lease", "@module": "expiration",
            "@timestamp": at(secs).to_string(), "lease_id": id(role, number)});
        self.server.push(line.to_string());
    }

    fn play(&self, limits: Limits) -> Play {
        let input = |name: &str, kind, lines: &[String]| {
            Input::new(name, Lines::Log(kind), Box::new(Memory::from(lines, 0)))
        };
        let mut inputs = vec![input("audit", LogKind::Audit, &self.audit)];
        if !self.server.is_empty() {
            inputs.push(input("server", LogKind::Server, &self.server));
        }
        Play(Pipeline::new(limits, inputs))
    }
}

struct Play(Pipeline);

impl Play {
    /// Everything up to that second; `every` so often time passes without a line.
    fn to(&mut self, secs: f64) -> Vec<Family> {
        while self.0.run(Instant::now(), Timestamp::MIN, at(secs), 100) != Progress::Done {}
        self.0.advance(at(secs));
        self.0.families(at(secs))
    }
}

const ONE: &str = "root,database/,database,app";

#[test]
fn what_ended_with_its_token_does_not_come_back_when_the_token_is_forgotten() {
    for revokes in [false, true] {
        let mut logs = Logs::default();
        logs.write_role(0.5, "app", 36_000);
        logs.login(1.5, 7, if revokes { 36_000 } else { 60 });
        logs.issue(2.5, 7, "app", 1);
        logs.tick(30.5);
        if revokes {
            logs.revoke_self(60.5, 7);
        }
        for minute in 2..90 {
            logs.tick(f64::from(minute) * 60.0 + 0.5);
        }
        let mut play = logs.play(LIMITS);
        assert_eq!(counts(&play.to(31.0), LEASES), [format!("{ONE} = 1")]);
        for secs in [70.0, 500.0, 1000.0, 2000.0, 5000.0] {
            assert_eq!(counts(&play.to(secs), LEASES), [format!("{ONE} = 0")], "{secs}");
        }
    }
}

#[test]
fn a_hash_that_a_lease_had_before_names_no_other_one() {
    let mut logs = Logs::default();
    logs.write_role(0.5, "app", 36_000);
    logs.issue(1.5, 7, "app", 1);
    // Two devices, each with hashes of its own.
    logs.renew(2.5, "app", 1, 501);
    logs.renew(3.5, "app", 1, 502);
    logs.revoke(4.5, &id("app", 1));
    logs.issue(5.5, 7, "app", 2);
    // Of a lease that is gone: answered with success all the same.
    logs.revoke_hashed(6.5, 501);
    logs.tick(20.5);
    let mut play = logs.play(LIMITS);
    assert_eq!(counts(&play.to(21.0), LEASES), [format!("{ONE} = 1")]);
}

#[test]
fn it_makes_no_difference_whether_time_passes_in_steps_or_with_the_next_line() {
    let mut logs = Logs::default();
    logs.write_role(0.5, "app", 60);
    logs.issue(1.5, 7, "app", 1);
    logs.tick(3500.5);
    logs.revoke(3800.5, &id("app", 1));
    logs.tick(3900.5);
    let in_one = logs.play(LIMITS).to(4000.0);
    let mut play = logs.play(LIMITS);
    for second in 0..4000 {
        play.to(f64::from(second));
    }
    assert_eq!(counts(&in_one, REVOCATIONS), counts(&play.to(4000.0), REVOCATIONS));
}

#[test]
fn roles_without_a_place_teach_each_other_no_ttl() {
    let mut logs = Logs::default();
    logs.ended(0.2, "elsewhere", 8);
    // One place for the mount, and none for roles.
    let limits = Limits { label_sets: 1, ..LIMITS };
    for number in 0..8 {
        let secs = f64::from(u32::try_from(number).unwrap()) + 0.5;
        logs.issue(secs, 7, "short", number);
        logs.ended(secs + 60.0, "short", number);
    }
    logs.issue(10.5, 7, "long", 100);
    logs.write_role(11.5, "written", 30);
    logs.issue(12.5, 7, "long", 101);
    logs.tick(100.5);
    logs.ended(101.5, "elsewhere", 9);
    logs.tick(150.5);
    let families = logs.play(limits).to(151.0);
    assert_eq!(counts(&families, LEASES), ["root,database/,database,(other) = 2"]);
    assert_eq!(counts(&families, OVERDUE), ["root,database/,database,(other) = 0"]);
    assert_eq!(counts(&families, TTL), [""; 0]);
}

#[test]
fn an_unwrapped_lease_whose_issue_nobody_saw_is_not_kept_for_ever() {
    let mut logs = Logs::default();
    logs.write_role(0.5, "app", 3600);
    let mut entry = logs.entry(1.5, 8, "update", ["sys/", "system"], "sys/wrapping/unwrap");
    entry["response"] = json!({"secret": {"lease_id": id("app", 1)}});
    logs.push(&entry);
    logs.issue(2.5, 7, "app", 2);
    for hour in 1..10 {
        for minute in 0..12 {
            logs.tick(f64::from(hour) * 3600.0 + f64::from(minute) * 300.0 - 1800.0);
        }
    }
    let mut play = logs.play(LIMITS);
    assert_eq!(counts(&play.to(60.0), LEASES), [format!("{ONE} = 2")]);
    assert_eq!(counts(&play.to(30_000.0), LEASES), [format!("{ONE} = 0")]);
}

#[test]
fn an_end_that_is_read_before_its_namespace_is_known_counts_there() {
    let mut logs = Logs::default();
    logs.tick(0.5);
    let line = json!({"@level": "info", "@message": "revoked lease", "@module": "expiration",
        "@timestamp": at(1.5).to_string(), "lease_id": format!("{}.a1B2c", id("app", 1))});
    logs.server.push(line.to_string());
    let mut entry = logs.entry(1.6, 7, "read", ["database/", "database"], "database/creds/app");
    entry["request"]["namespace"] = json!({"id": "a1B2c", "path": "team-a/"});
    entry["request"]["mount_point"] = json!("team-a/database/");
    entry["response"] = json!({"secret": {"lease_id": format!("{}.a1B2c", id("app", 2))}});
    logs.push(&entry);
    logs.tick(9.5);
    let ended = counts(&logs.play(LIMITS).to(9.5), REVOCATIONS);
    let ended: Vec<_> = ended.into_iter().filter(|count| !count.ends_with("= 0")).collect();
    assert_eq!(ended, ["team-a,database/,database,app,unknown = 1"]);
}
