//! The stream of the server log on real servers: what it says of leases, through a seal and
//! through changes of the active node, and that nobody has to wait for it.

#![allow(clippy::unwrap_used, reason = "what is not as it should be is a failed test")]

mod support;
#[path = "vault_api/watch.rs"]
mod watch;

use leasewatch::config::{AuthConfig, Secret, VaultConfig};
use leasewatch::event::{EventKind, Fact, OWN_MARKER_PREFIX, Observation, ServerEvent};
use leasewatch::vault::ApiState;
use serde_json::{Value, json};
use std::time::Duration;
use support::{Bao, BaoCluster, Leasewatch, eventually};
use watch::{Watch, config, pace, until};

fn monitoring(bao: &Bao) -> VaultConfig {
    VaultConfig { auth: AuthConfig::Token(Secret::new(bao.root_token())), monitor: true, ..config() }
}

/// A PKI mount whose certificates have leases of two seconds.
fn pki(bao: &Bao) {
    bao.write("sys/mounts/pki", &json!({"type": "pki"}));
    bao.write("pki/root/generate/internal", &json!({"common_name": "test", "ttl": "1h"}));
    bao.write("pki/roles/web", &json!({"allow_any_name": true, "generate_lease": true, "ttl": "2s"}));
}

fn issue(bao: &Bao) -> String {
    bao.write("pki/issue/web", &json!({"common_name": "a.test"})).string("/lease_id")
}

/// The observation that this lease ended.
fn end_of(watch: &Watch, lease: &str) -> Option<Observation> {
    let end = Fact::Server(ServerEvent::LeaseRevoked { lease: lease.into() });
    watch.observations().into_iter().find(|observation| observation.fact == end)
}

