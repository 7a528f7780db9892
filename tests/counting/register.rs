//! The register of everything that happened: each once, whoever has logged it, and where it belongs.

use super::cluster::forwarded;
use super::support::*;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Pipeline, Progress};
use leasewatch::story::{Register, Registered};
use leasewatch::{serverlog, story::What};
use serde_json::json;
use std::time::Instant;

/// What is told of audit logs that are merged.
fn told(logs: &[&[String]]) -> Vec<Registered> {
    let mut pipeline: Pipeline = audit(logs);
    let mut register = Register::default();
    let mut told = Vec::new();
    let end = Timestamp::from_nanos(i64::MAX);
    let mut tell =
        |source: usize, event: &leasewatch::event::Event| told.extend(register.hear(source, event));
    while pipeline.run_telling(Instant::now(), Timestamp::MIN, end, 7, &mut tell) != Progress::Done {}
    told.extend(register.end());
    told
}

/// In short: what, how it ended, where, and whether it is known how long it took.
fn short(all: &[Registered]) -> Vec<String> {
    let line = |event: &Registered| {
        let moment = &event.moment;
        format!(
            "{:?} {} {}|{}|{}|{} {}",
            moment.what,
            moment.outcome,
            moment.namespace,
            moment.mount,
            event.engine,
            moment.role,
            if event.took.is_some() { "took" } else { "-" }
        )
    };
    all.iter().map(line).collect()
}

#[test]
fn a_forwarded_request_is_told_once_and_by_who_answered_it() {
    let (mut standby, mut active) = (Log::default(), Log::default());
    for _ in 0..3 {
        forwarded(&mut standby, &mut active);
    }
    for logs in [
        vec![&standby.lines[..], &active.lines],
        vec![&active.lines, &standby.lines, &standby.lines],
        vec![&active.lines],
    ] {
        assert_eq!(short(&told(&logs)), ["Issue ok |database/|database|app took"; 3]);
    }
    let mut left = Log::default();
    left.exchange(
        read("database/", "database", "database/creds/app"),
        failed("cannot write to readonly storage"),
    );
    assert!(told(&[&left.lines, &left.lines]).is_empty());
}

#[test]
fn two_devices_tell_of_one_request_and_a_request_alone_of_none() {
    let mut log = Log::default();
    log.exchange(read("kv/", "kv", "kv/data/x"), ok);
    log.exchange(read("database/", "database", "database/creds/app"), failed("permission denied"));
    let id = log.new_id();
    log.request(&id, read("kv/", "kv", "kv/data/y"));
    // Nothing answers it.
    log.request("00000000-0000-4000-8000-0000000000ff", ask("update", "sys/", "system", "sys/seal"));
    let expected = [
        "Other ok |kv/|kv| took",
        "Issue denied |database/||app took",
        "Privileged(Seal) ok |sys/|system| -",
    ];
    assert_eq!(short(&told(&[&log.lines])), expected);
    assert_eq!(short(&told(&[&log.lines, &log.lines])), expected);
}

#[test]
fn what_is_asked_about_a_lease_is_of_its_mount_and_role() {
    let mut log = Log::default();
    let lease = "database/creds/app/AbCdEfGhIjKlMnOpQrStUvWx";
    log.exchange(read("database/", "database", "database/creds/app"), leased);
    log.exchange(ask("update", "sys/", "system", "sys/leases/renew"), |entry| {
        entry["response"]["secret"] = json!({"lease_id": lease});
    });
    log.exchange(ask("update", "sys/", "system", &format!("sys/leases/revoke/{lease}")), ok);
    let all = told(&[&log.lines]);
    assert_eq!(
        short(&all),
        [
            "Issue ok |database/|database|app took",
            "Renewal ok |database/|database|app took",
            "Revocation(Lease) ok |database/|database|app took"
        ]
    );
    assert!(all.iter().all(|event| event.moment.lease.as_deref() == Some(lease) && event.namespace_is_known));
}

#[test]
fn a_line_of_the_server_log_is_of_the_namespace_whose_id_its_lease_has() {
    let mut log = Log::default();
    let mut creds = read("database/", "database", "database/creds/app");
    creds["namespace"] = json!({"id": "Ab12C", "path": "team-a/"});
    log.exchange(creds, leased);
    let mut register = Register::default();
    let line = |id: &str| {
        format!(
            "{{\"@level\":\"info\",\"@message\":\"revoked lease\",\"@module\":\"expiration\",\
             \"@timestamp\":\"2026-01-02T04:00:00.000000Z\",\"lease_id\":\"database/creds/app/AbCdEfGhIjKlMnOpQrStUvWx.{id}\"}}"
        )
    };
    let hear = |register: &mut Register, id: &str| {
        register.hear(1, &serverlog::decode(&line(id)).unwrap()).remove(0)
    };
    assert!(!hear(&mut register, "Ab12C").namespace_is_known);
    let mut pipeline = audit(&[&log.lines]);
    let end = Timestamp::from_nanos(i64::MAX);
    let mut tell = |source: usize, event: &leasewatch::event::Event| drop(register.hear(source, event));
    while pipeline.run_telling(Instant::now(), Timestamp::MIN, end, 7, &mut tell) != Progress::Done {}
    let ended = hear(&mut register, "Ab12C");
    assert!(ended.moment.what == What::Ended && ended.namespace_is_known);
    assert_eq!(short(&[ended]), ["Ended ok team-a|database/|database|app -"]);
    assert!(!hear(&mut register, "Zz99Z").namespace_is_known);
}

#[test]
fn an_error_of_several_lines_is_told_when_it_ends() {
    let text = include_str!("../data/server-log/openbao-2.7.2-text-leases.txt");
    let mut register = Register::default();
    let mut told = Vec::new();
    for line in text.lines() {
        if let Some(event) = serverlog::decode(line) {
            told.extend(register.hear(0, &event));
        }
    }
    let waiting = register.end();
    let attempts: Vec<_> =
        told.iter().chain(&waiting).filter(|event| event.moment.what == What::AttemptFailed).collect();
    let lines = text.lines().filter(|line| line.contains("failed to revoke lease")).count();
    assert!(lines > 0 && attempts.len() == lines, "{} of {lines}", attempts.len());
    assert!(attempts.iter().all(|event| event.moment.attempts > 0 && event.moment.next_attempt.is_some()));
}
