//! The stage: `PostgreSQL`, `OpenBao` and a stand-in for Kubernetes, configured as a small
//! company has them: two database mounts, one of them nested, and a namespace with its own.

use crate::support::{Bao, BaoCluster, Leasewatch, Postgres, TokenReview};
use serde_json::json;
use std::fmt::Write as _;
use tempfile::TempDir;

/// The policy of an ordinary application.
const APP: &str = r#"
path "database/creds/*"    { capabilities = ["read"] }
path "pg/eu-west/creds/*"  { capabilities = ["read"] }
path "kv/*"                { capabilities = ["create", "read", "update"] }
path "sys/leases/revoke"   { capabilities = ["update"] }
path "sys/leases/revoke/*" { capabilities = ["update"] }
"#;

/// The policy of an application that may read one role and revoke nothing.
const NARROW: &str = r#"
path "pg/eu-west/creds/app-role" { capabilities = ["read"] }
"#;

/// What leasewatch may read of the API: as the documentation recommends.
const LEASEWATCH: &str = include_str!("../../docs/policies/leasewatch.hcl");

const CREATE: &str =
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'";
/// A table of the new user's, for which `PostgreSQL` refuses to drop him.
const CREATE_OWNER: &str =
    "CREATE TABLE \"of-{{name}}\" (); ALTER TABLE \"of-{{name}}\" OWNER TO \"{{name}}\"";
const DROP: &str = "DROP ROLE IF EXISTS \"{{name}}\"";

/// The servers, configured.
pub(crate) struct Stage {
    pub(crate) postgres: Postgres,
    /// One server, or the nodes of a cluster.
    pub(crate) nodes: Vec<Bao>,
    pub(crate) leasewatch_token: String,
    state: TempDir,
    reviews: TokenReview,
}

impl Stage {
    /// Starts and configures everything around one server.
    pub(crate) fn new() -> Self {
        Self::around(vec![Bao::start()])
    }

    /// Starts and configures everything around a cluster of three nodes, the first of them active.
    pub(crate) fn cluster() -> Self {
        Self::around(BaoCluster::start(3).nodes)
    }

    fn around(nodes: Vec<Bao>) -> Self {
        let stage = Self {
            postgres: Postgres::start(),
            nodes,
            leasewatch_token: String::new(),
            state: tempfile::Builder::new().prefix("leasewatch-state-").tempdir().unwrap(),
            reviews: TokenReview::start(),
        };
        stage.bao().write("sys/namespaces/team-a", &json!({}));
        stage.database("", "database");
        stage.database("", "pg/eu-west");
        stage.database("team-a", "database");
        stage.bao().write("sys/mounts/kv", &json!({"type": "kv"}));
        stage.policy("", "app", APP);
        stage.policy("", "narrow", NARROW);
        stage.policy("team-a", "app", APP);
        for namespace in ["", "team-a"] {
            stage.bao().write_in(namespace, "sys/auth/approle", &json!({"type": "approle"}));
        }
        stage.kubernetes();
        stage.for_leasewatch()
    }

    /// The first node, the only one where there is no cluster.
    pub(crate) fn bao(&self) -> &Bao {
        &self.nodes[0]
    }

    fn policy(&self, namespace: &str, name: &str, text: &str) {
        let path = format!("sys/policies/acl/{name}");
        self.bao().write_in(namespace, &path, &json!({"policy": text}));
    }

