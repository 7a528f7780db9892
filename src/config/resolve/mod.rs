//! Resolution: layers of text to the validated `Config`. Every setting gets its meaning here.

mod anomaly;
mod logs;
mod push;
mod receive;
mod vault;

use super::layers::{Layers, Problems};
use super::problem::{ConfigError, Origin, Problem};
use super::setting::{self, Kind, Setting};
use super::value::{self, Wrong};
use super::{Config, Identities, LogFormat, LogKind, OutputConfig, StartAt};
use std::path::PathBuf;
use std::time::Duration;

/// Makes the configuration, or tells everything that is wrong with it.
pub(super) fn resolve(layers: &Layers) -> Result<Config, ConfigError> {
    let mut r = Resolver { layers, problems: Problems::default() };
    let receive = r.receive();
    let (nodes, logs) = r.nodes_and_logs(&receive);
    let config = Config {
        receive,
        listen_address: r.parsed(&setting::LISTEN_ADDRESS, value::listen_address),
        web_config: r.path(&setting::WEB_CONFIG_FILE),
        identities: [Identities::Loopback, Identities::Nobody][r.choice(&setting::IDENTITIES)],
        state_dir: r.state_dir(),
        logs,
        nodes,
        vault: r.vault(),
        start_at: [StartAt::Beginning, StartAt::End][r.choice(&setting::START_AT)],
        max_line_bytes: r.parsed(&setting::MAX_LINE_BYTES, |text| value::integer(text, 4096)),
        label_sets: r.parsed(&setting::LABEL_BUDGET, |text| value::integer(text, 1)),
        ledger_capacity: r.parsed(&setting::LEDGER_CAPACITY, |text| value::integer(text, 1)),
        anomaly: r.anomaly(),
        push: r.push(),
        checkpoint_interval: r.duration(&setting::CHECKPOINT_INTERVAL),
        output: OutputConfig {
            level: r.parsed(&setting::LOG_LEVEL, |text| super::output::level(text).map(|_| text.to_owned())),
            format: [LogFormat::Text, LogFormat::Json][r.choice(&setting::LOG_FORMAT)],
        },
    };
    r.monitor_alone(&config);
    if r.problems.0.is_empty() { Ok(config) } else { Err(ConfigError(r.problems.0)) }
}

/// The state folder, whatever else is wrong.
pub(super) fn state_dir(layers: &Layers) -> Result<PathBuf, ConfigError> {
    let mut r = Resolver { layers, problems: Problems::default() };
    let folder = r.state_dir();
    if r.problems.0.is_empty() { Ok(folder) } else { Err(ConfigError(r.problems.0)) }
}

impl Resolver<'_> {
    /// The server log comes by one way: what came by two would count twice.
    fn monitor_alone(&mut self, config: &Config) {
        if !config.vault.monitor {
            return;
        }
        let Some(given) = self.layers.get(&setting::MONITOR) else { return };
        if let Some(log) = config.logs.iter().find(|log| log.kind == LogKind::Server) {
            let text = format!("the server log is read from {} already", log.path);
            let remedy =
                "Take vault.monitor out: the file loses nothing, the stream what is logged while it is away";
            self.problems.0.push(given.origin.problem(text, remedy));
        }
        if config.nodes.is_empty() {
            let remedy = "Give VAULT_ADDR, or address in [[node]]";
            self.problems.0.push(given.origin.problem("there is no node to stream from", remedy));
        }
    }
}

struct Resolver<'a> {
    layers: &'a Layers,
    problems: Problems,
}

impl Resolver<'_> {
    /// The value as given, else its default. A problem is noted, and the default stands in,
    /// so that the next one is found too.
    fn parsed<T>(&mut self, setting: &'static Setting, parse: impl Fn(&str) -> Result<T, Wrong>) -> T
    where
        T: Default,
    {
        let parsed = match self.layers.get(setting) {
            None => parse(setting.default).map_err(|(problem, _)| (setting.name(), problem)).ok(),
            Some(given) => {
                self.problems.take(parse(given.text()).map_err(|wrong| problem(&given.origin, wrong)))
            }
        };
        parsed.unwrap_or_default()
    }

    fn duration(&mut self, setting: &'static Setting) -> Duration {
        self.parsed(setting, |text| value::duration(text, Duration::from_secs(1)))
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
        self.problems.take(value::present(given.text()).map_err(|wrong| problem(&given.origin, wrong)))
    }

    fn path(&mut self, setting: &'static Setting) -> Option<PathBuf> {
        self.given(setting).map(PathBuf::from)
    }

    fn state_dir(&mut self) -> PathBuf {
        // systemd gives several folders, with colons between, where a unit asks for several.
        let systemd = self.layers.variable("STATE_DIRECTORY").and_then(|text| text.split(':').next());
        let default = systemd.unwrap_or("/var/lib/leasewatch").into();
        self.path(&setting::STATE_DIR).unwrap_or(default)
    }
}

fn problem(origin: &Origin, (problem, remedy): Wrong) -> Problem {
    origin.problem(problem, remedy)
}
