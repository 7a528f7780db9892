//! Episodes: which finding belongs to which, what is kept of them, and what is said of them.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test panics to fail, and these numbers are exact"
)]

use leasewatch::anomaly::episodes::{Change, Episodes};
use leasewatch::anomaly::{
    Acknowledgement, Class, Component, Evidence, Finding, Mode, Place, Settings, Severity, SubjectKind,
    SubjectView, Which, score,
};
use leasewatch::event::{Privileged, RequestId, Text, Timestamp};
use leasewatch::snapshot::Value;
use proptest::prelude::*;
use std::collections::BTreeSet;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// 2026-06-01, a Monday.
const START: i64 = 1_780_272_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(START + seconds)
}

fn evidence(component: Component, strength: f64) -> Evidence {
    Evidence {
        component,
        strength,
        observed: 214.0,
        expected: 1.0,
        upper: 4.0,
        own_max: Some((6.0, at(-10 * DAY))),
        last_seen: None,
        peers: None,
        detail: Text::default(),
    }
}

/// A finding of a cluster in which 1000 subject-hours a day are active.
fn finding(subject: u64, seconds: i64, evidence: Vec<Evidence>) -> Finding {
    let strength = evidence.iter().map(|one| one.strength).fold(0.0, f64::max);
    let recurrence_days = 10f64.powf(strength) / 1000.0;
    Finding {
        at: at(seconds),
        subject: SubjectView {
            key: subject,
            kind: SubjectKind::Entity,
            entity: format!("entity-{subject}").into(),
            display_name: "approle".into(),
            role: "payments".into(),
            mount: "auth/approle/".into(),
            ..SubjectView::default()
        },
        evidence,
        strength,
        recurrence_days,
        score: score::of_recurrence(recurrence_days),
        class: Class::Security,
        floor: None,
        place: Place { mount: 2, role: Some(3) },
        namespace: Text::default(),
        mount: "database/".into(),
        role: "ledger".into(),
        request: Some(RequestId(u128::from(subject) << 64 | u128::try_from(seconds).unwrap_or(0))),
        is_learnt: true,
    }
}

fn burst(subject: u64, seconds: i64, strength: f64) -> Finding {
    finding(subject, seconds, vec![evidence(Component::Burst5m, strength)])
}

fn store() -> Episodes {
    with(Settings::DEFAULT)
}

fn with(settings: Settings) -> Episodes {
    let mut episodes = Episodes::new(&settings);
    episodes.learnt_since(at(-28 * DAY));
    episodes
}

fn all(episodes: &Episodes) -> Vec<leasewatch::anomaly::Episode> {
    episodes.list(Which { min_score: Some(0.0), ..Which::default() })
}

fn later(mut one: Evidence, detail: &str) -> Evidence {
    one.detail = detail.into();
    one
}

#[test]
fn a_subject_has_one_episode_which_rises_and_ends() {
    let mut episodes = store();
    episodes.take(burst(1, 0, 3.2));
    episodes.take(burst(1, 60, 4.5));
    episodes.take(burst(1, 120, 3.0));
    episodes.take(burst(2, 130, 4.0));
    let open = all(&episodes);
    assert_eq!(open.len(), 2);
    let one = &open[0];
    assert_eq!((one.opened_at, one.updated_at, one.closed_at), (at(0), at(120), None));
    assert_eq!(one.severity, Severity::Page);
    assert_eq!(one.score, score::of_recurrence(10f64.powf(1.5)));
    let rises: Vec<_> = one.raised.iter().map(|rise| rise.at).collect();
    assert_eq!(rises, [at(0), at(60)]);
    // Six hours after its highest, to the second, however time passes.
    episodes.advance(at(60 + 6 * HOUR - 1));
    assert_eq!(all(&episodes)[0].closed_at, None);
    episodes.advance(at(40 * HOUR));
    assert_eq!(all(&episodes)[0].closed_at, Some(at(60 + 6 * HOUR)));
    assert_eq!(all(&episodes)[1].closed_at, Some(at(130 + 6 * HOUR)));
}

