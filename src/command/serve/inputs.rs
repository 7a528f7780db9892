//! The inputs of `serve`: every configured log as a tail that goes on where
//! the checkpoint says.

use super::feed::Feed;
use crate::config::{Config, LogConfig, LogKind, StartAt};
use crate::event::Timestamp;
use crate::pipeline::{Input, Lines, Pipeline, SavedSource};
use crate::source::{Container, LogPath, Tail, TailOptions, expand};
use crate::state::Limits;
use crate::store::{Checkpoint, Loaded, Spool, Store};
use anyhow::Context;
use std::collections::BTreeMap;
use std::path::PathBuf;

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
        paths: Vec::new(),
    };
    // Observations come first among events of the same time: what is known of
    // a request has to be known before its entry is counted.
    let path = opened.observations.path().to_owned();
    let own =
        LogConfig { name: OBSERVATIONS.to_owned(), kind: LogKind::Server, path: String::new(), node: None };
    let mut inputs = Vec::new();
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
            opened.feeds.push(Feed { spool, max_line_bytes: config.max_line_bytes });
            options.start_at = StartAt::Beginning;
            vec![path]
        } else {
            expand(&log.path)?
        };
        let several = paths.len() > 1;
        for (number, path) in paths.into_iter().enumerate() {
            let mut log = log.clone();
            if several && number > 0 {
                log.name = format!("{}-{}", log.name, number + 1);
            }
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
            None => (None, Default::default(), Timestamp::MIN),
        };
        let max_line_bytes = options.max_line_bytes;
        let tail = Tail::new(path, options, position.clone());
        let source = Container::new(tail, position.as_ref(), max_line_bytes);
        Input::new(log.name.clone(), lines, Box::new(source)).resumed(stats, floor)
    }
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
