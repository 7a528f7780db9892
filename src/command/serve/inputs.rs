//! The inputs of `serve`: every configured log as a tail that goes on where
//! the checkpoint says.

use super::feed::Feeds;
use super::notebook::Notebook;
use crate::command::scores::{baseline, settings};
use crate::config::{Config, LogConfig, LogKind, StartAt};
use crate::event::Timestamp;
use crate::pipeline::{Input, Lines, Pipeline, SavedSource, Stats};
use crate::source::{Container, LineSource, LogPath, Received, Tail, TailOptions, expand};
use crate::state::Limits;
use crate::store::{Checkpoint, Loaded, Store};
use anyhow::Context;
use std::path::{Path, PathBuf};

/// Name of the source with the exporter's own observations.
pub(super) const OBSERVATIONS: &str = "observations";

/// How the pages call an audit log.
pub(super) const AUDIT_LOG: &str = "audit log";

/// All that is read.
pub(super) struct Opened {
    /// Until it is taken.
    pub(super) pipeline: Option<Pipeline>,
    /// Every log by its place in the pipeline.
    pub(super) names: Vec<Named>,
    /// The live file of every spool, by the name of its source.
    pub(super) spools: Vec<(String, PathBuf)>,
    /// Near these files something may happen.
    pub(super) paths: Vec<PathBuf>,
    pub(super) globs: Globs,
}

/// A log as its pages name it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) node: Option<String>,
    pub(super) path: String,
}

/// The globs that may come to match further logs, such as those of a new node.
#[derive(Debug)]
pub(super) struct Globs {
    logs: Vec<LogConfig>,
    max_line_bytes: usize,
}

/// Opens every log. What cannot be read is no error: it may come.
pub(super) fn open(
    config: &Config,
    store: &Store,
    notebook: &Notebook,
    feeds: &mut Feeds,
) -> anyhow::Result<Opened> {
    let mut saved = load(store)?;
    let mut earlier = saved.as_mut().map(|saved| std::mem::take(&mut saved.sources)).unwrap_or_default();
    let mut found: Vec<(Named, Input)> = Vec::new();
    let observations = notebook.path();
    let mut paths = vec![observations.to_owned()];
    // Observations come first among events of the same time: what is known of
    // a request has to be known before its entry is counted.
    let own =
        LogConfig { name: OBSERVATIONS.to_owned(), kind: LogKind::Server, path: String::new(), node: None };
    let unbounded =
        TailOptions { start_at: StartAt::Beginning, max_line_bytes: usize::MAX, ..TailOptions::default() };
    let mut spools = vec![(OBSERVATIONS.to_owned(), observations.to_owned())];
    let before = earlier.remove(OBSERVATIONS);
    let path = LogPath::plain(observations);
    found.push(input(&own, own.name.clone(), Lines::Observations, path, unbounded, before));

    // A server log's line comes before the audit entry of the same moment.
    let logs = of_nodes(config);
    let (server, audit): (Vec<_>, Vec<_>) = logs.iter().partition(|log| log.kind == LogKind::Server);
    for log in server.into_iter().chain(audit) {
        let mut options = TailOptions {
            start_at: config.start_at,
            max_line_bytes: config.max_line_bytes,
            ..TailOptions::default()
        };
        let denoted = if log.path == "-" {
            let live = feeds
                .open(store, &format!("stdin-{}", file_name(&log.name)), config.max_line_bytes)
                .context("cannot open the spool of standard input in the state folder")?;
            let path = LogPath::plain(&live);
            spools.push((log.name.clone(), live));
            options.start_at = StartAt::Beginning;
            vec![path]
        } else if log.receiver().is_some() {
            let live = store.path(&spool_of(&log.name));
            let path = LogPath::plain(&live);
            spools.push((log.name.clone(), live));
            options.start_at = StartAt::Beginning;
            vec![path]
        } else {
            expand(&log.path)?
        };
        for path in denoted {
            let name = source_name(log, path.path());
            if found.iter().any(|(other, _)| other.name == name) {
                anyhow::bail!(
                    "{} would have the name `{name}` of another log: name the logs, as NAME=PATH",
                    path.path().display()
                );
            }
            if !path.path().exists() {
                tracing::warn!(
                    source = %name,
                    path = %path.path().display(),
                    "This log does not exist yet; it is read from its beginning once it does. If it never \
                     does, look at file_path of the audit device, and at the mount of its volume"
                );
            }
            paths.push(path.path().to_owned());
            let before = earlier.remove(&name);
            found.push(input(log, name, Lines::Log(log.kind), path, options.clone(), before));
        }
    }
    let logs: Vec<_> =
        logs.into_iter().filter(|log| is_glob(&log.path) && log.receiver().is_none()).collect();
    earlier.retain(|name, _| {
        let may_come = logs.iter().any(|log| name.starts_with(&log.name));
        if !may_come {
            tracing::warn!(
                source = %name,
                "The checkpoint knows a log that is not configured any more; it is forgotten with the next \
                 checkpoint. If it was renamed, stop, and name it as before"
            );
        }
        may_come
    });
    let (names, inputs) = found.into_iter().unzip();
    let limits = Limits {
        label_sets: config.label_sets,
        leases: config.ledger_capacity,
        anomaly: settings(&config.anomaly),
    };
    let mut pipeline = match saved {
        Some(saved) => Pipeline::resume(saved.applied, saved.front, saved.state, limits, inputs),
        None => Pipeline::new(limits, inputs),
    };
    pipeline.keep_absent(earlier);
    if let Some(path) = &config.anomaly.baseline
        && pipeline.state().anomalies().episodes().began().is_none()
    {
        let learnt = baseline(path)?;
        let (from, until, subjects) = (learnt.from, learnt.until, learnt.subjects());
        if pipeline.anomalies_mut().adopt(learnt) {
            tracing::info!(%from, %until, subjects, "Scoring begins with what was learnt before");
        }
    }
    let globs = Globs { logs, max_line_bytes: config.max_line_bytes };
    Ok(Opened { pipeline: Some(pipeline), names, spools, paths, globs })
}

