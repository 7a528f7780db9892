//! The configuration: what flags, environment and file come to, validated.
//! Everything after this trusts the type.
//!
//! `setting` is the table of all settings, `layers` and `file` read them as text
//! with their origins, `value` parses one text, `resolve` makes the [`Config`].

mod anomaly;
mod file;
mod layers;
mod output;
mod problem;
mod push;
mod receiver;
mod resolve;
mod secret;
pub mod setting;
mod show;
mod value;

pub use anomaly::{ALARM_BUDGET, Acknowledged, AnomalyConfig, AnomalyMode, Identities};
pub use layers::Flags;
pub use output::{LogFormat, OutputConfig};
pub use problem::{ConfigError, Origin, Problem};
pub use push::{IncidentsConfig, IncidentsFrom, OneUptimeConfig, OtlpConfig, Privacy, PushConfig};
pub use receiver::{ReceiveConfig, ReceiverAddress};
pub use secret::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A duration as settings write it, such as `7d`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    value::duration(text, Duration::ZERO).ok()
}

/// Everything `serve` needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the HTTP server listens, `host:port`; an empty host is all addresses.
    pub listen_address: String,
    /// The file that says how TLS is spoken and who may connect.
    pub web_config: Option<PathBuf>,
    /// Who may see names of clients on the pages.
    pub identities: Identities,
    /// Folder of the checkpoint and the observations.
    pub state_dir: PathBuf,
    /// Every log to read, of all nodes.
    pub logs: Vec<LogConfig>,
    /// Who may send lines to receivers, and how many may wait.
    pub receive: ReceiveConfig,
    /// The nodes to scrape; none without an address.
    pub nodes: Vec<NodeConfig>,
    /// How to talk to Vault's API.
    pub vault: VaultConfig,
    /// Where to begin in files that the checkpoint does not know.
    pub start_at: StartAt,
    /// A longer line is counted and skipped. Bytes.
    pub max_line_bytes: usize,
    /// Label sets in all, beyond which series fall under `(other)`.
    pub label_sets: usize,
    /// Outstanding leases that the ledger has room for.
    pub ledger_capacity: usize,
    /// How requests are scored.
    pub anomaly: AnomalyConfig,
    /// What is pushed where.
    pub push: PushConfig,
    /// How often the checkpoint is written.
    pub checkpoint_interval: Duration,
    /// The program's own log.
    pub output: OutputConfig,
}

impl Config {
    /// Puts flags over `variables` over the file that they name, and validates the result.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place and its remedy.
    pub fn load(flags: Flags, variables: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        resolve::resolve(&layers::Layers::load(flags, variables)?)
    }

    /// The state folder alone, as `serve` would find it: for commands that look for a running one.
    ///
    /// # Errors
    /// What is wrong with that setting, or with the file that may name it.
    pub fn state_dir(flags: Flags, variables: BTreeMap<String, String>) -> Result<PathBuf, ConfigError> {
        resolve::state_dir(&layers::Layers::load(flags, variables)?)
    }

    /// The environment of this process, without variables that are not UTF-8.
    pub fn environment() -> BTreeMap<String, String> {
        std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// What differs in another configuration and holds only from a start on: by name.
    pub fn needs_restart(&self, next: &Self) -> Vec<&'static str> {
        let from_stdin = |config: &Self| {
            let logs = config.logs.iter().filter(|log| log.path == "-").cloned();
            logs.collect::<Vec<_>>()
        };
        let stdin = from_stdin(self);
        let differs = [
            ("state_dir", self.state_dir != next.state_dir),
            ("log.format", self.output.format != next.output.format),
            ("a log from standard input", stdin != from_stdin(next)),
            (
                "max_line_bytes, beside a log from standard input",
                !stdin.is_empty() && self.max_line_bytes != next.max_line_bytes,
            ),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// Whether there is anything to watch; `serve` refuses to run without.
    ///
    /// # Errors
    /// That there is neither a log nor a node.
    pub fn something_to_watch(&self) -> Result<(), ConfigError> {
        if !self.logs.is_empty() || !self.nodes.is_empty() {
            return Ok(());
        }
        Err(ConfigError(vec![Problem {
            place: "configuration".to_owned(),
            problem: "there is neither a log to read nor a Vault to ask".to_owned(),
            remedy: "Give --audit-log PATH, and VAULT_ADDR for the API".to_owned(),
        }]))
    }
}

/// One log: a file across its rotations, standard input, or what comes in at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Shown as the label `source`; unique.
    pub name: String,
    /// Which log of Vault's it is.
    pub kind: LogKind,
    /// A path, a glob of one log's rotated siblings, `-` for standard input, or the address of a receiver.
    pub path: String,
    /// The node whose log it is, where nodes are configured.
    pub node: Option<String>,
}

impl LogConfig {
    /// Where it is received, if it is no file. What is no address was refused before.
    pub fn receiver(&self) -> Option<ReceiverAddress> {
        ReceiverAddress::is_meant(&self.path).then(|| ReceiverAddress::parse(&self.path).ok()).flatten()
    }
}

/// Which log of Vault's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogKind {
    /// An audit device's file.
    Audit,
    /// The server's own (operational) log.
    Server,
}

