//! Where requests come from: load balancers, networks of both kinds, pods that move.

use crate::story::{Client, DAY, HOUR, MINUTE, Story};
use crate::told::{Told, list, must_not_page, must_page};
use crate::town::{Town, service_role};

const DISABLED: &str = "leasewatch_anomaly_source_model_disabled";

#[test]
fn behind_a_load_balancer_the_source_model_says_that_it_is_off() {
    let mut story = Story::new(41);
    let balancer = "10.0.0.5";
    for hour in 0..22 * 24 {
        for n in 0..10 {
            let client = Client::new("approle", &format!("service-{n}"), balancer);
            story.issue(hour * HOUR + n * 120, &client, &service_role(&client));
        }
    }
    let stranger = Client::new("approle", "service-3", "198.51.100.8");
    let at = 21 * DAY + 12 * HOUR + 50 * MINUTE;
    story.issue(at, &stranger, &service_role(&stranger));
    let page = Told::metrics_of(&story, &[]);
    assert!((page.sum(DISABLED, &[]) - 1.0).abs() < 0.1, "{}", page.lines(DISABLED));
    let told = Told::of(&story, &[]);
    let found = told.about_since(&stranger, at);
    must_not_page("an address beside the load balancer's", &found);
    let loud: Vec<_> = found
        .into_iter()
        .filter(|e| e.severity() != "info" && e.components().contains(&"new_source"))
        .collect();
    assert!(loud.is_empty(), "{}", list(&loud));
}

#[test]
fn without_one_it_is_on() {
    let mut story = Story::new(42);
    Town::lives(&mut story, 8);
    let page = Told::metrics_of(&story, &[]);
    assert_eq!(
        page.lines(DISABLED).trim().lines().filter(|line| line.ends_with(" 0")).count(),
        1,
        "{}",
        page.lines(DISABLED)
    );
}

/// Two people with IPv6 addresses that change, and what each does on the last day.
fn ipv6(last: &str) -> (Told, Client, i64) {
    let mut story = Story::new(43);
    Town::lives(&mut story, 22);
    let person = Client::new("oidc", "six", "2001:db8:7:1::1");
    let noon = 21 * DAY + 12 * HOUR;
    for day in 0..21 {
        for n in 0..4 {
            // Privacy extensions: the same /64, another host every time.
            let address = format!("2001:db8:7:1:{:x}::{:x}", 0x1000 + day * 7, day * 5 + n + 2);
            story.issue(day * DAY + (9 + n) * HOUR, &person.at(&address), "reading");
        }
    }
    for n in 0..4 {
        story.issue(noon + n * 300, &person.at(last), "reading");
    }
    (Told::of(&story, &[]), person, noon)
}

#[test]
fn a_new_host_of_a_known_ipv6_network_is_nothing() {
    let (told, person, noon) = ipv6("2001:db8:7:1:ffff::5");
    let loud: Vec<_> =
        told.about_since(&person, noon).into_iter().filter(|e| e.severity() != "info").collect();
    assert!(loud.is_empty(), "{}", list(&loud));
}

#[test]
fn an_ipv6_network_that_nobody_knows_is_told_as_a_network() {
    let (told, person, noon) = ipv6("2a0c:9999:1:2::5");
    let found = told.about_since(&person, noon);
    let source = found.iter().find_map(|e| e.component("new_source"));
    let source = source.unwrap_or_else(|| panic!("{}", list(&found)));
    assert!(source["detail"].as_str().unwrap().contains("2a0c:9999"), "{source}");
    assert!(found.iter().any(|e| e.severity() != "info"), "{}", list(&found));
}

#[test]
fn a_thief_from_a_network_that_nobody_knows_pages() {
    let mut story = Story::new(44);
    let town = Town::lives(&mut story, 22);
    let at = 21 * DAY + 12 * HOUR;
    let thief = town.services[4].at("203.0.113.40").with_token(123);
    story.login(at, &thief);
    for n in 0..4 {
        story.issue(at + 30 + n * 200, &thief, &service_role(&thief));
    }
    let told = Told::of(&story, &[]);
    let found = told.about_since(&thief, at);
    must_page("a service with one address for three weeks, from abroad", &found);
    let source =
        found.iter().find_map(|e| e.component("new_source")).unwrap_or_else(|| panic!("{}", list(&found)));
    assert!(source["detail"].as_str().unwrap().contains("203.0"), "{source}");
}

#[test]
fn pods_that_move_are_not_thieves() {
    let mut story = Story::new(45);
    Town::lives(&mut story, 28);
    let pods = Client::new("kubernetes", "shop", "10.42.0.1");
    // Eight pods, three deploys a week: all of them new within two minutes, each somewhere else.
    let mut generation = 0;
    for day in 0..28 {
        if [0, 2, 4].contains(&(day % 7)) {
            generation += 1;
            let at = day * DAY + 10 * HOUR + story.chance(6 * HOUR);
            for pod in 0..8 {
                let address = format!("10.42.{}.{}", story.chance(24), 2 + story.chance(250));
                let token = u64::try_from(generation * 100 + pod).unwrap();
                let client = pods.at(&address).with_token(token);
                story.login(at + pod * 14, &client);
                for renewal in 0..5 {
                    story.issue(at + pod * 14 + 2 + renewal * 8 * HOUR, &client, "shop-rw");
                }
            }
        }
    }
    let told = Told::of(&story, &[]);
    must_not_page("deploys", &told.about(&pods));
    let loud: Vec<_> =
        told.about_since(&pods, 14 * DAY).into_iter().filter(|e| e.severity() != "info").collect();
    assert!(loud.len() <= 1, "deploys of weeks 3 and 4: {}", list(&loud));
}