#[test]
fn what_is_as_common_as_daylight_is_no_episode() {
    let mut episodes = store();
    episodes.take(burst(1, 0, 1.0));
    assert!(all(&episodes).is_empty());
    // By chance fifteen times a day: kept for whoever asks, and shown to nobody else.
    episodes.take(burst(1, 1, 2.0));
    assert_eq!(all(&episodes).len(), 1);
    assert!(episodes.list(Which::default()).is_empty());
    assert!(episodes.take_news().is_empty());
}

#[test]
fn the_same_cause_is_told_once_a_day_and_another_one_at_once() {
    let mut episodes = store();
    episodes.take(burst(1, 0, 4.5));
    // The count of a day is still as high when the episode is over.
    episodes.take(burst(1, 7 * HOUR, 4.6));
    assert_eq!(all(&episodes).len(), 1);
    // Another kind of thing, or ten times as rare, is another.
    let mut new_role = vec![evidence(Component::Burst5m, 4.6), evidence(Component::NewRole, 2.5)];
    new_role[1].detail = "ledger".into();
    episodes.take(finding(1, 8 * HOUR, new_role.clone()));
    assert_eq!(all(&episodes).len(), 2);
    // Another role is another thing too; the same one is not.
    episodes.take(finding(1, 15 * HOUR, new_role.clone()));
    assert_eq!(all(&episodes).len(), 2);
    new_role[1] = later(new_role[1].clone(), "billing");
    episodes.take(finding(1, 15 * HOUR + 1, new_role));
    assert_eq!(all(&episodes).len(), 3);
    let mut episodes = store();
    episodes.take(burst(1, 0, 4.5));
    episodes.take(burst(2, 0, 4.5));
    episodes.take(burst(1, 7 * HOUR, 5.6));
    // What is counted for a day grows within it; a changing address of the same network is no other network.
    let probing = |hours: i64, strength, detail: &str| {
        let network = later(evidence(Component::NewSource, 3.0), detail);
        finding(3, hours * HOUR, vec![evidence(Component::UnknownPaths, strength), network])
    };
    episodes.take(probing(8, 5.0, "2001:db8::/64 (2001:db8::1)"));
    episodes.take(probing(15, 5.9, "2001:db8::/64 (2001:db8::2)"));
    assert_eq!(all(&episodes).iter().filter(|one| one.subject.entity_id == "entity-3").count(), 1);
    episodes.take(probing(16, 5.9, "2001:db9::/64 (2001:db9::2)"));
    assert_eq!(all(&episodes).iter().filter(|one| one.subject.entity_id == "entity-3").count(), 2);
    // A day later it is told again.
    episodes.take(burst(2, 24 * HOUR, 4.5));
    let subjects: Vec<_> = all(&episodes).iter().map(|one| one.subject.entity_id.clone()).collect();
    assert_eq!(subjects.iter().filter(|entity| *entity == "entity-1").count(), 2);
    assert_eq!(subjects.iter().filter(|entity| *entity == "entity-2").count(), 2);
}

#[test]
fn a_weak_episode_that_is_over_mutes_nothing_stronger() {
    let paths =
        |hours: i64, strength| finding(1, hours * HOUR, vec![evidence(Component::UnknownPaths, strength)]);
    let mut episodes = store();
    // Nobody is shown this one, nor what goes on as weakly.
    episodes.take(paths(0, 2.2));
    episodes.take(paths(7, 2.4));
    assert_eq!(all(&episodes).len(), 1);
    assert_eq!(all(&episodes)[0].score, score::of_recurrence(10f64.powf(2.4) / 1000.0), "it is not lost");
    // A notice, and when that is over a page: each is shown once.
    for (hours, strength, severity) in [(8, 3.2, Severity::Notice), (15, 3.9, Severity::Page)] {
        episodes.take(paths(hours, strength));
        episodes.take(paths(hours, strength));
        let last = all(&episodes).pop().unwrap();
        assert_eq!((last.opened_at, last.severity), (at(hours * HOUR), severity));
    }
    // Louder, but not ten times as rare: known. The next is, against what was told and not what was silent.
    episodes.take(paths(22, 4.7));
    assert_eq!(all(&episodes).len(), 3);
    episodes.take(paths(23, 5.0));
    assert_eq!(all(&episodes).len(), 4);
}

