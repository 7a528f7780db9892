//! JSON: every series as it stands in the snapshot, for programs.

use super::{Report, incident};
use crate::harmless;
use crate::snapshot::Value;
use serde_json::{Map, json};

/// The report as one JSON document: `as_of`, `sources`, `metrics` by name, `episodes`, and
/// `period`, `narrowed` and `backtest` where they were asked for.
pub fn json(report: &Report) -> String {
    let mut metrics = Map::new();
    for family in report.snapshot.families.iter().filter(|family| !family.series.is_empty()) {
        let series = family.series.iter().map(|series| {
            let labels: Map<_, _> = family
                .metric
                .labels
                .iter()
                .zip(&series.labels)
                .map(|(name, value)| ((*name).to_owned(), json!(&**value)))
                .collect();
            match &series.value {
                Value::Count(count) => json!({ "labels": labels, "value": count }),
                Value::Number(number) => json!({ "labels": labels, "value": number }),
                Value::Histogram(histogram) => json!({
                    "labels": labels,
                    "bounds": histogram.bounds,
                    "counts": histogram.counts,
                    "sum": histogram.sum,
                }),
            }
        });
        metrics.insert(family.metric.name.to_owned(), series.collect());
    }
    let sources = report.sources.iter().map(|(name, stats)| {
        json!({
            "name": name,
            "lines": stats.lines,
            "bytes": stats.bytes,
            "unreadable": stats.unreadable,
            "late": stats.late,
            "last_entry": stats.last_entry.map(|at| at.to_string()),
        })
    });
    let mut document = json!({
        "as_of": report.snapshot.as_of.to_string(),
        "sources": sources.collect::<Vec<_>>(),
        "metrics": metrics,
        "episodes": report.episodes,
    });
    if report.is_interrupted {
        document["interrupted"] = json!(true);
    }
    incident::put(report, &mut document);
    if let Some(period) = report.period {
        document["period"] = period.json();
    }
    if let Some(narrowed) = &report.narrowed {
        document["narrowed"] = json!({
            "namespace": narrowed.to.namespace,
            "mount": narrowed.to.mount,
            "role": narrowed.to.role,
            "left_out": narrowed.left_out,
            "has_overflow": narrowed.has_overflow,
        });
    }
    if let Some(backtest) = &report.backtest {
        document["backtest"] = json!(backtest);
    }
    harmless::json(format!("{document:#}\n"))
}
