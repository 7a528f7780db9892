//! Golden tests: real logs of OpenBao 2.7.2 in both formats.

use super::*;
use crate::event::{RenewalTrouble, RevocationTrouble, ServerEvent};
use std::collections::BTreeMap;

fn meaning(line: &str) -> Option<ServerEvent> {
    match decode(line)?.kind {
        EventKind::Server(event) => Some(event),
        _ => None,
    }
}

#[test]
fn both_formats_say_the_same() {
    let json = r#"{"@level":"error","@message":"failed to revoke lease","@module":"expiration","@timestamp":"2026-11-23T19:41:00.5Z","attempts":2,"error":"failed to revoke entry: ERROR: role \"x\" does not exist (SQLSTATE 42704)","lease_id":"database/creds/app/abc","next_attempt":53687545356}"#;
    let text = r#"2026-11-23T19:41:00.500Z [ERROR] expiration: failed to revoke lease: lease_id=database/creds/app/abc error="failed to revoke entry: ERROR: role \"x\" does not exist (SQLSTATE 42704)" attempts=2 next_attempt=53.687545356s"#;
    let failed = ServerEvent::RevocationFailed {
        lease: "database/creds/app/abc".into(),
        attempts: 2,
        next_attempt: Some(53_687_545_356),
        trouble: RevocationTrouble::MissingRole,
    };
    let at = Timestamp::parse_rfc3339("2026-11-23T19:41:00.5Z").unwrap();
    assert_eq!(decode(json), Some(Event { at, kind: EventKind::Server(failed.clone()) }));
    assert_eq!(decode(text), Some(Event { at, kind: EventKind::Server(failed) }));
    let revoked = "2026-11-23T20:41:00.500+0100 [INFO]  expiration: revoked lease: lease_id=a/creds/b/c";
    let lease = "a/creds/b/c".into();
    assert_eq!(
        decode(revoked),
        Some(Event { at, kind: EventKind::Server(ServerEvent::LeaseRevoked { lease }) })
    );
}

#[test]
fn requests_about_leases_that_failed() {
    let renewal = |trouble| Some(ServerEvent::RenewalFailed { lease: "pki/issue/web/nope".into(), trouble });
    let text = r#"2026-11-23T23:27:56.780Z [ERROR] secrets.system.system_2d582816: lease renewal failed: lease_id=pki/issue/web/nope error="lease not found""#;
    assert_eq!(meaning(text), renewal(RenewalTrouble::NotFound));
    let json = r#"{"@level":"error","@message":"lease renewal failed","@module":"secrets.system.system_3f00acf7","@timestamp":"2026-11-23T19:41:47.3Z","error":"lease expired","lease_id":"pki/issue/web/nope"}"#;
    assert_eq!(meaning(json), renewal(RenewalTrouble::Expired));
    // An error of several lines: the text format writes it below.
    let head = "2026-11-23T19:41:47.318Z [ERROR] secrets.system.system_3f00acf7: lease renewal failed: lease_id=pki/issue/web/nope";
    assert_eq!(meaning(head), renewal(RenewalTrouble::Backend));
    assert_eq!(decode("  error="), None);
    assert_eq!(decode("   leader=none"), None);
    assert_eq!(decode("  "), None);
    assert_eq!(
        decode("  | failed to renew entry: resp: (*logical.Response)(nil) err: 1 error occurred:"),
        None
    );
    let revocation = |lease: &str, trouble, is_unknown| {
        let lease = lease.into();
        Some(ServerEvent::RequestedRevocationFailed { lease, trouble, is_unknown })
    };
    let json = r#"{"@level":"error","@message":"lease revocation failed","@module":"secrets.system.system_3f00acf7","@timestamp":"2026-11-23T19:41:13.240882Z","error":"failed to revoke entry: resp: (*logical.Response)(nil) err: ERROR: role \"v-approle-broken-r-cHpeopb6efWzX0[password]h1M0F_missing\" does not e[password]ist (SQLSTATE 42704)","lease_id":"a/creds/b/c"}"#;
    assert_eq!(meaning(json), revocation("a/creds/b/c", RevocationTrouble::MissingRole, false));
    let text = r#"2026-11-23T19:41:13.240Z [ERROR] core: lease revocation failed: lease_id=a/creds/b/c error="lease not found""#;
    assert_eq!(meaning(text), revocation("a/creds/b/c", RevocationTrouble::Other, true));
}

