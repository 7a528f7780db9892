//! Metrics by OTLP: deltas that add up over outages and restarts, and requests that receivers take.

use super::receiver::{Mood, Receiver, TOKEN};
use super::stage::{PATIENCE, Stage, when};
use super::support::eventually;
use std::time::Duration;

const ISSUED: &str = "leasewatch_credentials_issued_total";
const APP: &[(&str, &str)] = &[("role", "app"), ("mount", "database/")];

/// Waits until the deltas of credentials of `app` add up to that.
fn adds_up(receiver: &Receiver, expected: f64) {
    eventually("the deltas add up", PATIENCE, || {
        let sum = receiver.sum(ISSUED, APP);
        // More would be wrong for ever.
        assert!(sum <= expected, "{sum} of {expected}");
        if sum == expected { Ok(()) } else { Err(format!("{sum} of {expected}")) }
    });
}

/// Waits for so many more pushes that were taken.
fn pushes(receiver: &Receiver, more: usize) {
    let taken = || {
        let world = receiver.world();
        world.requests.iter().filter(|seen| seen.path.ends_with("/v1/metrics") && seen.status == 200).count()
    };
    let before = taken();
    eventually("it pushes", PATIENCE, || if taken() >= before + more { Ok(()) } else { Err("no".into()) });
}

#[test]
fn counters_are_deltas_that_add_up_over_outages_and_kills() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let mut serving = stage.serve_to(&receiver, &[], &[]);
    pushes(&receiver, 2);
    assert_eq!(receiver.sum(ISSUED, APP), 0.0, "what was counted before the first push is nobody's delta");
    assert_eq!(receiver.last("leasewatch_ledger_observed", APP), Some(0.0));
    stage.issue("app", 5);
    adds_up(&receiver, 5.0);
    // A series of its own from its first count on.
    stage.issue("new", 2);
    eventually("a new series", PATIENCE, || match receiver.sum(ISSUED, &[("role", "new")]) {
        2.0 => Ok(()),
        other => Err(other.to_string()),
    });
    // The receiver is away, and leasewatch is killed meanwhile.
    receiver.world().away = Some(503);
    stage.issue("app", 7);
    when(&serving, "counted", |page| page.sum(ISSUED, APP) == 15.0);
    serving.kill9();
    stage.issue("app", 1);
    serving.restart();
    when(&serving, "counted again", |page| page.sum(ISSUED, APP) == 16.0);
    receiver.world().away = None;
    adds_up(&receiver, 13.0);
    // Killed while all is well: what was acknowledged does not come again.
    for sum in [14.0, 15.0, 16.0] {
        stage.issue("app", 1);
        adds_up(&receiver, sum);
        pushes(&receiver, 1);
        std::thread::sleep(Duration::from_millis(300));
        serving.kill9();
        serving.restart();
    }
    pushes(&receiver, 2);
    assert_eq!(receiver.sum(ISSUED, APP), 16.0);
    let (status, took) = serving.stop();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    receiver.was_treated_well();
    let world = receiver.world();
    assert_eq!(world.resource["service.name"], "leasewatch");
    // One series' intervals follow each other.
    let mut end = 0;
    for point in world.points.iter().filter(|point| point.name == ISSUED && point.attributes["role"] == "app")
    {
        assert!(point.start >= end, "{point:?} begins before {end}");
        end = point.time;
    }
    assert!(end > 0);
}

#[test]
fn a_receiver_that_wants_to_be_left_alone_is() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let serving = stage.serve_to(&receiver, &[], &[]);
    pushes(&receiver, 1);
    receiver.mood("/otlp", &[Mood::Status(500, None), Mood::Status(429, Some(3)), Mood::Status(502, None)]);
    stage.issue("app", 4);
    adds_up(&receiver, 4.0);
    let page = serving.metrics();
    let of = |outcome| {
        page.sum("leasewatch_push_batches_total", &[("target", "oneuptime_metrics"), ("outcome", outcome)])
    };
    assert_eq!(of("failed"), 3.0);
    assert!(of("delivered") >= 2.0);
    assert!(
        page.sum("leasewatch_push_last_success_timestamp_seconds", &[("target", "oneuptime_metrics")]) > 1e9
    );
    let world = receiver.world();
    let times: Vec<_> = world.requests.iter().filter(|seen| seen.path.starts_with("/otlp")).collect();
    let asked = times.iter().position(|seen| seen.status == 429).unwrap();
    let waits: Vec<_> = times.windows(2).map(|pair| (pair[1].at - pair[0].at).as_secs_f64()).collect();
    assert!(waits[asked] >= 3.0, "it was left alone for {} s", waits[asked]);
    // The third failure in a row: 4 s, up to a fifth less.
    assert!(waits[asked + 1] >= 3.1, "it came again after {} s", waits[asked + 1]);
}

