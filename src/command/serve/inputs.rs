//! The inputs of `serve`: every configured log as a tail that goes on where
//! the checkpoint says.

use super::feed::Feed;
use crate::config::{Config, LogConfig, LogKind, StartAt};
use crate::event::Timestamp;
use crate::pipeline::{Input, Lines, Pipeline, SavedSource, Stats};
use crate::source::{Container, LogPath, Tail, TailOptions, expand, log_of};
use crate::state::Limits;
use crate::store::{Checkpoint, Loaded, Spool, Store};
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Name of the source with the exporter's own observations.
pub(super) const OBSERVATIONS: &str = "observations";

/// How the pages call an audit log.
pub(super) const AUDIT_LOG: &str = "audit log";

/// All that is read.
pub(super) struct Opened {
    pub(super) pipeline: Pipeline,
    /// Every log by its place in the pipeline.
    pub(super) names: Vec<Named>,
    pub(super) observations: Spool,
    pub(super) feeds: Vec<Feed>,
    /// The live file of every spool, by the place of its source in the pipeline.
    pub(super) spools: Vec<(usize, PathBuf)>,
    /// Near these files something may happen.
    pub(super) paths: Vec<PathBuf>,
}

/// A log as its pages name it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) node: Option<String>,
    pub(super) path: String,
}

/// Opens every log. What cannot be read is no error: it may come.
pub(super) fn open(config: &Config, store: &Store) -> anyhow::Result<Opened> {
    let mut saved = load(store)?;
    let mut earlier = saved.as_mut().map(|saved| std::mem::take(&mut saved.sources)).unwrap_or_default();
    let observations =
        Spool::open(store, OBSERVATIONS).context("cannot open the observations in the state folder")?;

    let mut opened = Opened {
        pipeline: Pipeline::new(Limits { label_sets: 0 }, Vec::new()),
        names: Vec::new(),
        observations,
        feeds: Vec::new(),
        spools: Vec::new(),
        paths: Vec::new(),
    };
    // Observations come first among events of the same time: what is known of
    // a request has to be known before its entry is counted.
    let path = opened.observations.path().to_owned();
    let own =
        LogConfig { name: OBSERVATIONS.to_owned(), kind: LogKind::Server, path: String::new(), node: None };
    let mut inputs = Vec::new();
    opened.spools.push((0, path.clone()));
    let options =
        TailOptions { start_at: StartAt::Beginning, max_line_bytes: usize::MAX, ..TailOptions::default() };
    inputs.push(opened.input(&own, Lines::Observations, LogPath::plain(path), options, &mut earlier));

    // A server log's line comes before the audit entry of the same moment.
    let (server, audit): (Vec<_>, Vec<_>) = config.logs.iter().partition(|log| log.kind == LogKind::Server);
    for log in server.into_iter().chain(audit) {
        let mut options = TailOptions {
            start_at: config.start_at,
            max_line_bytes: config.max_line_bytes,
            ..TailOptions::default()
        };
        let paths = if log.path == "-" {
            let spool = Spool::open(store, &format!("stdin-{}", file_name(&log.name)))
                .context("cannot open the spool of standard input in the state folder")?;
            let path = LogPath::plain(spool.path());
            opened.spools.push((inputs.len(), spool.path().to_owned()));
            opened.feeds.push(Feed { spool, max_line_bytes: config.max_line_bytes });
            options.start_at = StartAt::Beginning;
            vec![path]
        } else {
            expand(&log.path)?
        };
        let others: Vec<_> = config.logs.iter().map(|log| log.name.as_str()).collect();
        let names = names(&log.name, &paths, &earlier, &others);
        for (name, path) in names.into_iter().zip(paths) {
            let log = LogConfig { name, ..log.clone() };
            inputs.push(opened.input(&log, Lines::Log(log.kind), path, options.clone(), &mut earlier));
        }
    }
    for name in earlier.keys() {
        tracing::warn!(
            source = %name,
            "The checkpoint knows a log that is not configured any more; it is forgotten with the next checkpoint. \
             If it was renamed, name it as before"
        );
    }
    let limits = Limits { label_sets: config.label_sets };
    opened.pipeline = match saved {
        Some(saved) => Pipeline::resume(saved.applied, saved.front, saved.state, limits, inputs),
        None => Pipeline::new(limits, inputs),
    };
    Ok(opened)
}