#[test]
fn what_else_the_expiration_manager_says() {
    let forced = r#"{"@level":"warn","@message":"revocation from the backend failed, but in force mode so ignoring","@module":"expiration","@timestamp":"2026-11-23T19:41:23.394768Z","error":"failed to revoke entry: context deadline exceeded"}"#;
    assert_eq!(meaning(forced), Some(ServerEvent::ForcedDespite { trouble: RevocationTrouble::Timeout }));
    let many = "2026-11-23T19:41:23.394Z [WARN]  expiration: lease count exceeds warning lease threshold: have=256123 threshold=256000";
    assert_eq!(meaning(many), Some(ServerEvent::ManyLeases { have: 256_123 }));
    let many = r#"{"@level":"warn","@message":"lease count exceeds warning lease threshold","@module":"expiration","@timestamp":"2026-11-23T19:41:23Z","have":256123,"threshold":256000}"#;
    assert_eq!(meaning(many), Some(ServerEvent::ManyLeases { have: 256_123 }));
    let restored = r#"{"@level":"info","@message":"lease restore complete","@module":"expiration","@timestamp":"2026-11-23T19:40:42.759839Z"}"#;
    assert_eq!(meaning(restored), Some(ServerEvent::LeasesRestored));
    // A failed attempt whose error stands below, and the number of attempts with it.
    let head = "2026-11-23T19:41:23.394Z [ERROR] expiration: failed to revoke lease: lease_id=a/creds/b/c";
    let failed = ServerEvent::RevocationFailed {
        lease: "a/creds/b/c".into(),
        attempts: 0,
        next_attempt: None,
        trouble: RevocationTrouble::Other,
    };
    assert_eq!(meaning(head), Some(failed));
}

#[test]
fn another_modules_values_are_of_any_type() {
    let line = r#"{"@level":"info","@message":"successful mount","@module":"core","@timestamp":"2026-11-23T19:40:43Z","error":{"code":3},"attempts":"three","lease_id":7,"have":-1}"#;
    assert_eq!(decode(line).map(|event| event.kind), Some(EventKind::Nothing));
    // The words of one module in the mouth of another.
    let line =
        "2026-11-23T19:40:43.000Z [INFO]  secrets.custom.custom_1: revoked lease: lease_id=a/creds/b/c";
    assert_eq!(decode(line).map(|event| event.kind), Some(EventKind::Nothing));
}

