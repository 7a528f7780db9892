//! Resolution: layers of text to the validated `Config`. Every setting gets its meaning here.

use super::layers::{Given, Layers, Problems};
use super::problem::{ConfigError, Origin, Problem};
use super::setting::{self, Kind, Setting};
use super::value::{self, Wrong};
use super::{
    AuthConfig, Config, LogConfig, LogFormat, LogKind, NodeConfig, OutputConfig, Secret,
    SecretSource, StartAt, TlsConfig, VaultConfig,
};
use std::path::PathBuf;
use std::time::Duration;

/// Makes the configuration, or tells everything that is wrong with it.
pub(super) fn resolve(layers: &Layers) -> Result<Config, ConfigError> {
    let mut r = Resolver {
        layers,
        problems: Problems::default(),
    };
    let (nodes, logs) = r.nodes_and_logs();
    let config = Config {
        listen_address: r.parsed(&setting::LISTEN_ADDRESS, value::listen_address),
        state_dir: r.state_dir(),
        logs,
        nodes,
        vault: r.vault(),
        start_at: [StartAt::Beginning, StartAt::End][r.choice(&setting::START_AT)],
        max_line_bytes: r.parsed(&setting::MAX_LINE_BYTES, |text| value::integer(text, 4096)),
        series_budget: r.parsed(&setting::SERIES_BUDGET, |text| value::integer(text, 1)),
        checkpoint_interval: r.duration(&setting::CHECKPOINT_INTERVAL),
        output: OutputConfig {
            level: r.parsed(&setting::LOG_LEVEL, |text| {
                super::output::level(text).map(|_| text.to_owned())
            }),
            format: [LogFormat::Text, LogFormat::Json][r.choice(&setting::LOG_FORMAT)],
        },
    };
    if r.problems.0.is_empty() {
        Ok(config)
    } else {
        Err(ConfigError(r.problems.0))
    }
}

struct Resolver<'a> {
    layers: &'a Layers,
    problems: Problems,
}