impl Opened {
    fn input(
        &mut self,
        log: &LogConfig,
        lines: Lines,
        path: LogPath,
        options: TailOptions,
        earlier: &mut BTreeMap<String, SavedSource>,
    ) -> Input {
        self.paths.push(path.path().to_owned());
        let shown =
            if log.path == "-" { "standard input".to_owned() } else { path.path().display().to_string() };
        self.names.push(Named {
            name: log.name.clone(),
            kind: match (lines, log.kind) {
                (Lines::Observations, _) => "own observations",
                (_, LogKind::Audit) => AUDIT_LOG,
                (_, LogKind::Server) => "server log",
            },
            node: log.node.clone(),
            path: shown,
        });
        let before = earlier.remove(&log.name);
        let (position, stats, floor) = match before {
            Some(saved) => (Some(saved.position), saved.stats, saved.floor),
            None => (None, Stats::default(), Timestamp::MIN),
        };
        let max_line_bytes = options.max_line_bytes;
        let tail = Tail::new(path, options, position.clone());
        let source = Container::new(tail, position.as_ref(), max_line_bytes);
        Input::new(log.name.clone(), lines, Box::new(source)).resumed(stats, floor)
    }
}

/// Names of the logs that one path or glob denotes: `NAME`, `NAME-2`, …, but for those in
/// `others`. A log keeps the name it had, whichever others appear or go: its position is kept
/// under it.
fn names(
    base: &str,
    paths: &[LogPath],
    earlier: &BTreeMap<String, SavedSource>,
    others: &[&str],
) -> Vec<String> {
    let numbered = |number| if number == 1 { base.to_owned() } else { format!("{base}-{number}") };
    // As many as there can be: the logs now and those before, besides the other logs.
    let family: Vec<String> = (1..=paths.len() + earlier.len() + others.len())
        .map(numbered)
        .filter(|name| name == base || !others.contains(&name.as_str()))
        .collect();
    if paths.len() == 1 && !family[1..].iter().any(|name| earlier.contains_key(name)) {
        return vec![base.to_owned()];
    }
    let had = |name: &String| {
        let position = &earlier.get(name)?.position;
        position.file.as_ref().map(|file| log_of(Path::new(&*file.path)))
    };
    let whose: Vec<Option<PathBuf>> = family.iter().map(had).collect();
    let mut free = family.iter().zip(&whose).filter(|(_, had)| had.is_none()).map(|(name, _)| name);
    let name = |path: &LogPath| {
        let real = path.path().canonicalize().unwrap_or_else(|_| path.path().to_owned());
        let is_it = |had: &Path| had == real || had == path.path();
        let known = whose.iter().position(|had| had.as_deref().is_some_and(is_it));
        known.map(|at| &family[at]).or_else(|| free.next()).map_or_else(|| base.to_owned(), String::clone)
    };
    paths.iter().map(name).collect()
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
    use crate::source::{FileId, FileMark, Mark, Position};

    #[test]
    fn a_log_keeps_its_name_when_a_glob_matches_another() {
        let paths = |names: &[&str]| -> Vec<LogPath> { names.iter().map(LogPath::plain).collect() };
        let read = |path: &str| {
            let mark = FileMark { head: Mark::default(), id: FileId { dev: 1, ino: 2 }, path: path.into() };
            SavedSource {
                position: Position { file: Some(mark.into()), ..Position::default() },
                floor: Timestamp::MIN,
                stats: crate::pipeline::Stats::default(),
            }
        };
        let mut earlier = BTreeMap::new();
        assert_eq!(names("audit", &paths(&["/l/b/audit.log"]), &earlier, &["audit"]), ["audit"]);
        assert_eq!(
            names("audit", &paths(&["/l/a/audit.log", "/l/b/audit.log"]), &earlier, &["audit"]),
            ["audit", "audit-2"]
        );
        assert_eq!(
            names("audit", &paths(&["/l/a/audit.log", "/l/b/audit.log"]), &earlier, &["audit", "audit-2"]),
            ["audit", "audit-3"]
        );
        // What was read last may have been a rotated file.
        earlier.insert("audit".to_owned(), read("/l/b/audit.log.1"));
        let both = paths(&["/l/a/audit.log", "/l/b/audit.log"]);
        assert_eq!(names("audit", &both, &earlier, &["audit"]), ["audit-2", "audit"]);
        // A log that was renamed in the configuration goes on where it was.
        assert_eq!(names("audit", &paths(&["/elsewhere/audit.log"]), &earlier, &["audit"]), ["audit"]);
        earlier.insert("audit-2".to_owned(), read("/l/a/audit.log"));
        assert_eq!(names("audit", &paths(&["/l/a/audit.log"]), &earlier, &["audit"]), ["audit-2"]);
        let all = paths(&["/l/0/audit.log", "/l/a/audit.log", "/l/b/audit.log"]);
        assert_eq!(names("audit", &all, &earlier, &["audit"]), ["audit-3", "audit-2", "audit"]);
    }
}
