//! What `analyze` takes.

use super::{not_empty, parse_time};
use crate::config::{ALARM_BUDGET, LogFormat, OutputConfig, parse_duration};
use crate::event::Timestamp;
use clap::{ArgGroup, Args, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

/// Between two samples at most.
const MOST: Duration = Duration::from_secs(86_400);

/// What `analyze --help` ends with.
pub(super) const EXAMPLES: &str = "\
Episodes of anomalies are in the report from the score of a notice on; --min-score 0 gives all of them.
--lease, --entity and --role tell one story instead of the report, as text, JSON or Markdown; the logs are read
several times for it. --db-user goes the other way, from a name in a database's log to who may have got it.
--backtest learns from the first part of the logs (four weeks, or half of them) and says how often the
rest would have paged. --learn keeps what was learnt for `serve --anomaly.baseline FILE`.

Examples:
  leasewatch analyze /var/log/vault/audit.log*
  leasewatch analyze /var/log/vault/
  zcat audit.log.*.gz | leasewatch analyze - --format json
  leasewatch analyze audit.log --server-log server.log --format prom --at 2026-01-02T03:04:05Z
  leasewatch analyze /var/log/vault/ --format html > report.html
  leasewatch analyze /var/log/vault/ --format openmetrics --label job=leasewatch --label instance=vault-1:9748 > past.om
  leasewatch analyze /var/log/vault/ --events events.parquet
  leasewatch analyze /var/log/vault/ --since 24h
  leasewatch analyze /var/log/vault/ --since 1h --compare 7d
  leasewatch analyze audit.log* --since 2026-01-02T03:00:00Z --until 2026-01-02T04:00:00Z
  leasewatch analyze /var/log/vault/ --lease database/creds/app/h2JxFQmAMRYQ6zZLjyNuVfnq
  leasewatch analyze /var/log/vault/ --entity app-2 --since 24h
  leasewatch analyze /var/log/vault/ --role database/app --format json
  leasewatch analyze /var/log/vault/ --db-user v-kubernet-app-h2JxFQmAMRYQ6zZLjyNu-1767323045
  leasewatch analyze /var/log/vault/ --mount database/ --since 7d
  leasewatch analyze /var/log/vault/ --only-role database/app
  leasewatch analyze /var/log/vault/ --entity app-2 --role database/app --source 10.1.0.0/16
  leasewatch analyze audit.log* --backtest --anomaly.alarm-budget 0.5
  leasewatch analyze audit.log* --learn baseline.json

Ctrl-C ends the reading and prints what is known so far; a second one ends at once.

Exit codes: 0 done, 1 a file could not be read or written, 2 bad usage, 130 interrupted.";

/// What `analyze` takes.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("topic").multiple(true))]
pub struct AnalyzeArgs {
    /// Audit logs, compressed or not; the rotated files of one log in any order; folders of logs of
    /// both kinds; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Server log of the same time, may be repeated
    #[arg(long, value_name = "FILE")]
    pub server_log: Vec<String>,
    /// Form of the output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Colours of the text: auto is on a terminal, unless `NO_COLOR` is set
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Moment at which the numbers hold, RFC 3339 [default: the last event]
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "until")]
    pub at: Option<Timestamp>,
    /// Count from here on: RFC 3339, or so long before the end of the logs (2h, 7d); what was before
    /// is read as an opening balance
    #[arg(long, value_name = "TIME", value_parser = parse_bound, conflicts_with = "backtest")]
    pub since: Option<Bound>,
    /// Count up to here, likewise; later lines are not read
    #[arg(long, value_name = "TIME", value_parser = parse_bound)]
    pub until: Option<Bound>,
    /// A label of every sample, such as job and instance, as Prometheus adds it to what it scrapes; may be
    /// repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_label, help_heading = "Samples for Prometheus")]
    pub label: Vec<(String, String)>,
    /// Between two samples; best what Prometheus scrapes by [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = parse_step, help_heading = "Samples for Prometheus")]
    pub step: Option<Duration>,
    /// Beside an earlier period, what changed: `previous` is the one of the same length right before, 7d the
    /// same one so long ago, SINCE..UNTIL any other
    #[arg(long, value_name = "PERIOD", value_parser = parse_compare, requires = "since")]
    #[arg(conflicts_with_all = ["topic", "at", "events", "learn", "min_score"])]
    pub compare: Option<Compare>,
    /// Also write every event as a row of this Parquet file, for a database to go on with; it names clients
    #[arg(long, value_name = "FILE", conflicts_with = "topic", help_heading = "Events for other programs")]
    pub events: Option<PathBuf>,
    /// Tell the story of this lease, by its ID or by the hash of it in an audit log
    #[arg(long, value_name = "LEASE_ID", value_parser = not_empty, group = "topic", help_heading = "One story")]
    #[arg(conflicts_with_all = ["entity", "role", "db_user"])]
    pub lease: Option<String>,
    /// Tell the story of this client: entity ID, display name, or the name it logged in with
    #[arg(long, value_name = "ID|NAME", value_parser = not_empty, group = "topic", help_heading = "One story")]
    pub entity: Option<String>,
    /// Tell the story of this role; beside --entity, what of the client's story is about it
    #[arg(long, value_name = "MOUNT/ROLE", value_parser = not_empty, group = "topic", help_heading = "One story")]
    pub role: Option<String>,
    /// Say who may have got this user of a database, by the default templates of user names
    #[arg(long, value_name = "NAME", value_parser = not_empty, group = "topic", help_heading = "One story")]
    #[arg(conflicts_with_all = ["entity", "role"])]
    pub db_user: Option<String>,
    /// Moments of a story that are told, the first and the last ones
    #[arg(long, value_name = "N", default_value_t = 1_000, requires = "topic", help_heading = "One story")]
    pub moments: usize,
    /// Only this namespace, without those below it; root is one too
    #[arg(long, value_name = "PATH", value_parser = not_empty, help_heading = "A part of it")]
    pub namespace: Option<String>,
    /// Only this mount, by its path in its namespace
    #[arg(long, value_name = "PATH", value_parser = not_empty, help_heading = "A part of it")]
    pub mount: Option<String>,
    /// Of the report, only this role; its name is what follows the last slash
    #[arg(long, value_name = "MOUNT/ROLE", value_parser = parse_role, help_heading = "A part of it")]
    #[arg(conflicts_with_all = ["topic", "mount", "backtest", "compare"])]
    pub only_role: Option<(String, String)>,
    /// Of a story, only requests from this address or network, and the leases that came of them
    #[arg(long, value_name = "ADDRESS|CIDR", requires = "topic", help_heading = "A part of it")]
    pub source: Option<String>,
    /// Show episodes from this score on, 0 to 100 [default: the score of a notice]
    #[arg(long, value_name = "N", value_parser = parse_score, help_heading = "Anomaly scores")]
    pub min_score: Option<f64>,
    /// Learn from the first part of the logs, and say how often the rest would have paged
    #[arg(long, help_heading = "Anomaly scores", conflicts_with_all = ["namespace", "mount"])]
    pub backtest: bool,
    /// Keep what was learnt in this file, for `serve --anomaly.baseline`
    #[arg(long, value_name = "FILE", help_heading = "Anomaly scores")]
    pub learn: Option<PathBuf>,
    /// Begin with what an earlier --learn has kept
    #[arg(long = "anomaly.baseline", value_name = "FILE", help_heading = "Anomaly scores")]
    pub baseline: Option<PathBuf>,
    /// How often a week an anomaly may page by chance
    #[arg(long = "anomaly.alarm-budget", value_name = "N", default_value_t = 1.0, value_parser = parse_budget)]
    #[arg(help_heading = "Anomaly scores")]
    pub alarm_budget: f64,
    /// Clients, roles and mounts that are learnt one by one
    #[arg(
        long = "anomaly.subjects",
        value_name = "N",
        default_value_t = 20_000,
        help_heading = "Anomaly scores"
    )]
    pub subjects: usize,
    /// Episodes that are kept, the highest
    #[arg(
        long = "anomaly.episodes",
        value_name = "N",
        default_value_t = 20_000,
        help_heading = "Anomaly scores"
    )]
    pub episodes: usize,
    /// Threads that read, 0 is one for each core; what comes out does not depend on it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,
    /// A longer line is counted as unreadable and skipped. Bytes
    #[arg(long = "max-line-bytes", value_name = "N", default_value_t = 32 << 20)]
    pub max_line_bytes: usize,
    /// Label sets in all; roles beyond it are counted under `(other)`
    #[arg(long = "labels.budget", value_name = "N", default_value_t = 2_000)]
    pub label_sets: usize,
    /// Outstanding leases that are followed one by one
    #[arg(long = "ledger.capacity", value_name = "N", default_value_t = 1_000_000)]
    pub ledger_capacity: usize,
    /// error, warn, info, debug or trace
    #[arg(long = "log.level", value_name = "LEVEL", default_value = "warn", value_parser = OutputConfig::parse_level)]
    pub log_level: String,
    /// Form of leasewatch's own log on standard error
    #[arg(long = "log.format", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

