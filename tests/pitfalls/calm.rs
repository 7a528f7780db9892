//! What looks like an attack and is none: outages, expiry storms, failing revocations.

use crate::story::{DAY, HOUR, MINUTE, Story, time};
use crate::told::{Told, list, must_not_page, must_page};
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

#[test]
fn the_dead_token_of_one_client_is_operational_and_says_where_to_look() {
    let mut story = Story::new(66);
    let town = Town::lives(&mut story, 22);
    let at = 21 * DAY + 12 * HOUR;
    for n in 0..200 {
        story.invalid_token(at + n * 12, "creds/service-3-rw", &town.services[3].address);
        // The same from where nobody ever came from, a day before.
        story.invalid_token(at - DAY + n * 12, "creds/service-3-rw", "203.0.113.99");
    }
    let told = Told::of(&story, &[]);
    let of = |from: i64| -> Vec<_> {
        let all = told.episodes.iter().filter(|e| e.components().contains(&"unknown_tokens"));
        all.filter(|e| (from..from + DAY / 2).contains(&e.opened())).collect()
    };
    let (ours, stranger) = (of(at), of(at - DAY));
    must_not_page("a client that goes on with a dead token", &ours);
    assert!(
        ours.iter().any(|e| e.class() == "operational" && e.severity() == "notice"),
        "nobody says so: {}",
        list(&ours)
    );
    let words = ours[0].0["summary"].as_str().unwrap();
    assert!(
        words.contains(&town.services[3].address) && words.contains("token that Vault does not know"),
        "{words}"
    );
    assert!(stranger.iter().any(|e| e.class() == "security"), "{}", list(&stranger));
}

#[test]
fn passwords_that_are_guessed_are_no_fault_of_a_client() {
    let mut story = Story::new(67);
    let town = Town::lives(&mut story, 22);
    let at = 21 * DAY + 12 * HOUR;
    for n in 0..200 {
        story.login_failed(
            at + n * 12,
            "auth/userpass/",
            &format!("login/person-{}", n % 40),
            &town.services[3].address,
        );
        story.login_failed(at + n * 12, "auth/approle/", "login", &town.services[4].address);
    }
    let told = Told::of(&story, &[]);
    let of = |mount: &str| -> Vec<_> {
        let all = told.episodes.iter().filter(|e| e.components().contains(&"failed_logins"));
        all.filter(|e| e.0["subject"]["mount"] == mount).collect()
    };
    let (guesses, secret) = (of("auth/userpass/"), of("auth/approle/"));
    must_page("two hundred guesses at forty names", &guesses);
    assert!(!secret.is_empty() && secret.iter().all(|e| e.class() == "operational"), "{}", list(&secret));
}

#[test]
fn a_client_that_crashes_all_night_is_a_notice_at_most() {
    let mut story = Story::new(68);
    let town = Town::lives(&mut story, 22);
    let at = 21 * DAY + HOUR;
    let crashing = &town.services[2];
    for n in 0..60 {
        let started = crashing.with_token(70_000 + n);
        let when = at + i64::try_from(n).unwrap() * 310;
        story.login(when, &started);
        story.issue(when + 4, &started, &service_role(crashing));
    }
    let told = Told::of(&story, &[]);
    must_not_page("a crash loop", &told.about_since(crashing, at));
}

#[test]
fn what_many_clients_do_at_once_pages_for_none_of_them() {
    let mut story = Story::new(69);
    let town = Town::of(&mut story, 40, 5, 26);
    let thief = &town.services[30];
    for (n, client) in (0..).zip(&town.services) {
        // Half of them are busier for three days; one is all by itself, a week earlier.
        let hours = if n < 20 {
            22 * 24..25 * 24
        } else if n == 30 {
            15 * 24..18 * 24
        } else {
            0..0
        };
        for hour in hours {
            story.issue(hour * HOUR + 30 * MINUTE + story.chance(9 * MINUTE), client, &service_role(client));
        }
    }
    let told = Told::of(&story, &[]);
    let during: Vec<_> = told.episodes.iter().filter(|e| e.opened() >= 22 * DAY).collect();
    must_not_page("a sale", &during);
    let alone: Vec<_> =
        told.about_since(thief, 15 * DAY).into_iter().filter(|e| e.severity() != "info").collect();
    assert!(alone.iter().any(|e| e.components().contains(&"slow")), "{}", list(&told.about(thief)));
}

#[test]
fn one_deploy_is_no_raised_rate() {
    let mut story = Story::new(70);
    let town = Town::lives(&mut story, 25);
    let deployed = &town.services[6];
    for n in 0..24 {
        let pod = deployed.with_token(80_000 + n);
        let when = 22 * DAY + 10 * HOUR + i64::try_from(n).unwrap() * 400;
        story.login(when, &pod);
        story.issue(when + 3, &pod, &service_role(deployed));
    }
    let told = Told::of(&story, &[]);
    let found = told.about_since(deployed, 22 * DAY);
    assert!(found.iter().all(|e| !e.components().contains(&"slow")), "{}", list(&found));
}
