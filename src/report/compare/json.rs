//! JSON: every number of both periods, for programs. The names of its fields are stable.

use super::side::COMPARED;
use super::{Comparison, Name};
use crate::harmless;
use serde_json::{Map, Value, json};

/// One document: `before`, `now`, `changes`, `peaks`, `lifetimes`, and who is new and who is gone.
pub fn json(comparison: &Comparison) -> String {
    let changes = comparison.rows().into_iter().map(|row| {
        let (of, labels) = row.key;
        let labels: Map<_, _> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), json!(&**value))).collect();
        let (low, high) = row.change.bounds;
        json!({
            "metric": COMPARED[*of].metric.name,
            "labels": labels,
            "before": row.before.total(),
            "now": row.now.total(),
            "before_per_hour": row.before.rate(),
            "now_per_hour": row.now.rate(),
            "ratio": row.change.ratio,
            "ratio_least": low,
            // No JSON has the infinite.
            "ratio_most": high.is_finite().then_some(high),
            "is_clear": row.change.is_clear(),
        })
    });
    let peaks = comparison.peaks().into_iter().map(|peak| {
        json!({
            "namespace": peak.place.first(),
            "mount": peak.place.get(1),
            "role": peak.place.get(2),
            "before": peak.before,
            "now": peak.now,
        })
    });
    let lifetimes = comparison.lasted().into_iter().map(|of| {
        let (namespace, mount, role) = of.role;
        json!({
            "namespace": if namespace.is_empty() { "root" } else { namespace },
            "mount": mount.as_str(),
            "role": role.as_str(),
            "before_median_seconds": of.before.map(|(median, _)| median),
            "before_leases": of.before.map_or(0, |(_, count)| count),
            "now_median_seconds": of.now.map(|(median, _)| median),
            "now_leases": of.now.map_or(0, |(_, count)| count),
        })
    });
    let [new_clients, clients_gone, new_sources, sources_gone] =
        comparison.names().map(|(_, names)| list(&names));
    let document = json!({
        "before": comparison.period(0).json(),
        "now": comparison.period(1).json(),
        "changes": changes.collect::<Vec<_>>(),
        "peaks": peaks.collect::<Vec<_>>(),
        "lifetimes": lifetimes.collect::<Vec<_>>(),
        "new_clients": new_clients,
        "clients_gone": clients_gone,
        "new_sources": new_sources,
        "sources_gone": sources_gone,
        "notes": comparison.notes(),
    });
    harmless::json(format!("{document:#}\n"))
}

fn list(names: &[Name]) -> Value {
    names.iter().map(|name| json!({ "name": name.name, "requests": name.requests })).collect()
}
