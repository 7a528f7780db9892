//! Refusals, silence and nonsense: each loses only itself, and says what to do.

use crate::fake::{Answer, Fake, METRICS};
use crate::watch::{INTERVAL, Watch, config, until};
use leasewatch::vault::{ApiState, JSON_LIMIT};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_missing_right_is_named_and_asked_for_once() {
    let lines = [
        ("sys/metrics", "metrics", r#"path "sys/metrics" { capabilities = ["read"] }"#),
        ("sys/leases/count", "irrevocable_leases", r#"path "sys/leases/count" { capabilities = ["read"] }"#),
        ("sys/mounts", "mounts", r#"path "sys/mounts" { capabilities = ["read"] }"#),
        ("database/roles", "roles", r#"path "database/roles" { capabilities = ["list"] }"#),
        ("database/roles/app", "roles", r#"path "database/roles/*" { capabilities = ["read"] }"#),
        ("auth/token/lookup-self", "token", r#"path "auth/token/lookup-self" { capabilities = ["read"] }"#),
    ];
    for (path, api, line) in lines {
        let fake = Fake::active();
        fake.denies(path);
        if api == "mounts" {
            fake.denies("sys/internal/ui/mounts");
        }
        let watch = fake.watched(&config()).await;
        until(path, || watch.is(api, ApiState::Denied)).await;
        fake.intervals(4).await;
        let report = watch.api(api).expect("a report");
        assert!(report.trouble.as_deref().is_some_and(|words| words.contains(line)), "{report:?}");
        assert_eq!(watch.value("leasewatch_scrape_success", &["a", api]), Some(0.0));
        assert_eq!(fake.seen_at(path).len(), 1, "{path}");
        // The others are none the worse for it.
        for other in ["metrics", "irrevocable_leases", "mounts", "token"] {
            assert!(other == api || watch.is(other, ApiState::Ok), "{other} without {path}");
        }
    }
}

#[tokio::test]
async fn mounts_come_from_what_the_token_may_touch_where_the_list_is_denied() {
    let fake = Fake::active();
    fake.denies("sys/mounts");
    fake.denies("sys/auth");
    let mount = json!({"type": "database", "accessor": "db_1", "config": {}});
    fake.data("sys/internal/ui/mounts", json!({"secret": {"database/": mount}, "auth": {}}));
    let watch = fake.watched(&config()).await;
    until("roles", || watch.is("roles", ApiState::Ok)).await;
    let partial = |fact: &_| matches!(fact, leasewatch::event::Fact::Mounts { partial: true, .. });
    assert!(watch.facts().iter().any(partial), "{:?}", watch.facts());
}

#[tokio::test]
async fn a_call_that_hangs_times_out_and_holds_up_no_health() {
    let fake = Fake::active();
    fake.says("sys/metrics", Answer::Never);
    let mut config = config();
    config.timeout = INTERVAL * 3;
    let watch = fake.watched(&config).await;
    until("timed out", || watch.is("metrics", ApiState::Failing)).await;
    until("others", || watch.is("irrevocable_leases", ApiState::Ok)).await;
    let trouble = watch.api("metrics").and_then(|report| report.trouble).unwrap_or_default();
    assert!(trouble.contains("no answer within"), "{trouble}");
    fake.intervals(5).await;
    assert_eq!(watch.value("leasewatch_vault_up", &["a"]), Some(1.0));
    fake.says("sys/metrics", Answer::Text(200, METRICS.to_owned()));
    until("again", || watch.is("metrics", ApiState::Ok)).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays() {
    let elsewhere = Fake::active();
    let address = elsewhere.listen().await;
    let fake = Fake::active();
    for path in ["sys/metrics", "sys/mounts", "sys/leases/count", "auth/token/lookup-self"] {
        fake.says(path, Answer::Redirect(format!("{address}/v1/{path}")));
    }
    let watch = fake.watched(&config()).await;
    until("tried", || fake.seen_at("sys/mounts").len() > 2).await;
    fake.intervals(3).await;
    assert!(elsewhere.seen().is_empty(), "{:?}", elsewhere.seen());
    assert!(watch.is("mounts", ApiState::Failing));
    assert_eq!(watch.value("leasewatch_vault_up", &["a"]), Some(1.0));
}

#[tokio::test]
async fn nonsense_is_called_nonsense() {
    let nonsense = [
        ("sys/mounts", "mounts", Answer::Text(200, "{\"data\": [".to_owned())),
        ("sys/mounts", "mounts", Answer::Json(200, json!({"data": {"a/": 7}}))),
        ("sys/leases/count", "irrevocable_leases", Answer::Text(200, "<html>".to_owned())),
        ("sys/leases/count", "irrevocable_leases", Answer::Json(200, json!({"data": null}))),
        ("sys/metrics", "metrics", Answer::Text(200, "up 1\n".to_owned())),
        ("sys/health", "health", Answer::Text(200, String::new())),
    ];
    for (path, api, answer) in nonsense {
        let fake = Fake::active();
        fake.says(path, answer);
        let watch = fake.watched(&config()).await;
        until(path, || watch.is(api, ApiState::Failing)).await;
        let trouble = watch.api(api).and_then(|report| report.trouble).unwrap_or_default();
        assert!(trouble.contains("not an answer of Vault's API"), "{path}: {trouble}");
        let up = watch.value("leasewatch_vault_up", &["a"]);
        assert_eq!(up, Some(f64::from(u8::from(api != "health"))));
    }
}

#[tokio::test]
async fn an_answer_beyond_the_cap_is_dropped() {
    let fake = Fake::active();
    fake.says("sys/mounts", Answer::Huge(JSON_LIMIT + 1));
    let watch = fake.watched(&config()).await;
    until("dropped", || watch.is("mounts", ApiState::Failing)).await;
    let trouble = watch.api("mounts").and_then(|report| report.trouble).unwrap_or_default();
    assert!(trouble.contains("longer than"), "{trouble}");
}

#[tokio::test]
async fn telemetry_that_is_off_and_seals_are_told_apart() {
    let troubles = [
        (400, "prometheus is not enabled", "prometheus_retention_time"),
        (503, "Vault is sealed", "unseal"),
        (429, "request path \"sys/metrics\": rate limit quota exceeded", "rate limit"),
        (500, "internal error", "HTTP 500"),
        (403, "permission denied", "does not accept the exporter's token"),
    ];
    for (status, words, remedy) in troubles {
        let fake = Fake::active();
        fake.says("sys/metrics", Answer::Json(status, json!({ "errors": [words] })));
        let watch = fake.watched(&config()).await;
        until(words, || watch.is("metrics", ApiState::Failing)).await;
        let trouble = watch.api("metrics").and_then(|report| report.trouble).unwrap_or_default();
        assert!(trouble.contains(remedy), "{status}: {trouble}");
    }
}

#[tokio::test]
async fn what_is_scraped_no_more_is_gone_and_comes_back() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    let leases = || watch.value("leasewatch_vault_leases", &["a"]);
    until("leases", || leases().is_some()).await;
    fake.says("sys/metrics", Answer::Json(500, json!({"errors": ["internal error"]})));
    until("gone", || leases().is_none()).await;
    assert_eq!(watch.value("leasewatch_vault_up", &["a"]), Some(1.0));
    fake.says("sys/metrics", Answer::Text(200, METRICS.to_owned()));
    until("back", || leases() == Some(17.0)).await;
    // The whole node: it is down, and nothing else is claimed of it.
    fake.says("sys/health", Answer::Json(502, json!({})));
    until("gone", || watch.value("leasewatch_vault_sealed", &["a"]).is_none()).await;
    assert_eq!(watch.value("leasewatch_vault_up", &["a"]), Some(0.0));
    assert_eq!(watch.board.report()[0].summary, "unreachable");
}

#[tokio::test]
async fn a_node_that_is_not_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let watch = Watch::start(&[("a", &address)], &config(), &crate::watch::pace());
    until("down", || watch.value("leasewatch_vault_up", &["a"]) == Some(0.0)).await;
    let trouble = watch.api("health").and_then(|report| report.trouble).unwrap_or_default();
    assert!(trouble.contains("cannot reach"), "{trouble}");
    assert!(watch.board.is_complete());
    assert!(watch.observations().is_empty(), "a token was sent to nobody");
}

#[tokio::test]
async fn told_to_stop_it_stops_in_the_middle_of_a_request() {
    let fake = Fake::active();
    fake.says("sys/metrics", Answer::Never);
    let mut config = config();
    config.timeout = Duration::from_secs(3600);
    let watch = fake.watched(&config).await;
    until("hangs", || !fake.seen_at("sys/metrics").is_empty()).await;
    tokio::time::timeout(Duration::from_secs(20), watch.stop()).await.expect("stopped");
}
