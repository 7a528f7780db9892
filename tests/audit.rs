//! Audit lines, decoded: what the ledger takes from them, of real lines and of other versions' forms.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use leasewatch::audit::decode;
use leasewatch::event::{
    Action, Entry, EventKind, LeaseHash, LeaseRef, RevocationForm, Stage, Timestamp, TokenHash, WrittenTtl,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn entry(line: &str) -> Entry {
    match decode(line).unwrap().kind {
        EventKind::Audit(entry) => *entry,
        other => panic!("{other:?} of {line}"),
    }
}

/// A response to a request of an application's, with other parts merged into it.
fn response(parts: &Value) -> Entry {
    fn merge(into: &mut Value, from: &Value) {
        match (into, from) {
            (Value::Object(into), Value::Object(from)) => {
                for (key, value) in from {
                    merge(into.entry(key).or_insert(Value::Null), value);
                }
            }
            (into, from) => *into = from.clone(),
        }
    }
    let mut line = json!({
        "time": "2026-01-02T03:04:05.123456789Z",
        "type": "response",
        "auth": {
            "client_token": hashed("c"), "accessor": hashed("a"), "display_name": "approle",
            "policies": ["default"], "entity_id": "ent-1", "token_type": "service", "token_ttl": 120,
            "token_issue_time": "2026-01-02T03:00:00Z",
        },
        "request": {"id": "1", "operation": "update", "namespace": {"id": "root"}, "path": "sys/leases/renew"},
        "response": {},
    });
    merge(&mut line, parts);
    let compact = entry(&line.to_string());
    // The thorough reader, which white space calls for, comes to the same.
    assert_eq!(compact, entry(&format!(" {line}")), "{line}");
    compact
}

/// A keyed hash, all of one digit.
fn hashed(digit: &str) -> String {
    format!("hmac-sha256:{}", digit.repeat(64))
}

/// The part of it that is kept.
fn half(digit: &str) -> u128 {
    u128::from_str_radix(&digit.repeat(32), 16).unwrap()
}

#[test]
fn the_corpus_tells_tokens_leases_and_requesters() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/audit.log.zst");
    let corpus = zstd::decode_all(std::fs::File::open(corpus).unwrap()).unwrap();
    let corpus = std::str::from_utf8(&corpus).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |what, is: bool| *counts.entry(what).or_default() += usize::from(is);
    let (mut granted, mut revoked_own) = (BTreeSet::new(), 0);
    for line in corpus.lines() {
        let entry = entry(line);
        let is_response = entry.stage == Stage::Response;
        if let Some(token) = entry.token {
            assert!(is_response, "{line}");
            assert_eq!(token.accessor.is_some(), token.is_service, "{line}");
            assert!(token.token.is_some() && granted.insert(token.token), "{line}");
            count("tokens with 120 seconds", token.ttl == 120);
            count("tokens of another TTL", token.ttl != 120);
        }
        count("grants, by the text", is_response && line.contains(r#""response":{"auth":{"#));
        count("service grants", entry.token.is_some_and(|token| token.is_service));
        // A batch token that asks for something lives for two minutes from its issue.
        if let Some(end) = entry.caller.batch_end {
            let issued = &line.split_once(r#""token_issue_time":""#).unwrap().1[..20];
            assert_eq!(end, Timestamp::parse_rfc3339(issued).unwrap().plus_secs(120));
            assert_eq!(entry.caller.accessor, None, "{line}");
        }
        count("entries of batch tokens", entry.caller.batch_end.is_some());
        count("capped", entry.capped);
        if entry.capped {
            let left = line.split_once(r#"max_ttl of \""#).unwrap().1.split_once('s').unwrap().0;
            assert_eq!(entry.granted, Some(left.parse().unwrap()), "{line}");
        } else {
            assert_eq!(entry.granted, None, "{line}");
        }
        match &entry.action {
            Action::Renew(_) => assert_eq!(entry.increment, Some(30), "{line}"),
            Action::Revoke(RevocationForm::Token, LeaseRef::Absent) => revoked_own += 1,
            Action::Revoke(RevocationForm::Token, other) => panic!("{other:?} of {line}"),
            _ => assert_eq!(entry.increment, None, "{line}"),
        }
        if entry.path.contains("/roles/") && line.contains(r#""operation":"create""#) {
            assert_eq!(entry.ttls.default, WrittenTtl::Hidden, "{line}");
            count("roles written", is_response);
        }
        assert_eq!(entry.who.is_some(), is_response && entry.caller.known, "{line}");
        if let Some(who) = entry.who {
            let name = who.requester.display_name;
            let has_role = who.role.starts_with("app-");
            let is_app = name == "approle" || name.contains("kubernetes");
            assert!(is_app && has_role || matches!(&*name, "root" | "token") && !has_role, "{line}");
        }
        let address =
            line.split_once(r#""remote_address":""#).map(|(_, rest)| rest.split('"').next().unwrap());
        assert_eq!(entry.source.map(|address| address.to_string()).as_deref(), address, "{line}");
    }
    assert_eq!(
        counts["tokens with 120 seconds"] + counts["tokens of another TTL"],
        counts["grants, by the text"]
    );
    assert_eq!(counts["grants, by the text"], corpus.matches(r#""response":{"auth":{"#).count());
    assert_eq!(revoked_own, 2 * 84);
    assert!(counts["entries of batch tokens"] > 1_000 && counts["service grants"] > 300, "{counts:?}");
    assert_eq!((counts["capped"], counts["roles written"]), (46, 8), "{counts:?}");
}

#[test]
fn a_batch_token_ends_at_its_ttl_by_any_clock() {
    let end = |auth: Value| response(&json!({ "auth": auth })).caller.batch_end.map(|end| end.to_string());
    let batch =
        |issued: &str| end(json!({"token_type": "batch", "accessor": "", "token_issue_time": issued}));
    assert_eq!(batch("2026-01-02T03:00:00Z").as_deref(), Some("2026-01-02T03:02:00Z"));
    assert_eq!(batch("2026-01-02T05:00:00+02:00").as_deref(), Some("2026-01-02T03:02:00Z"));
    assert_eq!(batch("2026-01-01T21:30:00-05:30").as_deref(), Some("2026-01-02T03:02:00Z"));
    assert_eq!(batch(""), None);
    assert_eq!(batch("yesterday"), None);
    assert_eq!(end(json!({})), None, "a service token is renewed");
    assert_eq!(end(json!({"token_type": "batch", "token_ttl": 0})), None);
    assert_eq!(end(json!({"token_type": "batch", "token_ttl": null})), None);
}

#[test]
fn tokens_are_known_by_their_hashes_or_by_their_texts() {
    let of = |accessor: &str| response(&json!({"auth": {"accessor": accessor}})).caller.accessor;
    assert_eq!(of(&hashed("a")), Some(TokenHash(half("a"))));
    assert_eq!(of(""), None);
    let plain = of("Jxm3kPlainAccessor").unwrap();
    assert_ne!(Some(plain), of("Jxm3kAnotherAccessor"));
    // A device that does not hash names the same accessor in a revocation by the same text.
    let revoked =
        |path: &str, data: Value| match response(&json!({"request": {"path": path, "data": data}})).action {
            Action::Revoke(RevocationForm::Token, token) => token,
            other => panic!("{other:?}"),
        };
    assert_eq!(
        revoked("auth/token/revoke-accessor", json!({"accessor": "Jxm3kPlainAccessor"})),
        LeaseRef::Hashed(LeaseHash(plain.0))
    );
    for path in ["auth/token/revoke", "auth/token/revoke-orphan"] {
        let data = json!({"token": hashed("d"), "accessor": hashed("e")});
        assert_eq!(revoked(path, data), LeaseRef::Hashed(LeaseHash(half("d"))));
    }
    assert_eq!(revoked("auth/token/revoke-self", json!({"token": hashed("d")})), LeaseRef::Absent);
    assert_eq!(
        revoked("auth/token/revoke-accessor/Jxm3kPlainAccessor", json!(null)),
        LeaseRef::Hashed(LeaseHash(plain.0))
    );
}

#[test]
fn an_answer_hands_out_a_token() {
    let granted = |auth: Value| {
        response(&json!({"request": {"path": "auth/token/renew-self"}, "response": {"auth": auth}})).token
    };
    let token = granted(json!({
        "client_token": hashed("d"), "accessor": hashed("e"), "token_type": "service", "token_ttl": 3600
    }))
    .unwrap();
    assert_eq!((token.token, token.accessor), (Some(TokenHash(half("d"))), Some(TokenHash(half("e")))));
    assert_eq!((token.ttl, token.is_service), (3600, true));
    // Before 1.5 there was neither a type nor a TTL.
    let token = granted(json!({"client_token": hashed("d"), "accessor": hashed("e")})).unwrap();
    assert_eq!((token.ttl, token.is_service), (0, true));
    for (kind, is_service) in [("default", true), ("default-service", true), ("batch", false)] {
        assert_eq!(granted(json!({"token_type": kind})).unwrap().is_service, is_service, "{kind}");
    }
    assert_eq!(granted(json!(null)), None);
    let failed = json!({"error": "1 error occurred:\n\t* internal error\n\n", "response": {"auth": {"token_ttl": 60}}});
    assert_eq!(response(&failed).token, None);
}

#[test]
fn a_cap_tells_what_is_left() {
    let renewed = |warning: &str| {
        let entry = response(&json!({"response": {
            "secret": {"lease_id": "database/creds/app/x"}, "warnings": ["another", warning]
        }}));
        (entry.capped, entry.granted)
    };
    let says = |left: &str| {
        renewed(&format!(
            "TTL of \"30s\" exceeded the effective max_ttl of \"{left}\"; TTL value is capped accordingly"
        ))
    };
    assert_eq!(says("27s"), (true, Some(27)));
    assert_eq!(says("1h0m0s"), (true, Some(3_600)));
    assert_eq!(says("1h2m3.5s"), (true, Some(3_723)));
    assert_eq!(says("a while"), (true, None));
    assert_eq!(renewed("TTL is what it is"), (false, None));
    // Vault caps a new lease in the same words; that is no renewal.
    let issued = response(&json!({
        "request": {"path": "aws/creds/s3", "operation": "read", "mount_point": "aws/", "mount_type": "aws"},
        "response": {"secret": {"lease_id": "aws/creds/s3/x"}, "warnings": [
            "TTL of \"1m\" exceeded the effective max_ttl of \"17s\"; TTL value is capped accordingly"
        ]},
    }));
    assert_eq!((issued.capped, issued.granted), (false, Some(17)));
}

#[test]
fn an_increment_is_read_where_it_can_be() {
    let increment = |data: Value| response(&json!({"request": {"data": data}})).increment;
    assert_eq!(increment(json!({"lease_id": hashed("b"), "increment": 30})), Some(30));
    assert_eq!(increment(json!({"lease_id": hashed("b")})), Some(0));
    assert_eq!(increment(json!(null)), Some(0));
    assert_eq!(increment(json!({"increment": hashed("b")})), None);
    assert_eq!(increment(json!({"increment": "1h30m"})), Some(5_400));
    assert_eq!(increment(json!({"increment": "3600"})), Some(3_600));
    for odd in [json!(-1), json!(1.5), json!([30]), json!({"secs": 30}), json!(true)] {
        assert_eq!(increment(json!({"increment": odd})), None);
    }
    let another = json!({"request": {"path": "auth/token/renew-self", "data": {"increment": 30}}});
    assert_eq!(response(&another).increment, None);
}

#[test]
fn a_written_role_tells_its_ttls_or_that_they_are_hidden() {
    use WrittenTtl::{Absent, Hidden, Secs};
    let written = |data: Value| {
        let ttls = response(&json!({"request": {
            "path": "database/roles/app", "mount_point": "database/", "mount_type": "database", "data": data
        }}))
        .ttls;
        (ttls.default, ttls.max)
    };
    assert_eq!(written(json!({"db_name": hashed("b")})), (Absent, Absent));
    assert_eq!(written(json!({"default_ttl": 60, "max_ttl": 120})), (Secs(60), Secs(120)));
    assert_eq!(written(json!({"default_ttl": hashed("b"), "max_ttl": hashed("b")})), (Hidden, Hidden));
    assert_eq!(written(json!({"default_ttl": "1h", "max_ttl": "86400"})), (Secs(3_600), Secs(86_400)));
    assert_eq!(written(json!({"ttl": "30m", "max_ttl": 0})), (Secs(1_800), Secs(0)));
    assert_eq!(written(json!({"ttl": 5, "default_ttl": 6})), (Secs(6), Absent));
    assert_eq!(written(json!({"ttl": "soon", "max_ttl": [1]})), (Hidden, Hidden));
    let elsewhere = response(&json!({"request": {"path": "sys/mounts/pki", "data": {"default_ttl": 60}}}));
    assert_eq!(elsewhere.ttls.default, Absent);
}

#[test]
fn unwrapping_and_who_it_was_are_told() {
    let path = json!({"path": "sys/wrapping/unwrap"});
    let unwrapped = response(&json!({
        "request": path, "response": {"secret": {"lease_id": "database/creds/app/x"}}
    }));
    assert_eq!(unwrapped.action, Action::Unwrap);
    let requester = unwrapped.who.unwrap().requester;
    assert_eq!((&*requester.entity, &*requester.display_name), ("ent-1", "approle"));
    let wrapped = json!({"request": {"path": "database/creds/app", "operation": "read", "mount_point": "database/"},
        "response": {"wrap_info": {"creation_path": "database/creds/app"}}});
    assert!(response(&wrapped).who.is_some());
    assert_eq!(response(&json!({"request": {"path": "sys/wrapping/lookup"}})).action, Action::Other);
    assert_eq!(response(&json!({"request": {"path": "kv/a"}, "auth": null})).who, None);
    let from = |address: &str| {
        let request = json!({"request": {"path": "kv/a", "remote_address": address}});
        response(&request).source.map(|address| address.to_string())
    };
    assert_eq!(from("::ffff:10.0.0.7").as_deref(), Some("10.0.0.7"));
    assert_eq!(from("fe80::1%eth0").as_deref(), Some("fe80::1"));
    assert_eq!(from("@"), None);
}
