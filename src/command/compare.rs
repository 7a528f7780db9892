//! `analyze --compare`: a period beside an earlier one. The logs are gone through once; what was counted
//! before either begins is taken off.

use super::analyze::{finished, narrow, warn_unreadable};
use super::crew::Crew;
use super::finished::{Finished, read_to};
use super::folder::Logs;
use super::meter::Meter;
use super::period::{Period, end_of, wrong};
use crate::cli::{AnalyzeArgs, Compare, Format};
use crate::event::{Event, Timestamp};
use crate::pipeline::Pipeline;
use crate::report::compare::{Comparison, Side, json, markdown, text};
use crate::report::{Narrow, Opening};
use crate::story::{Census, Register};
use anyhow::bail;

/// Slices of each period: how much varies from one to the next says what is a burst.
const SLICES: i64 = 60;

/// What is told in the place of a report, where a comparison is asked for.
///
/// # Errors
/// What cannot be asked, or in that form; logs that cannot be opened, or have nothing of either period.
pub(super) fn answer(args: &AnalyzeArgs, logs: &Logs) -> anyhow::Result<Option<String>> {
    let Some(with) = args.compare else { return Ok(None) };
    let write: fn(&Comparison) -> String = match args.format {
        Format::Text => text,
        Format::Markdown => markdown,
        Format::Json => json,
        _ => {
            return Err(wrong(
                "--format",
                "a comparison is told as text, JSON or Markdown",
                "Leave it out, or write json or markdown",
            ));
        }
    };
    let periods = periods(args, logs, with)?;
    let narrow = narrow(args);
    let reading = Reading { logs: finished(args, logs, Period::ALL)?, periods, narrow };
    reading.compare(args.ledger_capacity).map(|comparison| Some(write(&comparison)))
}

/// The earlier period, and the one that is asked about.
fn periods(args: &AnalyzeArgs, logs: &Logs, with: Compare) -> anyhow::Result<[Span; 2]> {
    let period = Period::of(args.since, args.until, logs, args.max_line_bytes)?;
    let Some(since) = period.since else {
        return Err(wrong("--compare", "a comparison needs a beginning", "Add --since"));
    };
    let end = match period.until {
        None if logs.has_stdin() => {
            return Err(wrong(
                "--compare",
                "the end of standard input is not known before it is read",
                "Add --until with a moment such as 2026-01-02T03:04:05Z, or name files",
            ));
        }
        None => end_of(logs, args.max_line_bytes)?,
        Some(until) => until,
    };
    if end <= since {
        bail!("the logs end at {end}, before --since {since}");
    }
    let length = end.nanos_since(since);
    let back = |nanos: i64| Span { since: since.plus_nanos(-nanos), until: end.plus_nanos(-nanos) };
    let before = match with {
        Compare::Previous => back(length),
        Compare::Back(back_by) => back(i64::try_from(back_by.as_nanos()).unwrap_or(i64::MAX)),
        Compare::Period(from, until) => {
            let period = Period::of(Some(from), Some(until), logs, args.max_line_bytes)?;
            let (Some(since), Some(until)) = (period.since, period.until) else {
                bail!("--compare: both bounds are needed");
            };
            Span { since, until }
        }
    };
    // Bounds are in their period: where one ends as the other begins, it ends a moment before.
    let before =
        Span { until: if before.until == since { since.plus_nanos(-1) } else { before.until }, ..before };
    if before.until >= since {
        return Err(wrong(
            "--compare",
            &format!(
                "it would end at {}, within the period since {since} that it is compared with",
                before.until
            ),
            "Write a period that ends before, or go back by no less than the length of the period",
        ));
    }
    if before.since >= before.until {
        return Err(wrong(
            "--compare",
            "that period has no length",
            "Write an earlier beginning, or a later end",
        ));
    }
    Ok([before, Span { since, until: end }])
}

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    since: Timestamp,
    until: Timestamp,
}

/// What is read, and of when.
struct Reading<'a> {
    logs: Finished<'a>,
    periods: [Span; 2],
    narrow: Narrow,
}

impl Reading<'_> {
    fn compare(mut self, most: usize) -> anyhow::Result<Comparison> {
        let crew = Crew::of(self.logs.threads)?;
        let mut meter = Meter::new(self.logs.bytes());
        let mut pipeline = self.logs.pipeline(&crew, meter.read())?;
        let mut census = Census::new(self.periods.map(|span| (span.since, span.until)), most);
        let mut register = Register::default();
        let mut tell = |source: usize, event: &Event| {
            for happened in register.hear(source, event) {
                census.take(&happened);
            }
        };
        let mut read_to = |pipeline: &mut Pipeline, to: Timestamp| {
            read_to(pipeline, to, &mut tell, &mut |pipeline| {
                meter.show(pipeline);
                true
            });
            meter.show(pipeline);
        };
        let first = self.side(&mut pipeline, &mut read_to, self.periods[0], "--compare")?;
        let second = self.side(&mut pipeline, &mut read_to, self.periods[1], "--since")?;
        meter.clear();
        for happened in register.end() {
            census.take(&happened);
        }
        warn_unreadable(pipeline.inputs().iter().map(|input| (input.name.as_str(), input.stats())));
        let families = pipeline.families(pipeline.front());
        Ok(Comparison {
            sides: [first.0, second.0],
            halves: census.end(),
            narrowed: (!self.narrow.is_all()).then(|| self.narrow.told(&families)),
            lines_before: first.1,
        })
    }

    /// The numbers of one period, as far as the logs have it; and how many lines were before.
    fn side(
        &self,
        pipeline: &mut Pipeline,
        read_to: &mut dyn FnMut(&mut Pipeline, Timestamp),
        span: Span,
        flag: &str,
    ) -> anyhow::Result<(Side, u64)> {
        let before = span.since.plus_nanos(-1);
        read_to(pipeline, before);
        let Some(next) = pipeline.next_at() else {
            bail!("the logs end at {}, before {flag} {}", pipeline.front(), span.since);
        };
        let since = if pipeline.front() > Timestamp::MIN { span.since } else { next };
        if since >= span.until {
            bail!("the logs begin at {next}, after the period of {flag} ends, at {}", span.until);
        }
        if pipeline.front() > Timestamp::MIN {
            pipeline.advance(before);
        }
        pipeline.keep_roles();
        let sources: Vec<_> = pipeline.inputs().iter().map(|input| input.stats().clone()).collect();
        let opening = Opening::new(pipeline.opening(before), sources);
        let mut side = Side::new(since, span.until);
        for slice in 1..=SLICES {
            let passed = span.until.nanos_since(since) / SLICES * slice;
            let to = if slice == SLICES { span.until } else { since.plus_nanos(passed) };
            read_to(pipeline, to);
            // Nothing is said about time that no log tells of.
            let has_ended = pipeline.next_at().is_none() && pipeline.front() < to;
            if has_ended {
                side.until = pipeline.front();
                pipeline.close();
            } else {
                pipeline.advance(to);
            }
            side.add(&self.narrow.of(opening.rest(pipeline.families(pipeline.front()))));
            if has_ended {
                break;
            }
        }
        Ok((side, opening.lines()))
    }
}