#[test]
fn the_score_of_a_subject_is_never_lowered_by_more_evidence() {
    let components = [Component::UnknownPaths, Component::Burst1d, Component::Slow, Component::Denials];
    let strengths = [2.2, 2.9, 3.3, 3.8, 4.4, 5.3];
    let highest = |told: &[(i64, usize, usize)]| {
        let mut episodes = store();
        for &(hours, component, strength) in told {
            let evidence = evidence(components[component], strengths[strength]);
            episodes.take(finding(1, hours * HOUR, vec![evidence]));
        }
        all(&episodes).iter().map(|episode| episode.score).fold(0.0, f64::max)
    };
    proptest!(|(
        told in prop::collection::vec((0i64..60, 0usize..4, 0usize..6), 1..12), left_out in any::<prop::sample::Index>()
    )| {
        let mut told = told;
        told.sort_unstable();
        let mut fewer = told.clone();
        fewer.remove(left_out.index(told.len()));
        prop_assert!(highest(&told) >= highest(&fewer), "{told:?} against {fewer:?}");
    });
}

#[test]
fn a_level_that_has_changed_is_told_once_until_it_falls_back() {
    let slow = |hours: i64, strength| finding(1, hours * HOUR, vec![evidence(Component::Slow, strength)]);
    let mut episodes = store();
    // It grows for a day, at the end of the scale after 13 hours, and stays for five.
    for hour in 0..24 {
        episodes.take(slow(hour, 3.5 + hour as f64 / 4.0));
    }
    for hour in 24..144 {
        episodes.take(slow(hour, 12.0));
    }
    let found = all(&episodes);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].closed_at, Some(at(19 * HOUR)));
    // Something else meanwhile is another thing, also what was said on the first day.
    episodes.take(finding(
        1,
        145 * HOUR,
        vec![evidence(Component::Slow, 12.0), evidence(Component::Burst1h, 5.0)],
    ));
    assert_eq!(all(&episodes).len(), 2);
    let mut episodes = store();
    episodes.take(slow(0, 5.0));
    episodes.take(slow(19, 5.0));
    episodes.take(slow(38, 9.0));
    assert_eq!(all(&episodes).len(), 1);
    episodes.take(slow(59, 5.0));
    assert_eq!(all(&episodes).len(), 2);
}

#[test]
fn a_weak_episode_makes_place_for_a_strong_one() {
    let mut episodes = store();
    episodes.take(burst(1, 0, 2.2));
    // At once it is the same story; hours later it is not.
    episodes.take(burst(1, 600, 3.5));
    assert_eq!(all(&episodes).len(), 1);
    episodes.take(burst(1, 3 * HOUR, 5.0));
    let found = all(&episodes);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].closed_at, found[1].opened_at), (Some(at(3 * HOUR)), at(3 * HOUR)));
}

#[test]
fn what_may_be_broken_and_silence_never_page_and_the_shadow_pages_nobody() {
    let mut operational = finding(1, 0, vec![evidence(Component::Operational, 9.0)]);
    operational.class = Class::Operational;
    operational.floor = Some(Severity::Page);
    let silence = finding(2, 0, vec![evidence(Component::Silence, 9.0), evidence(Component::OffHours, 2.0)]);
    let mut episodes = store();
    episodes.take(operational);
    episodes.take(silence);
    for episode in all(&episodes) {
        assert_eq!(episode.severity, Severity::Notice, "{episode:?}");
        assert!(episode.score < score::threshold(Severity::Page, 1.0));
        assert!(!episode.summary.contains("attack"), "{}", episode.summary);
    }
    let mut shadow = with(Settings { mode: Mode::Shadow, ..Settings::DEFAULT });
    shadow.take(burst(1, 0, 9.0));
    let found = all(&shadow);
    assert_eq!((found[0].severity, found[0].score), (Severity::Notice, 100.0));
    // Once it is known, the same finding with another cause is security after all.
    episodes.take(burst(1, 60, 5.0));
    let first = &all(&episodes)[0];
    assert_eq!((first.class, first.severity), (Class::Security, Severity::Page));
}