#[test]
fn a_key_that_is_refused_is_said_clearly_and_not_shown_again_until_it_is_replaced() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let key = stage.dir.path().join("key");
    std::fs::write(&key, "wrong-key-4711\n").unwrap();
    let url = receiver.url();
    let serving = stage.serve(
        &["--push.oneuptime.url", &url, "--push.oneuptime.token-file", key.to_str().unwrap()],
        &[("LEASEWATCH_ONEUPTIME_SECURITY_EVENTS", "off")],
    );
    when(&serving, "refused", |page| {
        page.sum("leasewatch_push_batches_total", &[("outcome", "refused")]) == 1.0
    });
    stage.issue("app", 6);
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(receiver.world().requests.len(), 1, "a refused key is not tried again");
    let page = serving.get("/").unwrap().text();
    for told in [page, serving.output()] {
        assert!(told.contains("the receiver does not accept the key (HTTP 401)"), "{told}");
        assert!(!told.contains("wrong-key-4711"), "{told}");
    }
    std::fs::write(&key, TOKEN).unwrap();
    adds_up(&receiver, 6.0);
    // The receiver has it a moment before its answer is read.
    eventually("that it works again is said", PATIENCE, || {
        let said = serving.output();
        if said.contains("Pushing works again") { Ok(()) } else { Err(said) }
    });
    receiver.was_treated_well();
}

#[test]
fn requests_stay_below_what_receivers_take_and_are_halved_where_they_take_less() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    for role in 0..900 {
        stage.issue(&format!("a-role-with-a-rather-long-name-{role:04}"), 1);
    }
    let serving = stage.serve_to(&receiver, &[], &[("LEASEWATCH_ONEUPTIME_SECURITY_EVENTS", "off")]);
    pushes(&receiver, 2);
    // Every request is decoded and measured by the receiver.
    eventually("all roles are there", PATIENCE, || {
        let world = receiver.world();
        let roles: std::collections::BTreeSet<_> = world
            .points
            .iter()
            .filter(|point| point.name == ISSUED)
            .map(|point| &point.attributes["role"])
            .collect();
        if roles.len() >= 901 { Ok(()) } else { Err(format!("{} roles", roles.len())) }
    });
    receiver.was_treated_well();
    receiver.world().most = Some(200_000);
    stage.issue("app", 3);
    adds_up(&receiver, 3.0);
    let world = receiver.world();
    assert!(world.requests.iter().any(|seen| seen.status == 413), "nothing was too large");
    drop(world);
    receiver.was_treated_well();
    drop(serving);
}

#[test]
fn any_otlp_receiver_takes_it_by_the_standard_variables() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    let url = format!("{}/collector", receiver.url());
    let _serving = stage.serve(
        &[],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20abc,x-team=a"),
            ("OTEL_SERVICE_NAME", "watch-a"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test%20bed,service.name=ignored"),
        ],
    );
    pushes(&receiver, 2);
    stage.issue("app", 2);
    adds_up(&receiver, 2.0);
    receiver.was_treated_well();
    let world = receiver.world();
    assert_eq!(world.resource["service.name"], "watch-a");
    assert_eq!(world.resource["deployment.environment.name"], "test bed");
    let headers = &world.requests.last().unwrap().headers;
    assert_eq!((headers["authorization"].as_str(), headers["x-team"].as_str()), ("Basic abc", "a"));
    assert_eq!(headers["content-encoding"], "gzip");
    assert!(!headers.contains_key("x-oneuptime-token"));
}

#[test]
fn a_receiver_that_never_answers_holds_up_neither_reading_nor_the_end() {
    let (mut stage, receiver) = (Stage::new(), Receiver::start());
    receiver.world().hangs = true;
    let mut serving = stage.serve_to(&receiver, &[], &[]);
    when(&serving, "it is read", |page| page.sum(ISSUED, APP) == 3.0);
    eventually("the first push is begun", PATIENCE, || {
        let kept = std::fs::read_to_string(stage.dir.path().join("state/push-oneuptime_metrics"))
            .unwrap_or_default();
        if kept.contains("\"all\"") { Ok(()) } else { Err(kept) }
    });
    for round in 1..=5 {
        stage.issue("app", 2);
        stage.act("update", "sys/policies/acl/app", &["admin"]);
        when(&serving, "it goes on reading", |page| page.sum(ISSUED, APP) == 3.0 + 2.0 * f64::from(round));
    }
    let (status, took) = serving.stop();
    assert!(status.success() && took < Duration::from_secs(5), "{status} after {took:?}");
    receiver.world().hangs = false;
    serving.restart();
    adds_up(&receiver, 10.0);
    receiver.was_treated_well();
}