    fn database(&self, namespace: &str, mount: &str) {
        let write = |path: &str, body| {
            self.bao().write_in(namespace, &format!("{mount}/{path}"), &body);
        };
        self.bao().write_in(namespace, &format!("sys/mounts/{mount}"), &json!({"type": "database"}));
        write(
            "config/pg",
            json!({
                "plugin_name": "postgresql-database-plugin",
                "connection_url": self.postgres.connection_url(),
                "allowed_roles": "app-role,eu.reports,broken-revoke",
                "username": "vault_admin", "password": "initial",
            }),
        );
        let role = |name: &str, ttl, max_ttl, create: &[&str], revoke: &[&str]| {
            write(
                &format!("roles/{name}"),
                json!({
                    "db_name": "pg", "default_ttl": ttl, "max_ttl": max_ttl,
                    "creation_statements": create, "revocation_statements": revoke,
                }),
            );
        };
        role("app-role", "60s", "180s", &[CREATE], &[DROP]);
        role("eu.reports", "20s", "40s", &[CREATE], &[DROP]);
        role("broken-revoke", "10s", "20s", &[CREATE, CREATE_OWNER], &[DROP]);
        // Written, but not among those that the connection allows.
        role("forbidden", "20s", "40s", &[CREATE], &[DROP]);
    }

    fn kubernetes(&self) {
        self.bao().write("sys/mounts/pki", &json!({"type": "pki"}));
        // The method wants some authority's certificate, though the stand-in speaks plain HTTP.
        let authority = self.bao().write("pki/root/generate/internal", &json!({"common_name": "any"}));
        self.bao().write("sys/auth/kubernetes", &json!({"type": "kubernetes"}));
        self.bao().write(
            "auth/kubernetes/config",
            &json!({
                "kubernetes_host": self.reviews.address(), "disable_local_ca_jwt": true,
                "kubernetes_ca_cert": authority.string("/data/certificate"),
            }),
        );
        self.bao().write(
            "auth/kubernetes/role/web",
            &json!({
                "bound_service_account_names": "web,intruder",
                "bound_service_account_namespaces": "prod",
                "token_policies": "app", "token_ttl": "120s",
            }),
        );
    }

    fn for_leasewatch(mut self) -> Self {
        self.policy("", "leasewatch", LEASEWATCH);
        let made = self.bao().write(
            "auth/token/create",
            &json!({"policies": ["leasewatch"], "period": "1h", "no_parent": true}),
        );
        self.leasewatch_token = made.string("/auth/client_token");
        self
    }

    /// Starts leasewatch on this stage's one server.
    pub(crate) fn leasewatch(&self) -> Leasewatch {
        // The glob takes in the rotated files.
        let audit_log = format!("{}*", self.bao().audit_log().display());
        let server_log = self.bao().server_log().display().to_string();
        let logs = ["--audit-log", &audit_log, "--server-log", &server_log];
        self.start_leasewatch(&logs, &[("VAULT_ADDR", &self.bao().address())])
    }

    /// Starts leasewatch on all nodes of this stage's cluster.
    pub(crate) fn leasewatch_on_all_nodes(&self) -> Leasewatch {
        let mut config = String::new();
        for (number, node) in self.nodes.iter().enumerate() {
            writeln!(
                config,
                "[[node]]\nname = \"node-{number}\"\naddress = \"{}\"\naudit_log = [\"{}\"]\nserver_log = [\"{}\"]",
                node.address(),
                node.audit_log().display(),
                node.server_log().display(),
            )
            .unwrap();
        }
        let path = self.state.path().join("leasewatch.toml");
        std::fs::write(&path, config).unwrap();
        self.start_leasewatch(&["--config.file", path.to_str().unwrap()], &[])
    }

    fn start_leasewatch(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Leasewatch {
        let state = self.state.path().join("state");
        let common = ["--vault.scrape-interval", "2s", "--state-dir", state.to_str().unwrap()];
        let arguments = arguments.iter().chain(&common).copied();
        let mut variables = variables.to_vec();
        variables.push(("VAULT_TOKEN", &self.leasewatch_token));
        Leasewatch::start(arguments, &variables)
    }

    /// Rotates the audit log as logrotate does: rename, then tell the server.
    pub(crate) fn rotate(&mut self, number: usize) {
        let log = self.bao().audit_log();
        std::fs::rename(&log, log.with_extension(format!("log.{number}"))).unwrap();
        self.nodes[0].sighup();
    }
}
