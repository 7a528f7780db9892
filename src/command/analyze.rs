//! `analyze`: finished logs through the same pipeline as `serve`, once, and a
//! report at the end. Reads no clock: the same files give the same output.

use super::finished::Finished;
use crate::anomaly::Settings;
use crate::cli::{AnalyzeArgs, Format};
use crate::exposition::render;
use crate::report::{Report, json, text};
use crate::snapshot::Snapshot;
use crate::state::Limits;
use std::io::Write;

/// Reads, counts, prints.
///
/// # Errors
/// A file that cannot be opened, or output that cannot be written.
pub fn run(args: &AnalyzeArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let pipeline = Finished {
        audit: &args.files,
        server: &args.server_log,
        at: args.at,
        max_line_bytes: args.max_line_bytes,
        limits: Limits {
            label_sets: args.label_sets,
            leases: args.ledger_capacity,
            anomaly: Settings::DEFAULT,
        },
    }
    .read()?;
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

fn warn_unreadable(report: &Report) {
    for (name, stats) in &report.sources {
        for (reason, count) in &stats.unreadable {
            tracing::warn!(source = %name, %reason, count, "Lines could not be read");
        }
    }
}