/// What was told of the server log of this node, in order.
fn told(watch: &Watch, node: &str) -> Vec<Fact> {
    let of_the_log = |told: &Observation| {
        told.node.as_deref() == Some(node) && matches!(told.fact, Fact::Server(_) | Fact::ServerGap)
    };
    watch.observations().into_iter().filter(of_the_log).map(|told| told.fact).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_lease_is_told_as_the_log_has_it() {
    let bao = Bao::start();
    pki(&bao);
    let watched = Watch::start(&[("a", &bao.address())], &monitoring(&bao), &pace());
    until("a stream", || watched.is("monitor", ApiState::Ok)).await;
    let lease = issue(&bao);
    until("its end", || end_of(&watched, &lease).is_some()).await;
    let end = end_of(&watched, &lease).unwrap();
    assert_eq!(end.node.as_deref(), Some("a"));
    let log = std::fs::read_to_string(bao.server_log()).unwrap();
    let line = log.lines().find(|line| line.contains("revoked lease") && line.contains(&lease)).unwrap();
    let logged = leasewatch::serverlog::decode(line).unwrap();
    // Every sink of the log looks at the clock by itself.
    assert!(logged.at.nanos_since(end.at).abs() < 1_000_000_000, "{} {}", logged.at, end.at);
    assert!(matches!(logged.kind, EventKind::Server(said) if Fact::Server(said.clone()) == end.fact));
    assert_eq!(told(&watched, "a")[0], Fact::ServerGap, "nothing is known of what was before");

    // Both of its entries bear its marker, the response although it comes at the very end.
    let told = watched.told_so_far();
    watched.stop().await;
    let entries = || {
        let log = std::fs::read_to_string(bao.audit_log()).unwrap();
        let entries = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        entries.filter(|entry| entry["request"]["path"] == "sys/monitor").collect::<Vec<_>>()
    };
    until("the response", || entries().len() == 2).await;
    for entry in entries() {
        let data = entry["request"]["data"].as_object().unwrap();
        let marker = data.keys().find(|key| key.starts_with(OWN_MARKER_PREFIX)).unwrap();
        let fact = Fact::OwnMarker { marker: marker.clone() };
        let count = told.lock().unwrap().iter().filter(|told| told.fact == fact).count();
        assert_eq!(count, 2, "before it was sent, and before it ended");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_ends_it_and_it_comes_back_after_a_gap() {
    let bao = Bao::start();
    pki(&bao);
    let watched = Watch::start(&[("a", &bao.address())], &monitoring(&bao), &pace());
    until("a stream", || watched.is("monitor", ApiState::Ok)).await;
    bao.seal();
    until("nobody streams", || watched.is("monitor", ApiState::Idle)).await;
    let sealed = told(&watched, "a");
    assert_eq!(sealed.last(), Some(&Fact::ServerGap), "{sealed:?}");
    bao.unseal();
    until("a stream again", || watched.is("monitor", ApiState::Ok)).await;
    let lease = issue(&bao);
    until("an end", || end_of(&watched, &lease).is_some()).await;
    let after = told(&watched, "a").split_off(sealed.len());
    assert_eq!(after[0], Fact::ServerGap, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_holds_up_no_change_of_the_active_node() {
    let mut cluster = BaoCluster::start(3);
    let addresses: Vec<_> = cluster.nodes.iter().map(Bao::address).collect();
    let names = ["a", "b", "c"];
    let nodes = [("a", &*addresses[0]), ("b", &*addresses[1]), ("c", &*addresses[2])];
    pki(&cluster.nodes[0]);
    let watched = Watch::start(&nodes, &monitoring(&cluster.nodes[0]), &pace());
    let streams = |watched: &Watch, node: &str| {
        let report = watched.board.report();
        let apis = report.iter().filter(|report| report.node == node).flat_map(|report| &report.apis);
        apis.into_iter().any(|api| api.api == "monitor" && api.state == ApiState::Ok)
    };
    until("the active node is followed", || streams(&watched, "a")).await;
    assert!(!streams(&watched, "b") && !streams(&watched, "c"), "a stream holds up a standby");

    // Vault would wait for a stream, and everybody else with it, for 90 seconds and more.
    assert_eq!(cluster.nodes[0].root_call("PUT", "sys/step-down").send().status, 204);
    until("it is told", || told(&watched, "a").contains(&Fact::Server(ServerEvent::BecameInactive))).await;
    let heir =
        eventually("another one takes over", Duration::from_secs(300), || {
            match support::bao::active(&cluster.nodes) {
                0 => Err("the first is active".to_owned()),
                heir => Ok(heir),
            }
        });
    until("the heir is followed", || streams(&watched, names[heir])).await;
    let lease = issue(&cluster.nodes[heir]);
    until("an end on the heir", || end_of(&watched, &lease).is_some()).await;
    assert_eq!(end_of(&watched, &lease).unwrap().node.as_deref(), Some(names[heir]));

    let gaps = |watched: &Watch| told(watched, names[heir]).iter().filter(|f| **f == Fact::ServerGap).count();
    let before = gaps(&watched);
    cluster.nodes[heir].kill9();
    until("a gap", || gaps(&watched) > before).await;
    until("a third is followed", || {
        names.iter().enumerate().any(|(place, name)| place != heir && streams(&watched, name))
    })
    .await;
}

/// The observations that `serve` has kept, in order.
fn kept(state: &std::path::Path) -> Vec<Observation> {
    let text = std::fs::read_to_string(state.join("observations")).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn serve_keeps_what_the_stream_says_and_begins_anew_with_a_gap() {
    let bao = Bao::start();
    pki(&bao);
    let state = tempfile::Builder::new().prefix("leasewatch-state-").tempdir().unwrap();
    let arguments = [
        "--audit-log",
        bao.audit_log().to_str().unwrap(),
        "--state-dir",
        state.path().to_str().unwrap(),
        "--vault.monitor",
        "--vault.scrape-interval",
        "1s",
    ]
    .map(str::to_owned);
    let (address, token) = (bao.address(), bao.root_token().to_owned());
    let variables = [("VAULT_ADDR", address.as_str()), ("VAULT_TOKEN", token.as_str())];
    let mut leasewatch = Leasewatch::start(arguments, &variables);
    let streams = |leasewatch: &Leasewatch| {
        leasewatch.metrics_when("the stream is there", |page| {
            match page.value("leasewatch_scrape_success", &[("api", "monitor")]) {
                Some(value) if value > 0.5 => Ok(()),
                other => Err(format!("scrape_success is {other:?}")),
            }
        });
    };
    let ends = |lease: &str| {
        eventually("the end is kept", Duration::from_secs(300), || {
            let end = Fact::Server(ServerEvent::LeaseRevoked { lease: lease.into() });
            kept(state.path()).into_iter().position(|kept| kept.fact == end).ok_or_else(|| lease.to_owned())
        })
    };
    streams(&leasewatch);
    let first = ends(&issue(&bao));
    leasewatch.kill9();
    leasewatch.restart();
    streams(&leasewatch);
    let second = ends(&issue(&bao));
    let between =
        kept(state.path())[first..second].iter().filter(|kept| kept.fact == Fact::ServerGap).count();
    assert!(between >= 1, "nobody knows what was missed");
}