/// Where to begin in files that the checkpoint does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StartAt {
    /// Read what is there.
    #[default]
    Beginning,
    /// Skip what is there on the first start.
    End,
}

/// One node of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Shown as the label `node`; unique.
    pub name: String,
    /// API address, such as `https://vault-0:8200`, without a path.
    pub address: String,
}

/// How to talk to Vault's API; the same for all nodes.
#[derive(Clone, Debug)]
pub struct VaultConfig {
    /// `X-Vault-Namespace` of the login; empty for root. `VAULT_NAMESPACE`.
    pub namespace: String,
    /// TLS settings, as Vault's own clients have them.
    pub tls: TlsConfig,
    /// How the exporter gets its token.
    pub auth: AuthConfig,
    /// How often each node is scraped.
    pub scrape_interval: Duration,
    /// How long one request may take.
    pub timeout: Duration,
    /// First part of the names in `sys/metrics`: `vault`, unless `metrics_prefix` is set there.
    pub metrics_prefix: String,
    /// Namespaces whose mounts and roles are listed; `""` is root.
    pub namespaces: Vec<String>,
    /// Whether the active node's server log is streamed from `sys/monitor`.
    pub monitor: bool,
    /// In which time the leases of every role are listed once; never, if `None`.
    pub listing_interval: Option<Duration>,
}

/// TLS settings, as Vault's own clients have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM file of the authority. `VAULT_CACERT`.
    pub ca_cert: Option<PathBuf>,
    /// Folder of PEM files of authorities. `VAULT_CAPATH`.
    pub ca_path: Option<PathBuf>,
    /// PEM file of the client certificate. `VAULT_CLIENT_CERT`.
    pub client_cert: Option<PathBuf>,
    /// PEM file of its key. `VAULT_CLIENT_KEY`.
    pub client_key: Option<PathBuf>,
    /// Name to expect in the server's certificate. `VAULT_TLS_SERVER_NAME`.
    pub server_name: Option<String>,
    /// Accept any certificate. `VAULT_SKIP_VERIFY`.
    pub skip_verify: bool,
}

/// How the exporter gets its token.
#[derive(Clone, Debug)]
pub enum AuthConfig {
    /// It has none: availability and seal state only.
    None,
    /// As given. `VAULT_TOKEN`.
    Token(Secret),
    /// From a file, read again when it changes: also a Vault Agent's sink.
    TokenFile(PathBuf),
    /// An `AppRole` login, renewed.
    AppRole {
        /// Mount of the auth method: `approle`.
        mount: String,
        /// Role ID.
        role_id: String,
        /// Secret ID.
        secret_id: SecretSource,
    },
    /// A Kubernetes login, renewed.
    Kubernetes {
        /// Mount of the auth method: `kubernetes`.
        mount: String,
        /// Role to log in as.
        role: String,
        /// File of the service account's token, read at every login.
        jwt_file: PathBuf,
    },
}

/// A secret given as such or by a file.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// As given.
    Value(Secret),
    /// Read at every use.
    File(PathBuf),
}
