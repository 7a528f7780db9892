//! A cluster: entries of several nodes, where one leaves requests to another.

use super::support::*;
use serde_json::{Value as Json, json};

const DURATION: &str = "leasewatch_credential_issue_duration_seconds";

/// What a performance standby (Vault 1.14 and later) and the active node log of one request that
/// the standby forwarded: two entries each, with IDs of their own.
pub(super) fn forwarded(standby: &mut Log, active: &mut Log) {
    let creds = || read("database/", "database", "database/creds/app");
    let flagged = |entry: &mut Json| entry["forwarded"] = json!(true);
    let id = format!("{}-s", standby.new_id());
    standby.request(&id, creds());
    let there = format!("{}-a", active.new_id());
    active.request(&there, creds());
    let line = active.lines.last_mut().unwrap();
    let mut entry: Json = serde_json::from_str(line).unwrap();
    entry["forwarded_from"] = json!("10.0.0.2:8200");
    *line = entry.to_string();
    active.response(&there, creds(), |entry| {
        leased(entry);
        flagged(entry);
    });
    standby.response(&id, creds(), flagged);
}

#[test]
fn a_forwarded_request_counts_once_and_where_it_was_answered() {
    let (mut standby, mut active) = (Log::default(), Log::default());
    for _ in 0..3 {
        forwarded(&mut standby, &mut active);
    }
    // Both nodes, two devices on the standby, or the active node alone.
    for logs in [
        vec![&standby.lines[..], &active.lines],
        vec![&standby.lines, &active.lines, &standby.lines],
        vec![&active.lines],
    ] {
        let mut pipeline = audit(&logs);
        finish(&mut pipeline);
        pipeline.advance(pipeline.front().plus_secs(1000));
        let families = pipeline.families(pipeline.front());
        assert_eq!(counts(&families, ISSUED), ["root,database/,database,app = 3"]);
        assert_eq!(counts(&families, REQUESTS), ["root,database/,database,ok = 3"]);
        assert_eq!(counts(&families, DURATION), ["root,database/,database = 3"]);
        assert!(counts(&families, FAILURES).is_empty());
    }
}

#[test]
fn a_standby_that_leaves_a_request_to_another_node_waits_for_nothing() {
    let mut standby = Log::default();
    let creds = || read("database/", "database", "database/creds/app");
    standby.exchange(creds(), failed("cannot write to readonly storage"));
    // Both devices of the standby tell.
    let mut pipeline = audit(&[&standby.lines, &standby.lines]);
    finish(&mut pipeline);
    pipeline.advance(pipeline.front().plus_secs(1000));
    assert!(counts(&pipeline.families(pipeline.front()), REQUESTS).is_empty());
}

#[test]
fn a_request_of_the_root_namespace_may_name_the_lease_of_another() {
    let mut log = Log::default();
    let mut creds = read("team-a/sub/database/", "database", "database/creds/app");
    creds["namespace"] = json!({"id": "Ab12C", "path": "team-a/sub/"});
    log.exchange(creds, |entry| {
        leased(entry);
        entry["response"]["secret"]["lease_id"] = json!("database/creds/app/AbCdEfGhIjKlMnOpQrStUvWx.Ab12C");
    });
    let lease = "database/creds/app/AbCdEfGhIjKlMnOpQrStUvWx.Ab12C";
    log.exchange(ask("update", "sys/", "system", "sys/leases/renew"), |entry| {
        entry["response"]["secret"] = json!({"lease_id": lease});
    });
    log.exchange(ask("update", "sys/", "system", &format!("sys/leases/revoke/{lease}")), ok);
    let families = families(&log.lines);
    assert_eq!(counts(&families, ISSUED), ["team-a/sub,database/,database,app = 1"]);
    assert_eq!(counts(&families, "leasewatch_renewals_total"), ["team-a/sub,database/,database,app,ok = 1"]);
    assert_eq!(
        counts(&families, "leasewatch_revocation_requests_total"),
        ["team-a/sub,database/,database,lease,ok = 1"]
    );
}
