//! `analyze --lease`, `--entity`, `--role`: stories out of a real run, held against what its clients saw.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod support;

use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use support::corpus::{CORPUS, analyze_corpus as run, said};

const ALL: [&str; 4] = ["--format", "json", "--moments", "1000000"];

fn text(args: &[&str]) -> String {
    said(run(args))
}

fn json(args: &[&str]) -> Json {
    serde_json::from_str(&said(run(&[&ALL[..], args].concat()))).unwrap()
}

fn truth() -> Vec<Json> {
    let bytes = std::fs::read(format!("{CORPUS}truth.jsonl.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of<'j>(value: &'j Json, field: &str) -> &'j str {
    value[field].as_str().unwrap_or("")
}

fn list<'j>(report: &'j Json, field: &str) -> &'j [Json] {
    report["story"][field].as_array().unwrap()
}

/// What happened, as `event outcome`.
fn course(report: &Json) -> Vec<String> {
    list(report, "moments")
        .iter()
        .map(|moment| format!("{} {}", of(moment, "event"), of(moment, "outcome")))
        .collect()
}

#[test]
fn a_role_has_every_lease_renewal_and_revocation_that_its_clients_saw() {
    const PATH: &str = "database/creds/app-role";
    let truth = truth();
    let report = json(&["--role", "database/app-role"]);
    let moments = list(&report, "moments");
    let is = |moment: &&Json, event: &str| of(moment, "event") == event && of(moment, "outcome") == "ok";
    let leases = |event: &'static str| {
        moments.iter().filter(move |moment| is(moment, event)).map(|moment| of(moment, "lease"))
    };

    let issued =
        |call: &&Json| of(call, "op") == "generate" && of(call, "path") == PATH && call["status"] == 200;
    let seen: BTreeSet<_> = truth.iter().filter(issued).map(|call| of(call, "lease")).collect();
    let shown: BTreeSet<_> = leases("credential").collect();
    assert_eq!(shown, seen);
    assert_eq!(leases("credential").count(), truth.iter().filter(issued).count(), "the wrapped ones too");

    let mut renewed: BTreeMap<&str, u64> = BTreeMap::new();
    for call in truth.iter().filter(|call| of(call, "op") == "renew" && call["status"] == 200) {
        if of(call, "target").starts_with(PATH) {
            *renewed.entry(of(call, "target")).or_default() += 1;
        }
    }
    let lives = list(&report, "leases").iter();
    let shown: BTreeMap<_, _> = lives
        .map(|life| (of(life, "lease"), life["renewals"].as_u64().unwrap()))
        .filter(|(_, renewals)| *renewals > 0)
        .collect();
    assert_eq!(shown, renewed);

    // Most name their lease by a hash alone.
    let revoked: BTreeSet<_> = truth
        .iter()
        .filter(|call| ["revoke", "revoke-path"].contains(&of(call, "op")))
        .filter(|call| of(call, "target").starts_with(PATH) && call["status"].as_u64().unwrap() < 300)
        .map(|call| (of(call, "target"), of(call, "who")))
        .collect();
    let shown: BTreeSet<_> = moments
        .iter()
        .filter(|moment| of(moment, "event") == "revocation_request" && of(moment, "operation") == "lease")
        .filter(|moment| ["ok", "queued"].contains(&of(moment, "outcome")))
        .map(|moment| (of(moment, "lease"), of(&moment["client"], "role")))
        .collect();
    assert_eq!(shown, revoked);
    let lives = list(&report, "leases").iter();
    let ended: BTreeSet<_> =
        lives.filter(|life| of(life, "ended_by") == "requested").map(|life| of(life, "lease")).collect();
    assert_eq!(ended, revoked.iter().map(|(lease, _)| *lease).collect());
}

