//! The scraper on real servers: sealed, in a cluster, and seen in the audit log.

#![allow(clippy::unwrap_used, reason = "what is not as it should be is a failed test")]

mod support;
#[path = "vault_api/watch.rs"]
mod watch;

use leasewatch::config::{AuthConfig, Secret, VaultConfig};
use leasewatch::event::{Fact, OWN_MARKER_PREFIX};
use leasewatch::vault::ApiState;
use serde_json::Value;
use std::collections::BTreeSet;
use support::{Bao, BaoCluster};
use watch::{Watch, config, pace, until};

fn with_root(bao: &Bao) -> VaultConfig {
    VaultConfig { auth: AuthConfig::Token(Secret::new(bao.root_token())), ..config() }
}

fn entries(bao: &Bao) -> Vec<Value> {
    let log = std::fs::read_to_string(bao.audit_log()).unwrap();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_audit_entry_of_its_own_bears_a_marker_that_was_told() {
    let bao = Bao::start();
    bao.write("sys/mounts/database", &serde_json::json!({"type": "database"}));
    let before = entries(&bao).len();
    let watched = Watch::start(&[("a", &bao.address())], &with_root(&bao), &pace());
    for api in ["metrics", "irrevocable_leases", "mounts", "roles", "token"] {
        until(api, || watched.is(api, ApiState::Ok)).await;
    }
    let told = watched.told_so_far();
    watched.stop().await;
    let (mut markers, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for observation in told.lock().unwrap().iter() {
        match &observation.fact {
            Fact::OwnMarker { marker } => _ = markers.insert(marker.clone()),
            Fact::OwnRequest { request_id } => _ = ids.insert(request_id.clone()),
            _ => {}
        }
    }
    let own = &entries(&bao)[before..];
    assert!(own.len() >= 12, "{}", own.len());
    for entry in own {
        let request = &entry["request"];
        let keys = request["data"].as_object().expect("data").keys();
        let marker: Vec<_> = keys.filter(|key| key.starts_with(OWN_MARKER_PREFIX)).collect();
        assert_eq!(marker.len(), 1, "{entry}");
        assert!(markers.contains(marker[0]), "{entry}");
    }
    let logged: BTreeSet<_> =
        own.iter().map(|entry| entry["request"]["id"].as_str().unwrap().to_owned()).collect();
    assert!(ids.len() >= 5 && ids.is_subset(&logged), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_is_seen_and_so_is_its_end() {
    let bao = Bao::start();
    let watched = Watch::start(&[("a", &bao.address())], &with_root(&bao), &pace());
    let of = |name: &str| watched.value(&format!("leasewatch_vault_{name}"), &["a"]);
    until("leases", || of("leases").is_some()).await;
    assert_eq!((of("up"), of("active"), of("sealed")), (Some(1.0), Some(1.0), Some(0.0)));
    bao.seal();
    until("sealed", || of("sealed") == Some(1.0)).await;
    assert_eq!((of("up"), of("active"), of("standby")), (Some(1.0), Some(0.0), Some(0.0)));
    until("its gauges are gone", || of("leases").is_none()).await;
    bao.unseal();
    until("back", || of("leases").is_some()).await;
    assert!(watched.is("metrics", ApiState::Ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_has_one_active_node_and_only_that_is_asked_for_the_whole() {
    let cluster = BaoCluster::start(3);
    let addresses: Vec<_> = cluster.nodes.iter().map(Bao::address).collect();
    let nodes = [("a", &*addresses[0]), ("b", &*addresses[1]), ("c", &*addresses[2])];
    let watched = Watch::start(&nodes, &with_root(&cluster.nodes[0]), &pace());
    let of = |name: &str, node| watched.value(&format!("leasewatch_vault_{name}"), &[node]);
    let count = |name: &str| ["a", "b", "c"].into_iter().filter(|node| of(name, node) == Some(1.0)).count();
    until("all up", || count("up") == 3).await;
    until("one active", || count("active") == 1 && count("standby") == 2).await;
    until("a leader", || count("leader_known") == 3).await;
    until("irrevocable leases", || watched.is("irrevocable_leases", ApiState::Ok)).await;
    let with_leases = || ["a", "b", "c"].into_iter().filter(|node| of("leases", node).is_some()).count();
    until("one count of leases", || with_leases() == 1).await;
    // Standbys are idle or answer; nothing of theirs fails.
    for node in watched.board.report() {
        for api in node.apis {
            assert_ne!(api.state, ApiState::Failing, "{} {}: {:?}", node.node, api.api, api.trouble);
        }
    }
    let since = || {
        let since = ["a", "b", "c"].into_iter().filter_map(|node| of("active_since_timestamp_seconds", node));
        since.fold(0.0, f64::max)
    };
    let (before, active) = (since(), support::bao::active(&cluster.nodes));
    assert!(before > 0.0);
    cluster.nodes[active].root_call("PUT", "sys/step-down").send();
    // The same one may be elected again; it is another term all the same.
    until("another term", || since() > before && count("active") == 1 && count("standby") == 2).await;
    let active_alone_counts = || {
        ["a", "b", "c"]
            .into_iter()
            .all(|node| of("leases", node).is_some() == (of("active", node) == Some(1.0)))
    };
    until("the active one alone counts", || with_leases() == 1 && active_alone_counts()).await;
}
