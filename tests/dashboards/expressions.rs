//! The lint of expressions: they ask for what leasewatch exports, and add up nothing that is not
//! to be added up.

use crate::model::all;
use leasewatch::contract;
use leasewatch::snapshot::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// Series that are not leasewatch's own: Prometheus makes them.
const OF_PROMETHEUS: &[&str] = &["up", "ALERTS"];
/// The process collector's, which every exporter has.
const OF_PROCESS: &[&str] =
    &["process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"];
/// Gauges of which each exporter has its own part; the contract's column on nodes says `sum`, or
/// they are about the exporter itself.
const ADD_UP: &[&str] =
    &["leasewatch_credentials_issue_rate", "leasewatch_anomaly_open_episodes", "leasewatch_catching_up"];

#[test]
fn every_metric_is_one_that_leasewatch_exports() {
    let kinds: BTreeMap<&str, Kind> = contract::all().map(|metric| (metric.name, metric.kind)).collect();
    let mut shown = BTreeSet::new();
    for (file, _, board) in all() {
        let of_panels =
            board.panels.iter().flat_map(|panel| panel.targets.iter().map(|target| target.expr.as_str()));
        let others = board.annotations.list.iter().map(|each| each.expr.as_str());
        let asked = board.templating.list.iter().filter_map(|variable| variable.asks());
        for expression in of_panels.chain(others).chain(asked) {
            let series = series(expression);
            assert!(!series.is_empty(), "{file}: {expression} asks for nothing");
            for (name, labels) in series {
                if OF_PROMETHEUS.contains(&name) || OF_PROCESS.contains(&name) {
                    continue;
                }
                let plain = name.strip_suffix("_bucket").unwrap_or(name);
                let metric = contract::all().find(|metric| metric.name == plain);
                let metric = metric.unwrap_or_else(|| panic!("{file}: {name} is not exported: {expression}"));
                let histogram = kinds[plain] == Kind::Histogram;
                assert_eq!(histogram, plain != name, "{file}: {name}");
                for label in labels {
                    let known = metric.labels.contains(&label) || ["cluster", "job"].contains(&label);
                    assert!(known, "{file}: {name} has no label {label}: {expression}");
                }
                shown.insert(metric.name);
            }
        }
    }
    let left: Vec<_> = kinds.keys().filter(|name| !shown.contains(*name)).collect();
    assert!(left.is_empty(), "no dashboard shows {left:?}");
}

#[test]
fn nothing_is_added_up_that_must_not_be() {
    let is_gauge =
        |name: &str| contract::all().any(|metric| metric.name == name && metric.kind == Kind::Gauge);
    for (file, _, board) in all() {
        for expression in board.panels.iter().flat_map(|panel| &panel.targets).map(|target| &target.expr) {
            for part in expression.split("sum").skip(1) {
                // What is added up itself, and not the largest of it over exporters.
                let part = part.trim_start();
                let clause = part.strip_prefix("by (").and_then(|rest| rest.split_once(')'));
                let (labels, inside) = clause.unwrap_or(("", part));
                let inside = inside.trim_start().trim_start_matches('(');
                let name = inside.split('{').next().unwrap_or_default();
                assert!(
                    !is_gauge(name) || ADD_UP.contains(&name),
                    "{file}: {name} is the active node's: {expression}"
                );
                let within = inside.split('}').next().unwrap_or_default();
                assert!(
                    !inside.contains("leases_expiring")
                        || labels.contains("within")
                        || within.contains("within="),
                    "{file}: leases that end within an hour are among those of a day: {expression}"
                );
            }
        }
    }
}

/// Names of series with a selector, and the labels that it matches.
fn series(expression: &str) -> Vec<(&str, Vec<&str>)> {
    let word = |next: char| next.is_ascii_alphanumeric() || next == '_';
    let mut found = Vec::new();
    let variable = expression.strip_prefix("label_values(");
    if let Some((name, _)) =
        variable.and_then(|rest| rest.split_once(", ")).filter(|(name, _)| !name.contains('{'))
    {
        found.push((name, Vec::new()));
    }
    for (at, _) in expression.match_indices('{') {
        let before = &expression[..at];
        let name = &before[before.rfind(|next| !word(next)).map_or(0, |last| last + 1)..];
        let inside = expression[at + 1..].split_once('}').map_or("", |(inside, _)| inside);
        let labels = inside.split("\", ").map(|matcher| matcher.split(['=', '!']).next().unwrap_or_default());
        assert!(!name.is_empty(), "a selector without a name in {expression}");
        found.push((name, labels.collect()));
    }
    found
}
