//! What is shown and told, state by state.

use crate::fake::{Answer, Fake, METRICS, health};
use crate::watch::{Watch, config, pace, until};
use leasewatch::config::AuthConfig;
use leasewatch::event::{Fact, MountClass};
use leasewatch::vault::ApiState;
use serde_json::json;

#[tokio::test]
async fn an_active_node_shows_everything() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    let of = |name: &str, labels: &[&str]| watch.value(&format!("leasewatch_{name}"), labels);
    until("roles", || of("role_info", &["root", "database/", "database", "app", "pg", ""]).is_some()).await;
    until("leases", || of("vault_leases", &["a"]).is_some()).await;
    until("irrevocable", || of("leases_irrevocable", &["root", "database/", "database"]) == Some(3.0)).await;
    assert_eq!(of("vault_up", &["a"]), Some(1.0));
    assert_eq!(of("vault_active", &["a"]), Some(1.0));
    assert_eq!(of("vault_sealed", &["a"]), Some(0.0));
    assert_eq!(of("vault_standby", &["a"]), Some(0.0));
    assert_eq!(of("vault_leader_known", &["a"]), Some(1.0));
    assert_eq!(of("vault_active_since_timestamp_seconds", &["a"]), Some(1_795_464_000.0));
    assert_eq!(of("vault_info", &["a", "2.7.2", "vault-cluster-1", "", "OpenBao"]), Some(1.0));
    assert_eq!(of("vault_leases", &["a"]), Some(17.0));
    assert_eq!(of("vault_token_expiry_timestamp_seconds", &[]), Some(1_893_456_000.0));
    for api in ["health", "leader", "login", "token", "metrics", "irrevocable_leases", "mounts"] {
        assert_eq!(of("scrape_success", &["a", api]), Some(1.0), "{api}");
        assert!(of("scrape_last_success_timestamp_seconds", &["a", api]).is_some(), "{api}");
        assert!(of("scrape_duration_seconds", &["a", api]).is_some(), "{api}");
    }
    assert_eq!(watch.board.report()[0].summary, "active, OpenBao 2.7.2");
}

#[tokio::test]
async fn facts_are_told_when_they_change_and_not_again() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    until("three facts", || watch.facts().len() >= 3).await;
    fake.intervals(5).await;
    let facts = watch.facts();
    assert_eq!(facts.len(), 3, "{facts:?}");
    let Some(Fact::Mounts { mounts, partial: false, .. }) =
        facts.iter().find(|fact| matches!(fact, Fact::Mounts { .. }))
    else {
        panic!("no mounts: {facts:?}")
    };
    let mounts: Vec<_> = mounts.iter().map(|m| (m.path.as_str(), m.class)).collect();
    assert_eq!(mounts, [("auth/approle/", MountClass::Auth), ("database/", MountClass::Secret)]);
    fake.data("database/roles/app", json!({"db_name": "pg", "default_ttl": 90, "max_ttl": 180}));
    until("changed role", || watch.facts().len() == 4).await;
    let Some(Fact::Roles { roles, mount, .. }) = watch.facts().pop() else { panic!("no roles") };
    assert_eq!((mount.as_str(), roles[0].default_ttl), ("database/", 90));
}

#[tokio::test]
async fn counters_are_told_with_what_vanished_and_with_restarts() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    let counters = || -> Vec<_> {
        let facts = watch.facts().into_iter();
        facts
            .filter_map(|fact| match fact {
                Fact::VaultCounters { raw } => Some(raw.get("lease_creations").copied()),
                _ => None,
            })
            .collect()
    };
    until("first", || counters().len() == 1).await;
    fake.says("sys/metrics", Answer::Text(200, METRICS.replace("vault_secret", "vault_other")));
    until("vanished", || counters().len() == 2).await;
    fake.says("sys/metrics", Answer::Text(200, METRICS.replace("\"} 5", "\"} 2")));
    until("returned", || counters().len() == 3).await;
    // A new process that has already counted as far as the old one.
    let restarted = METRICS.replace("\"} 5", "\"} 2").replace("total 30", "total 1");
    fake.says("sys/metrics", Answer::Text(200, restarted));
    until("restarted", || counters().len() == 5).await;
    fake.intervals(3).await;
    assert_eq!(counters(), [Some(5.0), None, Some(2.0), None, Some(2.0)]);
}