#[test]
fn a_rule_pages_whatever_the_score() {
    let mut root = finding(1, 0, vec![evidence(Component::OffHours, 0.5)]);
    root.evidence.push(evidence(Component::Rule(Privileged::RootToken), 0.0));
    root.floor = Some(Severity::Page);
    let mut episodes = store();
    episodes.take(root);
    let found = episodes.list(Which::default());
    assert_eq!((found[0].severity, found[0].by_rule), (Severity::Page, true));
    assert_eq!(found[0].components[0].name, "privileged");
    assert!(found[0].summary.contains("used a token with the root policy"), "{}", found[0].summary);
    assert_eq!(found[0].recurrence, "This is reported whatever the past.");
    let counted = counts(&episodes, "leasewatch_anomaly_episodes_total");
    assert_eq!(counted, [("privileged page".to_owned(), 1.0)]);
}

/// The series of a metric that are not 0, by their labels.
fn counts(episodes: &Episodes, metric: &str) -> Vec<(String, f64)> {
    let families = episodes.families(at(0));
    let family = families.iter().find(|family| family.metric.name == metric).unwrap();
    let number = |value: &Value| match value {
        Value::Count(count) => *count as f64,
        Value::Number(number) => *number,
        Value::Histogram(_) => f64::NAN,
    };
    let series = family.series.iter().map(|series| (series.labels.join(" "), number(&series.value)));
    series.filter(|(_, value)| *value != 0.0).collect()
}

#[test]
fn each_severity_is_counted_once_and_known_ones_start_at_0() {
    let mut episodes = store();
    let families = episodes.families(at(0));
    let total =
        families.iter().find(|family| family.metric.name == "leasewatch_anomaly_episodes_total").unwrap();
    assert_eq!(total.series.len(), Component::NAMES.len() * 3);
    let names: BTreeSet<_> = total.series.iter().map(|series| &series.labels).collect();
    assert_eq!(names.len(), total.series.len());
    episodes.take(burst(1, 0, 2.0));
    episodes.take(burst(1, 1, 3.5));
    episodes.take(burst(1, 2, 5.0));
    episodes.take(burst(1, 3, 6.0));
    let one = |severity: &str| (format!("burst_5m {severity}"), 1.0);
    let total = counts(&episodes, "leasewatch_anomaly_episodes_total");
    assert_eq!(total, [one("info"), one("notice"), one("page")]);
    assert_eq!(counts(&episodes, "leasewatch_anomaly_open_episodes"), [one("page")]);
    let threshold = counts(&episodes, "leasewatch_anomaly_threshold");
    assert_eq!(threshold[1], ("page".to_owned(), score::threshold(Severity::Page, 1.0)));
    let told: Vec<_> = episodes.take_news().iter().map(|news| (news.what, news.severity)).collect();
    assert_eq!(told, [(Change::Rose, Severity::Notice), (Change::Rose, Severity::Page)]);
}

