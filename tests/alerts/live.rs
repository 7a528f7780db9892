//! Alerts on real servers: OpenBao and PostgreSQL, leasewatch beside them, Prometheus with the
//! rules as they are shipped, and Alertmanager with its example, into a receiver.

use super::pack::folder;
use super::support::alertmanager::{Alertmanager, Receiver};
use super::support::{Bao, Leasewatch, Postgres, Prometheus, eventually, program};
use serde_json::json;
use std::process::Command;
use std::time::Duration;

/// The policy that leasewatch needs.
const POLICY: &str = include_str!("../../docs/policies/leasewatch.hcl");

const CREATE: &str = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}'";
const DROP: &str = "DROP ROLE \"{{name}}\"";

/// The example as it is shipped, but for its receivers' port and its pauses, which are seconds here.
fn example(port: u16) -> String {
    let text = std::fs::read_to_string(folder().join("alertmanager.example.yml")).unwrap();
    let text = text.replace("127.0.0.1:9099", &format!("127.0.0.1:{port}"));
    text.lines()
        .map(|line| match line.trim().split_once(": ") {
            Some((key @ ("group_wait" | "group_interval"), _)) => {
                format!("{}{key}: 1s\n", &line[..line.len() - line.trim_start().len()])
            }
            _ => format!("{line}\n"),
        })
        .collect::<Vec<_>>()
        .concat()
}

