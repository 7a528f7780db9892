//! `analyze` with filters: a part has the numbers that it has in the whole, and what cannot be told
//! apart is left out and named.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod support;

use serde_json::Value as Json;
use std::collections::BTreeSet;
use support::corpus::{analyze_corpus as run, said};

fn told(args: &[&str]) -> String {
    said(run(args))
}

fn json(args: &[&str]) -> Json {
    serde_json::from_str(&told(&[&["--format", "json"], args].concat())).unwrap()
}

fn of<'j>(value: &'j Json, field: &str) -> &'j str {
    value[field].as_str().unwrap_or("")
}

fn moments(report: &Json) -> &[Json] {
    report["story"]["moments"].as_array().unwrap()
}

#[test]
fn a_mount_has_the_numbers_that_it_has_in_the_whole() {
    let (whole, part) = (json(&[]), json(&["--mount", "orders-db"]));
    let mut left_out = BTreeSet::new();
    for (metric, series) in whole["metrics"].as_object().unwrap() {
        let all = series.as_array().unwrap();
        let wanted: Vec<_> = all.iter().filter(|one| one["labels"]["mount"] == "orders-db/").collect();
        let shown: Vec<_> = part["metrics"][metric].as_array().into_iter().flatten().collect();
        assert_eq!(shown, wanted, "{metric}");
        let is_something = |one: &Json| one["value"].as_f64().is_none_or(|value| value != 0.0);
        if all[0]["labels"].get("mount").is_none() && all.iter().any(is_something) {
            left_out.insert(metric.as_str());
        }
    }
    let named: BTreeSet<_> =
        part["narrowed"]["left_out"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(named, left_out);
    assert!(named.contains("leasewatch_ledger_complete"), "{named:?}");
    assert_eq!(part["narrowed"]["mount"], "orders-db/");
    for form in ["text", "html", "prom"] {
        let text = told(&["--mount", "orders-db/", "--format", form]);
        assert!(text.contains("of the mount orders-db/ alone; lines of logs are those of all"), "{form}");
        assert!(text.contains("not told apart by that: "), "{form}");
        let body: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!body.concat().contains("\"database/\"") && !body.concat().contains(">database/<"), "{form}");
    }
    assert!(json(&["--namespace", "nowhere"])["metrics"].as_object().unwrap().is_empty());
    assert_eq!(json(&["--namespace", "root", "--mount", "orders-db"])["metrics"], part["metrics"]);
}

#[test]
fn a_part_of_a_story_is_that_of_requests_from_there_and_of_their_leases() {
    // A stolen identity, used from elsewhere.
    let all = ["--entity", "app-2", "--moments", "1000000"];
    let whole = json(&all);
    let part = json(&[&all[..], &["--source", "127.9.0.0/16"]].concat());
    let from = |moment: &&Json| of(moment, "source").starts_with("127.9.");
    let wanted: Vec<_> = moments(&whole).iter().filter(from).collect();
    let requests: Vec<_> = moments(&part).iter().filter(|moment| moment.get("request").is_some()).collect();
    assert!(!requests.is_empty());
    assert_eq!(requests, wanted);
    let leases: BTreeSet<_> = requests
        .iter()
        .filter(|moment| of(moment, "event") == "credential")
        .map(|moment| of(moment, "lease"))
        .filter(|lease| !lease.is_empty())
        .collect();
    let lives: BTreeSet<_> =
        part["story"]["leases"].as_array().unwrap().iter().map(|life| of(life, "lease")).collect();
    assert_eq!(lives, leases);
    assert_eq!(
        part["story"]["part"],
        "requests of source 127.9.0.0/16, and what became of the leases that came of them"
    );
    let ended = |report: &Json| {
        let ends = moments(report).iter().filter(|moment| of(moment, "event") == "lease_ended");
        ends.filter(|moment| leases.contains(of(moment, "lease"))).count()
    };
    assert!(ended(&part) > 0);
    assert_eq!(ended(&part), ended(&whole));
}

#[test]
fn the_story_of_a_client_is_narrowed_to_a_role() {
    let all = ["--entity", "app-2", "--moments", "1000000"];
    let (whole, part) = (json(&all), json(&[&all[..], &["--role", "database/app-role"]].concat()));
    let is = |moment: &&Json| of(moment, "mount") == "database/" && of(moment, "role") == "app-role";
    let issues = |report: &Json| {
        moments(report).iter().filter(|moment| of(moment, "event") == "credential").filter(is).count()
    };
    assert!(issues(&part) > 0);
    assert_eq!(issues(&part), issues(&whole));
    let renewals = |report: &Json| {
        let of_it = moments(report).iter().filter(|moment| of(moment, "event") == "renewal");
        of_it.filter(|moment| of(moment, "lease").starts_with("database/creds/app-role/")).count()
    };
    assert_eq!(renewals(&part), renewals(&whole));
    assert!(moments(&part).iter().all(|moment| of(moment, "event") != "login"));
    assert_eq!(part["story"]["kind"], "entity");
}

#[test]
fn candidates_are_narrowed_too() {
    let user = ["--db-user", "v-approle-broken-r-s3auWkmQl0V43EEcSLYF-1795463135", "--format", "json"];
    let count = |args: &[&str]| {
        let found: Json = serde_json::from_str(&told(&[&user[..], args].concat())).unwrap();
        found["db_user"]["candidates"].as_array().unwrap().len()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["--source", "127.0.1.8"]), 1);
    assert_eq!(count(&["--mount", "orders-db"]), 0);
}

#[test]
fn a_filter_that_cannot_be_exact_is_refused() {
    for (args, why) in [
        (&["--source", "127.0.0.0/8"][..], "--lease"),
        (&["--entity", "app-2", "--source", "127.0.0.0/99"], "write an address such as 10.1.2.3"),
        (&["--mount", "database/", "--backtest"], "cannot be used with"),
        (&["--entity", "a", "--role", "x/y", "--mount", "z"], "another mount than that of --role"),
    ] {
        let output = run(args);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {told}");
        assert!(told.contains(why), "{args:?}: {told}");
    }
}