#[test]
fn the_gauge_halves_every_half_hour_and_the_episode_keeps_its_height() {
    let mut episodes = store();
    episodes.take(burst(1, 0, 5.0));
    let height = score::of_recurrence(100.0);
    let role = |episodes: &Episodes, seconds| episodes.level(at(seconds)).roles.get(&3).copied();
    assert_eq!(role(&episodes, 0), Some(height));
    assert!((role(&episodes, 1800).unwrap() - height / 2.0).abs() < 1e-9);
    assert_eq!(episodes.level(at(1800)).mounts.get(&2), episodes.level(at(1800)).roles.get(&3));
    // It goes on, though no higher: the gauge is up again.
    episodes.take(burst(1, 3600, 4.9));
    assert_eq!(role(&episodes, 3600), Some(score::of_recurrence(10f64.powf(1.9))));
    assert_eq!(all(&episodes)[0].score, height);
    episodes.advance(at(7 * HOUR));
    assert_eq!(role(&episodes, 7 * HOUR), None);
}

fn known(expires: i64) -> Acknowledgement {
    Acknowledgement {
        at: at(100),
        author: "mira".to_owned(),
        reason: "load test".to_owned(),
        expires: at(expires),
    }
}

#[test]
fn what_somebody_vouches_for_is_no_alarm_until_it_expires() {
    let mut episodes = store();
    episodes.take(burst(1, 0, 5.0));
    episodes.take_news();
    let id = all(&episodes)[0].id;
    assert_eq!(episodes.acknowledge(id, known(10 * DAY)), Some(1));
    assert!(episodes.is_acknowledged(id, &Acknowledgement { at: at(7), ..known(10 * DAY) }));
    assert!(!episodes.is_acknowledged(id, &known(11 * DAY)));
    assert!(episodes.level(at(100)).roles.is_empty());
    assert_eq!(all(&episodes)[0].acknowledged.as_ref().unwrap().author, "mira");
    assert_eq!(counts(&episodes, "leasewatch_anomaly_open_episodes"), [("burst_5m info".to_owned(), 1.0)]);
    // The same, two days later.
    episodes.take(burst(1, 2 * DAY, 5.5));
    assert!(all(&episodes)[1].acknowledged.is_some());
    assert!(episodes.take_news().is_empty());
    // Ten times as rare, or something else, is not what he meant: it stands beside the open one.
    episodes.take(burst(1, 2 * DAY + 60, 7.0));
    episodes.take(finding(1, 4 * DAY, vec![evidence(Component::UnknownPaths, 5.0)]));
    let found = all(&episodes);
    assert_eq!(found.len(), 4);
    assert!(found[2].acknowledged.is_none() && found[3].acknowledged.is_none());
    // And nobody else's is.
    episodes.take(burst(2, 5 * DAY, 5.0));
    assert!(all(&episodes)[4].acknowledged.is_none());
    episodes.take(burst(1, 11 * DAY, 5.0));
    assert!(all(&episodes)[5].acknowledged.is_none());
}

#[test]
fn a_word_that_comes_before_its_episode_holds_when_it_comes() {
    let mut first = store();
    first.take(burst(1, 0, 5.0));
    let id = all(&first)[0].id;
    let mut episodes = store();
    assert_eq!(episodes.acknowledge(id, known(10 * DAY)), None);
    episodes.take(burst(1, 0, 5.0));
    assert!(all(&episodes)[0].acknowledged.is_some());
}

#[test]
fn the_lowest_that_are_over_give_way_first() {
    let mut episodes = with(Settings { episodes: 16, ..Settings::DEFAULT });
    for subject in 0..16u32 {
        episodes.take(burst(u64::from(subject), i64::from(subject), 3.0 + f64::from(subject) / 10.0));
    }
    episodes.take(burst(100, 7 * HOUR, 2.0));
    let left: Vec<_> = all(&episodes).iter().map(|one| one.subject.entity_id.clone()).collect();
    assert_eq!(left.len(), 16);
    assert!(!left.contains(&"entity-0".to_owned()) && left.contains(&"entity-1".to_owned()), "{left:?}");
    for subject in 0..1_000 {
        episodes.take(burst(1_000 + subject, 8 * HOUR, 6.0));
    }
    assert_eq!(all(&episodes).len(), 16);
    assert_eq!(counts(&episodes, "leasewatch_anomaly_episode_evictions_total"), [(String::new(), 1001.0)]);
}

