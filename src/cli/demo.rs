//! What `demo` takes.

use crate::config::{self, LogFormat, OutputConfig};
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Weeks of past that are simulated unless told: a debug build is some fifteen times as slow.
const WEEKS: &str = if cfg!(debug_assertions) { "1" } else { "4" };

pub(super) const EXAMPLES: &str = "\
Everything happens on this machine, in a temporary folder and on loopback ports: the simulated
Vault writes an audit log and a server log and answers the requests that leasewatch makes, and
leasewatch watches it as it would watch a real one. Nothing has to be installed.

Examples:
  leasewatch demo
  # Another course of events, and the files stay: for `leasewatch analyze`
  leasewatch demo --seed 7 --dir ./demo
  # A longer or a shorter past; in a debug build one week is simulated unless told
  leasewatch demo --weeks 12

Exit codes: 0 stopped by a signal or after --run-for, 1 failed, 2 bad usage.";

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Number that decides the course of events; the same number, the same people and services
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Length of the simulated past; may be a fraction
    #[arg(long, value_name = "WEEKS", default_value = WEEKS, value_parser = parse_weeks)]
    pub weeks: f64,
    /// Where the page and /metrics are served
    #[arg(long = "web.listen-address", value_name = "HOST:PORT", default_value = "127.0.0.1:9748")]
    pub listen_address: String,
    /// New folder for the logs and the state, which stays [default: a temporary one, which does not]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Also write the past here as samples for Prometheus, so that dashboards have one; takes a while
    #[arg(long, value_name = "FILE")]
    pub openmetrics: Option<PathBuf>,
    /// Stop so long after the page is up [default: at a signal]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub run_for: Option<Duration>,
    /// Of leasewatch: error, warn (also tells of every alarm), info, debug or trace
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "error", value_parser = OutputConfig::parse_level)]
    pub log_level: String,
}

impl DemoArgs {
    /// How it logs.
    pub fn output(&self) -> OutputConfig {
        OutputConfig { level: self.log_level.clone(), format: LogFormat::Text }
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    config::parse_duration(text).ok_or_else(|| "write a number and a unit, such as 30s or 5m".to_owned())
}

fn parse_weeks(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(weeks) if (0.01..=104.0).contains(&weeks) => Ok(weeks),
        _ => Err("write a number of weeks, from 0.01 to 104".to_owned()),
    }
}