impl AnalyzeArgs {
    /// How it logs.
    pub fn output(&self) -> OutputConfig {
        OutputConfig { level: self.log_level.clone(), format: self.log_format }
    }
}

/// A bound of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A moment.
    At(Timestamp),
    /// So long before the end of the logs.
    Back(Duration),
}

/// What a period is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The one of the same length right before.
    Previous,
    /// The same, so long ago.
    Back(Duration),
    /// Any other.
    Period(Bound, Bound),
}

/// When text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Form of what `analyze` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// What /metrics would show.
    Prom,
    /// What Prometheus would have scraped, with times, for `promtool tsdb create-blocks-from openmetrics`.
    #[value(name = "openmetrics")]
    OpenMetrics,
    /// One JSON document.
    Json,
    /// Tables, for a ticket.
    Markdown,
    /// One page with charts, for a browser; needs no network.
    Html,
    /// For people.
    Text,
}

fn parse_bound(text: &str) -> Result<Bound, String> {
    if let Some(moment) = Timestamp::parse_rfc3339(text) {
        return Ok(Bound::At(moment));
    }
    parse_duration(text).map(Bound::Back).ok_or_else(|| {
        "write a moment such as 2026-01-02T03:04:05Z, or a time before the end of the logs such as 2h or 7d".to_owned()
    })
}