#[tokio::test]
async fn every_authenticated_request_is_announced_before_it_is_sent() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    until("roles", || watch.is("roles", ApiState::Ok)).await;
    let seen = fake.seen();
    let observations = watch.observations();
    let mut checked = 0;
    for request in &seen {
        assert!(request.headers["user-agent"].starts_with("leasewatch/"));
        assert_eq!(request.headers["x-vault-request"], "true");
        if request.path == "sys/health" || request.path == "sys/leader" {
            assert_eq!((request.token(), request.marker()), (None, None));
            continue;
        }
        assert_eq!(request.token(), Some("s.fake"));
        let marker = request.marker().expect("a marker");
        let told = |fact: &Fact| matches!(fact, Fact::OwnMarker { marker: m } if *m == marker);
        assert_eq!(observations.iter().filter(|o| told(&o.fact)).count(), 1, "{}", request.path);
        checked += 1;
    }
    assert!(checked >= 6, "{checked}");
    // Answers of JSON carry IDs, and every one of them is told.
    let ids = observations.iter().filter(|o| matches!(o.fact, Fact::OwnRequest { .. })).count();
    assert!(ids >= 5, "{ids}");
}

#[tokio::test]
async fn without_a_token_nothing_is_asked_that_vault_logs() {
    let fake = Fake::active();
    let mut config = config();
    config.auth = AuthConfig::None;
    let watch = fake.watched(&config).await;
    fake.intervals(5).await;
    assert_eq!(watch.value("leasewatch_vault_active", &["a"]), Some(1.0));
    let audited = |path: &str| path != "sys/health" && path != "sys/leader";
    assert!(!fake.seen().iter().any(|seen| audited(&seen.path)));
    assert!(watch.observations().is_empty());
    assert_eq!(watch.value("leasewatch_scrape_success", &["a", "metrics"]), None);
}

#[tokio::test]
async fn sealed_and_uninitialized_nodes_are_up_and_not_standbys() {
    for state in ["sealed", "uninitialized"] {
        let fake = Fake::active();
        // Behind a proxy that cuts the parameters of the call.
        let status = if state == "sealed" { 503 } else { 501 };
        fake.says("sys/health", Answer::Json(status, health(state)));
        let watch = fake.watched(&config()).await;
        fake.intervals(3).await;
        let of = |name: &str| watch.value(&format!("leasewatch_vault_{name}"), &["a"]);
        assert_eq!((of("up"), of("sealed"), of("standby")), (Some(1.0), Some(1.0), Some(0.0)));
        assert_eq!(of("initialized"), Some(f64::from(u8::from(state == "sealed"))));
        assert!(fake.seen_at("sys/metrics").is_empty(), "{state}");
    }
}

#[tokio::test]
async fn a_standby_is_asked_for_nothing_of_the_clusters() {
    let fake = Fake::active();
    fake.says("sys/health", Answer::Json(200, health("standby")));
    let words = json!({"errors": ["cannot forward local-only request"]});
    fake.says("sys/metrics", Answer::Json(400, words));
    let watch = fake.watched(&config()).await;
    fake.intervals(6).await;
    assert_eq!(watch.value("leasewatch_vault_standby", &["a"]), Some(1.0));
    assert!(watch.is("metrics", ApiState::Idle));
    assert_eq!(watch.value("leasewatch_scrape_success", &["a", "metrics"]), None);
    assert_eq!(fake.seen_at("sys/metrics").len(), 1, "asked again though it said no");
    for path in ["sys/leases/count", "sys/mounts", "auth/token/lookup-self", "database/roles"] {
        assert!(fake.seen_at(path).is_empty(), "{path}");
    }
    // Promoted, it is asked for all of it.
    fake.says("sys/metrics", Answer::Text(200, METRICS.to_owned()));
    fake.says("sys/health", Answer::Json(200, health("active")));
    until("leases", || watch.value("leasewatch_vault_leases", &["a"]).is_some()).await;
    until("mounts", || watch.is("mounts", ApiState::Ok)).await;
}

