//! What a report answers after an incident. The numbers of the recorded run were counted from its
//! logs by another program.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use serde_json::{Value as Json, json};
use std::process::Command;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

fn analyze(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_leasewatch")).arg("analyze").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn recorded(more: &[&str]) -> String {
    let (audit, server) = (format!("{CORPUS}audit.log.zst"), format!("{CORPUS}server.log.zst"));
    analyze(&[&[audit.as_str(), "--server-log", server.as_str()], more].concat())
}

fn of<'j>(list: &'j Json, key: &str, value: &str) -> &'j Json {
    list["list"].as_array().unwrap().iter().find(|one| one[key] == *value).unwrap()
}

#[test]
fn the_recorded_run_is_explained() {
    let report: Json = serde_json::from_str(&recorded(&["--format", "json"])).unwrap();
    let burst = &report["explosions"]["list"];
    assert_eq!(burst.as_array().unwrap().len(), 1, "{burst}");
    assert_eq!(
        [&burst[0]["role"], &burst[0]["from"], &burst[0]["issued"]],
        [&json!("app-role"), &json!("2026-11-23T19:43:00Z"), &json!(1_049)]
    );
    let thief = &burst[0]["clients"][0];
    assert_eq!([&thief["source"], &thief["issued"]], [&json!("127.9.9.9"), &json!(636)]);

    let client = &report["clients"]["list"][0];
    assert_eq!([&client["client"]["role"], &client["issued"]], [&json!("app-2"), &json!(1_413)]);
    let lives = of(&report["lifetimes"], "role", "app-role");
    assert_eq!([&lives["ended"], &lives["never_renewed"]], [&json!(2_557), &json!(1_924)]);
    assert_eq!(lives["used_seconds"], json!({ "0.5": 60.0, "0.9": 60.0 }));
    assert_eq!(report["lifetimes"]["ends"], "server_log");

    let prober = of(&report["refused"], "source", "127.9.9.9");
    assert_eq!([&prober["not_found"], &prober["paths"]], [&json!(917), &json!(917)]);
    let failing = report["failing"]["list"].as_array().unwrap();
    let told: Vec<_> = failing
        .iter()
        .map(|one| {
            (one["what"].as_str().unwrap(), one["mount"].as_str().unwrap(), one["failures"].as_u64().unwrap())
        })
        .collect();
    assert!(
        told.contains(&("issue", "database/", 191)) && told.contains(&("issue", "orders-db/", 98)),
        "{told:?}"
    );

    let forced = report["privileged"]["list"].as_array().unwrap().iter();
    let forced: Vec<_> = forced.filter(|one| one["operation"] == "revoke_force").collect();
    assert_eq!(forced.len(), 3);
    assert_eq!(
        [&forced[0]["object"], &forced[0]["source"]],
        [&json!("database/creds/broken-revoke"), &json!("127.0.0.1")]
    );
    // It only writes keys; whoever asked every ten seconds for leases left two minutes before the end.
    assert_eq!(report["static_reads"]["list"], json!([]));
    let silences = report["silences"].as_array().unwrap();
    assert_eq!(silences.len(), 1, "{silences:?}");
    assert_eq!(silences[0]["from"], "2026-11-23T19:52:44.130006054Z");
    let times: Vec<_> = report["timeline"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["kind"].as_str().unwrap())
        .collect();
    for kind in ["node", "failing", "failing_over", "burst", "burst_over", "privileged"] {
        assert!(times.contains(&kind), "{kind}");
    }
}

#[test]
fn people_are_told_the_same_and_a_pipe_is_plain() {
    let text = recorded(&[]);
    assert!(text.contains("approle app-2 from 127.9.9.9 636 (61 %)"), "{text}");
    assert!(text.contains("and 23 more operations") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(text, recorded(&[]));
    let colours = recorded(&["--color", "always"]);
    assert!(colours.contains("\u{1b}[1mTimeline\u{1b}[0m"));
    for form in ["markdown", "html"] {
        assert!(recorded(&["--format", form]).contains("Lease explosions"), "{form}");
    }
}

#[test]
fn one_role_alone_has_nothing_of_the_others() {
    let report: Json =
        serde_json::from_str(&recorded(&["--format", "json", "--only-role", "orders-db/reporting"])).unwrap();
    let clients = report["clients"]["list"].as_array().unwrap();
    assert_eq!(clients.iter().map(|one| one["issued"].as_u64().unwrap()).sum::<u64>(), 379);
    assert_eq!(report["metrics"]["leasewatch_credentials_issued_total"][0]["value"], 379);
    assert_eq!(report["narrowed"]["role"], "reporting");
    assert!(report["lifetimes"]["list"].as_array().unwrap().iter().all(|one| one["role"] == "reporting"));
    assert_eq!(report["explosions"]["list"], json!([]));
}

/// An answered request, `second` seconds after midnight.
fn answered(second: u32, client: &str, engine: &str, path: &str, response: &Json) -> String {
    let mount = path.split('/').next().unwrap();
    let entry = json!({
        "time": format!("2026-01-02T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60),
        "type": "response",
        "auth": { "display_name": client, "entity_id": format!("id-{client}"), "accessor": "hmac-sha256:aa" },
        "request": {
            "id": format!("{second:08x}-0000-0000-0000-{:012x}", path.len()), "operation": "read",
            "mount_type": engine, "mount_point": format!("{mount}/"), "path": path,
            "namespace": { "id": "root" }, "remote_address": "10.0.0.1",
        },
        "response": response,
    });
    format!("{entry}\n")
}

#[test]
fn keys_beside_dynamic_credentials_newcomers_and_silences_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("audit.log");
    let mut lines = String::new();
    for second in (0..600).chain(1_200..1_800) {
        lines +=
            &answered(second, "old", "kv", "kv/data/shared", &json!({ "data": { "a": "hmac-sha256:bb" } }));
    }
    let issued =
        |lease: &str| json!({ "secret": { "lease_id": format!("db/creds/app/{lease}") }, "data": {} });
    lines += &answered(1_800, "old", "database", "db/creds/app", &issued("one"));
    lines += &answered(1_801, "\u{1b}[31m<b>`new", "database", "db/creds/app", &issued("two"));
    std::fs::write(&log, lines).unwrap();
    let log = log.to_str().unwrap();
    let report: Json = serde_json::from_str(&analyze(&[log, "--format", "json"])).unwrap();
    let read = &report["static_reads"]["list"][0];
    assert_eq!(
        [&read["kind"], &read["reads"], &read["paths"], &read["clients_with_dynamic"]],
        [&json!("kv"), &json!(1_200), &json!(1), &json!(1)]
    );
    let silences = report["silences"].as_array().unwrap();
    assert_eq!(silences.len(), 1, "{silences:?}");
    assert_eq!(
        [&silences[0]["from"], &silences[0]["until"], &silences[0]["usual_seconds"]],
        [&json!("2026-01-02T00:09:59Z"), &json!("2026-01-02T00:20:00Z"), &json!(1.0)]
    );
    let text = analyze(&[log, "--color", "never"]);
    assert!(text.contains("Who started to get credentials") && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains("audit.log is silent for 10m1s; an entry every 1.0 s is usual"), "{text}");
    let page = analyze(&[log, "--format", "html"]);
    assert!(!page.contains("<b>`new"), "a name became an element");
}
