//! What must be found, and what it must say: each kind of theft in a small town, and the rules beside the models.

use crate::story::{Client, DATABASE, DAY, HOUR, MINUTE, Story};
use crate::told::{Told, highest, list, must_not_page, must_page};
use crate::town::{Town, service_role};

/// Three weeks of the town; the story goes on with what `tell` adds on the last day, at noon.
fn with(seed: u64, tell: impl FnOnce(&mut Story, &Town, i64)) -> (Told, Town, i64) {
    let mut story = Story::new(seed);
    let town = Town::lives(&mut story, 22);
    let noon = 21 * DAY + 12 * HOUR;
    tell(&mut story, &town, noon);
    (Told::of(&story, &[]), town, noon)
}

#[test]
fn a_burst_pages_with_what_was_seen_and_what_is_usual() {
    let (told, town, noon) = with(11, |story, town, noon| {
        for n in 0..80 {
            story.issue(noon + n * 3, &town.services[2], &service_role(&town.services[2]));
        }
    });
    let found = told.about_since(&town.services[2], noon);
    must_page("80 credentials in four minutes of one who takes one an hour", &found);
    let burst = found.iter().find_map(|e| e.component("burst_5m").or(e.component("burst_1h")));
    let burst = burst.unwrap_or_else(|| panic!("no burst: {}", list(&found)));
    assert!(burst["observed"].as_f64().unwrap() > 40.0, "{burst}");
    assert!(burst["expected"].as_f64().unwrap() < 5.0, "{burst}");
    assert!(burst["own_max"]["value"].as_f64().unwrap() < 6.0, "{burst}");
    assert_eq!(found.iter().filter(|e| e.severity() != "info").count(), 1, "one cause, {}", list(&found));
    let others: Vec<_> =
        told.episodes.iter().filter(|e| !e.is_about(&town.services[2]) && e.updated() >= noon).collect();
    let loud: Vec<_> = others.into_iter().filter(|e| e.severity() != "info").collect();
    assert!(loud.is_empty(), "the same cause opened more: {}", list(&loud));
}

#[test]
fn an_episode_stands_on_components_with_numbers() {
    let (told, _, _) = with(12, |story, town, noon| {
        for n in 0..12 {
            story.issue(noon + n * 40, &town.people[1], &format!("secret-{n}"));
            story.denied(noon + n * 40 + 9, &town.services[1], DATABASE, &format!("creds/other-{n}"));
        }
    });
    must_page("harvest and probing", &told.pages());
    for episode in &told.episodes {
        let components = episode.0["components"].as_array().unwrap();
        assert!(!components.is_empty(), "nothing under {}", episode.0);
        for component in components {
            for number in ["observed", "expected", "score"] {
                assert!(component[number].as_f64().is_some_and(f64::is_finite), "{number} of {component}");
            }
        }
        assert!(!episode.0["summary"].as_str().unwrap().is_empty(), "{}", episode.0);
        assert!(!episode.0["recurrence"].as_str().unwrap().is_empty(), "{}", episode.0);
        assert!((0.0..=100.0).contains(&episode.score()), "{}", episode.0);
        assert!(episode.0["id"].as_str().is_some_and(|id| id.len() == 16), "{}", episode.0);
        assert!(episode.0["samples"].as_array().unwrap().len() <= 5, "{}", episode.0);
    }
}

#[test]
fn a_harvest_of_roles_pages_and_names_them() {
    let (told, town, noon) = with(13, |story, town, noon| {
        for (n, other) in (0..).zip(town.services.iter().cycle().skip(5).take(7)) {
            story.issue(noon + n * 45, &town.services[4], &service_role(other));
        }
    });
    let found = told.about_since(&town.services[4], noon);
    must_page("seven roles of others", &found);
    assert!(found.iter().any(|e| e.components().contains(&"new_role")), "{}", list(&found));
}

#[test]
fn probing_pages_fast_and_slow() {
    let (told, town, noon) = with(14, |story, town, noon| {
        for n in 0..30 {
            story.denied(noon + n * 15, &town.services[0], "kv/", &format!("data/guess-{n}"));
            story.denied(
                noon - 10 * HOUR + n * 30 * MINUTE,
                &town.people[0],
                DATABASE,
                &format!("creds/guess-{n}"),
            );
        }
    });
    must_page("thirty guesses in eight minutes", &told.about_since(&town.services[0], noon));
    must_page("thirty guesses in fifteen hours", &told.about_since(&town.people[0], noon - 10 * HOUR));
}

/// Twelve paths within the hour before `noon`, the first `early` of them by so many hours earlier.
fn probing_with(early: i64, hours: i64) -> f64 {
    let (told, town, noon) = with(14, |story, town, noon| {
        for n in 0..12 {
            let at = noon + n * 200 - if n < early { hours * HOUR } else { 0 };
            story.denied(at, &town.services[0], "kv/", &format!("data/guess-{n}"));
        }
    });
    highest(&told.about_since(&town.services[0], noon - hours * HOUR))
}

#[test]
fn what_nobody_was_shown_hides_nothing_that_follows() {
    let at_once = probing_with(0, 0);
    for (early, hours) in [(1, 3), (2, 3), (2, 7), (2, 12), (3, 19)] {
        let found = probing_with(early, hours);
        assert!(found >= at_once - 1.0, "{early} of them {hours} h before: {found}, all at once: {at_once}");
    }
}

