//! The world that is watched: `PostgreSQL`, and `OpenBao` on one node or on three, with three
//! database mounts whose roles end well, end badly or hardly end at all.

use crate::support::bao::active;
use crate::support::{Bao, BaoCluster, Call, Leasewatch, Postgres};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use tempfile::TempDir;

/// A role, with the labels under which metrics show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// `""` for the root namespace.
    pub(crate) namespace: &'static str,
    /// Mount path with the last slash.
    pub(crate) mount: &'static str,
    /// Role name.
    pub(crate) role: &'static str,
}

/// The mounts, with their namespaces.
pub(crate) const MOUNTS: &[(&str, &str)] = &[("", "database/"), ("", "pg/eu-west/"), ("team-a", "database/")];

/// What is revoked as it should be.
pub(crate) const HEALTHY: &str = "healthy";
/// The same, but outlives most of what happens.
pub(crate) const STEADY: &str = "steady";
/// What an operator revokes below the prefix of [`STEADY`] leaves these alone.
pub(crate) const STEADY_2: &str = "steady-2";
/// For batch tokens, which end before these leases would.
pub(crate) const BATCH: &str = "batch";
/// Revocation drops a database user who was never there.
pub(crate) const MISSING: &str = "missing";
/// The database user owns a table, so that it cannot be dropped.
pub(crate) const OWNER: &str = "owner";

/// Roles with their TTLs in seconds: default, max. The first is written with plain numbers, the
/// others as text, which the audit log only has a hash of.
const ROLES: &[(&str, u64, u64)] = &[
    (HEALTHY, 6, 30),
    (STEADY, 300, 900),
    (STEADY_2, 300, 900),
    (BATCH, 300, 900),
    (MISSING, 5, 10),
    (OWNER, 5, 10),
];

/// The policy of the applications.
const APP: &str = r#"
path "database/creds/*" { capabilities = ["read"] }
path "pg/eu-west/creds/*" { capabilities = ["read"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/revoke" { capabilities = ["update"] }
path "sys/leases/revoke/*" { capabilities = ["update"] }
path "auth/token/create" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
"#;

/// What leasewatch may read of the API, as the documentation recommends.
const LEASEWATCH: &str = include_str!("../../docs/policies/leasewatch.hcl");

/// And the server's own log, streamed.
const MONITOR: &str = r#"path "sys/monitor" { capabilities = ["read"] }"#;

const CREATE: &str = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}'";
const CREATE_OWNER: &str =
    "CREATE TABLE \"of-{{name}}\" (); ALTER TABLE \"of-{{name}}\" OWNER TO \"{{name}}\"";
const DROP: &str = "DROP ROLE IF EXISTS \"{{name}}\"";
const DROP_MISSING: &str = "DROP ROLE \"nobody-{{name}}\"";

impl Place {
    /// Every role of every mount.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        MOUNTS.iter().flat_map(|(namespace, mount)| {
            ROLES.iter().map(move |(role, ..)| Self { namespace, mount, role })
        })
    }

    /// Its labels.
    pub(crate) fn labels(&self) -> [(&'static str, &'static str); 3] {
        let namespace = if self.namespace.is_empty() { "root" } else { self.namespace };
        [("vault_namespace", namespace), ("mount", self.mount), ("role", self.role)]
    }

    /// What its lease IDs begin with.
    pub(crate) fn prefix(&self) -> String {
        format!("{}creds/{}/", self.mount, self.role)
    }
}

/// The servers, configured.
pub(crate) struct World {
    pub(crate) postgres: Mutex<Postgres>,
    nodes: Mutex<Vec<Bao>>,
    /// Place among the nodes of the one that clients talk to.
    entry: AtomicUsize,
    dir: TempDir,
    token: String,
}

impl World {
    /// One server.
    pub(crate) fn single() -> Self {
        Self::around(vec![Bao::start()], 300)
    }

    /// Three nodes on raft storage, the first of them active; `steady` leases live that many seconds.
    pub(crate) fn cluster(steady: u64) -> Self {
        Self::around(BaoCluster::start(3).nodes, steady)
    }

