//! The stream of the server log: what is told of it, and when it is not asked for.

use crate::fake::{Answer, Fake, health};
use crate::watch::{Watch, config, until};
use leasewatch::config::VaultConfig;
use leasewatch::event::{Fact, ServerEvent, Timestamp};
use leasewatch::vault::ApiState;

const REVOKED: &str = r#"{"@level":"info","@message":"revoked lease","@module":"expiration","@timestamp":"2026-11-23T23:21:02.012962Z","lease_id":"pki/issue/web/W48ZTCOTZw6LezeI6OgKrqPy"}"#;
const MOUNTED: &str = r#"{"@level":"info","@message":"successful mount","@module":"core","@timestamp":"2026-11-23T23:20:58.288895Z","namespace":"","path":"pki/","type":"pki","version":""}"#;
const DROPPED: &str = "[WARN] Monitor dropped 12 logs during monitor request";
const STEPS_DOWN: &str = r#"{"@level":"warn","@message":"stepping down from active operation to standby","@module":"core","@timestamp":"2026-11-23T23:21:08.806245Z"}"#;

fn monitoring() -> VaultConfig {
    VaultConfig { monitor: true, ..config() }
}

/// What was told of the server log, in order.
fn told(watch: &Watch) -> Vec<Fact> {
    let of_the_log = |fact: &Fact| matches!(fact, Fact::Server(_) | Fact::ServerGap);
    watch.facts().into_iter().filter(of_the_log).collect()
}

fn revoked() -> Fact {
    Fact::Server(ServerEvent::LeaseRevoked { lease: "pki/issue/web/W48ZTCOTZw6LezeI6OgKrqPy".into() })
}

#[tokio::test]
async fn lines_that_mean_something_are_told_with_their_own_time_and_gaps_around_them() {
    let fake = Fake::active();
    fake.says(
        "sys/monitor",
        Answer::Text(200, format!("{MOUNTED}\n{REVOKED}\n\n{DROPPED}\n{REVOKED}\nhalf")),
    );
    let watch = fake.watched(&monitoring()).await;
    until("two streams", || fake.seen_at("sys/monitor").len() >= 2).await;
    let active = Fact::Server(ServerEvent::BecameActive { elected: false });
    let gap = Fact::ServerGap;
    let expected = [&gap, &gap, &active, &revoked(), &gap, &revoked(), &gap, &gap, &active].map(Clone::clone);
    until("the second stream", || told(&watch).len() >= expected.len()).await;
    assert_eq!(told(&watch)[..expected.len()], expected);
    let at = Timestamp::parse_rfc3339("2026-11-23T23:21:02.012962Z").unwrap();
    for observation in watch.observations() {
        if observation.fact == revoked() {
            assert_eq!((observation.at, observation.node.as_deref()), (at, Some("a")));
        }
    }
    let asked = &fake.seen_at("sys/monitor")[0];
    assert!(asked.query.starts_with("log_level=info&log_format=json&"), "{}", asked.query);
    assert_eq!(asked.token(), Some("s.fake"));
    // Told before it was sent, and again when it ended: its response is logged only then.
    let marker = asked.marker().unwrap();
    let again = || {
        let told = watch.observations().into_iter().map(|told| told.fact);
        told.filter(|fact| *fact == Fact::OwnMarker { marker: marker.clone() }).count()
    };
    until("the marker, twice", || again() == 2).await;
}

#[tokio::test]
async fn a_stream_that_ends_is_a_failure_that_is_shown() {
    let fake = Fake::active();
    fake.says("sys/monitor", Answer::Text(200, String::new()));
    let watch = fake.watched(&monitoring()).await;
    until("it fails", || watch.is("monitor", ApiState::Failing)).await;
    let seen = || fake.seen_at("sys/monitor").len();
    let before = seen();
    until("it is tried again", || seen() > before).await;
}

#[tokio::test]
async fn a_node_that_steps_down_is_let_go_of_until_it_is_active_again() {
    let fake = Fake::active();
    fake.says("sys/monitor", Answer::Text(200, format!("{STEPS_DOWN}\n")));
    let watch = fake.watched(&monitoring()).await;
    let inactive = Fact::Server(ServerEvent::BecameInactive);
    until("it is told", || told(&watch).contains(&inactive)).await;
    fake.says("sys/health", Answer::Json(200, health("standby")));
    until("the node rests", || watch.is("monitor", ApiState::Idle)).await;
    fake.intervals(2).await;
    let before = fake.seen_at("sys/monitor").len();
    fake.intervals(4).await;
    assert_eq!(fake.seen_at("sys/monitor").len(), before, "a standby was asked");
    fake.says("sys/health", Answer::Json(200, health("active")));
    until("it is asked again", || fake.seen_at("sys/monitor").len() > before).await;
}

#[tokio::test]
async fn a_missing_right_is_named_and_asked_for_once() {
    let fake = Fake::active();
    fake.denies("sys/monitor");
    let watch = fake.watched(&monitoring()).await;
    until("denied", || watch.is("monitor", ApiState::Denied)).await;
    fake.intervals(4).await;
    let trouble = watch.api("monitor").and_then(|report| report.trouble).unwrap();
    assert!(trouble.contains(r#"path "sys/monitor" { capabilities = ["read"] }"#), "{trouble}");
    assert_eq!(fake.seen_at("sys/monitor").len(), 1);
    assert_eq!(watch.value("leasewatch_scrape_success", &["a", "monitor"]), Some(0.0));
}

#[tokio::test]
async fn nobody_streams_unless_told_to() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    fake.intervals(4).await;
    assert_eq!(fake.seen_at("sys/monitor").len(), 0);
    assert!(watch.api("monitor").is_none() && told(&watch).is_empty());
}
