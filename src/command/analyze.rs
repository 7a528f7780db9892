//! `analyze`: finished logs through the same pipeline as `serve`, once, and a
//! report at the end. Reads no clock: the same files give the same output.

use crate::cli::{AnalyzeArgs, Format};
use crate::config::LogKind;
use crate::event::Timestamp;
use crate::exposition::render;
use crate::pipeline::{Input, Lines, Pipeline, Progress};
use crate::report::{Report, json, text};
use crate::snapshot::Snapshot;
use crate::source::{self, Archive, Container};
use crate::state::Limits;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Lines between two looks at the time.
const BATCH: usize = 10_000;
/// How often progress is shown on a terminal.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Reads, counts, prints.
///
/// # Errors
/// A file that cannot be opened, or output that cannot be written.
pub fn run(args: &AnalyzeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let mut inputs = Vec::new();
    // A server log's line comes before the audit entry of the same moment.
    for (kind, files) in [(LogKind::Server, &args.server_log), (LogKind::Audit, &args.files)] {
        inputs.extend(open(kind, files, args.max_line_bytes)?);
    }
    let mut pipeline = Pipeline::new(Limits { label_sets: args.label_sets, ..Limits::default() }, inputs);
    let until = args.at.unwrap_or(Timestamp::from_nanos(i64::MAX));
    let mut progress = Meter::new();
    // The wall clock plays no part where every log has an end.
    while pipeline.run(Instant::now(), Timestamp::MIN, until, BATCH) != Progress::Done {
        progress.show(&pipeline);
    }
    progress.clear();
    if args.at.is_none() {
        pipeline.close();
    }
    if let Some(at) = args.at {
        pipeline.advance(at);
    }
    for input in pipeline.inputs() {
        if let Some(trouble) = input.status().trouble {
            tracing::error!(source = %input.name, "{trouble}");
        }
    }
    let as_of = args.at.unwrap_or(pipeline.front());
    let report = Report {
        snapshot: Snapshot { as_of, families: pipeline.families(as_of) },
        sources: pipeline.inputs().iter().map(|input| (input.name.clone(), input.stats().clone())).collect(),
    };
    match args.format {
        Format::Prom => {
            warn_unreadable(&report);
            out.write_all(&render(&report.snapshot)?)?;
        }
        Format::Json => out.write_all(json(&report).as_bytes())?,
        Format::Text => out.write_all(text(&report).as_bytes())?,
    }
    out.flush()?;
    Ok(())
}

/// One input for each log: its rotated files in the order of their time.
fn open(kind: LogKind, files: &[String], max_line_bytes: usize) -> anyhow::Result<Vec<Input>> {
    let mut logs: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut stdin = false;
    for file in files {
        if file == "-" {
            stdin = true;
        } else {
            let path = PathBuf::from(file);
            logs.entry(source::log_of(&path)).or_default().push(path);
        }
    }
    let mut inputs = Vec::new();
    let mut add = |name: String, pieces: Vec<source::Input>| -> anyhow::Result<()> {
        let archive = Archive::new(pieces, max_line_bytes)?;
        let lines = Container::new(archive, None, max_line_bytes);
        inputs.push(Input::new(name, Lines::Log(kind), Box::new(lines)));
        Ok(())
    };
    for (log, mut paths) in logs {
        if paths.len() > 1 {
            paths.sort_by_cached_key(|path| first_time(kind, path));
        }
        add(log.display().to_string(), paths.into_iter().map(source::Input::File).collect())?;
    }
    if stdin {
        add(
            "-".to_owned(),
            vec![source::Input::Stream("standard input".to_owned(), Box::new(std::io::stdin()))],
        )?;
    }
    Ok(inputs)
}

/// The time of the first line of a file that has one; files without any come last.
fn first_time(kind: LogKind, path: &Path) -> Timestamp {
    const LOOK_AT: usize = 1_000;
    let never = Timestamp::from_nanos(i64::MAX);
    let Ok(archive) = Archive::new(vec![source::Input::File(path.to_owned())], 32 << 20) else {
        return never;
    };
    let input = Input::new("", Lines::Log(kind), Box::new(Container::new(archive, None, 32 << 20)));
    let mut pipeline = Pipeline::new(Limits { label_sets: 0, leases: 0 }, vec![input]);
    for _ in 0..LOOK_AT {
        let progress = pipeline.run(Instant::now(), Timestamp::MIN, never, 1);
        if pipeline.front() > Timestamp::MIN {
            return pipeline.front();
        }
        if progress == Progress::Done {
            break;
        }
    }
    never
}

fn warn_unreadable(report: &Report) {
    for (name, stats) in &report.sources {
        for (reason, count) in &stats.unreadable {
            tracing::warn!(source = %name, %reason, count, "Lines could not be read");
        }
    }
}

/// Progress for a person who waits: on a terminal only.
struct Meter {
    started: Instant,
    next: Instant,
    shows: bool,
}

impl Meter {
    fn new() -> Self {
        let now = Instant::now();
        Self { started: now, next: now + PROGRESS_EVERY, shows: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, pipeline: &Pipeline) {
        if !self.shows || Instant::now() < self.next {
            return;
        }
        self.next = Instant::now() + PROGRESS_EVERY;
        let sum = |of: fn(&Input) -> u64| pipeline.inputs().iter().map(of).sum::<u64>();
        let lines = sum(|input| input.stats().lines);
        let megabytes = sum(|input| input.stats().bytes) as f64 / 1e6;
        let rate = megabytes / self.started.elapsed().as_secs_f64();
        eprint!("\r\x1b[K{lines} lines, {megabytes:.0} MB, {rate:.0} MB/s, at {}", pipeline.front());
    }

    fn clear(&self) {
        if self.shows {
            eprint!("\r\x1b[K");
        }
    }
}
