//! What is learnt, and what must not be: the first days, attacks while learning, poison, and what a person vouches for.

use crate::story::{Client, DAY, HOUR, Story};
use crate::told::{Told, list, must_not_page, must_page};
use crate::town::{Town, service_day, service_role};

fn burst(story: &mut Story, client: &Client, at: i64, count: i64) {
    for n in 0..count {
        story.issue(at + n * 4, client, &service_role(client));
    }
}

#[test]
fn nothing_pages_in_the_first_48_hours() {
    let mut story = Story::new(21);
    let town = Town::lives(&mut story, 2);
    burst(&mut story, &town.services[0], 30 * HOUR, 60);
    for n in 0..40 {
        story.denied(40 * HOUR + n * 20, &town.services[1], "kv/", &format!("data/x{n}"));
        story.issue(44 * HOUR + n * 60, &town.people[0].at("203.0.113.5"), &format!("role-{n}"));
    }
    must_not_page("the first two days", &Told::of(&story, &[]).pages());
}

#[test]
fn a_week_is_enough_to_find_a_burst() {
    let mut story = Story::new(22);
    let town = Town::lives(&mut story, 7);
    let at = 6 * DAY + 12 * HOUR;
    burst(&mut story, &town.services[0], at, 80);
    must_page("a burst after six days", &Told::of(&story, &[]).about_since(&town.services[0], at));
}

#[test]
fn new_subjects_do_not_page_by_being_new() {
    let mut story = Story::new(23);
    Town::lives(&mut story, 24);
    let newcomers: Vec<_> = (0..10)
        .map(|n| Client::new("approle", &format!("newcomer-{n}"), &format!("10.1.{}.99", 20 + n)))
        .collect();
    for (day, client) in (14..24).zip(&newcomers) {
        for day in day..24 {
            service_day(&mut story, client, &service_role(client), day);
        }
    }
    let told = Told::of(&story, &[]);
    let pages: Vec<_> =
        told.pages().into_iter().filter(|e| newcomers.iter().any(|client| e.is_about(client))).collect();
    assert!(pages.is_empty(), "{}", list(&pages));
    let notices =
        newcomers.iter().filter(|client| told.about(client).iter().any(|e| e.severity() != "info")).count();
    assert!(notices <= 1, "{notices} of 10 newcomers were news: {}", list(&told.notices()));
}

#[test]
fn an_attack_in_the_learning_period_does_not_become_normal() {
    let mut story = Story::new(24);
    let town = Town::lives(&mut story, 22);
    let victim = &town.services[2];
    burst(&mut story, victim, 3 * DAY + 12 * HOUR, 60);
    for n in 0..12 {
        story.issue(4 * DAY + 13 * HOUR + n * 60, &town.services[3], &format!("taken-{n}"));
    }
    let again = 21 * DAY + 12 * HOUR;
    burst(&mut story, victim, again, 60);
    for n in 0..12 {
        story.issue(again + n * 60, &town.services[3], &format!("taken-again-{n}"));
    }
    let told = Told::of(&story, &[]);
    must_page("a burst as in week 1", &told.about_since(victim, again));
    must_page("a harvest as in week 1", &told.about_since(&town.services[3], again));
}

#[test]
fn an_attack_repeated_daily_is_still_found_on_the_fifth_day() {
    let mut story = Story::new(25);
    let town = Town::lives(&mut story, 26);
    for day in 21..26 {
        burst(&mut story, &town.services[2], day * DAY + 12 * HOUR, 60);
        for n in 0..8 {
            story.issue(
                day * DAY + 13 * HOUR + n * 70,
                &town.services[6].at("203.0.113.66"),
                &format!("theirs-{n}"),
            );
        }
    }
    let told = Told::of(&story, &[]);
    for day in [21, 25] {
        let of_day = |client| {
            told.about(client)
                .into_iter()
                .filter(|e| (day * DAY..(day + 1) * DAY).contains(&e.updated()))
                .collect::<Vec<_>>()
        };
        must_page(&format!("the burst of day {day}"), &of_day(&town.services[2]));
        must_page(&format!("the theft of day {day}"), &of_day(&town.services[6]));
    }
}

#[test]
#[ignore = "known gap: growth by 5 % a day is found after two weeks, not within ten days"]
fn a_ramp_of_five_percent_a_day_is_found_within_ten_days() {
    let mut story = Story::new(26);
    let town = Town::lives(&mut story, 32);
    let poisoner = Client::new("approle", "ramp", "10.1.40.7");
    let mut rate = 96.0_f64;
    for day in 0..32 {
        if day >= 21 {
            rate *= 1.05;
        }
        #[allow(clippy::cast_possible_truncation, reason = "a few hundred")]
        let count = rate as i64;
        for n in 0..count {
            let at = day * DAY + n * DAY / count + story.chance(300);
            story.issue(at, &poisoner, "ramp-rw");
        }
    }
    drop(town);
    let told = Told::of(&story, &[]);
    let found: Vec<_> = told.about_since(&poisoner, 21 * DAY);
    let slow: Vec<_> = found.iter().copied().filter(|e| e.severity() != "info").collect();
    assert!(slow.iter().any(|e| e.opened() < 31 * DAY), "{}", list(&found));
    let before: Vec<_> = told
        .about(&poisoner)
        .into_iter()
        .filter(|e| e.updated() < 21 * DAY && e.severity() != "info")
        .collect();
    assert!(before.is_empty(), "before it began: {}", list(&before));
}

#[test]
fn few_credentials_are_no_reason_to_page() {
    let mut story = Story::new(27);
    Town::lives(&mut story, 29);
    let rare = Client::new("approle", "rare", "10.1.50.7");
    for day in [1, 8, 15, 22] {
        story.issue(day * DAY + 10 * HOUR, &rare, "rare");
    }
    // Twice on its day, and once a day late.
    story.issue(22 * DAY + 10 * HOUR + 900, &rare, "rare");
    story.issue(23 * DAY + 11 * HOUR, &rare, "rare");
    must_not_page("two instead of one", &Told::of(&story, &[]).about(&rare));
}

#[test]
fn the_budget_moves_the_threshold_and_nothing_else() {
    let mut story = Story::new(28);
    let town = Town::lives(&mut story, 22);
    burst(&mut story, &town.services[2], 21 * DAY + 12 * HOUR, 8);
    let thresholds = |budget: &str| {
        let page = Told::metrics_of(&story, &["--anomaly.alarm-budget", budget]);
        page.sum("leasewatch_anomaly_threshold", &[("severity", "page")])
    };
    assert!((thresholds("1") - 42.747).abs() < 0.01, "{}", thresholds("1"));
    assert!((thresholds("7") - 25.0).abs() < 0.01, "{}", thresholds("7"));
    let told = |budget| Told::of(&story, &["--anomaly.alarm-budget", budget]);
    let (strict, lax) = (told("0.1"), told("50"));
    let scores =
        |told: &Told| told.episodes.iter().map(|e| (e.0["id"].to_string(), e.score())).collect::<Vec<_>>();
    assert_eq!(scores(&strict), scores(&lax), "a score does not depend on the budget");
    assert!(strict.pages().len() < lax.pages().len(), "{} and {}", list(&strict.pages()), list(&lax.pages()));
}
