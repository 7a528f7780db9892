//! Older and newer versions: fields that are missing, moved or spelt otherwise.

use super::support::*;
use serde_json::{Value as Json, json};

/// A request as Vault 1.9 logs it: no mount point.
fn old(operation: &str, engine: &str, path: &str) -> Json {
    json!({"operation": operation, "mount_type": engine, "path": path, "namespace": {"id": "root"}})
}

#[test]
fn before_1_14_the_mount_comes_from_the_path_and_from_what_was_learnt() {
    let mut log = Log::default();
    log.exchange(old("read", "database", "pg/eu-west/creds/app"), leased);
    log.exchange(old("read", "database", "pg/eu-west/creds/no-such"), refused);
    log.exchange(old("read", "kv", "secret/creds/app"), ok);
    log.exchange(old("read", "", "pg/eu-west/creds/app"), failed("permission denied"));
    let families = families(&log.lines);
    assert_eq!(counts(&families, ISSUED), ["root,pg/eu-west/,database,app = 1"]);
    assert_eq!(
        counts(&families, FAILURES),
        ["root,pg/eu-west/,database,(unknown),not_found = 1", "root,pg/eu-west/,database,app,denied = 1"]
    );
    assert_eq!(
        counts(&families, REQUESTS),
        [
            "root,pg/eu-west/,database,denied = 1",
            "root,pg/eu-west/,database,failed = 1",
            "root,pg/eu-west/,database,ok = 1",
            "root,secret/,kv,ok = 1",
        ]
    );
}

#[test]
fn a_mount_that_was_made_is_known_from_then_on() {
    let mut log = Log::default();
    log.exchange(old("update", "system", "sys/mounts/a/b"), ok);
    log.exchange(old("read", "", "a/b/creds/app"), failed("permission denied"));
    log.exchange(old("update", "", "auth/nested/approle/login"), |entry| {
        entry["response"]["auth"] = json!({"accessor": "hmac-sha256:bb"});
        entry["request"]["mount_type"] = json!("approle");
    });
    let families = families(&log.lines);
    assert_eq!(counts(&families, FAILURES), ["root,a/b/,(unknown),(unknown),denied = 1"]);
    assert_eq!(counts(&families, LOGINS), ["root,approle,auth/nested/approle/,ok = 1"]);
}

#[test]
fn keys_may_come_in_any_order_and_new_ones_are_passed_over() {
    // Vault 1.17 and later sort the keys; 2.x adds some, and types metadata loosely.
    let line = r#"{"auth":{"display_name":"app","metadata":{"n":7,"o":{"p":[]}},"policies":["app"],"authorization_details":[{}]},"request":{"id":"1","mount_point":"team-a/database/","mount_type":"database","namespace":{"id":"Ab12C","path":"team-a/"},"operation":"read","path":"database/creds/app","request_uri":"/v1/database/creds/app","supplemental_audit_data":{"x":1}},"response":{"data":{"username":"hmac-sha256:00"},"secret":{"lease_id":"database/creds/app/XyZ.Ab12C"}},"time":"2026-01-02T03:04:05.1Z","type":"response"}"#;
    let families = families(&[line.to_owned()]);
    assert_eq!(counts(&families, ISSUED), ["team-a,database/,database,app = 1"]);
}

#[test]
fn a_path_may_carry_its_namespace() {
    let mut log = Log::default();
    let mut request = read("team-a/database/", "database", "team-a/database/creds/app");
    request["namespace"] = json!({"id": "Ab12C", "path": "team-a/"});
    log.exchange(request, leased);
    assert_eq!(counts(&families(&log.lines), ISSUED), ["team-a,database/,database,app = 1"]);
}

#[test]
fn a_standby_that_leaves_a_request_to_the_active_node_has_not_failed_it() {
    let mut log = Log::default();
    let creds = || read("database/", "database", "database/creds/app");
    log.exchange(creds(), failed("cannot write to readonly storage"));
    log.exchange(creds(), |entry| entry["error"] = json!("please forward to the active node"));
    assert!(counts(&families(&log.lines), REQUESTS).is_empty());
}