#[test]
fn one_token_from_two_networks_at_once_pages() {
    let mut story = Story::new(15);
    let town = Town::lives(&mut story, 22);
    let noon = 21 * DAY + 12 * HOUR;
    // This one has always been in two networks at once: nothing is new about that.
    let roaming = Client::new("approle", "roaming", "10.8.1.1");
    for hour in 0..22 * 24 {
        story.issue(hour * HOUR + 100, &roaming, "roaming");
        story.issue(hour * HOUR + 160, &roaming.at("172.20.3.4"), "roaming");
    }
    let victim = town.services[3].with_token(990);
    story.login(noon, &victim);
    for n in 0..12 {
        let from = if n % 2 == 0 { victim.clone() } else { victim.at("198.51.100.77") };
        story.issue(noon + 5 + n * 20, &from, &service_role(&victim));
    }
    let told = Told::of(&story, &[]);
    let found = told.about_since(&victim, noon);
    must_page("one token in two networks", &found);
    assert!(
        found.iter().any(|e| e.components().iter().any(|c| *c == "two_networks" || *c == "new_source")),
        "{}",
        list(&found)
    );
    assert!(
        found.iter().any(|e| e.components().contains(&"two_networks")),
        "said as it is: {}",
        list(&found)
    );
    must_not_page("who always did", &told.about_since(&roaming, 14 * DAY));
}

#[test]
fn a_wrapped_credential_unwrapped_elsewhere_or_never_is_told() {
    let mut story = Story::new(16);
    Town::lives(&mut story, 24);
    let noon = 21 * DAY + 12 * HOUR;
    let [steady, always_elsewhere, never] =
        ["wrapper-a", "wrapper-b", "wrapper-c"].map(|name| Client::new("approle", name, "10.3.0.5"));
    for turn in 0..22 * 4 {
        let at = turn * 6 * HOUR + 500;
        if at >= noon {
            break;
        }
        let token = story.issue_wrapped(at, &steady, "wrapped-a");
        story.unwrap(at + 9, &steady, token, "wrapped-a", "10.3.0.6");
        let token = story.issue_wrapped(at + 60, &always_elsewhere, "wrapped-b");
        story.unwrap(at + 75, &always_elsewhere, token, "wrapped-b", "172.16.4.4");
        let token = story.issue_wrapped(at + 120, &never, "wrapped-c");
        story.unwrap(at + 130, &never, token, "wrapped-c", "10.3.0.7");
    }
    let token = story.issue_wrapped(noon, &steady, "wrapped-a");
    story.unwrap(noon + 8, &steady, token, "wrapped-a", "203.0.113.200");
    let token = story.issue_wrapped(noon + 60, &always_elsewhere, "wrapped-b");
    story.unwrap(noon + 72, &always_elsewhere, token, "wrapped-b", "172.16.4.9");
    story.issue_wrapped(noon + 120, &never, "wrapped-c");
    let told = Told::of(&story, &[]);
    let has = |client: &Client, name: &str| {
        told.about_since(client, noon)
            .iter()
            .any(|e| e.components().contains(&name) && e.severity() != "info")
    };
    assert!(has(&steady, "unwrapped_elsewhere"), "{}", list(&told.about(&steady)));
    assert!(has(&never, "never_unwrapped"), "{}", list(&told.about(&never)));
    assert!(!has(&always_elsewhere, "unwrapped_elsewhere"), "{}", list(&told.about(&always_elsewhere)));
    assert!(!has(&steady, "never_unwrapped"), "{}", list(&told.about(&steady)));
    let made: Vec<_> = told.episodes.iter().filter(|e| e.0["subject"]["kind"] == "token").collect();
    assert!(made.is_empty(), "a wrapping token became a subject: {}", list(&made));
}

#[test]
fn rules_stand_beside_the_models() {
    let (told, _, noon) = with(17, |story, _, noon| {
        let mut root = Client::new("token", "root", "10.9.9.9");
        (root.entity, root.display_name, root.policies) = (String::new(), "root".into(), vec!["root".into()]);
        story.issue(noon, &root, "service-1-rw");
        let operator = Client::new("oidc", "operator", "192.0.2.90");
        story.privileged(noon + 7 * HOUR, &operator, "audit/file");
    });
    let rules = |at: i64| -> Vec<_> {
        told.episodes
            .iter()
            .filter(|e| e.components().contains(&"privileged") && (at..at + HOUR).contains(&e.updated()))
            .collect()
    };
    for (what, at) in [("the root token", noon), ("a change of the audit devices", noon + 7 * HOUR)] {
        let found = rules(at);
        assert!(found.iter().any(|e| e.severity() != "info"), "{what}: {}", list(&found));
    }
}

#[test]
fn theft_weighs_more_than_growth() {
    let mut story = Story::new(18);
    let town = Town::lives(&mut story, 25);
    let (grown, abused) = (&town.services[1], &town.services[5]);
    for hour in 21 * 24..25 * 24 {
        let at = hour * HOUR + 40 * MINUTE;
        // A second replica beside the first, with an address of its own in the same network; and the
        // same number of credentials more, taken from where the service itself is.
        story.issue(at, &grown.at("10.1.1.8").with_token(4_001), &service_role(grown));
        story.issue(at, abused, &service_role(abused));
    }
    let told = Told::of(&story, &[]);
    let (growth, abuse) = (told.about_since(grown, 21 * DAY), told.about_since(abused, 21 * DAY));
    must_not_page("one more replica", &growth);
    assert!(highest(&abuse) > highest(&growth), "abuse: {}\ngrowth: {}", list(&abuse), list(&growth));
    assert!(abuse.iter().any(|e| e.severity() != "info"), "doubled for four days: {}", list(&abuse));
}
