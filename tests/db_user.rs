//! `analyze --db-user`: from a name in a database's log back to the lease, held against a server log
//! that names both.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use leasewatch::audit;
use leasewatch::event::Event;
use leasewatch::story::{Candidates, Filter, Username};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::process::{Command, Output};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

fn log(name: &str) -> String {
    let bytes = std::fs::read(format!("{CORPUS}{name}.zst")).unwrap();
    String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap()
}

fn run(args: &[&str]) -> Output {
    let audit = format!("{CORPUS}audit.log.zst");
    Command::new(env!("CARGO_BIN_EXE_leasewatch")).args(["analyze", &audit]).args(args).output().unwrap()
}

fn told(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Users by lease: PostgreSQL cannot drop them, and the server log says so with the lease.
fn users() -> BTreeMap<String, String> {
    let mut users = BTreeMap::new();
    for line in log("server.log").lines().filter(|line| line.contains("_missing\\\"")) {
        let line: Json = serde_json::from_str(line).unwrap();
        let (Some(error), Some(lease)) = (line["error"].as_str(), line["lease_id"].as_str()) else {
            continue;
        };
        let user = error.split("_missing\"").next().unwrap().rsplit('"').next().unwrap();
        // The server replaces what looks like a password in its errors, even in a name.
        if !user.contains('[') {
            users.insert(lease.to_owned(), user.to_owned());
        }
    }
    users
}

#[test]
fn every_user_that_the_server_log_names_is_found_back() {
    let events: Vec<Event> = log("audit.log").lines().map(|line| audit::decode(line).unwrap()).collect();
    let users = users();
    assert!(users.len() > 30, "{}", users.len());
    let mut first = 0;
    for (lease, user) in &users {
        let mut candidates = Candidates::new(Username::parse(user).unwrap(), Filter::default());
        for event in &events {
            candidates.see(event);
        }
        let found = candidates.end();
        // A wrapped credential that nobody unwrapped has no lease in the audit log.
        let is =
            |lease: &str| found.candidates.iter().position(|one| one.moment.lease.as_deref() == Some(lease));
        let wrapped = || found.candidates.iter().position(|one| one.moment.wrapped);
        let place = is(lease).or_else(wrapped);
        let place = place.unwrap_or_else(|| panic!("{user}: {lease} is not among {:?}", found.candidates));
        assert_eq!(found.candidates[place].off, Some(0), "{user}");
        assert_eq!(found.candidates[place].template.plugins, "PostgreSQL");
        first += usize::from(place == 0);
    }
    // Two clients of one display name may ask in the same second.
    assert!(first * 10 >= users.len() * 9, "{first} of {} are the first candidate", users.len());
}

#[test]
fn a_candidate_has_all_that_leads_on() {
    let user = "v-approle-broken-r-s3auWkmQl0V43EEcSLYF-1795463135";
    let found: Json = serde_json::from_str(&told(&["--db-user", user, "--format", "json"])).unwrap();
    let found = &found["db_user"];
    assert_eq!(found["made_at"], "2026-11-23T19:45:35Z");
    let first = &found["candidates"][0];
    for (field, value) in [
        ("lease", "database/creds/broken-revoke/XFeBu8IzCct4uZxTYbMEFncH"),
        ("request", "d6f9eaa2-f1e2-cce0-94d1-1ff2680dda37"),
        ("source", "127.0.1.8"),
        ("accessor", "hmac-sha256:ce4b89b812d339b7b490400f2cbcf692"),
        ("template", "PostgreSQL"),
        ("outcome", "ok"),
        ("mount", "database/"),
        ("role", "broken-revoke"),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    assert_eq!(first["client"]["role"], "app-7");
    // As a log of PostgreSQL or MySQL quotes it.
    for quoted in [format!("\"{user}\""), format!("'{user}'@'%'")] {
        let text = told(&["--db-user", &quoted]);
        assert!(text.contains("1. app-7, display name approle, entity 481c3b1d"), "{text}");
        assert!(text.contains("sys/audit-hash"), "{text}");
    }
}

#[test]
fn it_is_told_why_there_is_nobody() {
    for (user, why) in [
        ("v-approle-broken-r-s3auWkmQl0V43EEcSLYF-1595463135", "the logs begin after it was made"),
        ("v-approle-broken-r-s3auWkmQl0V43EEcSLYF-1995463135", "the logs end before it was made"),
        ("v-approle-nobody-s3auWkmQl0V43EEcSLYF-1795463135", "may have a username_template of its own"),
    ] {
        assert!(told(&["--db-user", user]).contains(why), "{user}");
    }
    let output = run(&["--db-user", "postgres"]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("It fits none of the default templates (PostgreSQL;"), "{told}");
    assert_eq!(run(&["--db-user", "postgres", "--role", "a/b"]).status.code(), Some(2));
}

#[test]
fn a_name_without_a_second_is_looked_for_in_all_of_the_period() {
    // As MySQL would have named it: 32 letters.
    let user = "v-approle-analytics--AbCdEfGhIjK";
    let found: Json = serde_json::from_str(&told(&["--db-user", user, "--format", "json"])).unwrap();
    let found = &found["db_user"];
    assert!(found.get("made_at").is_none());
    let candidates = found["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 100);
    assert!(found["candidates_left_out"].as_u64().unwrap() > 100);
    assert!(
        candidates
            .iter()
            .all(|one| one["role"] == "analytics-role" && one["template"] == "MySQL, ClickHouse")
    );
    let period = ["--since", "2026-11-23T19:43:00Z", "--until", "2026-11-23T19:43:05Z", "--format", "json"];
    let few: Json = serde_json::from_str(&told(&[&["--db-user", user], &period[..]].concat())).unwrap();
    let few = few["db_user"]["candidates"].as_array().unwrap();
    assert!(!few.is_empty() && few.len() < 100);
    assert!(few.iter().all(|one| one["at"].as_str().unwrap().starts_with("2026-11-23T19:43:0")));
}