    fn around(nodes: Vec<Bao>, steady: u64) -> Self {
        let postgres = Postgres::start();
        let bao = &nodes[0];
        bao.write("sys/namespaces/team-a", &json!({}));
        for namespace in ["", "team-a"] {
            bao.write_in(namespace, "sys/policies/acl/app", &json!({"policy": APP}));
            bao.write_in(namespace, "sys/auth/approle", &json!({"type": "approle"}));
            for (role, kind, ttl) in
                [("app", "service", "1h"), ("brief", "service", "10s"), ("batch", "batch", "10s")]
            {
                let path = format!("auth/approle/role/{role}");
                let body = json!({"token_policies": "app", "token_type": kind, "token_ttl": ttl});
                bao.write_in(namespace, &path, &body);
            }
        }
        for (namespace, mount) in MOUNTS {
            let mount = mount.trim_end_matches('/');
            database(bao, &postgres, namespace, mount, steady);
        }
        let policy = format!("{LEASEWATCH}\n{MONITOR}");
        bao.write("sys/policies/acl/leasewatch", &json!({"policy": policy}));
        let made = bao.write(
            "auth/token/create",
            &json!({"policies": ["leasewatch"], "period": "1h", "no_parent": true}),
        );
        Self {
            token: made.string("/auth/client_token"),
            postgres: Mutex::new(postgres),
            nodes: Mutex::new(nodes),
            entry: AtomicUsize::new(0),
            dir: tempfile::Builder::new().prefix("leasewatch-live-").tempdir().unwrap(),
        }
    }

    /// The nodes, for whoever stops and starts them.
    pub(crate) fn nodes(&self) -> MutexGuard<'_, Vec<Bao>> {
        self.nodes.lock().unwrap()
    }

    /// A call to the node that clients talk to.
    pub(crate) fn call(&self, namespace: &str, method: &str, path: &str) -> Call {
        self.nodes()[self.entry.load(Ordering::SeqCst)].call(method, path).namespace(namespace)
    }

    /// A call with the root token.
    pub(crate) fn root_call(&self, namespace: &str, method: &str, path: &str) -> Call {
        let nodes = self.nodes();
        nodes[self.entry.load(Ordering::SeqCst)].root_call(method, path).namespace(namespace)
    }

    /// Has clients talk to this node from now on.
    pub(crate) fn enter_at(&self, node: usize) {
        self.entry.store(node, Ordering::SeqCst);
    }

    /// Place of the active one among the nodes, waited for.
    pub(crate) fn active(&self) -> usize {
        active(&self.nodes())
    }

    /// The leases of a role that Vault has, wrapping tokens left out.
    pub(crate) fn listed(&self, place: &Place) -> Vec<String> {
        let all = self.listed_below(place.namespace, &place.prefix());
        all.into_iter().filter(|id| !is_token(id)).collect()
    }

    /// All leases that Vault has below this prefix, which ends with a slash.
    pub(crate) fn listed_below(&self, namespace: &str, prefix: &str) -> Vec<String> {
        let path = format!("sys/leases/lookup/{prefix}");
        let reply = self.root_call(namespace, "LIST", &path).send();
        let keys = reply.json()["data"]["keys"].as_array().cloned().unwrap_or_default();
        assert!(reply.status == 200 || reply.status == 404, "LIST {path}: HTTP {}", reply.status);
        keys.iter().filter_map(|key| key.as_str()).map(|id| format!("{prefix}{id}")).collect()
    }

    /// Leasewatch on the only node's audit log and perhaps its server log, with a token for its
    /// API or without.
    pub(crate) fn leasewatch(&self, name: &str, with_token: bool, with_server_log: bool) -> Leasewatch {
        let (audit, server, address) = {
            let node = &self.nodes()[0];
            // The glob takes in the rotated files.
            (format!("{}*", node.audit_log().display()), node.server_log(), node.address())
        };
        let logs = ["--audit-log", &audit, "--server-log", server.to_str().unwrap()];
        let logs = if with_server_log { &logs[..] } else { &logs[..2] };
        self.start(name, logs, with_token.then_some(&address))
    }

    /// Leasewatch on the only node's audit log, with the server's own log streamed from this address.
    pub(crate) fn leasewatch_streamed(&self, name: &str, address: &str) -> Leasewatch {
        let audit = format!("{}*", self.nodes()[0].audit_log().display());
        self.start(name, &["--audit-log", &audit, "--vault.monitor"], Some(&address.to_string()))
    }

    /// Leasewatch on all nodes at once.
    pub(crate) fn leasewatch_of_all(&self, name: &str) -> Leasewatch {
        let mut config = String::new();
        for (number, node) in self.nodes().iter().enumerate() {
            writeln!(
                config,
                "[[node]]\nname = \"node-{number}\"\naddress = \"{}\"\naudit_log = [\"{}\"]\nserver_log = [\"{}\"]",
                node.address(),
                node.audit_log().display(),
                node.server_log().display(),
            )
            .unwrap();
        }
        let path = self.dir.path().join(format!("{name}.toml"));
        std::fs::write(&path, config).unwrap();
        self.start(name, &["--config.file", path.to_str().unwrap()], None)
    }

    /// Leasewatch beside one node, which knows nothing of the others.
    pub(crate) fn leasewatch_beside(&self, name: &str, node: usize) -> Leasewatch {
        let (audit, server, address) = {
            let node = &self.nodes()[node];
            (node.audit_log(), node.server_log(), node.address())
        };
        let logs = ["--audit-log", audit.to_str().unwrap(), "--server-log", server.to_str().unwrap()];
        let node_name = format!("node-{node}");
        let logs: Vec<_> = logs.into_iter().chain(["--vault.node-name", &node_name]).collect();
        self.start(name, &logs, Some(&address))
    }

    fn start(&self, name: &str, arguments: &[&str], address: Option<&String>) -> Leasewatch {
        let state = self.state_of(name);
        let common = ["--vault.scrape-interval", "2s", "--checkpoint.interval", "2s", "--state-dir", &state];
        let arguments = arguments.iter().chain(&common).copied();
        let mut variables = Vec::new();
        if let Some(address) = address {
            variables.push(("VAULT_ADDR", address.as_str()));
        }
        // A configuration file names addresses, too.
        if address.is_some() || arguments.clone().any(|argument| argument == "--config.file") {
            variables.push(("VAULT_TOKEN", self.token.as_str()));
        }
        Leasewatch::start(arguments, &variables)
    }

    /// The state folder of the leasewatch of this name.
    fn state_of(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_string()
    }

    /// Rotates the audit log of the only node as logrotate does: rename, then tell the server.
    pub(crate) fn rotate(&self) {
        let mut nodes = self.nodes();
        let log = nodes[0].audit_log();
        let [first, second] = ["log.1", "log.2"].map(|extension| log.with_extension(extension));
        assert!(!second.exists(), "this is good for two rotations");
        if first.exists() {
            std::fs::rename(&first, second).unwrap();
        }
        std::fs::rename(&log, first).unwrap();
        nodes[0].sighup();
    }

    /// The servers' own logs, one after the other.
    pub(crate) fn server_logs(&self) -> Vec<String> {
        let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        self.nodes().iter().map(|node| read(&node.server_log())).collect()
    }
}

