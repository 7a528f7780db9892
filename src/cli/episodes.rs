//! What `episodes` takes.

use super::parse_time;
use crate::anomaly::EpisodeId;
use crate::config::{Flags, LogFormat, OutputConfig};
use crate::event::Timestamp;
use clap::{Args, Subcommand, ValueEnum};
use std::time::Duration;

/// What `episodes --help` ends with.
pub(super) const EXAMPLES: &str = "\
It asks the `serve` that runs with the state folder, over a socket there that only the user
leasewatch runs as (and root) may use. It names clients. For finished logs, see `analyze`.

To acknowledge an episode says that what it shows is known: it is no alarm any more, its client
is learnt with it, and until the acknowledgement expires the same cause raises no other alarm.
Something new, or the same ten times as rare, does. It is kept, with its author and reason.

Examples:
  leasewatch episodes
  leasewatch episodes --open --min-score 0
  leasewatch episodes show 0123456789abcdef
  leasewatch episodes ack 0123456789abcdef --author mira --reason 'load test of payments' --expires 7d

Exit codes: 0 done, also when there is no episode, 1 nobody serves there, it may not be asked or
there is no such episode, 2 bad usage or configuration.";

/// What `episodes` takes.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = false, subcommand_negates_reqs = true)]
pub struct EpisodesArgs {
    /// One of them, or something to say about it [default: list them]
    #[command(subcommand)]
    pub command: Option<EpisodesCommand>,
    /// From this score on, 0 to 100 [default: the score of a notice]
    #[arg(long, value_name = "N", value_parser = super::analyze::parse_score)]
    pub min_score: Option<f64>,
    /// Those of which something came then or later, RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub since: Option<Timestamp>,
    /// Those that are not over
    #[arg(long)]
    pub open: bool,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = EpisodesFormat::Text, global = true)]
    pub format: EpisodesFormat,
    /// State folder of the `serve` to ask [env, default: as for `serve`]
    #[arg(long = "state-dir", value_name = "DIR", global = true)]
    state_dir: Option<String>,
    /// TOML file that may name it [env: as for `serve`]
    #[arg(long = "config.file", value_name = "FILE", global = true)]
    config_file: Option<String>,
    /// error, warn, info, debug or trace
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "warn", value_parser = OutputConfig::parse_level)]
    #[arg(global = true)]
    pub log_level: String,
    /// Form of leasewatch's own log on standard error
    #[arg(long = "log.format", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
}

/// What can be done with one episode.
#[derive(Debug, Subcommand)]
pub enum EpisodesCommand {
    /// Show all that is known of one
    Show(ShowArgs),
    /// Say that one is known, and why
    Ack(AckArgs),
}

/// What `episodes show` takes.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Its ID
    #[arg(value_name = "ID")]
    pub id: EpisodeId,
}

/// What `episodes ack` takes.
#[derive(Debug, Args)]
pub struct AckArgs {
    /// Its ID
    #[arg(value_name = "ID")]
    pub id: EpisodeId,
    /// Who vouches for it
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub author: String,
    /// Why it is no reason to worry
    #[arg(long, value_name = "TEXT", value_parser = not_empty)]
    pub reason: String,
    /// Until when the same is expected again: a time from now such as 7d, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_expiry)]
    pub expires: Expiry,
}

/// When an acknowledgement expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So long from now on.
    In(Duration),
    /// At a moment.
    At(Timestamp),
}

/// Form of what `episodes` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EpisodesFormat {
    /// For people.
    Text,
    /// One JSON document; docs/anomaly.md says what is in it.
    Json,
}

impl EpisodesArgs {
    /// How it logs.
    pub fn output(&self) -> OutputConfig {
        OutputConfig { level: self.log_level.clone(), format: self.log_format }
    }

    /// What was typed of the settings of `serve`.
    pub fn flags(&self) -> Flags {
        let given = [("state-dir", &self.state_dir), ("config.file", &self.config_file)];
        Flags(given.into_iter().filter_map(|(flag, text)| Some((flag, vec![text.clone()?]))).collect())
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("write something that whoever reads it later understands".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn parse_expiry(text: &str) -> Result<Expiry, String> {
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Ok(Expiry::At(moment));
    }
    crate::config::parse_duration(text).map(Expiry::In).ok_or_else(|| {
        "write a time from now such as 12h or 7d, or a moment such as 2026-12-31T00:00:00Z".to_owned()
    })
}
