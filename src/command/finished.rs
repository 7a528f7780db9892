//! Finished logs: files that are all there, folded once, up to a moment or to their end. Reads no
//! clock: the same files come to the same state.

use crate::anomaly::{Baseline, Settings};
use crate::config::LogKind;
use crate::event::Timestamp;
use crate::pipeline::{Input, Lines, Pipeline, Progress};
use crate::report::Course;
use crate::source::{self, Archive, Container};
use crate::state::Limits;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Lines between two looks at the time.
const BATCH: usize = 10_000;
/// How often progress is shown on a terminal.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Which logs, and how far.
pub(super) struct Finished<'a> {
    /// Audit logs, rotated files in any order; `-` is standard input.
    pub(super) audit: &'a [String],
    /// Server logs, likewise.
    pub(super) server: &'a [String],
    /// The moment to read up to; the end without one.
    pub(super) at: Option<Timestamp>,
    /// A longer line is counted as unreadable.
    pub(super) max_line_bytes: usize,
    /// How much there may be.
    pub(super) limits: Limits,
    /// What was learnt before.
    pub(super) baseline: Option<Baseline>,
}

/// What finished logs came to.
pub(super) struct Read {
    /// All of it.
    pub(super) pipeline: Pipeline,
    /// How the numbers went, where that was asked for.
    pub(super) course: Option<Course>,
}

impl Finished<'_> {
    /// Reads them all, and says what could not be read.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub(super) fn read(self) -> anyhow::Result<Pipeline> {
        Ok(self.read_with(false)?.pipeline)
    }

    /// The same, with the course of the numbers if that is wanted: it costs some time.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub(super) fn read_with(self, wants_course: bool) -> anyhow::Result<Read> {
        let mut inputs = Vec::new();
        // A server log's line comes before the audit entry of the same moment.
        for (kind, files) in [(LogKind::Server, self.server), (LogKind::Audit, self.audit)] {
            inputs.extend(open(kind, files, self.max_line_bytes)?);
        }
        let mut pipeline = Pipeline::new(self.limits, inputs);
        if let Some(baseline) = self.baseline {
            pipeline.anomalies_mut().adopt(baseline);
        }
        let until = self.at.unwrap_or(Timestamp::from_nanos(i64::MAX));
        let mut progress = Meter::new();
        let mut course = None;
        loop {
            let to = match &course {
                _ if !wants_course => until,
                Some(course) => Course::next(course).min(until),
                None => Timestamp::MIN,
            };
            // The wall clock plays no part where every log has an end.
            while pipeline.run(Instant::now(), Timestamp::MIN, to, BATCH) != Progress::Done {
                progress.show(&pipeline);
            }
            let Some(next) = pipeline.next_at().filter(|next| *next <= until) else { break };
            let course = course.get_or_insert_with(|| Course::new(next));
            while course.next() < next {
                pipeline.advance(course.next());
                course.add(&pipeline.families(course.next()));
                progress.show(&pipeline);
            }
        }
        progress.clear();
        match self.at {
            Some(at) => pipeline.advance(at),
            None => pipeline.close(),
        }
        if let Some(course) = &mut course {
            course.add(&pipeline.families(pipeline.front()));
        }
        for input in pipeline.inputs() {
            if let Some(trouble) = input.status().trouble {
                tracing::error!(source = %input.name, "{trouble}");
            }
        }
        Ok(Read { pipeline, course })
    }
}

/// One input for each log: its rotated files in the order of their time.
///
/// # Errors
/// A file that cannot be opened.
pub(super) fn open(kind: LogKind, files: &[String], max_line_bytes: usize) -> anyhow::Result<Vec<Input>> {
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
    let mut pipeline =
        Pipeline::new(Limits { label_sets: 0, leases: 0, anomaly: Settings::OFF }, vec![input]);
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
