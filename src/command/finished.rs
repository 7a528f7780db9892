//! Finished logs: files that are all there, folded once, up to a moment or to their end. Reads no
//! clock: the same files come to the same state.

use super::crew::Crew;
use super::meter::Meter;
use super::period::Period;
use super::pieces::open;
use crate::anomaly::Baseline;
use crate::config::LogKind;
use crate::event::{Event, Timestamp};
use crate::pipeline::{Pipeline, Progress};
use crate::report::{Course, Opening};
use crate::snapshot::Family;
use crate::state::Limits;
use anyhow::bail;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

/// Lines between two looks at the time.
const BATCH: usize = 10_000;

/// Which logs, and how far.
pub(super) struct Finished<'a> {
    /// Audit logs, rotated files in any order; `-` is standard input.
    pub(super) audit: &'a [String],
    /// Server logs, likewise.
    pub(super) server: &'a [String],
    /// The moment to read up to, at which the numbers hold; the end without one.
    pub(super) at: Option<Timestamp>,
    /// What is counted.
    pub(super) period: Period,
    /// Threads that work on it; 0 is one for each core. What comes of it does not depend on them.
    pub(super) threads: usize,
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
    /// What there was before the period.
    pub(super) opening: Option<Opening>,
    /// Somebody had enough: it is not all.
    pub(super) is_interrupted: bool,
}

/// What is wanted beside the numbers.
pub(super) struct Wanted<'t> {
    /// The course of the numbers: it costs some time.
    pub(super) course: bool,
    /// What of the numbers is in it.
    pub(super) only: &'t dyn Fn(Vec<Family>) -> Vec<Family>,
    /// Hears of every event, of those before the period too, with the place of its source.
    pub(super) tell: &'t mut dyn FnMut(usize, &Event),
    /// Whether somebody has had enough.
    pub(super) enough: &'t dyn Fn() -> bool,
}

impl Finished<'_> {
    /// Reads them all, and says what could not be read.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub(super) fn read(self) -> anyhow::Result<Pipeline> {
        let wanted =
            Wanted { course: false, only: &|families| families, tell: &mut |_, _| (), enough: &|| false };
        Ok(self.read_with(wanted)?.pipeline)
    }

    /// The same, with what else is wanted.
    ///
    /// # Errors
    /// A file that cannot be opened; logs that end before the period begins, or begin after its end.
    pub(super) fn read_with(mut self, wanted: Wanted<'_>) -> anyhow::Result<Read> {
        let Wanted { course: wants_course, only, tell, enough } = wanted;
        let crew = Crew::of(self.threads)?;
        let mut progress = Meter::new(self.bytes());
        let mut pipeline = self.pipeline(&crew, progress.read())?;
        let until = self.at.or(self.period.until).unwrap_or(Timestamp::from_nanos(i64::MAX));
        let opening = match self.period.since {
            Some(since) => Some(Self::open_at(&mut pipeline, since, tell, enough, &mut progress)?),
            None => None,
        };
        let counted = |pipeline: &Pipeline, at: Timestamp| match &opening {
            Some(opening) => only(opening.rest(pipeline.families(at))),
            None => only(pipeline.families(at)),
        };
        let mut course = None;
        let mut is_interrupted = false;
        loop {
            let to = match &course {
                _ if !wants_course => until,
                Some(course) => Course::next(course).min(until),
                None => Timestamp::MIN,
            };
            let goes_on = &mut |pipeline: &Pipeline| {
                progress.show(pipeline);
                !enough()
            };
            if !read_to(&mut pipeline, to, tell, goes_on) {
                is_interrupted = true;
                break;
            }
            let Some(next) = pipeline.next_at().filter(|next| *next <= until) else { break };
            let course = course.get_or_insert_with(|| Course::new(self.period.begins(&pipeline, next)));
            while course.next() < next {
                pipeline.advance(course.next());
                course.add(&counted(&pipeline, course.next()));
                progress.show(&pipeline);
            }
        }
        progress.clear();
        if let (Some(until), Some(first)) = (self.period.until, pipeline.next_at())
            && pipeline.front() == Timestamp::MIN
        {
            bail!("the logs begin at {first}, after --until {until}");
        }
        match (self.at, self.period.until) {
            _ if is_interrupted => {}
            (Some(at), _) => pipeline.advance(at),
            // Nothing is said about the time behind the end of the logs.
            (None, Some(until)) if pipeline.next_at().is_some() => pipeline.advance(until),
            _ => pipeline.close(),
        }
        if let Some(course) = &mut course {
            course.add(&counted(&pipeline, pipeline.front()));
        }
        Ok(Read { pipeline, course, opening, is_interrupted })
    }

    /// Bytes of all files, as far as they are files.
    pub(super) fn bytes(&self) -> Option<u64> {
        let files = self.audit.iter().chain(self.server);
        files.map(|file| Some(std::fs::metadata(file).ok()?.len())).sum()
    }

    /// All of them, read ahead by a crew, of which nothing is applied yet; it has learnt what the baseline
    /// knows, which is taken. `read` hears how many bytes
    /// of the files are read.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub(super) fn pipeline(&mut self, crew: &Crew, read: &Arc<AtomicU64>) -> anyhow::Result<Pipeline> {
        let mut inputs = Vec::new();
        // A server log's line comes before the audit entry of the same moment.
        for (kind, files) in [(LogKind::Server, self.server), (LogKind::Audit, self.audit)] {
            inputs.extend(open(kind, files, self.max_line_bytes, crew.ahead(), read)?);
        }
        let mut pipeline = Pipeline::new(self.limits, inputs);
        if let Some(baseline) = self.baseline.take() {
            pipeline.anomalies_mut().adopt(baseline);
        }
        Ok(pipeline)
    }

    /// Reads up to the beginning of the period, and takes note of what there is.
    fn open_at(
        pipeline: &mut Pipeline,
        since: Timestamp,
        tell: &mut dyn FnMut(usize, &Event),
        enough: &dyn Fn() -> bool,
        progress: &mut Meter,
    ) -> anyhow::Result<Opening> {
        let before = since.plus_nanos(-1);
        let goes_on = &mut |pipeline: &Pipeline| {
            progress.show(pipeline);
            !enough()
        };
        if !read_to(pipeline, before, tell, goes_on) {
            progress.clear();
            bail!("interrupted at {}, before the period begins: nothing of it is known", pipeline.front());
        }
        if pipeline.next_at().is_none() {
            progress.clear();
            bail!("the logs end at {}, before --since {since}", pipeline.front());
        }
        if pipeline.front() > Timestamp::MIN {
            pipeline.advance(before);
        }
        pipeline.keep_roles();
        let sources = pipeline.inputs().iter().map(|input| input.stats().clone());
        Ok(Opening::new(pipeline.opening(before), sources.collect()))
    }
}

/// Applies all up to `to`. `goes_on` is asked now and then; whether it never said no.
pub(super) fn read_to(
    pipeline: &mut Pipeline,
    to: Timestamp,
    tell: &mut dyn FnMut(usize, &Event),
    goes_on: &mut dyn FnMut(&Pipeline) -> bool,
) -> bool {
    // The wall clock plays no part where every log has an end.
    while pipeline.run_telling(Instant::now(), Timestamp::MIN, to, BATCH, tell) != Progress::Done {
        if !goes_on(pipeline) {
            return false;
        }
    }
    true
}