impl Globs {
    /// The logs that the globs match now. Looks at folders, which may be slow.
    pub(super) fn matches(&self) -> Vec<(&LogConfig, LogPath)> {
        // Malformed globs were refused at the start.
        let denoted = |log: &LogConfig| expand(&log.path).unwrap_or_default();
        self.logs.iter().flat_map(|log| denoted(log).into_iter().map(move |path| (log, path))).collect()
    }

    /// Those of `matches` that are not read yet.
    pub(super) fn unread(
        &self,
        matches: Vec<(&LogConfig, LogPath)>,
        pipeline: &mut Pipeline,
    ) -> Vec<(Named, Input)> {
        let mut found = Vec::new();
        for (log, path) in matches {
            let name = source_name(log, path.path());
            if pipeline.inputs().iter().any(|input| input.name == name) {
                continue;
            }
            tracing::info!(source = %name, path = %path.path().display(), "Found a new log");
            let before = pipeline.take_absent(&name);
            let options = TailOptions { max_line_bytes: self.max_line_bytes, ..TailOptions::default() };
            found.push(input(log, name, Lines::Log(log.kind), path, options, before));
        }
        found
    }
}

/// Name of the spool of a log that is received.
pub(super) fn spool_of(log: &str) -> String {
    format!("received-{}", file_name(log))
}

fn input(
    log: &LogConfig,
    name: String,
    lines: Lines,
    path: LogPath,
    options: TailOptions,
    before: Option<SavedSource>,
) -> (Named, Input) {
    let shown = match log.path.as_str() {
        "-" => "standard input".to_owned(),
        address if log.receiver().is_some() => address.to_owned(),
        _ => path.path().display().to_string(),
    };
    let kind = match (lines, log.kind) {
        (Lines::Observations, _) => "own observations",
        (_, LogKind::Audit) => AUDIT_LOG,
        (_, LogKind::Server) => "server log",
    };
    let named = Named { name: name.clone(), kind, node: log.node.clone(), path: shown };
    let (position, stats, floor) = match before {
        Some(saved) => (Some(saved.position), saved.stats, saved.floor),
        None => (None, Stats::default(), Timestamp::MIN),
    };
    let max_line_bytes = options.max_line_bytes;
    let tail = Tail::new(path, options, position.clone());
    let source = Container::new(tail, position.as_ref(), max_line_bytes);
    let source: Box<dyn LineSource> =
        if log.receiver().is_some() { Box::new(Received::new(source)) } else { Box::new(source) };
    (named, Input::new(name, lines, source).of_node(log.node.as_deref()).resumed(stats, floor))
}

/// The logs, each with its node: where there is only one, they are its.
fn of_nodes(config: &Config) -> Vec<LogConfig> {
    let only = if let [node] = &config.nodes[..] { Some(node.name.clone()) } else { None };
    let with = |log: &LogConfig| LogConfig { node: log.node.clone().or_else(|| only.clone()), ..log.clone() };
    config.logs.iter().map(with).collect()
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The label of a log that a path or glob denotes. Where the wildcard stands
/// for rotations alone it is the configured name; where it tells logs apart,
/// what it stands for comes behind. It must not depend on how many there are
/// today: a log's position belongs to its name.
fn source_name(log: &LogConfig, live: &Path) -> String {
    let live = live.to_string_lossy();
    let wild = |c| matches!(c, '*' | '?' | '[' | ']');
    let (Some(first), Some(last)) = (log.path.find(wild), log.path.rfind(wild)) else {
        return log.name.clone();
    };
    let (front, back) = (&log.path[..first], &log.path[last + 1..]);
    let Some(rest) = live.strip_prefix(front) else { return log.name.clone() };
    let part = rest.strip_suffix(back).unwrap_or(rest);
    let part = part.replace('/', "-");
    let part = part.trim_matches(['-', '.']);
    if part.is_empty() { log.name.clone() } else { format!("{}-{part}", log.name) }
}

fn load(store: &Store) -> anyhow::Result<Option<crate::pipeline::Saved>> {
    match Checkpoint::new(store).load()? {
        Loaded::Nothing => Ok(None),
        Loaded::Saved(saved) => Ok(Some(*saved)),
        Loaded::SetAside { path, reason } => {
            tracing::error!(
                aside = %path.display(),
                %reason,
                "The checkpoint cannot be read and was moved aside: counting begins anew. \
                 To keep the numbers, stop, bring the matching version back, and move the file back"
            );
            Ok(None)
        }
    }
}

/// A source's name as part of a file's name.
fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_name_however_many_there_are() {
        let name = |pattern: &str, live: &str| {
            let log =
                LogConfig { name: "audit".into(), kind: LogKind::Audit, path: pattern.into(), node: None };
            source_name(&log, Path::new(live))
        };
        assert_eq!(name("/v/audit.log", "/v/audit.log"), "audit");
        assert_eq!(name("/v/audit.log*", "/v/audit.log"), "audit");
        assert_eq!(name("/v/audit.log-*", "/v/audit.log"), "audit");
        assert_eq!(name("/v/*/audit.log", "/v/node-a/audit.log"), "audit-node-a");
        assert_eq!(name("/v/*/audit.log*", "/v/node-a/audit.log"), "audit-node-a-audit.log");
        assert_eq!(name("/v/node-[ab].log", "/v/node-b.log"), "audit-b");
        assert_eq!(name("/v/*/audit.log", "/v/node_a/audit.log"), "audit-node_a");
    }
}
