//! Time: summer time, the first of a month, silence and gaps, and lines that stand twice or come late.

use crate::story::{Client, DAY, HOUR, MINUTE, Story};
use crate::told::{Told, list, must_not_page};
use crate::town::{Town, person_day, service_role};

#[test]
fn clocks_that_change_are_no_news() {
    let mut story = Story::new(51);
    // Four weeks of winter time; on the fifth Monday everybody begins an hour earlier by UTC.
    let town = Town::of(&mut story, 8, 0, 33);
    let people: Vec<_> =
        (0..6).map(|n| Client::new("oidc", &format!("berlin-{n}"), &format!("192.0.{n}.44"))).collect();
    let early = Client::new("approle", "at-six", "10.2.0.10");
    for day in (0..33).filter(|day| day % 7 < 5) {
        let shift = if day >= 27 { HOUR } else { 0 };
        for person in &people {
            person_day(&mut story, person, day, 8 * HOUR - shift);
        }
        for n in 0..5 {
            story.issue(day * DAY + 5 * HOUR - shift + n * 30, &early, "at-six");
        }
    }
    drop(town);
    let told = Told::of(&story, &[]);
    for client in people.iter().chain([&early]) {
        let found: Vec<_> =
            told.about_since(client, 27 * DAY).into_iter().filter(|e| e.severity() != "info").collect();
        assert!(found.is_empty(), "after the clocks changed: {}", list(&found));
    }
}

#[test]
fn a_monthly_job_is_known_by_its_third_time() {
    let mut story = Story::new(52);
    Town::of(&mut story, 3, 2, 65);
    let job = Client::new("approle", "month-end", "10.2.0.11");
    // The fourth of March, of April and of May.
    for day in [2, 33, 63] {
        for n in 0..40 {
            story.issue(day * DAY + 4 * HOUR + n * 9, &job, "month-end");
        }
    }
    let told = Told::of(&story, &[]);
    must_not_page("the third month", &told.about_since(&job, 60 * DAY));
}

#[test]
fn a_gap_in_the_log_is_not_silence() {
    let mut story = Story::new(53);
    let whole = Town::of(&mut story, 8, 3, 23);
    let kept = story.text_of(0..20 * DAY + 6 * HOUR) + &story.text_of(21 * DAY..i64::MAX);
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    let log = dir.path().join("audit.log");
    std::fs::write(&log, kept).unwrap();
    let told = Told::of_file(&log, &[]);
    let silent: Vec<_> = told
        .episodes
        .iter()
        .filter(|e| e.components().contains(&"silence") && e.0["subject"]["kind"] != "cluster")
        .collect();
    assert!(
        silent.is_empty(),
        "{} services went silent with the log: {}",
        whole.services.len(),
        list(&silent)
    );
    must_not_page("18 hours without a line", &told.pages());
}

#[test]
fn one_that_stops_is_told_and_does_not_page() {
    let mut story = Story::new(54);
    let town = Town::lives(&mut story, 20);
    let stopped = &town.services[7];
    let others = Town {
        services: town.services[..7].to_vec(),
        people: town.people.clone(),
        nightly: town.nightly.clone(),
    };
    for day in 20..22 {
        others.day(&mut story, day);
    }
    let told = Told::of(&story, &[]);
    let found: Vec<_> = told
        .about_since(stopped, 20 * DAY)
        .into_iter()
        .filter(|e| e.components().contains(&"silence"))
        .collect();
    assert!(
        found.iter().any(|e| e.severity() == "notice"),
        "an hourly service stopped for two days: {}",
        list(&found)
    );
    must_not_page("silence", &found);
    let wrongly: Vec<_> = others
        .services
        .iter()
        .flat_map(|c| told.about_since(c, 20 * DAY))
        .filter(|e| e.components().contains(&"silence"))
        .collect();
    assert!(wrongly.is_empty(), "{}", list(&wrongly));
}

/// What two runs must have in common: everything but the versions of the log they came from.
fn essence(told: &Told) -> Vec<String> {
    told.episodes
        .iter()
        .map(|e| format!("{} {:?} {:?} {}", e.0["subject"], e.components(), e.score(), e.severity()))
        .collect()
}

#[test]
fn a_request_and_its_response_count_once() {
    let tell = |both| {
        let mut story = Story::new(55);
        story.both_entries = both;
        let town = Town::lives(&mut story, 22);
        for n in 0..40 {
            story.issue(21 * DAY + 12 * HOUR + n * 5, &town.services[2], &service_role(&town.services[2]));
            story.denied(21 * DAY + 15 * HOUR + n * 20, &town.services[1], "kv/", &format!("data/x{n}"));
        }
        Told::of(&story, &[])
    };
    let (both, one) = (tell(true), tell(false));
    assert!(one.pages().len() >= 2, "{}", list(&one.pages()));
    assert_eq!(essence(&both), essence(&one));
}

#[test]
fn a_log_that_was_given_twice_counts_once() {
    let mut story = Story::new(56);
    let town = Town::lives(&mut story, 15);
    let at = 14 * DAY + 12 * HOUR;
    // A proxy that repeats a request, and a device that writes an entry twice: the same request ID.
    story.issue(at, &town.services[2], &service_role(&town.services[2]));
    let mut text = story.text_of(i64::MIN..at);
    let line = story.text_of(at..at + MINUTE);
    for _ in 0..60 {
        text += &line;
    }
    text += &story.text_of(at + MINUTE..i64::MAX);
    let dir = tempfile::Builder::new().prefix("leasewatch-pitfall-").tempdir().unwrap();
    let log = dir.path().join("audit.log");
    std::fs::write(&log, text).unwrap();
    let told = Told::of_file(&log, &[]);
    let found: Vec<_> =
        told.about_since(&town.services[2], at).into_iter().filter(|e| e.severity() != "info").collect();
    assert!(found.is_empty(), "one request, written sixty times: {}", list(&found));
}

#[test]
fn numbers_do_not_depend_on_when_somebody_looks() {
    let mut story = Story::new(57);
    let town = Town::lives(&mut story, 16);
    let at = 14 * DAY + 12 * HOUR;
    for n in 0..60 {
        story.issue(at + n * 5, &town.services[2], &service_role(&town.services[2]));
    }
    let whole = Told::of(&story, &[]);
    let until = crate::story::time(at + 2 * HOUR);
    let early = Told::of(&story, &["--at", &until]);
    let of = |told: &Told| {
        told.about_since(&town.services[2], at)
            .iter()
            .map(|e| (e.0["id"].clone(), e.score().to_bits()))
            .collect::<Vec<_>>()
    };
    assert!(!of(&early).is_empty());
    assert_eq!(of(&early), of(&whole));
}
