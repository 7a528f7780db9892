//! Text: the numbers that matter, for a person at a terminal.

use super::Report;
use super::episodes;
use super::table::Table;
use crate::contract::credentials as metric;
use crate::snapshot::{Metric, Value};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The report as text.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    sources(report, &mut out);
    credentials(report, &mut out);
    let of_mounts: [(&str, &'static Metric, &[&str], &str); 4] = [
        (
            "Requests to revoke",
            &metric::REVOCATION_REQUESTS,
            &["vault_namespace", "mount", "form"],
            "outcome",
        ),
        ("Logins", &metric::LOGINS, &["vault_namespace", "mount", "auth_method"], "outcome"),
        ("Denied", &metric::DENIED, &["vault_namespace", "mount"], "kind"),
        ("Privileged operations", &metric::PRIVILEGED, &["vault_namespace", "mount", "operation"], "outcome"),
    ];
    for (title, metric, rows, columns) in of_mounts {
        pivot(report, title, metric, rows, columns, &mut out);
    }
    anomalies(report, &mut out);
    out
}

fn anomalies(report: &Report, out: &mut String) {
    if !report.episodes.is_empty() {
        let _ = write!(out, "\nAnomalies\n{}", episodes::list(&report.episodes));
    }
    if let Some(backtest) = &report.backtest {
        let _ = write!(out, "\nBacktest\n  {}\n{}", backtest.sentence(), episodes::list(&backtest.list));
    }
}

fn sources(report: &Report, out: &mut String) {
    for (name, stats) in &report.sources {
        let unreadable: u64 = stats.unreadable.values().sum();
        let _ = write!(out, "{name}: {} lines", stats.lines);
        if unreadable > 0 {
            let reasons: Vec<_> =
                stats.unreadable.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
            let _ = write!(out, ", {unreadable} unreadable ({})", reasons.join(", "));
        }
        if stats.late > 0 {
            let _ = write!(out, ", {} late", stats.late);
        }
        out.push('\n');
    }
    let _ = writeln!(out, "as of {}", report.snapshot.as_of);
}

/// One row a role: what was issued, renewed and refused.
fn credentials(report: &Report, out: &mut String) {
    #[derive(Default)]
    struct Row {
        issued: u64,
        fixed: u64,
        renewed: u64,
        renewals_failed: u64,
        revocations_failed: u64,
        failures: BTreeMap<String, u64>,
    }
    const KEY: &[&str] = &["vault_namespace", "mount", "role"];
    let mut rows: BTreeMap<Vec<String>, Row> = BTreeMap::new();
    let mut each = |metric, last, put: &dyn Fn(&mut Row, &str, u64)| {
        for (key, value, count) in counts(report, metric, KEY, last) {
            put(rows.entry(key).or_default(), &value, count);
        }
    };
    each(&metric::ISSUED, "", &|row, _, n| row.issued += n);
    each(&metric::STATIC_READ, "", &|row, _, n| row.fixed += n);
    each(&metric::RENEWALS, "outcome", &|row, outcome, n| {
        *(if outcome == "failed" { &mut row.renewals_failed } else { &mut row.renewed }) += n;
    });
    each(&metric::REVOCATION_FAILURES, "reason", &|row, _, n| row.revocations_failed += n);
    each(&metric::FAILURES, "reason", &|row, reason, n| {
        *row.failures.entry(reason.to_owned()).or_default() += n;
    });

    let mut table = Table::new(
        3,
        &[
            "namespace",
            "mount",
            "role",
            "issued",
            "static",
            "renewed",
            "not renewed",
            "failed revocations",
            "failures",
        ],
    )
    .with_notes();
    for (key, row) in rows {
        let failures: Vec<_> =
            row.failures.iter().filter(|(_, n)| **n > 0).map(|(why, n)| format!("{why} {n}")).collect();
        let counts = [row.issued, row.fixed, row.renewed, row.renewals_failed, row.revocations_failed];
        if counts.iter().all(|count| *count == 0) && failures.is_empty() {
            continue;
        }
        let mut cells = key;
        cells.extend(counts.map(|count| count.to_string()));
        cells.push(failures.join(", "));
        table.row(&cells);
    }
    titled("Credentials by role", &table, out);
}

/// A table of a counter: a row for each `rows`, a column for each value of `column`.
fn pivot(
    report: &Report,
    title: &str,
    metric: &'static Metric,
    rows: &[&str],
    column: &str,
    out: &mut String,
) {
    let found = counts(report, metric, rows, column);
    let mut columns: Vec<_> = found.iter().map(|(_, value, _)| value.as_str()).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut cells: BTreeMap<&[String], BTreeMap<&str, u64>> = BTreeMap::new();
    for (key, value, count) in &found {
        *cells.entry(key).or_default().entry(value).or_default() += count;
    }
    let headings: Vec<_> =
        rows.iter().map(|name| name.trim_start_matches("vault_")).chain(columns.iter().copied()).collect();
    let mut table = Table::new(rows.len(), &headings);
    for (key, counts) in cells {
        let numbers = columns.iter().map(|column| counts.get(column).copied().unwrap_or(0).to_string());
        table.row(&key.iter().cloned().chain(numbers).collect::<Vec<_>>());
    }
    titled(title, &table, out);
}

fn titled(title: &str, table: &Table, out: &mut String) {
    if !table.is_empty() {
        let _ = writeln!(out, "\n{title}");
        table.draw(out);
    }
}

/// The counts of a metric that are not 0: the labels of `key`, the label `last` (or `""`), the count.
fn counts(
    report: &Report,
    metric: &'static Metric,
    key: &[&str],
    last: &str,
) -> Vec<(Vec<String>, String, u64)> {
    let Some(family) = report.snapshot.families.iter().find(|family| family.metric == metric) else {
        return Vec::new();
    };
    let place = |label: &str| metric.labels.iter().position(|name| *name == label);
    let places: Vec<_> = key.iter().filter_map(|label| place(label)).collect();
    let last = place(last);
    let series = family.series.iter().filter_map(|series| match series.value {
        Value::Count(count) if count > 0 => Some((series, count)),
        _ => None,
    });
    series
        .map(|(series, count)| {
            let key = places.iter().map(|place| series.labels[*place].to_string()).collect();
            (key, last.map_or(String::new(), |place| series.labels[place].to_string()), count)
        })
        .collect()
}
