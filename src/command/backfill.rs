//! `analyze --format openmetrics`: finished logs gone through as a Prometheus would have seen them that had
//! scraped from their beginning on, moment by moment. How samples are written is `report::Backfill`'s.

use super::analyze::{finished, narrow, warn_unreadable};
use super::crew::Crew;
use super::finished::{Finished, read_to};
use super::folder::Logs;
use super::meter::Meter;
use super::period::{Period, wrong};
use crate::cli::{AnalyzeArgs, Format};
use crate::event::Timestamp;
use crate::pipeline::Pipeline;
use crate::report::{Backfill, Labels};
use crate::snapshot::Family;
use anyhow::{Context, bail};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What Prometheus scrapes by, unless told.
const STEP: Duration = Duration::from_secs(60);
/// Prometheus takes a series for gone that has had no sample for longer.
const STALE: Duration = Duration::from_secs(300);

/// Which logs, and how often.
pub(super) struct Past<'a> {
    /// The logs, and the period of which there are samples. Counters are those since the beginning of the
    /// logs all the same: so are those of an exporter that has read them.
    pub(super) logs: Finished<'a>,
    /// Between two samples.
    pub(super) step: Duration,
    /// What of the numbers is in it.
    pub(super) only: &'a dyn Fn(Vec<Family>) -> Vec<Family>,
}

/// Writes the samples that were asked for.
///
/// # Errors
/// What cannot be asked in this form; a file that cannot be opened, and those of writing.
pub(super) fn run(args: &AnalyzeArgs, logs: &Logs, out: &mut impl Write) -> anyhow::Result<()> {
    let labels =
        Labels::new(args.label.clone()).map_err(|(problem, remedy)| wrong("--label", &problem, &remedy))?;
    if args.at.is_some() {
        return Err(wrong("--at", "samples are of many moments", "Write --until, the last of them"));
    }
    if args.events.is_some() {
        return Err(wrong(
            "--events",
            "samples are written alone",
            "Leave it out, or write another --format",
        ));
    }
    if args.learn.is_some() || args.backtest {
        return Err(wrong(
            "--format",
            "samples have no place for what was learnt or tested",
            "Leave out --learn and --backtest, or write another form",
        ));
    }
    if !labels.join() {
        tracing::warn!(
            "Without the labels job and instance these samples will not be of the series that Prometheus \
             scrapes. Add both with --label, as its page of targets shows them"
        );
    }
    let step = args.step.unwrap_or(STEP);
    if step > STALE {
        tracing::warn!(
            "Prometheus takes a series for gone after five minutes without a sample: graphs will have gaps. \
             Write --step 5m or less, or start Prometheus with a longer --query.lookback-delta"
        );
    }
    let narrow = narrow(args);
    let period = Period::of(args.since, args.until, logs, args.max_line_bytes)?;
    let past = Past { logs: finished(args, logs, period)?, step, only: &|families| narrow.of(families) };
    let mut meter = Meter::new(past.logs.bytes());
    let read = Arc::clone(meter.read());
    let pipeline = past.write(Backfill::new(labels), out, &read, |pipeline| {
        meter.show(pipeline);
        true
    });
    meter.clear();
    let pipeline = pipeline?;
    warn_unreadable(pipeline.inputs().iter().map(|input| (input.name.as_str(), input.stats())));
    Ok(())
}

/// Refuses what only samples have, where another form was asked for.
///
/// # Errors
/// As told.
pub(super) fn refuse(args: &AnalyzeArgs) -> anyhow::Result<()> {
    let flag = match () {
        () if args.format == Format::OpenMetrics => return Ok(()),
        () if !args.label.is_empty() => "--label",
        () if args.step.is_some() => "--step",
        () => return Ok(()),
    };
    Err(wrong(flag, "only samples for Prometheus have it", "Add --format openmetrics, or leave it out"))
}

impl Past<'_> {
    /// Reads the logs and writes what was at each step; `read` hears how many bytes are read, and `each` is
    /// called now and then, and says whether to go on. The logs as they were read.
    ///
    /// # Errors
    /// A log that cannot be read, logs without anything in the period, and those of writing.
    pub(super) fn write(
        mut self,
        mut backfill: Backfill,
        out: &mut impl Write,
        read: &Arc<AtomicU64>,
        mut each: impl FnMut(&Pipeline) -> bool,
    ) -> anyhow::Result<Pipeline> {
        let crew = Crew::of(self.logs.threads)?;
        let mut pipeline = self.logs.pipeline(&crew, read)?;
        let Period { since, until } = self.logs.period;
        let mut read_to = |pipeline: &mut Pipeline, to: Timestamp| {
            read_to(pipeline, to, &mut |_, _| (), &mut each) && each(pipeline)
        };
        if !read_to(&mut pipeline, since.map_or(Timestamp::MIN, |since| since.plus_nanos(-1))) {
            return Ok(pipeline);
        }
        let begin = match (pipeline.next_at(), since) {
            (None, Some(since)) => bail!("the logs end at {}, before --since {since}", pipeline.front()),
            (None, None) => bail!("no line of these logs has a time"),
            (Some(first), Some(since)) if pipeline.front() > Timestamp::MIN => since.min(first),
            (Some(first), _) => first,
        };
        if let Some(until) = until.filter(|until| begin > *until) {
            bail!("the logs begin at {begin}, after --until {until}");
        }
        let cannot = || "cannot write to the folder of temporary files; TMPDIR names another one";
        let mut next = self.on_grid(begin);
        loop {
            let to = until.map_or(next, |until| until.min(next));
            if !read_to(&mut pipeline, to) {
                return Ok(pipeline);
            }
            // Nothing is said about time that no log tells of. What is not decided yet stays so: a counter
            // of the exporter that goes on from here never falls below these.
            let has_ended = pipeline.next_at().is_none();
            let at = if has_ended { pipeline.front() } else { to };
            pipeline.advance(at);
            backfill.add(at, &(self.only)(pipeline.families(at))).with_context(cannot)?;
            if has_ended || until == Some(to) {
                break;
            }
            next = next.plus_nanos(self.nanos());
        }
        backfill.write(out)?;
        Ok(pipeline)
    }

    fn nanos(&self) -> i64 {
        i64::try_from(self.step.as_nanos()).unwrap_or(i64::MAX).max(1)
    }

    /// The first step from there on: those of another part of the logs are on the same grid.
    fn on_grid(&self, from: Timestamp) -> Timestamp {
        let step = self.nanos();
        from.plus_nanos((step - from.as_nanos().rem_euclid(step)) % step)
    }
}
