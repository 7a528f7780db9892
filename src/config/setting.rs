//! A setting: its names as a flag, a variable and a TOML key, and its default.
//!
//! [`ALL`] is the one table of them. The command line is built from it, the
//! environment and the file are read by it, docs/configuration.md is made from
//! it. What the values mean is in `resolve`.

/// One setting, under all its names.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Key in the TOML file, dotted; `None` for what must not stand there.
    pub key: Option<&'static str>,
    /// Flag without its dashes; `None` for secrets, which other users would see in the list of processes.
    pub flag: Option<&'static str>,
    /// Environment variables, the first that is set and not empty counts.
    pub variables: &'static [&'static str],
    /// Form of its value.
    pub kind: Kind,
    /// What holds when nobody says anything, in words or as a value.
    pub default: &'static str,
    /// What it does, for `--help` and the documentation.
    pub help: &'static str,
}

/// The form of a setting's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text; the word stands for it in `--help`.
    Text(&'static str),
    /// Several texts: an array in TOML, a repeated flag, commas in a variable.
    List(&'static str),
    /// A whole number, not negative.
    Integer,
    /// A number, which may have a fraction.
    Number,
    /// A number with a unit: `30s`.
    Duration,
    /// True or false; a flag without a value.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl Setting {
    /// The name under which messages speak of it when it was set nowhere.
    pub fn name(&self) -> String {
        match (self.flag, self.key) {
            (Some(flag), _) => format!("--{flag}"),
            (None, Some(key)) => key.to_owned(),
            (None, None) => self.variables.first().copied().unwrap_or_default().to_owned(),
        }
    }
}

/// Fills a [`Setting`] whose flag follows from its key by turning `_` to `-`.
macro_rules! settings {
    ($all:ident: $($(#[$doc:meta])* $name:ident { key: $key:expr, flag: $flag:expr, variables: $variables:expr, kind: $kind:expr, default: $default:expr, help: $help:expr $(,)? })*) => {
        $($(#[$doc])* pub static $name: Setting = Setting {
            key: $key, flag: $flag, variables: &$variables, kind: $kind, default: $default, help: $help,
        };)*
        /// All of this file.
        pub(super) const $all: &[&Setting] = &[$(&$name),*];
    };
}

mod push;
mod receive;
pub use push::*;
pub use receive::*;

/// Every setting, in the order of the documentation.
pub static ALL: &[&Setting] = &{
    const PARTS: [&[&Setting]; 3] = [OWN, receive::OWN, push::OWN];
    let mut all = [&CONFIG_FILE; OWN.len() + receive::OWN.len() + push::OWN.len()];
    let (mut part, mut end) = (0, 0);
    while part < PARTS.len() {
        let mut row = 0;
        while row < PARTS[part].len() {
            all[end] = PARTS[part][row];
            row += 1;
            end += 1;
        }
        part += 1;
    }
    all
};

settings! { OWN:
    /// The configuration file itself.
    CONFIG_FILE {
        key: None, flag: Some("config.file"), variables: ["LEASEWATCH_CONFIG_FILE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "TOML file with settings. Flags and variables win over it",
    }
    /// Audit logs.
    AUDIT_LOG {
        key: Some("audit_log"), flag: Some("audit-log"), variables: ["LEASEWATCH_AUDIT_LOG"],
        kind: Kind::List("[NAME=]PATH"), default: "none",
        help: "File of an audit device: a path, a glob over its rotated files or over several logs, or - for standard input. \
               Of other devices, where they send to: tcp://, tls://, udp://, http:// or https://HOST:PORT, unix:// or unixgram:///PATH. \
               Its NAME is the label `source`, by default audit, then audit-2",
    }
    /// Server logs.
    SERVER_LOG {
        key: Some("server_log"), flag: Some("server-log"), variables: ["LEASEWATCH_SERVER_LOG"],
        kind: Kind::List("[NAME=]PATH"), default: "none",
        help: "Operational log of the server, the only record of leases that end by themselves: path, glob or -. \
               Its NAME is the label `source`, by default server, then server-2",
    }
    /// State folder.
    STATE_DIR {
        key: Some("state_dir"), flag: Some("state-dir"), variables: ["LEASEWATCH_STATE_DIR"],
        kind: Kind::Text("DIR"), default: "$STATE_DIRECTORY (set by systemd), else /var/lib/leasewatch",
        help: "Folder of the checkpoint and of what cannot be read again",
    }
    /// Where reading begins.
    START_AT {
        key: Some("start_at"), flag: Some("start-at"), variables: ["LEASEWATCH_START_AT"],
        kind: Kind::Choice(&["beginning", "end"]), default: "beginning",
        help: "Where to begin, on the first start, in log files that are there already",
    }
    /// Longest line.
    MAX_LINE_BYTES {
        key: Some("max_line_bytes"), flag: Some("max-line-bytes"), variables: ["LEASEWATCH_MAX_LINE_BYTES"],
        kind: Kind::Integer, default: "33554432",
        help: "A longer line is counted as unreadable and skipped. Bytes",
    }
    /// Listening address.
    LISTEN_ADDRESS {
        key: Some("web.listen_address"), flag: Some("web.listen-address"), variables: ["LEASEWATCH_WEB_LISTEN_ADDRESS"],
        kind: Kind::Text("HOST:PORT"), default: ":9748",
        help: "Where /metrics, /ready, /live and the pages are served, the pages to this machine alone unless users are \
               known by web.config.file; without HOST on all addresses",
    }
    /// The web configuration file.
    WEB_CONFIG_FILE {
        key: Some("web.config.file"), flag: Some("web.config.file"), variables: ["LEASEWATCH_WEB_CONFIG_FILE"],
        kind: Kind::Text("FILE"), default: "none: plain text, without passwords",
        help: "YAML file with TLS, client certificates, users and passwords, as Prometheus's exporters have it; \
               it is read again when it, or a file that it names, changes",
    }
    /// Who may see names of clients.
    IDENTITIES {
        key: Some("web.identities"), flag: Some("web.identities"), variables: ["LEASEWATCH_WEB_IDENTITIES"],
        kind: Kind::Choice(&["loopback", "nobody"]), default: "loopback",
        help: "Who is shown which clients an anomaly is about, at / and /api/episodes: whoever has proven who he is by \
               web.config.file and, where nobody is asked, connections from this machine to a loopback name; or nobody. \
               `leasewatch episodes` shows it in any case",
    }
    /// Checkpoint interval.
    CHECKPOINT_INTERVAL {
        key: Some("checkpoint.interval"), flag: Some("checkpoint.interval"), variables: ["LEASEWATCH_CHECKPOINT_INTERVAL"],
        kind: Kind::Duration, default: "10s",
        help: "How often the state is saved; after a crash at most this much is read again",
    }
    /// Series budget.
    LABEL_BUDGET {
        key: Some("labels.budget"), flag: Some("labels.budget"), variables: ["LEASEWATCH_LABELS_BUDGET"],
        kind: Kind::Integer, default: "2000",
        help: "Label sets in all; roles beyond it are counted under `(other)`",
    }
    /// Leases in the ledger.
    LEDGER_CAPACITY {
        key: Some("ledger.capacity"), flag: Some("ledger.capacity"), variables: ["LEASEWATCH_LEDGER_CAPACITY"],
        kind: Kind::Integer, default: "1000000",
        help: "Outstanding leases that are followed one by one, and as many tokens; those beyond are counted",
    }
    /// What scores may do.
    ANOMALY_MODE {
        key: Some("anomaly.mode"), flag: Some("anomaly.mode"), variables: ["LEASEWATCH_ANOMALY_MODE"],
        kind: Kind::Choice(&["on", "shadow", "off"]), default: "on",
        help: "Whether requests are scored: `shadow` scores but never pages, for the first month; `off` does not score",
    }
    /// Pages a week.
    ALARM_BUDGET {
        key: Some("anomaly.alarm_budget"), flag: Some("anomaly.alarm-budget"), variables: ["LEASEWATCH_ANOMALY_ALARM_BUDGET"],
        kind: Kind::Number, default: "1",
        help: "How often a week, in the whole cluster, an anomaly may page by chance. The threshold of a page follows from it",
    }
    /// Subjects with a model of their own.
    ANOMALY_SUBJECTS {
        key: Some("anomaly.subjects"), flag: Some("anomaly.subjects"), variables: ["LEASEWATCH_ANOMALY_SUBJECTS"],
        kind: Kind::Integer, default: "20000",
        help: "Clients, roles and mounts that are learnt one by one, at 3 KB each; the least active give way",
    }
    /// Episodes that are kept.
    ANOMALY_EPISODES {
        key: Some("anomaly.episodes"), flag: Some("anomaly.episodes"), variables: ["LEASEWATCH_ANOMALY_EPISODES"],
        kind: Kind::Integer, default: "4096",
        help: "Episodes that are kept; of those that are over, the lowest give way",
    }
    /// What was learnt from old logs.
    ANOMALY_BASELINE {
        key: Some("anomaly.baseline"), flag: Some("anomaly.baseline"), variables: ["LEASEWATCH_ANOMALY_BASELINE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "File of `leasewatch analyze --learn`, with which scoring begins where the state folder has learnt nothing yet",
    }
    /// Log level.
    LOG_LEVEL {
        key: Some("log.level"), flag: Some("log.level"), variables: ["LEASEWATCH_LOG_LEVEL"],
        kind: Kind::Text("LEVEL"), default: "info",
        help: "error, warn, info, debug or trace; finer: `info,leasewatch::vault=debug`",
    }
    /// Log format.
    LOG_FORMAT {
        key: Some("log.format"), flag: Some("log.format"), variables: ["LEASEWATCH_LOG_FORMAT"],
        kind: Kind::Choice(&["text", "json"]), default: "text",
        help: "Form of leasewatch's own log on standard error",
    }
    /// Vault's address.
    VAULT_ADDRESS {
        key: Some("vault.address"), flag: Some("vault.address"), variables: ["BAO_ADDR", "VAULT_ADDR"],
        kind: Kind::Text("URL"), default: "none: the API is not asked",
        help: "API address of the only node; several nodes stand in [[node]] tables of the file",
    }
    /// Name of that node.
    VAULT_NODE_NAME {
        key: Some("vault.node_name"), flag: Some("vault.node-name"), variables: ["LEASEWATCH_VAULT_NODE_NAME"],
        kind: Kind::Text("NAME"), default: "vault",
        help: "Label `node` of the node at vault.address",
    }
    /// Login namespace.
    VAULT_NAMESPACE {
        key: Some("vault.namespace"), flag: Some("vault.namespace"), variables: ["BAO_NAMESPACE", "VAULT_NAMESPACE"],
        kind: Kind::Text("PATH"), default: "root",
        help: "Namespace in which leasewatch logs in",
    }
    /// Namespaces that are listed.
    VAULT_NAMESPACES {
        key: Some("vault.namespaces"), flag: Some("vault.namespaces"), variables: ["LEASEWATCH_VAULT_NAMESPACES"],
        kind: Kind::List("PATH"), default: "the namespace of the login",
        help: "Namespaces whose mounts and roles are listed",
    }
    /// Scrape interval.
    SCRAPE_INTERVAL {
        key: Some("vault.scrape_interval"), flag: Some("vault.scrape-interval"), variables: ["LEASEWATCH_VAULT_SCRAPE_INTERVAL"],
        kind: Kind::Duration, default: "30s",
        help: "How often each node is asked",
    }
    /// Request time-out.
    VAULT_TIMEOUT {
        key: Some("vault.timeout"), flag: Some("vault.timeout"), variables: ["LEASEWATCH_VAULT_TIMEOUT"],
        kind: Kind::Duration, default: "10s",
        help: "How long one request to Vault may take",
    }
    /// Prefix of Vault's own metrics.
    METRICS_PREFIX {
        key: Some("vault.metrics_prefix"), flag: Some("vault.metrics-prefix"), variables: ["LEASEWATCH_VAULT_METRICS_PREFIX"],
        kind: Kind::Text("NAME"), default: "vault",
        help: "First part of the names in sys/metrics, as `metrics_prefix` of Vault's telemetry stanza says",
    }
    /// Streaming the server log.
    MONITOR {
        key: Some("vault.monitor"), flag: Some("vault.monitor"), variables: ["LEASEWATCH_VAULT_MONITOR"],
        kind: Kind::Switch, default: "false",
        help: "Stream the active node's server log from sys/monitor, where its file cannot be read. \
               What is logged while there is no stream is lost; server_log is the better way",
    }
    /// Listing of leases.
    LISTING_INTERVAL {
        key: Some("vault.listing_interval"), flag: Some("vault.listing-interval"), variables: ["LEASEWATCH_VAULT_LISTING_INTERVAL"],
        kind: Kind::Duration, default: "off",
        help: "`off`, or a time in which the leases of every role are listed once, to hold the ledger against. Vault builds the list \
               in memory and logs it whole: 80 bytes a lease",
    }
    /// Token.
    VAULT_TOKEN {
        key: None, flag: None, variables: ["BAO_TOKEN", "VAULT_TOKEN"],
        kind: Kind::Text("TOKEN"), default: "none",
        help: "Token for Vault's API. It has no flag and no key, so that it shows in no list of processes and no repository; ~/.vault-token is never read",
    }
    /// Token file.
    VAULT_TOKEN_FILE {
        key: Some("vault.token_file"), flag: Some("vault.token-file"), variables: ["BAO_TOKEN_FILE", "VAULT_TOKEN_FILE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "File with the token, read again when it changes; also a Vault Agent's sink",
    }
    /// `AppRole` role ID.
    APPROLE_ROLE_ID {
        key: Some("vault.approle.role_id"), flag: Some("vault.approle.role-id"), variables: ["LEASEWATCH_VAULT_APPROLE_ROLE_ID"],
        kind: Kind::Text("ID"), default: "none",
        help: "Log in by AppRole, with this role ID",
    }
    /// `AppRole` secret ID.
    APPROLE_SECRET_ID {
        key: None, flag: None, variables: ["LEASEWATCH_VAULT_APPROLE_SECRET_ID"],
        kind: Kind::Text("ID"), default: "none",
        help: "Secret ID of the AppRole login",
    }
    /// `AppRole` secret ID file.
    APPROLE_SECRET_ID_FILE {
        key: Some("vault.approle.secret_id_file"), flag: Some("vault.approle.secret-id-file"),
        variables: ["LEASEWATCH_VAULT_APPROLE_SECRET_ID_FILE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "File with the secret ID, read at every login",
    }
    /// `AppRole` mount.
    APPROLE_MOUNT {
        key: Some("vault.approle.mount"), flag: Some("vault.approle.mount"), variables: ["LEASEWATCH_VAULT_APPROLE_MOUNT"],
        kind: Kind::Text("PATH"), default: "approle",
        help: "Mount of the AppRole auth method, without `auth/`",
    }
    /// Kubernetes role.
    KUBERNETES_ROLE {
        key: Some("vault.kubernetes.role"), flag: Some("vault.kubernetes.role"), variables: ["LEASEWATCH_VAULT_KUBERNETES_ROLE"],
        kind: Kind::Text("ROLE"), default: "none",
        help: "Log in by Kubernetes, as this role",
    }
    /// Kubernetes token file.
    KUBERNETES_JWT_FILE {
        key: Some("vault.kubernetes.jwt_file"), flag: Some("vault.kubernetes.jwt-file"),
        variables: ["LEASEWATCH_VAULT_KUBERNETES_JWT_FILE"],
        kind: Kind::Text("FILE"), default: "/var/run/secrets/kubernetes.io/serviceaccount/token",
        help: "File with the service account's token, read at every login",
    }
    /// Kubernetes mount.
    KUBERNETES_MOUNT {
        key: Some("vault.kubernetes.mount"), flag: Some("vault.kubernetes.mount"), variables: ["LEASEWATCH_VAULT_KUBERNETES_MOUNT"],
        kind: Kind::Text("PATH"), default: "kubernetes",
        help: "Mount of the Kubernetes auth method, without `auth/`",
    }
    /// Authority file.
    TLS_CA_CERT {
        key: Some("vault.tls.ca_cert"), flag: Some("vault.tls.ca-cert"), variables: ["BAO_CACERT", "VAULT_CACERT"],
        kind: Kind::Text("FILE"), default: "the system's authorities",
        help: "PEM file of the authority that signed Vault's certificate",
    }
    /// Authority folder.
    TLS_CA_PATH {
        key: Some("vault.tls.ca_path"), flag: Some("vault.tls.ca-path"), variables: ["BAO_CAPATH", "VAULT_CAPATH"],
        kind: Kind::Text("DIR"), default: "none",
        help: "Folder of such PEM files; vault.tls.ca_cert wins over it",
    }
    /// Client certificate.
    TLS_CLIENT_CERT {
        key: Some("vault.tls.client_cert"), flag: Some("vault.tls.client-cert"), variables: ["BAO_CLIENT_CERT", "VAULT_CLIENT_CERT"],
        kind: Kind::Text("FILE"), default: "none",
        help: "PEM file of the certificate that leasewatch shows",
    }
    /// Client key.
    TLS_CLIENT_KEY {
        key: Some("vault.tls.client_key"), flag: Some("vault.tls.client-key"), variables: ["BAO_CLIENT_KEY", "VAULT_CLIENT_KEY"],
        kind: Kind::Text("FILE"), default: "none",
        help: "PEM file of its key, not encrypted",
    }
    /// Server name.
    TLS_SERVER_NAME {
        key: Some("vault.tls.server_name"), flag: Some("vault.tls.server-name"),
        variables: ["BAO_TLS_SERVER_NAME", "VAULT_TLS_SERVER_NAME"],
        kind: Kind::Text("NAME"), default: "the host of the address",
        help: "Name to expect in Vault's certificate",
    }
    /// No verification.
    TLS_SKIP_VERIFY {
        key: Some("vault.tls.skip_verify"), flag: Some("vault.tls.skip-verify"), variables: ["BAO_SKIP_VERIFY", "VAULT_SKIP_VERIFY"],
        kind: Kind::Switch, default: "false",
        help: "Accept any certificate of Vault's. Whoever stands in between then gets leasewatch's token",
    }
}

/// Keys of an `[[anomaly.acknowledged]]` table, with what each means.
pub static ACKNOWLEDGED_KEYS: &[(&str, Kind, &str)] = &[
    ("episode", Kind::Text("ID"), "ID of the episode; must be given"),
    ("author", Kind::Text("NAME"), "Who vouches for it; must be given"),
    ("reason", Kind::Text("TEXT"), "Why it is no reason to worry; must be given"),
    (
        "expires",
        Kind::Text("TIME"),
        "Until when the same is expected again, such as 2026-12-31T00:00:00Z; must be given",
    ),
];

/// Keys of a `[[node]]` table, with what each means.
pub static NODE_KEYS: &[(&str, Kind, &str)] = &[
    ("name", Kind::Text("NAME"), "Label `node`; must be given"),
    ("address", Kind::Text("URL"), "API address of the node; without it only its logs are read"),
    (
        "audit_log",
        Kind::List("[NAME=]PATH"),
        "Audit logs of the node; by default named NODE-audit, then NODE-audit-2",
    ),
    (
        "server_log",
        Kind::List("[NAME=]PATH"),
        "Server logs of the node; by default named NODE-server, then NODE-server-2",
    ),
];