fn parse_compare(text: &str) -> Result<Compare, String> {
    if text == "previous" {
        return Ok(Compare::Previous);
    }
    if let Some((since, until)) = text.split_once("..") {
        return Ok(Compare::Period(parse_bound(since)?, parse_bound(until)?));
    }
    let back = parse_duration(text).filter(|back| !back.is_zero()).map(Compare::Back);
    back.ok_or_else(|| "write previous, how long ago it was (7d), or SINCE..UNTIL".to_owned())
}

fn parse_label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as job=leasewatch")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn parse_step(text: &str) -> Result<Duration, String> {
    let step = parse_duration(text).filter(|step| (Duration::from_secs(1)..=MOST).contains(step));
    step.ok_or_else(|| "write a time from 1s to 1d, such as 15s or 5m".to_owned())
}

fn parse_role(text: &str) -> Result<(String, String), String> {
    let parts =
        text.trim_matches('/').rsplit_once('/').filter(|(mount, role)| !mount.is_empty() && !role.is_empty());
    let parts = parts.map(|(mount, role)| (mount.to_owned(), role.to_owned()));
    parts.ok_or_else(|| "write the mount and the role, such as database/app".to_owned())
}

/// A score.
pub(super) fn parse_score(text: &str) -> Result<f64, String> {
    let score = text.parse().ok().filter(|score| (0.0..=100.0).contains(score));
    score.ok_or_else(|| "write a score from 0 to 100".to_owned())
}

fn parse_budget(text: &str) -> Result<f64, String> {
    let budget = text.parse().ok().filter(|budget| ALARM_BUDGET.contains(budget));
    budget.ok_or_else(|| format!("write a number from {} to {}", ALARM_BUDGET.start(), ALARM_BUDGET.end()))
}