#[test]
fn a_dead_token_is_told_from_a_denial_in_every_version() {
    let nobody = |entry: &mut Json| entry["auth"] = json!({"token_type": "default"});
    let mut log = Log::default();
    let creds = || read("database/", "database", "database/creds/app");
    log.exchange(creds(), leased);
    log.exchange(creds(), failed("permission denied"));
    log.exchange(creds(), |entry| {
        failed("permission denied")(entry);
        nobody(entry);
    });
    log.exchange(creds(), |entry| {
        entry["error"] = json!("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n");
    });
    let families = families(&log.lines);
    assert_eq!(
        counts(&families, FAILURES),
        ["root,database/,database,app,denied = 1", "root,database/,database,app,invalid_token = 2"]
    );
    assert_eq!(
        counts(&families, "leasewatch_denied_total"),
        ["root,database/,database,invalid_token = 2", "root,database/,database,policy = 1"]
    );
}

#[test]
fn an_elided_list_and_a_raw_log_are_read_too() {
    let mut log = Log::default();
    log.exchange(ask("list", "sys/", "system", "sys/leases/lookup/database/creds/app/"), |entry| {
        entry["response"]["data"] = json!({"keys": 100_000});
    });
    log.exchange(read("database/", "database", "database/creds/x"), |entry| {
        entry["response"]["data"] = json!({"error": "unknown role: x"});
    });
    let stats = stats(&log.lines);
    assert!(stats.unreadable.is_empty(), "{stats:?}");
    assert_eq!(counts(&families(&log.lines), FAILURES), ["root,database/,database,(unknown),not_found = 1"]);
}

#[test]
fn before_1_14_a_mount_may_turn_out_deeper_than_it_looked() {
    let mut log = Log::default();
    // A list says nothing about where the mount ends.
    log.exchange(old("list", "database", "pg/eu-west/roles"), ok);
    log.exchange(old("read", "database", "pg/eu-west/creds/app"), leased);
    log.exchange(old("read", "database", "pg/eu-west/creds/app"), failed("permission denied"));
    let families = families(&log.lines);
    assert_eq!(counts(&families, ISSUED), ["root,pg/eu-west/,database,app = 1"]);
    assert_eq!(counts(&families, FAILURES), ["root,pg/eu-west/,database,app,denied = 1"]);
}

#[test]
fn a_token_is_revoked_by_path_too() {
    let mut log = Log::default();
    for verb in
        ["revoke", "revoke-self", "revoke-orphan", "revoke-accessor", "revoke/s.abc", "revoke-accessor/abc"]
    {
        log.exchange(ask("update", "auth/token/", "token", &format!("auth/token/{verb}")), ok);
    }
    for verb in ["renew", "renew-self", "create", "lookup", "tidy"] {
        log.exchange(ask("update", "auth/token/", "token", &format!("auth/token/{verb}")), ok);
    }
    let families = families(&log.lines);
    assert_eq!(
        counts(&families, "leasewatch_revocation_requests_total"),
        ["root,auth/token/,token,token,ok = 6"]
    );
    assert!(counts(&families, "leasewatch_renewals_total").is_empty());
}

#[test]
fn a_raw_log_comes_to_the_same_as_a_hashed_one() {
    let make = |told: &'static str| {
        let mut log = Log::default();
        log.exchange(ask("update", "aws/", "aws", "aws/creds/app"), leased);
        for role in ["app", "invented"] {
            log.exchange(read("aws/", "aws", &format!("aws/creds/{role}")), |entry| {
                entry["response"]["data"] = json!({"error": told});
            });
        }
        counts(&families(&log.lines), FAILURES)
    };
    let hashed = make("hmac-sha256:0123");
    assert_eq!(hashed, ["root,aws/,aws,(unknown),not_found = 1", "root,aws/,aws,app,other = 1"]);
    assert_eq!(make("Role 'x' not found"), hashed);
}