#[test]
fn what_is_no_server_log_is_not_taken_for_one() {
    assert_eq!(decode("==> OpenBao server started!"), None);
    assert_eq!(decode("             Api Address: http://127.0.0.1:8200"), None);
    assert_eq!(decode(r#"{"time":"2026-11-23T19:41:00Z","type":"request"}"#), None);
    assert_eq!(decode(""), None);
    assert_eq!(decode("{"), None);
}

/// When a node becomes active and ceases to be, from the beginning of its log: seconds of
/// the hour, and whether it is active from then on.
fn terms(log: &str) -> Vec<(String, bool)> {
    let mut terms: Vec<(String, bool)> = Vec::new();
    for line in log.lines() {
        let now = match meaning(line) {
            Some(ServerEvent::BecameActive { elected: false }) => true,
            Some(ServerEvent::BecameInactive) => false,
            _ => continue,
        };
        if terms.last().is_none_or(|(_, before)| *before != now) {
            let at = decode(line).unwrap().at.to_string();
            terms.push((at[14..23].to_owned(), now));
        }
    }
    terms
}

fn expect(log: &str, expected: &[(&str, bool)]) {
    let expected: Vec<_> = expected.iter().map(|(at, active)| ((*at).to_owned(), *active)).collect();
    assert_eq!(terms(log), expected);
}

/// Three nodes on raft. Node 0 is initialized and unsealed, steps down, is elected again after
/// the others died, and gets SIGTERM.
#[test]
fn a_node_that_steps_down_and_is_elected_again() {
    expect(
        include_str!("../../tests/data/server-log/openbao-2.7.2-text-node-0.txt"),
        &[
            ("27:26.867", false),
            ("27:35.875", true),
            ("27:35.893", false),
            ("27:35.915", true),
            ("27:58.788", false),
            ("28:43.497", true),
            ("28:48.861", false),
        ],
    );
}

/// Node 0 of another such cluster, logging JSON: it is elected again after its heir was killed, is
/// sealed, unsealed, told to end and started again as a standby, and elected once more.
#[test]
fn a_node_that_is_sealed_and_unsealed() {
    expect(
        include_str!("../../tests/data/server-log/openbao-2.7.2-json-node-0.txt"),
        &[
            ("29:15.667", false),
            ("29:25.601", true),
            ("29:25.657", false),
            ("29:25.708", true),
            ("29:48.536", false),
            ("30:06.536", true),
            ("30:16.764", false),
            ("30:33.063", true),
        ],
    );
}

/// Node 1 joins, is elected after the step-down of node 0, is killed, started again, and told to
/// end and started again as a standby, before it is elected.
#[test]
fn a_node_that_was_killed_and_comes_back_as_a_standby() {
    expect(
        include_str!("../../tests/data/server-log/openbao-2.7.2-text-node-1.txt"),
        &[("27:26.901", false), ("28:01.382", true), ("28:22.474", false), ("28:48.948", true)],
    );
}

/// The log of a single node with storage in memory: `tests/corpus`.
#[test]
fn the_log_of_a_single_node_to_its_end() {
    let log = include_bytes!("../../tests/corpus/openbao-2.7.2/server.log.zst");
    let log = String::from_utf8(zstd::decode_all(&log[..]).unwrap()).unwrap();
    // It is initialized, which is a term of its own, unsealed, and told to end.
    expect(
        &log,
        &[
            ("40:42.540", false),
            ("40:42.756", true),
            ("40:42.760", false),
            ("40:42.862", true),
            ("54:34.015", false),
        ],
    );
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for event in log.lines().filter_map(meaning) {
        let what = match event {
            ServerEvent::LeaseRevoked { .. } => "revoked".to_owned(),
            ServerEvent::RevocationFailed { attempts, next_attempt, trouble, .. } => {
                // 10 s times two to the number of the attempt, half as long to half as long again.
                let usual = 10_000_000_000_i64 << attempts;
                let next = next_attempt.unwrap();
                assert!(next >= usual / 2 && next <= usual / 2 * 3, "{attempts}: {next}");
                format!("failed: {}", trouble.name())
            }
            ServerEvent::RequestedRevocationFailed { trouble, is_unknown, .. } => {
                assert!(!is_unknown);
                format!("requested: {}", trouble.name())
            }
            ServerEvent::RenewalFailed { trouble, .. } => format!("renewal: {}", trouble.name()),
            ServerEvent::ForcedDespite { trouble } => format!("forced: {}", trouble.name()),
            ServerEvent::LeasesRestored => "restored".to_owned(),
            _ => continue,
        };
        *counts.entry(what).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(what, count)| (what.as_str(), *count)).collect();
    let expected = [
        ("failed: connection", 254),
        ("failed: missing_role", 141),
        ("forced: missing_role", 34),
        ("renewal: backend", 25),
        ("renewal: expired", 1),
        ("renewal: not_found", 12),
        ("requested: connection", 14),
        ("requested: missing_role", 9),
        ("restored", 2),
        ("revoked", 7047),
    ];
    assert_eq!(counts, expected);
}

/// Revocations that fail, by role: a statement that always fails, a user that owns something,
/// and a database that is gone, of which Vault says so in several lines.
#[test]
fn failures_as_the_text_format_has_them() {
    let log = include_str!("../../tests/data/server-log/openbao-2.7.2-text-leases.txt");
    let said: Vec<_> = log.lines().filter_map(meaning).collect();
    let app = |lease: &str| format!("database/creds/app/{lease}").into();
    let own = |lease: &str| format!("database/creds/own/{lease}").into();
    let failed = |lease, next_attempt, trouble| ServerEvent::RevocationFailed {
        lease,
        attempts: 1,
        next_attempt: Some(next_attempt),
        trouble,
    };
    use RevocationTrouble::{MissingRole, ObjectDependency, Other};
    let [first, second] = ["AW2qdmbqL1qyn6VIMEQCZZjU", "NdGB828SaBXDeaRCx71swkzT"];
    let requested =
        |lease, trouble| ServerEvent::RequestedRevocationFailed { lease, trouble, is_unknown: false };
    let long = "database/creds/long/cQdOiDrIZxlV1homXg6oRlip";
    let connection = ServerEvent::Continued {
        trouble: Some(RevocationTrouble::Connection),
        attempts: 0,
        next_attempt: None,
    };
    let expected = [
        failed(app("VxOeDZLHramGzkwLI9AX0KxA"), 18_613_217_799, MissingRole),
        failed(own(first), 19_928_711_749, ObjectDependency),
        failed(own(second), 21_250_505_584, ObjectDependency),
        requested(own(second), ObjectDependency),
        ServerEvent::ForcedDespite { trouble: ObjectDependency },
        ServerEvent::LeaseRevoked { lease: own(first) },
        ServerEvent::ForcedDespite { trouble: ObjectDependency },
        ServerEvent::LeaseRevoked { lease: own(second) },
        ServerEvent::RenewalFailed { lease: long.into(), trouble: RenewalTrouble::Backend },
        connection.clone(),
        connection.clone(),
        connection.clone(),
        requested(long.into(), Other),
        connection.clone(),
        connection.clone(),
        connection.clone(),
        ServerEvent::RevocationFailed {
            lease: app("gsMVjwsDXdzErQsDwntEuURy"),
            attempts: 0,
            next_attempt: None,
            trouble: Other,
        },
        connection.clone(),
        connection.clone(),
        connection,
        ServerEvent::Continued { trouble: None, attempts: 1, next_attempt: Some(11_869_139_174) },
    ];
    assert_eq!(said, expected);
}