#[test]
fn samples_rises_and_places_are_few() {
    let mut episodes = store();
    for step in 0..1_000u32 {
        let mut one = burst(1, i64::from(step), 2.0 + f64::from(step) / 250.0);
        one.role = format!("role-{step}").into();
        one.place.role = Some(step);
        episodes.take(one);
    }
    let episode = &all(&episodes)[0];
    assert_eq!(episode.samples.len(), 5);
    // The first ones, and the last.
    assert!(
        episode.samples[0].ends_with("000000000000") && episode.samples[4].ends_with("0000000003e7"),
        "{:?}",
        episode.samples
    );
    assert_eq!(episode.touched.len(), 32);
    assert!(episode.raised.len() <= 64, "{}", episode.raised.len());
    assert!(episode.summary.contains("credentials of 32 roles of database/"), "{}", episode.summary);
}

#[test]
fn an_episode_read_aloud_makes_sense() {
    let say = |evidence: Vec<Evidence>| {
        let mut episodes = store();
        episodes.take(finding(1, 0, evidence));
        all(&episodes)[0].summary.clone()
    };
    let of = |component, strength, detail: &str| later(evidence(component, strength), detail);
    let single = |component, strength, observed, detail: &str| Evidence {
        observed,
        own_max: None,
        ..of(component, strength, detail)
    };
    assert_eq!(
        say(vec![of(Component::Burst5m, 4.5, ""), single(Component::NewSource, 3.0, 1.0, "203.0.113.0/24")]),
        "The client approle/payments took 214 credentials of database/ledger in 5 minutes from a network that it \
         never used; in 28 days its most was 6. The network is 203.0.113.0/24. An hour like this is rarer than anything seen in \
         28 days of learning."
    );
    assert_eq!(
        say(vec![
            single(Component::NewRole, 4.0, 7.0, "billing"),
            of(Component::Burst5m, 3.0, ""),
            of(Component::Burst1h, 2.9, "")
        ]),
        "The client approle/payments took credentials of 7 roles that it never used before (billing among them) and 214 \
         credentials of database/ledger in 5 minutes. An hour like this comes about once in 10 days."
    );
    assert_eq!(
        say(vec![single(Component::UnknownPaths, 3.6, 25.0, ""), single(Component::Denials, 3.0, 38.0, "")]),
        "The client approle/payments was denied 25 paths that it had never asked for. An hour like this \
         comes about once in 4 days."
    );
    assert_eq!(
        say(vec![single(Component::OffHours, 2.0, 1.0, "")]),
        "The client approle/payments was at work at an hour at which it hardly ever works. An hour like this comes \
         about 10 times a day."
    );
    assert_eq!(
        say(vec![
            of(Component::Slow, 3.3, "since 2026-05-28"),
            single(Component::RoleListing, 2.0, 1.0, "database/"),
            single(Component::OffHours, 1.5, 1.0, "")
        ]),
        "The client approle/payments has been taking more credentials of database/ledger than it used to since \
         2026-05-28, 214 in that time, and listed the names of roles (database/) for the first time at an hour at which it \
         hardly ever works; in 28 days its most was 6. An hour like this comes about once in 2 days."
    );
    let mut mount = finding(
        9,
        0,
        vec![single(Component::FailedLogins, 3.2, 120.0, "from 3 addresses, 192.0.2.9 the most")],
    );
    mount.subject = SubjectView {
        key: 9,
        kind: SubjectKind::Mount,
        mount: "auth/userpass/".into(),
        ..SubjectView::default()
    };
    mount.is_learnt = false;
    let mut episodes = store();
    episodes.take(mount);
    assert_eq!(
        all(&episodes)[0].summary,
        "At auth/userpass/, 120 logins failed within an hour, from 3 addresses, 192.0.2.9 the most; usual is 1. It is not known well yet. An hour like this \
         comes about once in 2 days."
    );
}