#[tokio::test]
async fn a_node_that_lost_the_active_role_withdraws_the_clusters_gauges() {
    let fake = Fake::active();
    let watch = fake.watched(&config()).await;
    let labels = ["root", "database/", "database"];
    let irrevocable = || watch.value("leasewatch_leases_irrevocable", &labels);
    until("irrevocable", || irrevocable() == Some(3.0)).await;
    fake.says("sys/health", Answer::Json(200, health("standby")));
    until("withdrawn", || irrevocable().is_none()).await;
    until("its count too", || watch.value("leasewatch_vault_leases", &["a"]).is_none()).await;
}

#[tokio::test]
async fn its_own_metrics_may_deny_the_active_role() {
    let fake = Fake::active();
    let stale = METRICS.replace("\"} 1\n", "\"} 0\n");
    fake.says("sys/metrics", Answer::Text(200, stale));
    let watch = fake.watched(&config()).await;
    until("metrics", || watch.is("metrics", ApiState::Ok)).await;
    assert_eq!(watch.value("leasewatch_vault_leases", &["a"]), None);
}

#[tokio::test]
async fn namespaces_are_asked_one_by_one() {
    let fake = Fake::active();
    let mut config = config();
    config.namespaces = vec!["root".to_owned(), "team-a/".to_owned()];
    let watch = fake.watched(&config).await;
    let labels = ["team-a", "database/", "database", "app", "pg", ""];
    until("roles", || watch.value("leasewatch_role_info", &labels).is_some()).await;
    let asked = fake.seen_at("sys/mounts");
    let namespaces: Vec<_> =
        asked.iter().take(2).map(|seen| seen.headers.get("x-vault-namespace").cloned()).collect();
    assert_eq!(namespaces, [None, Some("team-a".to_owned())]);
    assert!(!fake.seen_at("sys/metrics")[0].headers.contains_key("x-vault-namespace"));
}

#[tokio::test]
async fn a_mount_that_nobody_knows_has_the_mounts_read_again() {
    let fake = Fake::active();
    let mut pace = pace();
    pace.inventory = std::time::Duration::from_secs(600);
    let address = fake.listen().await;
    let watch = Watch::start(&[("a", &address)], &config(), &pace);
    until("mounts", || watch.is("mounts", ApiState::Ok)).await;
    let before = fake.seen_at("sys/mounts").len();
    fake.data("sys/leases/count", json!({"counts": {"db_2": 1}}));
    until("read again", || fake.seen_at("sys/mounts").len() > before).await;
    let unknown = ["root", "(unknown)", "(unknown)"];
    until("shown", || watch.value("leasewatch_leases_irrevocable", &unknown) == Some(1.0)).await;
}

#[tokio::test]
async fn roles_are_read_a_few_at_a_time_and_up_to_a_cap() {
    let fake = Fake::active();
    let names: Vec<_> = (0..9).map(|n| format!("r{n}")).collect();
    fake.data("database/roles", json!({ "keys": names }));
    for name in &names {
        fake.data(&format!("database/roles/{name}"), json!({"default_ttl": 1}));
    }
    let mut pace = pace();
    (pace.roles_per_scrape, pace.max_roles) = (2, 7);
    let address = fake.listen().await;
    let watch = Watch::start(&[("a", &address)], &config(), &pace);
    let told = || watch.facts().into_iter().find(|fact| matches!(fact, Fact::Roles { .. }));
    until("roles", || told().is_some()).await;
    let Some(Fact::Roles { roles, partial, .. }) = told() else { panic!("no roles") };
    assert_eq!((roles.len(), partial), (7, true));
    // Seven roles by two take four scrapes, each after a pulse of its own.
    let seen = fake.seen();
    let is_read = |seen: &crate::fake::Seen| seen.path.starts_with("database/roles/");
    let reads: Vec<_> = (0..seen.len()).filter(|at| is_read(&seen[*at])).take(7).collect();
    let pulses = seen[reads[0]..reads[6]].iter().filter(|seen| seen.path == "sys/leader").count();
    assert!(pulses >= 3, "{pulses}");
}