#[test]
fn the_example_for_alertmanager_is_sound_and_routes() {
    let path = program("amtool", &["/usr/bin/amtool".into()]);
    let amtool = |args: &[&str]| {
        let output = Command::new(&path).args(args).current_dir(folder()).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    amtool(&["check-config", "alertmanager.example.yml"]);
    let route = |labels: &[&str]| {
        let base = ["config", "routes", "test", "--config.file=alertmanager.example.yml"];
        amtool(&[&base[..], labels].concat()).trim().to_owned()
    };
    assert_eq!(route(&["severity=page", "alertname=LeasewatchLeasesStuck"]), "on-call,oneuptime");
    assert_eq!(route(&["severity=ticket"]), "oneuptime,tickets");
    assert_eq!(route(&["severity=info"]), "channel");
    assert_eq!(route(&["severity=page", "team=payments"]), "payments,on-call,oneuptime");
}

#[test]
fn alerts_fire_on_real_servers_and_reach_whom_they_concern() {
    let postgres = Postgres::start();
    let bao = Bao::start();
    bao.write("sys/mounts/database", &json!({"type": "database"}));
    let connection = json!({
        "plugin_name": "postgresql-database-plugin",
        "allowed_roles": "*",
        "connection_url": postgres.connection_url(),
        "username": "vault_admin",
    });
    bao.write("database/config/pg", &connection);
    let write_role = |creation: &[&str], revocation: &[&str]| {
        let role = json!({
            "db_name": "pg",
            "default_ttl": 3,
            "max_ttl": 6,
            "creation_statements": creation,
            "revocation_statements": revocation,
        });
        bao.write("database/roles/owner", &role);
    };
    write_role(
        &[CREATE, "CREATE TABLE \"of-{{name}}\" ()", "ALTER TABLE \"of-{{name}}\" OWNER TO \"{{name}}\""],
        &[DROP],
    );
    bao.write("sys/policies/acl/leasewatch", &json!({"policy": POLICY}));
    let made = bao
        .write("auth/token/create", &json!({"policies": ["leasewatch"], "period": "1h", "no_parent": true}));
    let state = tempfile::Builder::new().prefix("leasewatch-alerts-").tempdir().unwrap();
    let leasewatch = Leasewatch::start(
        [
            "--audit-log",
            bao.audit_log().to_str().unwrap(),
            "--server-log",
            bao.server_log().to_str().unwrap(),
            "--state-dir",
            state.path().to_str().unwrap(),
            "--vault.scrape-interval",
            "2s",
        ],
        &[("VAULT_ADDR", &bao.address()), ("VAULT_TOKEN", &made.string("/auth/client_token"))],
    );
    leasewatch.metrics_when("the set-up is read", |page| {
        let written = page.sum("leasewatch_privileged_operations_total", &[("operation", "config_write")]);
        if written > 0.0 { Ok(()) } else { Err("no connection was written".to_owned()) }
    });
    let receiver = Receiver::start();
    let alertmanager = Alertmanager::start(&example(receiver.port()));
    let prometheus = Prometheus::with_rules(leasewatch.port(), &folder().join("rules"), alertmanager.port());
    prometheus.expect("count(leasewatch_privileged_operations_total) > bool 0", 1.0);
    // It has begun with all that was done to set this up: that is no news.
    assert_eq!(prometheus.query("count(ALERTS{alertstate=\"firing\", severity=\"page\"})"), None);

    // Somebody with a root token changes the connection and a policy.
    bao.write("database/config/pg", &connection);
    bao.write("sys/policies/acl/other", &json!({"policy": POLICY}));
    let firing = |name: &str| format!("count(ALERTS{{alertstate=\"firing\", alertname=\"{name}\"}})");
    for name in ["LeasewatchRootTokenUsed", "LeasewatchDatabaseConfigChanged", "LeasewatchPolicyChanged"] {
        prometheus.expect(&firing(name), 1.0);
    }
    let alerts_of = |path: &str, name: &str, status: &str| -> usize {
        let all = receiver.taken(path);
        let alerts = all.iter().flat_map(|body| body["alerts"].as_array().cloned().unwrap_or_default());
        alerts.filter(|alert| alert["labels"]["alertname"] == name && alert["status"] == status).count()
    };
    let told = |path: &str, name: &str, status: &str, limit: u64| {
        eventually(&format!("{name} {status} at {path}"), Duration::from_secs(limit), || {
            let count = alerts_of(path, name, status);
            if count > 0 { Ok(()) } else { Err(format!("{:?}", receiver.taken(path))) }
        });
    };
    told("/channel", "LeasewatchPolicyChanged", "firing", 60);

    // A user owns a table, so that its lease cannot be revoked. Nobody is woken at once.
    assert_eq!(bao.root_call("GET", "database/creds/owner").send().status, 200);
    assert_eq!(prometheus.query(&firing("LeasewatchRevocationFailing")), None);
    for path in ["/tickets", "/heartbeat/SECRET_KEY"] {
        told(path, "LeasewatchRevocationFailing", "firing", 240);
    }
    assert_eq!(alerts_of("/on-call", "LeasewatchRevocationFailing", "firing"), 0);
    let body = receiver.taken("/tickets").into_iter().rfind(|body| body["status"] == "firing").unwrap();
    let alert = body["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|a| a["labels"]["reason"] == "object_dependency")
        .unwrap();
    assert_eq!(alert["labels"]["mount"], "database/");
    assert!(
        alert["annotations"]["summary"]
            .as_str()
            .unwrap()
            .contains("database/ cannot be revoked: object_dependency")
    );
    assert_eq!(alert["annotations"]["runbook_url"], "docs/runbooks/LeasewatchRevocationFailing.md");

    // The runbook's way out: the role takes away what the user owns, and the lease is revoked anew.
    write_role(&[CREATE], &["DROP OWNED BY \"{{name}}\"", DROP]);
    let listed = bao.root_call("LIST", "sys/leases/lookup/database/creds/owner/").send().json();
    let lease = format!("database/creds/owner/{}", listed["data"]["keys"][0].as_str().unwrap());
    let revoked =
        bao.root_call("PUT", &format!("sys/leases/revoke/{lease}")).json(&json!({"sync": true})).send();
    assert!(revoked.status < 300, "{}", revoked.text());
    for path in ["/tickets", "/heartbeat/SECRET_KEY"] {
        told(path, "LeasewatchRevocationFailing", "resolved", 120);
    }
}
