//! The servers that the other tests stand on do start, answer and end.

mod support;

use serde_json::json;
use support::bao::active;
use support::token_review::service_account_token;
use support::{Bao, BaoCluster, Metrics, NeverFalls, Postgres, Prometheus, TokenReview};

#[test]
fn openbao_makes_database_users_in_postgresql() {
    let mut postgres = Postgres::start();
    let bao = Bao::start();
    bao.write("sys/mounts/database", &json!({"type": "database"}));
    bao.write(
        "database/config/pg",
        &json!({
            "plugin_name": "postgresql-database-plugin", "allowed_roles": "*",
            "connection_url": postgres.connection_url(),
            "username": "vault_admin", "password": "initial",
        }),
    );
    bao.write(
        "database/roles/app",
        &json!({"db_name": "pg", "creation_statements":
            ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"]}),
    );
    let issued = bao.root_call("GET", "database/creds/app").from("127.0.1.7").send();
    let user = issued.string("/data/username");
    let found = postgres.sql(&format!("select count(*) from pg_roles where rolname = '{user}'"));
    assert_eq!(found, "1");
    let log = std::fs::read_to_string(bao.audit_log()).unwrap();
    assert!(log.contains("127.0.1.7"), "the source address stands in the audit log");

    postgres.stop();
    assert_eq!(bao.root_call("GET", "database/creds/app").send().status, 500);
    postgres.restart();
    assert_eq!(bao.root_call("GET", "database/creds/app").send().status, 200);
}

#[test]
fn kubernetes_logins_are_reviewed_by_the_stand_in() {
    let reviews = TokenReview::start();
    let bao = Bao::start();
    bao.write("sys/mounts/pki", &json!({"type": "pki"}));
    let authority = bao.write("pki/root/generate/internal", &json!({"common_name": "any"}));
    bao.write("sys/auth/kubernetes", &json!({"type": "kubernetes"}));
    bao.write(
        "auth/kubernetes/config",
        &json!({
            "kubernetes_host": reviews.address(), "disable_local_ca_jwt": true,
            "kubernetes_ca_cert": authority.string("/data/certificate"),
        }),
    );
    bao.write(
        "auth/kubernetes/role/web",
        &json!({"bound_service_account_names": "web,intruder", "bound_service_account_namespaces": "prod"}),
    );
    let login = |account| {
        let jwt = service_account_token("prod", account);
        bao.call("POST", "auth/kubernetes/login").json(&json!({"role": "web", "jwt": jwt})).send()
    };
    let good = login("web");
    assert_eq!(good.status, 200, "{}", good.text());
    assert_eq!(login("intruder").status, 403);
}

#[test]
fn the_audit_log_opens_again_after_sighup() {
    let mut bao = Bao::start();
    let aside = bao.dir().join("audit.log.1");
    std::fs::rename(bao.audit_log(), &aside).unwrap();
    bao.sighup();
    support::eventually("a new audit log", std::time::Duration::from_secs(300), || {
        bao.root_call("GET", "sys/mounts").send();
        match std::fs::metadata(bao.audit_log()) {
            Ok(file) if file.len() > 0 => Ok(()),
            Ok(_) => Err("empty".into()),
            Err(why) => Err(why.to_string()),
        }
    });
    bao.seal();
    assert_eq!(bao.call("GET", "sys/health").send().status, 503);
    bao.unseal();
}

#[test]
fn three_nodes_make_a_cluster() {
    let cluster = BaoCluster::start(3);
    assert_eq!(active(&cluster.nodes), 0);
    assert_eq!(cluster.nodes[0].root_call("PUT", "sys/step-down").send().status, 204);
    support::eventually("another node takes over", std::time::Duration::from_secs(300), || {
        let active = active(&cluster.nodes);
        if active == 0 { Err("the first is still active".into()) } else { Ok(()) }
    });
}

#[test]
fn prometheus_answers_queries() {
    let prometheus = Prometheus::start(support::free_port());
    prometheus.expect("vector(3)", 3.0);
    prometheus.expect("up", 0.0);
}

#[test]
fn a_page_is_read_with_its_escapes() {
    let metrics = Metrics::parse("a_total{x=\"one\\\"}{\",y=\"b\\\\c\\nd\"} 3\nb 4.5\n");
    assert_eq!(metrics.value("a_total", &[("x", "one\"}{"), ("y", "b\\c\nd")]), Some(3.0));
    assert_eq!(metrics.value("b", &[]), Some(4.5));
}

#[test]
#[should_panic(expected = "fell from 3 to 2")]
fn a_falling_counter_is_found() {
    let page = |value: u32| {
        Metrics::parse(&format!("# TYPE leasewatch_a_total counter\nleasewatch_a_total {value}\n"))
    };
    let mut watch = NeverFalls::default();
    watch.page(&page(3));
    watch.page(&page(2));
}