#[test]
fn a_lease_is_told_from_the_login_of_its_token_to_its_end() {
    let report = json(&["--lease", "database/creds/app-role/EceTb1TVi5qkRJtNQPVyjMif"]);
    assert_eq!(
        course(&report),
        [
            "login ok",
            "credential ok",
            "renewal ok",
            "renewal ok",
            "revocation_request queued",
            "lease_ended ok",
            // Of its token.
            "revocation_request ok",
        ]
    );
    let issue = &list(&report, "moments")[1];
    assert_eq!(of(issue, "request"), "38f3f43a-cddb-3522-1ec7-a2800eadd60b");
    assert_eq!(of(issue, "source"), "127.0.1.3");
    assert_eq!(of(issue, "accessor"), "hmac-sha256:25fd8f6873d3e450a25ed87bf0861f92");
    assert_eq!(of(&issue["client"], "role"), "app-2");
    let life = &list(&report, "leases")[0];
    assert_eq!((of(life, "ended_by"), of(life, "ended_at")), ("requested", "2026-11-23T19:40:44.110691Z"));
    assert_eq!(of(life, "ended_by_request"), "b4061730-c0fc-abc7-d71c-a8559ce7b2af");
    assert_eq!((life["renewals"].as_u64(), life["role_ttl_seconds"].as_f64()), (Some(2), Some(60.0)));
    assert!((life["used_seconds"].as_f64().unwrap() - 0.325_531_592).abs() < 1e-6);

    // By the hash of it that an audit entry has, it is the same story.
    let hash = "hmac-sha256:5af41c3ff9755a9aeb77e5696e80a06dfe890174da5bd83389e743ba99b52b3d";
    let by_hash = json(&["--lease", hash]);
    assert_eq!(of(&by_hash["story"], "lease"), "database/creds/app-role/EceTb1TVi5qkRJtNQPVyjMif");
    assert_eq!(by_hash["story"]["moments"], report["story"]["moments"]);
    assert_eq!(by_hash["story"]["leases"], report["story"]["leases"]);
}

#[test]
fn a_revocation_by_hash_is_tied_to_its_lease_by_time_and_says_so() {
    let lease = "database/creds/app-role/YUv5ysgiSlqDF0vV6lO2wCoh";
    let report = json(&["--lease", lease]);
    // It came in before the lease ended, and was answered after.
    assert_eq!(course(&report), ["login ok", "credential ok", "revocation_request ok", "lease_ended ok"]);
    let asked = &list(&report, "moments")[2];
    assert_eq!((of(asked, "rests_on"), of(asked, "lease")), ("time", lease));
    assert_eq!(of(asked, "request"), "d19c9a23-d178-202b-1dfe-4d3602f510d8");
    let page = text(&["--lease", lease]);
    assert!(page.contains("by time it can only have been this lease"), "{page}");
    let by_hash =
        json(&["--lease", "hmac-sha256:d2ac5c02a462e621101030340dc606515a59efe81a70b61625e156f11bc6be77"]);
    assert_eq!(by_hash["story"]["moments"], report["story"]["moments"]);
}

#[test]
fn failed_attempts_of_a_lease_that_is_given_up_are_told_with_their_cause() {
    let lease = "database/creds/broken-revoke/XFeBu8IzCct4uZxTYbMEFncH";
    let report = json(&["--lease", lease]);
    let attempts: Vec<_> = list(&report, "moments")
        .iter()
        .filter(|moment| of(moment, "event") == "revocation_attempt")
        .map(|moment| (moment["failed_attempts"].as_u64().unwrap(), of(moment, "reason")))
        .collect();
    assert_eq!(attempts.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5][1..]);
    assert!(attempts.iter().all(|(_, reason)| *reason == "missing_role"), "{attempts:?}");
    assert!(list(&report, "leases")[0].get("ended_at").is_none());
    assert!(text(&["--lease", lease]).contains("not ended, attempts failed"));
}

#[test]
fn what_was_revoked_by_force_or_by_prefix_says_so() {
    for (role, how, count) in
        [("database/broken-revoke", "forced", 30), ("orders-db/reporting", "prefix", 80)]
    {
        let report = json(&["--role", role]);
        let of_it = list(&report, "leases").iter().filter(|life| of(life, "ended_by") == how);
        let requests: BTreeSet<_> = of_it.clone().map(|life| of(life, "ended_by_request")).collect();
        assert!(of_it.count() > count, "{role}");
        let asked: BTreeSet<_> = list(&report, "moments")
            .iter()
            .filter(|moment| ["force", "prefix"].contains(&of(moment, "operation")))
            .map(|moment| of(moment, "request"))
            .collect();
        assert!(requests.is_subset(&asked) && !asked.is_empty(), "{role}: {requests:?} {asked:?}");
    }
}

#[test]
fn a_client_is_known_by_its_login_name_and_by_its_entity() {
    let report = json(&["--entity", "app-6"]);
    let clients = list(&report, "clients");
    assert_eq!(clients.len(), 1);
    let entity = of(&clients[0], "entity_id");
    assert_eq!(entity, "ed064c13-4738-ee57-f60b-87abcf318d88");
    assert_eq!(json(&["--entity", entity])["story"]["moments"], report["story"]["moments"]);

    let truth = truth();
    let calls = |ops: &[&str], good: bool| {
        let of_it = truth.iter().filter(|call| of(call, "who") == "app-6" && ops.contains(&of(call, "op")));
        of_it.filter(|call| (call["status"].as_u64().unwrap() < 300) == good).count()
    };
    let count = |event: &str, outcomes: &[&str]| {
        // What the operator revoked of its leases is part of the story as well.
        let own = list(&report, "moments").iter().filter(|moment| of(&moment["client"], "role") == "app-6");
        let moments = own.filter(|moment| of(moment, "event") == event);
        moments.filter(|moment| outcomes.contains(&of(moment, "outcome"))).count()
    };
    assert_eq!(count("login", &["ok"]), calls(&["login"], true));
    assert_eq!(count("credential", &["ok"]), calls(&["generate", "pki"], true));
    assert_eq!(count("credential", &["failed", "denied"]), calls(&["generate", "pki"], false));
    assert_eq!(count("renewal", &["ok"]), calls(&["renew"], true));
    assert_eq!(count("renewal", &["failed"]), calls(&["renew"], false));
    assert_eq!(
        count("revocation_request", &["ok", "queued"]),
        calls(&["revoke", "revoke-path", "token-revoke-self"], true)
    );
    assert_eq!(report["story"]["other_requests"].as_u64(), Some(calls(&["kv"], true) as u64));
}