#[test]
fn a_client_is_called_by_the_name_that_says_most() {
    let called = |mount: &str, display_name: &str, role: &str, namespace: &str| {
        let mut one = burst(1, 0, 4.0);
        one.subject.mount = mount.into();
        one.subject.display_name = display_name.into();
        one.subject.role = role.into();
        one.subject.namespace = namespace.into();
        let mut episodes = store();
        episodes.take(one);
        let summary = all(&episodes)[0].summary.clone();
        summary.split(" took ").next().unwrap().to_owned()
    };
    for (mount, display_name, role, namespace, name) in [
        ("auth/approle/", "approle", "payments", "", "The client approle/payments"),
        ("auth/oidc/", "oidc-mira", "dev", "", "The client oidc-mira (role dev)"),
        ("auth/kubernetes/", "kubernetes-shop-push", "push", "", "The client kubernetes-shop-push"),
        ("auth/userpass/", "userpass-jo", "jo", "team-a", "The client userpass-jo of the namespace team-a"),
        (
            "auth/approle/",
            "team-a-auth-approle",
            "etl",
            "team-a",
            "The client approle/etl of the namespace team-a",
        ),
        ("auth/token/", "token", "", "", "The client with the entity ID entity-1"),
        ("auth/ldap/", "ldap-\u{e9}lise", "", "", "The client ldap-\u{e9}lise"),
    ] {
        assert_eq!(called(mount, display_name, role, namespace), name);
    }
}

#[test]
fn no_part_is_rarer_than_the_whole() {
    let mut calibrated =
        finding(1, 0, vec![evidence(Component::NewSource, 6.0), evidence(Component::NewRole, 3.0)]);
    // Such hours were found to be more common than their parts say.
    calibrated.strength = 4.0;
    calibrated.recurrence_days = 10.0;
    calibrated.score = score::of_recurrence(10.0);
    let mut episodes = store();
    episodes.take(calibrated);
    let episode = &all(&episodes)[0];
    let scores: Vec<_> = episode.components.iter().map(|component| component.score).collect();
    assert_eq!(scores, [episode.score, score::of_recurrence(0.1)]);
}

#[test]
fn every_component_has_words_and_numbers_never_break_json() {
    let rules =
        [Privileged::RootToken, Privileged::AuditChange, Privileged::RevokeForce].map(Component::Rule);
    let plain = [
        Component::Burst5m,
        Component::Burst1h,
        Component::Burst1d,
        Component::NewRole,
        Component::NewSource,
        Component::OffHours,
        Component::Denials,
        Component::UnknownPaths,
        Component::Slow,
        Component::Silence,
        Component::TwoNetworks,
        Component::UnwrappedElsewhere,
        Component::NeverUnwrapped,
        Component::Operational,
        Component::NewSubject,
        Component::FailedLogins,
        Component::UnknownTokens,
        Component::RoleListing,
    ];
    for component in plain.into_iter().chain(rules) {
        for kind in [SubjectKind::Entity, SubjectKind::Token, SubjectKind::Mount, SubjectKind::Cluster] {
            let mut odd = evidence(component, 4.0);
            odd.observed = f64::INFINITY;
            odd.expected = f64::NAN;
            let mut one = finding(1, 0, vec![odd]);
            one.subject.kind = kind;
            one.recurrence_days = f64::INFINITY;
            let mut episodes = store();
            episodes.take(one);
            let again: Episodes = serde_json::from_str(&serde_json::to_string(&episodes).unwrap()).unwrap();
            let episode = &all(&again)[0];
            assert!(
                episode.summary.ends_with('.') && !episode.summary.contains("NaN"),
                "{}",
                episode.summary
            );
            assert!(!episode.components[0].text.is_empty());
            assert!(
                ["unseen", "rare", "infrequent", "frequent"].contains(&episode.components[0].word.as_str())
            );
        }
    }
}

