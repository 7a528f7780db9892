//! The command line: what was typed. It derives nothing; `config` gives it its meaning.
//!
//! The settings of `serve` and `check-config` come from the table in
//! `config::setting`, so that no flag can be missing from the documentation.

mod analyze;
mod demo;
mod episodes;

pub use analyze::{AnalyzeArgs, Bound, ColorChoice, Compare, Format};
pub use demo::DemoArgs;
pub use episodes::{AckArgs, EpisodesArgs, EpisodesCommand, EpisodesFormat, Expiry, ShowArgs};

use crate::config::setting::{self, Kind, Setting};
use crate::config::{Flags, LogFormat, OutputConfig};
use crate::event::Timestamp;
use clap::error::Error;
use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};

/// Version and revision, as `--version` shows them after the name.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (revision ", env!("LEASEWATCH_REVISION"), ")");

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "leasewatch", version = VERSION, about = ABOUT, long_about = LONG_ABOUT, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show leasewatch at work on a simulated Vault; nothing else is needed
    #[command(after_help = demo::EXAMPLES)]
    Demo(DemoArgs),
    /// Read the logs as they grow, ask Vault's API, and serve /metrics
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(SettingArgs),
    /// Read finished logs once and print the numbers
    #[command(after_help = analyze::EXAMPLES)]
    Analyze(Box<AnalyzeArgs>),
    /// List the outstanding leases, of a running `serve` or by finished logs
    #[command(after_help = LEASES_EXAMPLES)]
    Leases(LeasesArgs),
    /// Show anomalies of a running `serve`, and say which are known
    #[command(after_help = episodes::EXAMPLES)]
    Episodes(EpisodesArgs),
    /// Say what `serve` would run with, and what stands in its way
    #[command(after_help = CHECK_EXAMPLES)]
    CheckConfig(CheckArgs),
}

const ABOUT: &str = "The dynamic secrets of Vault and OpenBao, watched";

const LONG_ABOUT: &str = "\
The dynamic secrets of Vault and OpenBao, watched.

leasewatch reads the audit log and the server log, asks the API, and answers
which credentials were issued, renewed, revoked or refused, by mount and role,
as metrics for Prometheus (`serve`) or as one count over finished logs (`analyze`).
Two log files and no token are enough to begin.";

const EXIT_CODES: &str = "\
Exit codes:
  0  done; also when whoever read the output went away
  1  failed while running
  2  bad usage or configuration

`leasewatch COMMAND --help` has examples.";

const SERVE_EXAMPLES: &str = "\
Flags win over variables, variables over the file. Each log is followed across
its rotations; a glob (quote it) may stand for them or for several logs. Secrets have
no flag: they come from VAULT_TOKEN (BAO_TOKEN), LEASEWATCH_VAULT_APPROLE_SECRET_ID,
or from the files that flags name.

Examples:
  # One server; no token: counts, latencies, availability
  leasewatch serve --audit-log /var/log/vault/audit.log \\
      --server-log /var/log/vault/server.log --vault.address https://127.0.0.1:8200

  # From a log shipper, with a token that a Vault Agent keeps fresh
  shipper | leasewatch serve --audit-log - --vault.token-file /run/vault-agent/token

  # Several nodes, from a file; look at it first
  leasewatch check-config --config.file /etc/leasewatch.toml
  leasewatch serve --config.file /etc/leasewatch.toml

Exit codes: 0 stopped by a signal, 1 failed, 2 bad usage or configuration.";

const LEASES_EXAMPLES: &str = "\
Without logs it asks the `serve` that runs with the state folder, over a socket there
that only the user leasewatch runs as (and root) may use. With logs it reads them.

Lease IDs are shown by --for-revocation alone, and only of leases that a filter names:
an ID is all that it takes to revoke somebody's credentials, or to find them in other
logs, and a list of them on a screen or in a ticket helps nobody else. Over the socket
they are only sent when they are asked for, which `serve` notes in its log.

Examples:
  # By mount and role: how many, how old, when the next ends, what is wrong
  leasewatch leases
  # Single leases, the most urgent first; by whoever asked for them
  leasewatch leases --role app
  leasewatch leases --condition stuck --condition retrying --list
  leasewatch leases --mount database/ --by requester
  # As it was in the logs at a moment
  leasewatch leases --audit-log audit.log* --server-log server.log --at 2026-01-02T03:04:05Z
  # Revoke what one role's users hold
  leasewatch leases --role app --for-revocation | xargs -n1 vault lease revoke
  leasewatch leases --role app --for-revocation | xargs -n1 bao lease revoke

Exit codes: 0 done, also when there is no such lease, 1 nobody serves there, it may not be
asked or a file could not be read, 2 bad usage or configuration.";

const CHECK_EXAMPLES: &str = "\
Takes the flags and variables of `serve`, prints the configuration that comes of
them (secrets hidden), and tries every file, folder and address in it. With --online it
asks Vault's nodes for their health, and OneUptime whether it knows the ingestion key.

Exit codes: 0 nothing stands in the way (there may be warnings), 2 something does.";