impl Drop for World {
    /// Keeps the logs of a test that fails, where `LIVE_KEEP` names a folder for them.
    fn drop(&mut self) {
        let Some(keep) = std::env::var_os("LIVE_KEEP").filter(|_| std::thread::panicking()) else { return };
        let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
        for (number, node) in self.nodes().iter().enumerate() {
            let to = Path::new(&keep).join(&name).join(format!("node-{number}"));
            std::fs::create_dir_all(&to).unwrap();
            for entry in std::fs::read_dir(node.dir()).unwrap().flatten() {
                let log = entry.file_name().to_string_lossy().into_owned();
                if log.contains(".log") {
                    std::fs::copy(entry.path(), to.join(log)).unwrap();
                }
            }
        }
    }
}

/// Whether the last part of a lease ID is a token's: wrapping tokens have leases below the path
/// of what they wrap.
pub(crate) fn is_token(id: &str) -> bool {
    let last = id.rsplit('/').next().unwrap_or(id);
    let hash = last.strip_prefix('h').map(|rest| rest.split('.').next().unwrap_or(rest));
    hash.is_some_and(|hash| hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn database(bao: &Bao, postgres: &Postgres, namespace: &str, mount: &str, steady: u64) {
    bao.write_in(namespace, &format!("sys/mounts/{mount}"), &json!({"type": "database"}));
    let config = json!({
        "plugin_name": "postgresql-database-plugin", "allowed_roles": "*",
        "connection_url": postgres.connection_url(), "username": "vault_admin", "password": "initial",
    });
    bao.write_in(namespace, &format!("{mount}/config/pg"), &config);
    for (role, ttl, max) in ROLES {
        let ttl = if *role == STEADY { steady } else { *ttl };
        let create: &[&str] = if *role == OWNER { &[CREATE, CREATE_OWNER] } else { &[CREATE] };
        let revoke = if *role == MISSING { DROP_MISSING } else { DROP };
        let (ttl, max) = if *role == HEALTHY {
            (json!(ttl), json!(max))
        } else {
            (json!(format!("{ttl}s")), json!(format!("{max}s")))
        };
        let body = json!({
            "db_name": "pg", "default_ttl": ttl, "max_ttl": max,
            "creation_statements": create, "revocation_statements": [revoke],
        });
        bao.write_in(namespace, &format!("{mount}/roles/{role}"), &body);
    }
}