impl Resolver<'_> {
    /// The value as given, else its default. A problem is noted, and the default stands in,
    /// so that the next one is found too.
    fn parsed<T>(
        &mut self,
        setting: &'static Setting,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> T
    where
        T: Default,
    {
        let parsed = match self.layers.get(setting) {
            None => parse(setting.default)
                .map_err(|(problem, _)| (setting.name(), problem))
                .ok(),
            Some(given) => self
                .problems
                .take(parse(given.text()).map_err(|wrong| problem(&given.origin, wrong))),
        };
        parsed.unwrap_or_default()
    }

    fn duration(&mut self, setting: &'static Setting) -> Duration {
        self.parsed(setting, |text| {
            value::duration(text, Duration::from_secs(1))
        })
    }

    fn choice(&mut self, setting: &'static Setting) -> usize {
        let Kind::Choice(words) = setting.kind else {
            return 0;
        };
        self.parsed(setting, |text| value::choice(text, words))
    }

    /// What was given for a setting without a default.
    fn given(&mut self, setting: &'static Setting) -> Option<String> {
        let given = self.layers.get(setting)?;
        self.problems
            .take(value::present(given.text()).map_err(|wrong| problem(&given.origin, wrong)))
    }

    fn path(&mut self, setting: &'static Setting) -> Option<PathBuf> {
        self.given(setting).map(PathBuf::from)
    }

    fn state_dir(&mut self) -> PathBuf {
        // systemd gives several folders, with colons between, where a unit asks for several.
        let systemd = self
            .layers
            .variable("STATE_DIRECTORY")
            .and_then(|text| text.split(':').next());
        let default = systemd.unwrap_or("/var/lib/leasewatch").into();
        self.path(&setting::STATE_DIR).unwrap_or(default)
    }

    /// The nodes and all logs. They are read together, as a log belongs to a node.
    fn nodes_and_logs(&mut self) -> (Vec<NodeConfig>, Vec<LogConfig>) {
        let mut nodes = Vec::new();
        let mut names: Vec<(String, Origin)> = Vec::new();
        let mut logs: Vec<(LogConfig, Origin)> = Vec::new();
        for table in &self.layers.file.nodes {
            let Some(given) = table.values.get("name") else {
                let remedy = "Write name = \"…\"; it becomes the label `node`";
                self.problems
                    .0
                    .push(table.origin.problem("the node has no name", remedy));
                continue;
            };
            let name = self
                .problems
                .take(value::name(given.text()).map_err(|wrong| problem(&given.origin, wrong)));
            let Some(name) = name else { continue };
            if names.iter().any(|(other, _)| *other == name) {
                let remedy = "Give each node a name of its own";
                self.problems.0.push(
                    given
                        .origin
                        .problem(format!("there are two nodes {name:?}"), remedy),
                );
            }
            names.push((name.clone(), given.origin.clone()));
            if let Some(given) = table.values.get("address") {
                let address =
                    value::api_address(given.text()).map_err(|wrong| problem(&given.origin, wrong));
                nodes.extend(self.problems.take(address).map(|address| NodeConfig {
                    name: name.clone(),
                    address,
                }));
            }
            for (key, kind) in [
                ("audit_log", LogKind::Audit),
                ("server_log", LogKind::Server),
            ] {
                if let Some(given) = table.values.get(key) {
                    self.logs(given, kind, Some(&name), &mut logs);
                }
            }
        }
        let single = self.single_node(!names.is_empty());
        for (setting, kind) in [
            (&setting::AUDIT_LOG, LogKind::Audit),
            (&setting::SERVER_LOG, LogKind::Server),
        ] {
            if let Some(given) = self.layers.get(setting) {
                self.logs(
                    &given,
                    kind,
                    single.as_ref().map(|node| node.name.as_str()),
                    &mut logs,
                );
            }
        }
        nodes.extend(single);
        self.check_logs(&logs);
        (nodes, logs.into_iter().map(|(log, _)| log).collect())
    }

    /// The node at `vault.address`.
    fn single_node(&mut self, tables: bool) -> Option<NodeConfig> {
        let name = self.parsed(&setting::VAULT_NODE_NAME, value::name);
        let given = self.layers.get(&setting::VAULT_ADDRESS)?;
        if tables {
            let remedy = "Take one of them out; an address of each node stands in its [[node]]";
            self.problems.0.push(
                given
                    .origin
                    .problem("the file names the nodes already, in [[node]]", remedy),
            );
        }
        let address =
            value::api_address(given.text()).map_err(|wrong| problem(&given.origin, wrong));
        self.problems
            .take(address)
            .map(|address| NodeConfig { name, address })
    }

    fn logs(
        &mut self,
        given: &Given,
        kind: LogKind,
        node: Option<&str>,
        logs: &mut Vec<(LogConfig, Origin)>,
    ) {
        let word = match kind {
            LogKind::Audit => "audit",
            LogKind::Server => "server",
        };
        // A node's name stands in front only where nodes stand in tables: else there is one node.
        let in_table =
            matches!(&given.origin, Origin::File { key, .. } if key.starts_with("node."));
        let stem = node
            .filter(|_| in_table)
            .map_or(word.to_owned(), |node| format!("{node}-{word}"));
        for (index, text) in given.texts.iter().enumerate() {
            let named = value::named_path(text).map_err(|wrong| problem(&given.origin, wrong));
            let Some((name, path)) = self.problems.take(named) else {
                continue;
            };
            let name = name.unwrap_or_else(|| {
                if index == 0 {
                    stem.clone()
                } else {
                    format!("{stem}-{}", index + 1)
                }
            });
            let log = LogConfig {
                name,
                kind,
                path,
                node: node.map(str::to_owned),
            };
            logs.push((log, given.origin.clone()));
        }
    }

    /// No two logs of one name or path, and standard input once.
    fn check_logs(&mut self, logs: &[(LogConfig, Origin)]) {
        for (index, (log, origin)) in logs.iter().enumerate() {
            let before = &logs[..index];
            if before.iter().any(|(other, _)| other.path == log.path) {
                let problem = match log.path.as_str() {
                    "-" => "standard input is read twice".to_owned(),
                    path => format!("{path} is read twice"),
                };
                // Vault mixes both logs in one stream where a container collects its output.
                let remedy =
                    "Name it once; lines of the other log in the same stream are told apart";
                self.problems.0.push(origin.problem(problem, remedy));
            } else if before.iter().any(|(other, _)| other.name == log.name) {
                let problem = format!("two logs have the name {:?}", log.name);
                self.problems
                    .0
                    .push(origin.problem(problem, "Give one another name: NAME=PATH"));
            }
        }
    }

    fn vault(&mut self) -> VaultConfig {
        let namespace = self
            .given(&setting::VAULT_NAMESPACE)
            .map_or_else(String::new, |text| value::path_segment(&text));
        let namespaces = match self.layers.get(&setting::VAULT_NAMESPACES) {
            Some(given) => given
                .texts
                .iter()
                .map(|text| value::path_segment(text))
                .collect(),
            None => vec![namespace.clone()],
        };
        VaultConfig {
            namespace,
            tls: self.tls(),
            auth: self.auth(),
            scrape_interval: self.duration(&setting::SCRAPE_INTERVAL),
            timeout: self.duration(&setting::VAULT_TIMEOUT),
            metrics_prefix: self.parsed(&setting::METRICS_PREFIX, value::present),
            namespaces,
        }
    }

    fn tls(&mut self) -> TlsConfig {
        let tls = TlsConfig {
            ca_cert: self.path(&setting::TLS_CA_CERT),
            ca_path: self.path(&setting::TLS_CA_PATH),
            client_cert: self.path(&setting::TLS_CLIENT_CERT),
            client_key: self.path(&setting::TLS_CLIENT_KEY),
            server_name: self.given(&setting::TLS_SERVER_NAME),
            skip_verify: self.parsed(&setting::TLS_SKIP_VERIFY, value::switch),
        };
        let lonely = match (&tls.client_cert, &tls.client_key) {
            (Some(_), None) => Some((
                &setting::TLS_CLIENT_CERT,
                "a certificate without its key",
                "vault.tls.client_key",
            )),
            (None, Some(_)) => Some((
                &setting::TLS_CLIENT_KEY,
                "a key without its certificate",
                "vault.tls.client_cert",
            )),
            _ => None,
        };
        if let Some((setting, problem, other)) = lonely
            && let Some(given) = self.layers.get(setting)
        {
            self.problems
                .0
                .push(given.origin.problem(problem, format!("Give {other} too")));
        }
        tls
    }

    /// The login: of those that were begun, the one given in the strongest layer.
    fn auth(&mut self) -> AuthConfig {
        let methods = [
            &setting::VAULT_TOKEN,
            &setting::VAULT_TOKEN_FILE,
            &setting::APPROLE_ROLE_ID,
            &setting::KUBERNETES_ROLE,
        ];
        let mut begun: Vec<(&'static Setting, Given)> = methods
            .into_iter()
            .filter_map(|setting| Some((setting, self.layers.get(setting)?)))
            .collect();
        begun.sort_by_key(|(_, given)| std::cmp::Reverse(given.origin.rank()));
        let Some((method, given)) = begun.first() else {
            return AuthConfig::None;
        };
        if let Some((_, other)) = begun.get(1)
            && other.origin.rank() == given.origin.rank()
        {
            let problem = format!("there is another login: {}", other.origin);
            self.problems
                .0
                .push(given.origin.problem(problem, "Keep one of them"));
        }
        let text = given.text().to_owned();
        if *method == &setting::VAULT_TOKEN {
            AuthConfig::Token(Secret::new(text.trim()))
        } else if *method == &setting::VAULT_TOKEN_FILE {
            AuthConfig::TokenFile(self.path(&setting::VAULT_TOKEN_FILE).unwrap_or_default())
        } else if *method == &setting::APPROLE_ROLE_ID {
            AuthConfig::AppRole {
                mount: value::path_segment(&self.parsed(&setting::APPROLE_MOUNT, value::present)),
                role_id: self.given(&setting::APPROLE_ROLE_ID).unwrap_or_default(),
                secret_id: self.secret_id(&given.origin),
            }
        } else {
            AuthConfig::Kubernetes {
                mount: value::path_segment(
                    &self.parsed(&setting::KUBERNETES_MOUNT, value::present),
                ),
                role: self.given(&setting::KUBERNETES_ROLE).unwrap_or_default(),
                jwt_file: self
                    .parsed(&setting::KUBERNETES_JWT_FILE, value::present)
                    .into(),
            }
        }
    }

    fn secret_id(&mut self, login: &Origin) -> SecretSource {
        let value = self.layers.get(&setting::APPROLE_SECRET_ID);
        let file = self.layers.get(&setting::APPROLE_SECRET_ID_FILE);
        match (value, file) {
            (Some(value), file)
                if file
                    .as_ref()
                    .is_none_or(|file| file.origin.rank() < value.origin.rank()) =>
            {
                SecretSource::Value(Secret::new(value.text().trim()))
            }
            (_, Some(file)) => SecretSource::File(file.text().into()),
            (_, None) => {
                let remedy =
                    "Give vault.approle.secret_id_file, or LEASEWATCH_VAULT_APPROLE_SECRET_ID";
                self.problems
                    .0
                    .push(login.problem("the AppRole login has no secret ID", remedy));
                SecretSource::File(PathBuf::new())
            }
        }
    }
}

fn problem(origin: &Origin, (problem, remedy): Wrong) -> Problem {
    origin.problem(problem, remedy)
}
