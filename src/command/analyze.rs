//! `analyze`: finished logs through the same pipeline as `serve`, once, and a
//! report at the end. Reads no clock: the same files give the same output.

use super::finished::{Finished, Read};
use super::folder::Logs;
use super::scores::baseline;
use crate::anomaly::{Anomalies, Settings, Which};
use crate::cli::{AnalyzeArgs, Format};
use crate::event::Timestamp;
use crate::exposition::render;
use crate::report::episodes::Backtest;
use crate::report::{Report, html, json, text};
use crate::snapshot::Snapshot;
use crate::state::Limits;
use crate::store::write_private;
use anyhow::Context;
use std::io::Write;
use std::path::Path;

/// Reads, counts, prints.
///
/// # Errors
/// A file that cannot be opened, or output that cannot be written.
pub fn run(args: &AnalyzeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let logs = Logs::of(&args.files, &args.server_log)?;
    let Read { pipeline, course } = Finished {
        audit: &logs.audit,
        server: &logs.server,
        at: args.at,
        max_line_bytes: args.max_line_bytes,
        limits: Limits {
            label_sets: args.label_sets,
            leases: args.ledger_capacity,
            anomaly: Settings {
                alarm_budget: args.alarm_budget,
                subjects: args.subjects,
                episodes: args.episodes,
                ..Settings::DEFAULT
            },
        },
        baseline: args.baseline.as_deref().map(baseline).transpose()?,
    }
    .read_with(args.format == Format::Html)?;
    let as_of = args.at.unwrap_or(pipeline.front());
    let anomalies = pipeline.state().anomalies();
    if let Some(path) = &args.learn {
        learn(anomalies, as_of, path)?;
    }
    let which = Which { min_score: args.min_score, ..Which::default() };
    let report = Report {
        snapshot: Snapshot { as_of, families: pipeline.families(as_of) },
        sources: pipeline.inputs().iter().map(|input| (input.name.clone(), input.stats().clone())).collect(),
        episodes: anomalies.episodes().list(which),
        backtest: args
            .backtest
            .then(|| Backtest::of(anomalies.episodes(), as_of, args.alarm_budget))
            .flatten(),
        course,
    };
    match args.format {
        Format::Prom => {
            warn_unreadable(&report);
            out.write_all(&render(&report.snapshot)?)?;
        }
        Format::Json => out.write_all(json(&report).as_bytes())?,
        Format::Html => out.write_all(html(&report).as_bytes())?,
        Format::Text => out.write_all(text(&report).as_bytes())?,
    }
    out.flush()?;
    Ok(())
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

fn warn_unreadable(report: &Report) {
    for (name, stats) in &report.sources {
        for (reason, count) in &stats.unreadable {
            tracing::warn!(source = %name, %reason, count, "Lines could not be read");
        }
    }
}
