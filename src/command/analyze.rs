//! `analyze`: finished logs through the same pipeline as `serve`, once, and a
//! report at the end. Reads no clock: the same files give the same output.

use super::backfill;
use super::compare;
use super::events::Recording;
use super::finished::{Finished, Read, Wanted};
use super::folder::Logs;
use super::interrupt::{INTERRUPTED, Interrupt};
use super::period::Period;
use super::scores::baseline;
use super::story;
use super::terminal::style;
use crate::anomaly::{Anomalies, Settings, Which};
use crate::cli::{AnalyzeArgs, Format};
use crate::digest::Digest;
use crate::event::Timestamp;
use crate::exposition::render;
use crate::pipeline::Stats;
use crate::report::episodes::Backtest;
use crate::report::{Narrow, Report, html, json, markdown, text};
use crate::snapshot::Snapshot;
use crate::state::Limits;
use crate::store::write_private;
use anyhow::Context;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Reads, counts, prints. The exit code says whether somebody had enough before the end.
///
/// # Errors
/// A file that cannot be opened, or output that cannot be written.
pub fn run(args: &AnalyzeArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let logs = Logs::of(&args.files, &args.server_log)?;
    backfill::refuse(args)?;
    if let Some(answer) = story::answer(args, &logs)? {
        out.write_all(answer.as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(answer) = compare::answer(args, &logs)? {
        out.write_all(answer.as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.format == Format::OpenMetrics {
        backfill::run(args, &logs, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let narrow = narrow(args);
    let period = Period::of(args.since, args.until, &logs, args.max_line_bytes)?;
    let mut recording =
        args.events.as_deref().map(|path| Recording::new(path, &narrow, period)).transpose()?;
    let is_for_people = args.format != Format::Prom;
    let mut digest = is_for_people.then(|| Digest::new(narrow.scope(period.since)));
    let interrupt = Interrupt::listen()?;
    let Read { pipeline, course, opening, is_interrupted } =
        finished(args, &logs, period)?.read_with(Wanted {
            course: is_for_people,
            only: &|families| narrow.of(families),
            tell: &mut |source, event| {
                if let Some(recording) = &mut recording {
                    recording.hear(source, event);
                }
                if let Some(digest) = &mut digest {
                    digest.hear(source, event);
                }
            },
            enough: &|| interrupt.is_asked(),
        })?;
    if let Some(recording) = recording {
        recording.finish()?;
    }
    let as_of = args.at.filter(|_| !is_interrupted).unwrap_or(pipeline.front());
    let anomalies = pipeline.state().anomalies();
    if let Some(path) = &args.learn {
        learn(anomalies, as_of, path)?;
    }
    let which = Which { min_score: args.min_score, since: period.since, ..Which::default() };
    let families = pipeline.families(as_of);
    let families = match &opening {
        Some(opening) => opening.rest(families),
        None => families,
    };
    let sources = pipeline.inputs().iter().enumerate().map(|(place, input)| {
        let stats = input.stats();
        (
            input.name.clone(),
            opening.as_ref().map_or_else(|| stats.clone(), |opening| opening.rest_of(place, stats)),
        )
    });
    let mut episodes = anomalies.episodes().list(which);
    let narrowed = (!narrow.is_all()).then(|| narrow.told(&families));
    if narrowed.is_some() {
        episodes.retain(|episode| narrow.names(episode));
    }
    let report = Report {
        snapshot: Snapshot { as_of, families: narrow.of(families) },
        narrowed,
        is_interrupted,
        period: period.told(as_of, opening.as_ref()),
        sources: sources.collect(),
        episodes,
        backtest: args
            .backtest
            .then(|| Backtest::of(anomalies.episodes(), as_of, args.alarm_budget))
            .flatten(),
        course,
        digest: digest.map(|digest| digest.end(as_of)),
    };
    match args.format {
        Format::Prom => {
            warn_unreadable(report.sources.iter().map(|(name, stats)| (name.as_str(), stats)));
            out.write_all(report.comments().as_bytes())?;
            out.write_all(&render(&report.snapshot)?)?;
        }
        Format::Json => out.write_all(json(&report).as_bytes())?,
        Format::Html => out.write_all(html(&report).as_bytes())?,
        Format::Markdown => out.write_all(markdown(&report).as_bytes())?,
        // Of one moment there are no samples.
        Format::OpenMetrics | Format::Text => out.write_all(text(&report, style(args.color)).as_bytes())?,
    }
    out.flush()?;
    Ok(if is_interrupted { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// The part that was asked for.
pub(super) fn narrow(args: &AnalyzeArgs) -> Narrow {
    let (mount, role) = match &args.only_role {
        Some((mount, role)) => (Some(mount.as_str()), Some(role.as_str())),
        None => (args.mount.as_deref(), None),
    };
    Narrow::new(args.namespace.as_deref(), mount, role)
}

/// These logs, to be counted as was asked for.
///
/// # Errors
/// A baseline that cannot be read.
pub(super) fn finished<'a>(
    args: &'a AnalyzeArgs,
    logs: &'a Logs,
    period: Period,
) -> anyhow::Result<Finished<'a>> {
    let anomaly = Settings {
        alarm_budget: args.alarm_budget,
        subjects: args.subjects,
        episodes: args.episodes,
        ..Settings::DEFAULT
    };
    Ok(Finished {
        audit: &logs.audit,
        server: &logs.server,
        at: args.at,
        period,
        threads: args.threads,
        max_line_bytes: args.max_line_bytes,
        limits: Limits { label_sets: args.label_sets, leases: args.ledger_capacity, anomaly },
        baseline: args.baseline.as_deref().map(baseline).transpose()?,
    })
}

/// Keeps what was learnt, for its owner alone: it names clients.
fn learn(anomalies: &Anomalies, as_of: Timestamp, path: &Path) -> anyhow::Result<()> {
    let learnt =
        anomalies.baseline(as_of).context("there is nothing to learn from: no client did anything")?;
    write_private(path, learnt.bytes()?)?;
    let kept = anomalies.episodes().list(Which::default()).len();
    tracing::info!(
        file = %path.display(),
        from = %learnt.from,
        until = %learnt.until,
        subjects = learnt.subjects(),
        episodes = kept,
        "Wrote what was learnt. Look through the episodes of that time: what was no accident is better left out"
    );
    Ok(())
}

/// Says what could not be read of logs, where the form of the answer does not.
pub(super) fn warn_unreadable<'l>(sources: impl Iterator<Item = (&'l str, &'l Stats)>) {
    for (name, stats) in sources {
        for (reason, count) in &stats.unreadable {
            tracing::warn!(source = %name, %reason, count, "Lines could not be read");
        }
    }
}