#[test]
fn the_json_of_an_episode_is_what_is_promised() {
    let mut episodes = store();
    episodes.take(burst(1, 0, 4.5));
    let json = serde_json::to_value(all(&episodes)).unwrap();
    let keys: Vec<_> = json[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        keys,
        [
            "acknowledged",
            "by_rule",
            "class",
            "closed_at",
            "components",
            "id",
            "learnt",
            "opened_at",
            "raised",
            "recurrence",
            "samples",
            "score",
            "severity",
            "subject",
            "summary",
            "touched",
            "updated_at",
        ]
    );
    assert_eq!(json[0]["opened_at"], "2026-06-01T00:00:00Z");
    assert_eq!(json[0]["severity"], "page");
    assert_eq!(json[0]["subject"]["entity_id"], "entity-1");
    assert_eq!(json[0]["touched"][0]["namespace"], "root");
    let component = json[0]["components"][0].as_object().unwrap();
    for key in
        ["name", "observed", "expected", "upper", "score", "own_max", "last_seen", "peers", "word", "text"]
    {
        assert!(component.contains_key(key), "{key}");
    }
    let again: Vec<leasewatch::anomaly::Episode> = serde_json::from_value(json).unwrap();
    assert_eq!(again, all(&episodes));
}

/// Something that happens to a store.
#[derive(Clone, Debug)]
enum Step {
    Found { subject: u64, strength: f64, component: usize },
    Passed(i64),
    Acknowledged(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let found = (0..6u64, 0.5..9.0f64, 0..4usize).prop_map(|(subject, strength, component)| Step::Found {
        subject,
        strength,
        component,
    });
    let passed = prop_oneof![0..90i64, 0..9 * HOUR].prop_map(Step::Passed);
    let step = prop_oneof![4 => found, 4 => passed, 1 => (0..8usize).prop_map(Step::Acknowledged)];
    prop::collection::vec(step, 1..120)
}

fn play(steps: &[Step], cuts: &BTreeSet<usize>, grid: i64) -> Episodes {
    const COMPONENTS: [Component; 4] =
        [Component::Burst5m, Component::NewRole, Component::Slow, Component::Rule(Privileged::AuthWrite)];
    let settings = Settings { episodes: 16, ..Settings::DEFAULT };
    let mut episodes = with(settings);
    let mut now = 0;
    for (place, step) in steps.iter().enumerate() {
        match step {
            Step::Found { subject, strength, component } => {
                episodes.take(finding(*subject, now, vec![evidence(COMPONENTS[*component], *strength)]));
            }
            Step::Passed(seconds) => {
                let to = now + seconds;
                while now < to {
                    now = (now + grid).min(to);
                    episodes.advance(at(now));
                }
            }
            Step::Acknowledged(which) => {
                if let Some(episode) = all(&episodes).get(*which) {
                    episodes.acknowledge(episode.id, known(now + 3 * DAY));
                }
            }
        }
        if cuts.contains(&place) {
            episodes = serde_json::from_str(&serde_json::to_string(&episodes).unwrap()).unwrap();
            episodes.restore(&settings);
        }
    }
    episodes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_same_findings_make_the_same_episodes_however_they_come(
        steps in steps(), cuts in prop::collection::btree_set(0..120usize, 0..12), grid in prop_oneof![Just(7), Just(600), Just(i64::MAX / 4)],
    ) {
        let whole = play(&steps, &BTreeSet::new(), 60);
        let cut = play(&steps, &cuts, grid);
        prop_assert_eq!(serde_json::to_string(&whole).unwrap(), serde_json::to_string(&cut).unwrap());
        prop_assert_eq!(all(&whole), all(&cut));
        let found = all(&whole);
        prop_assert!(found.len() <= 16);
        let ids: BTreeSet<_> = found.iter().map(|one| one.id).collect();
        prop_assert_eq!(ids.len(), found.len());
        // Of a subject there is one at a time.
        for (place, one) in found.iter().enumerate() {
            for other in &found[place + 1..] {
                let apart = one.subject != other.subject || one.closed_at.is_some_and(|end| end <= other.opened_at);
                prop_assert!(apart, "{:?} {:?}", one, other);
            }
        }
    }
}