#[test]
fn a_long_story_keeps_its_beginning_and_its_end_and_says_what_is_missing() {
    let whole = json(&["--entity", "app-2"]);
    let short: Json =
        serde_json::from_str(&text(&["--entity", "app-2", "--moments", "10", "--format", "json"])).unwrap();
    let (all, few) = (list(&whole, "moments"), list(&short, "moments"));
    assert_eq!(few.len(), 10);
    assert_eq!(few[0], all[0]);
    assert_eq!(few[9], all[all.len() - 1]);
    assert_eq!(short["story"]["moments_left_out"].as_u64(), Some(all.len() as u64 - 10));
    let page = text(&["--entity", "app-2", "--moments", "10"]);
    assert!(page.contains("moments from") && page.contains("narrow it with --since and --until"), "{page}");
}

#[test]
fn a_period_of_a_story_knows_the_leases_from_before() {
    let report = json(&["--role", "database/app-role", "--since", "2026-11-23T19:45:00Z"]);
    assert_eq!(of(&report["period"], "since"), "2026-11-23T19:45:00Z");
    assert!(list(&report, "moments").iter().all(|moment| of(moment, "at") >= "2026-11-23T19:45:00"));
    let lives = list(&report, "leases");
    assert!(lives.iter().any(|life| of(life, "issued_at") < "2026-11-23T19:45:00"));
    assert!(
        lives
            .iter()
            .all(|life| of(life, "ended_at").is_empty() || of(life, "ended_at") >= "2026-11-23T19:45")
    );
}

#[test]
fn without_a_server_log_it_says_what_is_not_known() {
    let audit = format!("{CORPUS}audit.log.zst");
    let lease = "database/creds/app-role/EceTb1TVi5qkRJtNQPVyjMif";
    let page = said(
        Command::new(env!("CARGO_BIN_EXE_leasewatch"))
            .args(["analyze", &audit, "--lease", lease])
            .output()
            .unwrap(),
    );
    assert!(page.contains("asked for, end not seen") && page.contains("Give --server-log"), "{page}");
    let nobody = text(&["--entity", "nobody"]);
    assert!(nobody.contains("Nothing: no line names it"), "{nobody}");
}

#[test]
fn names_out_of_a_log_do_nothing_to_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.log");
    let entry = r#"{"time":"2026-01-02T03:04:05Z","type":"response","auth":{"client_token":"hmac-sha256:1","display_name":"\u001b[31mx","policies":["a"]},"request":{"id":"1","operation":"read","mount_point":"database/","mount_type":"database","namespace":{"id":"root"},"path":"database/creds/app","remote_address":"10.0.0.1"},"response":{"secret":{"lease_id":"database/creds/app/\u001b]0;x"}}}"#;
    std::fs::write(&log, format!("{entry}\n")).unwrap();
    let log = log.to_str().unwrap();
    for topic in [["--role", "database/app"], ["--entity", "\u{1b}[31mx"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_leasewatch")).args(["analyze", log]).args(topic).output();
        let page = said(output.unwrap());
        assert!(!page.contains('\u{1b}') && page.contains("\\u{1b}]0;x"), "{page}");
    }
}

#[test]
fn a_story_that_cannot_be_told_is_bad_usage() {
    for (args, told) in [
        (&["--lease", "app"][..], "write a whole lease ID"),
        (&["--role", "app"], "write mount and role"),
        (&["--role", "database/app", "--format", "html"], "a story is told as text, JSON or Markdown"),
        (&["--role", "database/app", "--lease", "a/b"], "cannot be used with"),
        (&["--moments", "7"], "--lease"),
        (&["-", "--entity", "a"], "reading the logs several times"),
    ] {
        let output = run(args);
        let told_instead = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told_instead}");
        assert!(told_instead.contains(told), "{args:?}: {told_instead}");
    }
}