/// What `leases` takes.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("filter").multiple(true))]
pub struct LeasesArgs {
    /// State folder of the `serve` to ask [env, default: as for `serve`]
    #[arg(long = "state-dir", value_name = "DIR", conflicts_with_all = ["audit_log", "server_log"])]
    state_dir: Option<String>,
    /// TOML file that may name it [env: as for `serve`]
    #[arg(long = "config.file", value_name = "FILE", conflicts_with_all = ["audit_log", "server_log"])]
    config_file: Option<String>,
    /// Read these audit logs instead; rotated files in any order, gzip and zstd too; - is standard input
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub audit_log: Vec<String>,
    /// Server logs of the same time
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "audit_log")]
    pub server_log: Vec<String>,
    /// Moment in the logs, RFC 3339 [default: the last event]
    #[arg(long, value_name = "TIME", value_parser = parse_time, requires = "audit_log")]
    pub at: Option<Timestamp>,
    /// Only of this role
    #[arg(long, group = "filter", help_heading = "Which leases")]
    pub role: Option<String>,
    /// Only of this mount, relative to its namespace
    #[arg(long, group = "filter", help_heading = "Which leases")]
    pub mount: Option<String>,
    /// Only of this namespace; root is one too
    #[arg(long, group = "filter", help_heading = "Which leases")]
    pub namespace: Option<String>,
    /// Only of this entity ID or display name
    #[arg(long, value_name = "TEXT", group = "filter", help_heading = "Which leases")]
    pub requester: Option<String>,
    /// Only those that are so; may be repeated
    #[arg(long, value_enum, group = "filter", help_heading = "Which leases")]
    pub condition: Vec<LeaseCondition>,
    /// A row for each lease [default where a role is named]
    #[arg(long, conflicts_with = "by", help_heading = "How they are shown")]
    pub list: bool,
    /// A row for each group of leases [default: role]
    #[arg(long, value_enum, help_heading = "How they are shown")]
    pub by: Option<LeaseGroups>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = LeasesFormat::Text, help_heading = "How they are shown")]
    pub format: LeasesFormat,
    /// One plain lease ID a line, and nothing else; needs a filter
    #[arg(long, conflicts_with_all = ["list", "by", "format"], help_heading = "How they are shown")]
    #[arg(requires = "filter")]
    pub for_revocation: bool,
    /// A longer line of a log is skipped. Bytes
    #[arg(long = "max-line-bytes", value_name = "N", default_value_t = 32 << 20)]
    pub max_line_bytes: usize,
    /// Label sets in all, where logs are read; roles beyond it are shown under `(other)`
    #[arg(long = "labels.budget", value_name = "N", default_value_t = 2_000)]
    pub label_sets: usize,
    /// Outstanding leases that are followed one by one, where logs are read
    #[arg(long = "ledger.capacity", value_name = "N", default_value_t = 1_000_000)]
    pub ledger_capacity: usize,
    /// error, warn, info, debug or trace
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "warn", value_parser = OutputConfig::parse_level)]
    pub log_level: String,
    /// Form of leasewatch's own log on standard error
    #[arg(long = "log.format", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl LeasesArgs {
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

/// How leases are, to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LeaseCondition {
    /// 15 seconds or more past its TTL, without a word of its end.
    Overdue,
    /// Its revocation failed, and Vault will try again.
    Retrying,
    /// Vault has given up: presumed irrevocable.
    Stuck,
    /// Within its TTL.
    Live,
}

/// What groups of leases have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LeaseGroups {
    /// Namespace, mount and role.
    Role,
    /// Whoever asked for them.
    Requester,
}

/// Form of what `leases` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LeasesFormat {
    /// For people.
    Text,
    /// One JSON document; docs/leases.md says what is in it.
    Json,
}

fn not_empty(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("write a name".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| "write a time such as 2026-01-02T03:04:05Z".to_owned())
}

/// What `check-config` takes.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// The settings.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Ask Vault and the receivers of what is pushed, too
    #[arg(long)]
    pub online: bool,
}

/// The settings, from the table.
#[derive(Clone, Debug)]
pub struct SettingArgs {
    /// What was typed.
    pub flags: Flags,
}

impl Args for SettingArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        command.args(setting::ALL.iter().filter_map(|setting| argument(setting)))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for SettingArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut args = Self { flags: Flags::default() };
        args.update_from_arg_matches(matches)?;
        Ok(args)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        for setting in setting::ALL {
            let Some(flag) = setting.flag else { continue };
            let texts = match setting.kind {
                Kind::Switch => matches.get_flag(flag).then(|| vec!["true".to_owned()]),
                _ => matches.get_many::<String>(flag).map(|texts| texts.cloned().collect()),
            };
            if let Some(texts) = texts {
                self.flags.0.insert(flag, texts);
            }
        }
        Ok(())
    }
}

fn argument(setting: &'static Setting) -> Option<Arg> {
    let flag = setting.flag?;
    let arg = Arg::new(flag).long(flag);
    let (arg, more) = match setting.kind {
        Kind::Text(name) => (arg.value_name(name), String::new()),
        Kind::List(name) => (arg.value_name(name).action(ArgAction::Append), " (may be repeated)".to_owned()),
        Kind::Integer | Kind::Number => (arg.value_name("N"), String::new()),
        Kind::Duration => (arg.value_name("DURATION"), String::new()),
        Kind::Switch => (arg.action(ArgAction::SetTrue), String::new()),
        // Not checked here: `config` says the same for flag, variable and file.
        Kind::Choice(words) => (arg.value_name("WORD"), format!(": {}", words.join(" or "))),
    };
    let variables = setting.variables.join(", ");
    let default = match setting.default {
        "none" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let help = format!("{}{more} [env: {variables}]{default}", setting.help);
    Some(arg.help(help).help_heading(heading(setting)))
}

/// Under what `--help` lists a setting.
fn heading(setting: &Setting) -> &'static str {
    match setting.key.and_then(|key| key.split_once('.')) {
        Some(("vault", _)) => "Vault's API",
        Some(("anomaly", _)) => "Anomaly scores",
        Some(("push", _)) => "Pushing",
        Some(("web" | "checkpoint" | "labels" | "ledger" | "log", _)) => "Serving",
        _ => "Logs and state",
    }
}
