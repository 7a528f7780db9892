//! What looks like an attack and is none: outages, expiry storms, failing revocations.

use crate::story::{DAY, HOUR, MINUTE, Story, time};
use crate::told::{Told, list, must_not_page};
use crate::town::{Town, service_role};
use std::fmt::Write as _;

#[test]
fn an_outage_of_the_database_is_operational_and_does_not_page() {
    let mut story = Story::new(61);
    let town = Town::lives(&mut story, 22);
    let at = 21 * DAY + 12 * HOUR;
    for client in &town.services {
        // Everybody tries every ten seconds for forty minutes, and is served at once when it is over.
        for n in 0..240 {
            story.backend_failed(at + n * 10 + story.chance(8), client, &service_role(client));
        }
        for n in 0..2 {
            story.issue(at + 40 * MINUTE + n * 3 + story.chance(30), client, &service_role(client));
        }
    }
    let told = Told::of(&story, &[]);
    let during: Vec<_> = told.episodes.iter().filter(|e| e.updated() >= at).collect();
    must_not_page("an outage", &during);
    let operational: Vec<_> = during.iter().copied().filter(|e| e.class() == "operational").collect();
    assert!(operational.iter().any(|e| e.severity() == "notice"), "nobody says so: {}", list(&during));
    assert!(operational.iter().all(|e| e.components().contains(&"operational")), "{}", list(&operational));
    let called: Vec<_> =
        during.iter().copied().filter(|e| e.class() == "security" && e.severity() != "info").collect();
    assert!(called.is_empty(), "an outage was called an attack: {}", list(&called));
    let words =
        operational.iter().map(|e| e.0["summary"].as_str().unwrap().to_lowercase()).collect::<String>();
    assert!(!["attack", "theft", "stolen", "probing"].iter().any(|word| words.contains(word)), "{words}");
    assert!(operational.len() <= 3, "one outage: {}", list(&operational));
}

/// Runs a story with a server log beside it.
fn with_server_log(story: &Story, server: &str) -> Told {
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    let (log, path) = (dir.path().join("audit.log"), dir.path().join("server.log"));
    story.write(&log);
    std::fs::write(&path, server).unwrap();
    Told::of_file(&log, &["--server-log", path.to_str().unwrap()])
}

#[test]
fn a_storm_of_expiries_is_no_attack() {
    let mut story = Story::new(62);
    Town::lives(&mut story, 15);
    let mut server = String::new();
    let at = 14 * DAY + 12 * HOUR;
    for n in 0..2_000 {
        let time = time(at + n / 60);
        writeln!(server, r#"{{"@level":"info","@message":"revoked lease","@module":"expiration","@timestamp":"{time}","lease_id":"database/creds/service-1-rw/{n:024}"}}"#).unwrap();
    }
    let told = with_server_log(&story, &server);
    let during: Vec<_> =
        told.episodes.iter().filter(|e| e.updated() >= at && e.severity() != "info").collect();
    assert!(during.is_empty(), "{}", list(&during));
}

#[test]
fn revocations_that_fail_are_operational() {
    let mut story = Story::new(63);
    Town::lives(&mut story, 15);
    let mut server = String::new();
    let at = 14 * DAY + 12 * HOUR;
    for n in 0..600 {
        let time = time(at + n * 2);
        writeln!(server, r#"{{"@level":"error","@message":"failed to revoke lease","@module":"expiration","@timestamp":"{time}","attempts":{},"error":"failed to revoke entry: resp: (*logical.Response)(nil) err: role \"x\" cannot be dropped because some objects depend on it","lease_id":"database/creds/service-1-rw/{:024}","next_attempt":20000000000}}"#, n % 5 + 1, n / 5).unwrap();
    }
    let told = with_server_log(&story, &server);
    let during: Vec<_> =
        told.episodes.iter().filter(|e| e.updated() >= at && e.severity() != "info").collect();
    assert!(
        during.iter().any(|e| e.class() == "operational" && e.severity() == "notice"),
        "nobody says so: {}",
        list(&during)
    );
    must_not_page("failing revocations", &during);
    assert!(during.iter().all(|e| e.class() == "operational"), "{}", list(&during));
}

#[test]
fn a_quiet_month_does_not_page_more_than_its_budget() {
    let mut story = Story::new(64);
    Town::lives(&mut story, 42);
    let told = Told::of(&story, &[]);
    let pages: Vec<_> = told.pages().into_iter().filter(|e| e.updated() >= 14 * DAY).collect();
    assert!(pages.len() <= 4, "four weeks in which nothing happens, one page a week: {}", list(&pages));
}

#[test]
fn a_policy_that_is_missing_is_one_episode_of_one_subject() {
    let mut story = Story::new(65);
    let town = Town::lives(&mut story, 22);
    let at = 21 * DAY + 10 * HOUR;
    // One path, again and again for five hours: broken, and told, but one thing.
    for n in 0..600 {
        story.denied(at + n * 30, &town.services[5], "kv/", "data/service-5/new");
    }
    let told = Told::of(&story, &[]);
    let loud: Vec<_> = told.episodes.iter().filter(|e| e.updated() >= at && e.severity() != "info").collect();
    assert!(loud.len() <= 2 && loud.iter().all(|e| e.is_about(&town.services[5])), "{}", list(&loud));
}
