//! Hostile input: what an attacker chooses never makes a series.

use super::support::*;
use serde_json::json;

#[test]
fn invented_roles_mounts_and_users_make_no_series() {
    let mut log = Log::default();
    log.exchange(read("database/", "database", "database/creds/app"), leased);
    let few = series(&families(&log.lines));
    for number in 0..500 {
        log.exchange(read("database/", "database", &format!("database/creds/r{number}")), refused);
        let invented =
            json!({"operation": "read", "path": format!("m{number}/creds/x"), "namespace": {"id": "root"}});
        log.exchange(invented, failed("permission denied"));
        let elsewhere = json!({
            "operation": "read", "path": "database/creds/x", "namespace": {"id": "x", "path": format!("n{number}/")},
        });
        log.exchange(elsewhere, failed("no handler for route"));
        let path = format!("auth/userpass/login/user{number}");
        log.exchange(ask("update", "auth/userpass/", "userpass", &path), failed("invalid credentials"));
        let mut revoke = ask("update", "sys/", "system", &format!("sys/leases/revoke/x{number}/creds/y/z"));
        revoke["data"] = json!({"sync": false});
        log.exchange(revoke, failed("permission denied"));
    }
    let families = families(&log.lines);
    assert!(series(&families) < few + 200, "{} series", series(&families));
    assert_eq!(
        counts(&families, FAILURES),
        [
            "(unknown),(unknown),(unknown),(unknown),not_found = 500",
            "root,(unknown),(unknown),(unknown),denied = 500",
            "root,database/,database,(unknown),not_found = 500",
        ]
    );
}

#[test]
fn what_the_budget_has_no_place_for_falls_under_other_and_nothing_is_lost() {
    let mut log = Log::default();
    for number in 0..300 {
        log.exchange(read("database/", "database", &format!("database/creds/role{number}")), leased);
    }
    let families = families(&log.lines);
    let issued = counts(&families, ISSUED);
    // One place is the mount's.
    assert_eq!(issued.len(), LIMITS.label_sets - 1 + 1);
    assert_eq!(issued[0], "root,database/,database,(other) = 201");
    let overflow = counts(&families, "leasewatch_label_overflow_total");
    assert_eq!(overflow, ["leasewatch_credentials_issued_total = 201"]);
}

#[test]
fn a_line_that_cannot_be_read_is_counted_and_the_next_one_is_read() {
    let mut log = Log::default();
    log.exchange(read("database/", "database", "database/creds/app"), leased);
    let good = log.lines.clone();
    let mut lines = vec!["nonsense".to_owned(), good[0][..40].to_owned(), "{}".to_owned(), "[]".to_owned()];
    lines.extend(good);
    lines.push(r#"{"time":"2026-01-02T03:04:09Z","type":"kmip-request","x":1}"#.to_owned());
    let stats = stats(&lines);
    assert_eq!(stats.lines, 7);
    assert_eq!(stats.unreadable.values().sum::<u64>(), 4, "{stats:?}");
    assert_eq!(counts(&families(&lines), ISSUED), ["root,database/,database,app = 1"]);
}

#[test]
fn a_stored_secret_that_looks_like_an_error_is_none() {
    let mut log = Log::default();
    log.exchange(read("kv/", "kv", "kv/app"), |entry| {
        entry["response"]["data"] =
            json!({"error": "hmac-sha256:01", "http_status_code": "x", "lease_id": [1]});
    });
    assert_eq!(counts(&families(&log.lines), REQUESTS), ["root,kv/,kv,ok = 1"]);
}

#[test]
fn a_stored_secret_of_one_key_is_no_error_either() {
    let mut log = Log::default();
    for data in [json!({"error": "hmac-sha256:01"}), json!({"http_status_code": 500})] {
        log.exchange(read("kv/", "kv", "kv/app"), |entry| {
            entry["response"]["data"] = data.clone();
            entry["response"]["secret"] = json!({});
        });
    }
    log.exchange(read("kv/", "kv", "kv/app"), refused);
    assert_eq!(counts(&families(&log.lines), REQUESTS), ["root,kv/,kv,failed = 1", "root,kv/,kv,ok = 2"]);
}

#[test]
fn wherever_an_entry_was_torn_the_one_behind_it_counts() {
    let mut log = Log::default();
    log.exchange(read("database/", "database", "database/creds/app"), |entry| {
        leased(entry);
        // An object that begins as an entry does.
        entry["response"]["data"] = json!({"a": {"time": "x"}, "b": {"auth": {}}});
    });
    let whole = log.lines[1].clone();
    for (first, entry) in [("time", reordered(&whole, "time")), ("auth", reordered(&whole, "auth"))] {
        for cut in 1..entry.len() {
            if !entry.is_char_boundary(cut) {
                continue;
            }
            let lines = [format!("{}{entry}", &entry[..cut])];
            assert_eq!(
                counts(&families(&lines), ISSUED),
                ["root,database/,database,app = 1"],
                "{first} {cut}"
            );
        }
    }
    for prefix in ["{vault} ", "env={prod} ", "\u{feff}", "\0\0\0"] {
        let lines = [format!("{prefix}{}", reordered(&whole, "time"))];
        assert_eq!(counts(&families(&lines), ISSUED), ["root,database/,database,app = 1"], "{prefix}");
    }
}

/// The same entry with that key in front.
fn reordered(line: &str, first: &str) -> String {
    let entry: serde_json::Value = serde_json::from_str(line).unwrap();
    let keys = entry.as_object().unwrap();
    let rest = keys.iter().filter(|(key, _)| *key != first);
    let pairs = std::iter::once((first, &keys[first])).chain(rest.map(|(key, value)| (key.as_str(), value)));
    let pairs: Vec<_> = pairs.map(|(key, value)| format!("\"{key}\":{value}")).collect();
    format!("{{{}}}", pairs.join(","))
}

#[test]
fn deep_nesting_and_doubled_keys_cost_their_own_line_alone() {
    let deep = format!(
        r#"{{"time":"2026-01-02T03:00:00Z","type":"response","request":{{"data":{}1{}}}}}"#,
        r#"{"a":["#.repeat(100_000),
        "]}".repeat(100_000)
    );
    let doubled =
        r#"{"time":"2026-01-02T03:00:00Z","time":"2026-01-02T03:00:00Z","type":"response","request":{}}"#;
    let mut log = Log::default();
    log.lines.push(deep);
    log.lines.push(doubled.to_owned());
    log.exchange(read("database/", "database", "database/creds/app"), leased);
    assert_eq!(counts(&families(&log.lines), ISSUED), ["root,database/,database,app = 1"]);
    assert_eq!(stats(&log.lines).lines, 4);
}
