//! Figures: the numbers that matter as tables, the same for a terminal and for a page.

use super::{Report, incident};
use crate::contract::credentials as metric;
use crate::snapshot::{Metric, Value};
use std::collections::BTreeMap;

/// A table: headings, and rows of as many cells.
pub(super) struct Figures {
    /// What it is about.
    pub(super) title: &'static str,
    /// Of its columns.
    pub(super) headings: Vec<String>,
    /// The first columns that are text; the others are numbers.
    pub(super) text: usize,
    /// The last column is text too.
    pub(super) notes: bool,
    /// In the order in which they are read.
    pub(super) rows: Vec<Vec<String>>,
    /// What is left out, or what the numbers rest on.
    pub(super) more: Option<String>,
}

/// The tables of a report that have a row: what happened, roles and their leases, clients, what was
/// asked of mounts, what was refused.
pub(super) fn all(report: &Report) -> Vec<Figures> {
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
    let of_mounts = of_mounts
        .into_iter()
        .map(|(title, metric, rows, columns)| pivot(report, title, metric, rows, columns));
    let mut of_mounts = of_mounts;
    let (revoke, rest) = (of_mounts.next(), of_mounts);
    let all = [incident::events(report), Some(credentials(report))]
        .into_iter()
        .chain([incident::courses(report), incident::lifetimes(report), Some(incident::ended(report))])
        .chain([revoke, incident::troubles(report), incident::bursts(report), incident::spells(report)])
        .chain([incident::clients(report), incident::started(report), incident::fixed(report)])
        .chain([Some(incident::latency(report))])
        .chain(rest.map(Some))
        .chain([incident::refused(report), incident::operations(report), incident::silences(report)]);
    all.flatten().filter(|figures| !figures.rows.is_empty()).collect()
}

/// One row a role: what was issued, renewed and refused.
fn credentials(report: &Report) -> Figures {
    #[derive(Default)]
    struct Row {
        issued: u64,
        fixed: u64,
        renewed: u64,
        renewals_failed: u64,
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
    each(&metric::FAILURES, "reason", &|row, reason, n| {
        *row.failures.entry(reason.to_owned()).or_default() += n;
    });

    let headings = ["namespace", "mount", "role", "issued", "static", "renewed", "not renewed", "failures"];
    let headings = headings.map(str::to_owned).into();
    let mut figures = Figures {
        title: "Credentials by role",
        headings,
        text: 3,
        notes: true,
        rows: Vec::new(),
        more: None,
    };
    for (key, row) in rows {
        let failures: Vec<_> =
            row.failures.iter().filter(|(_, n)| **n > 0).map(|(why, n)| format!("{why} {n}")).collect();
        let counts = [row.issued, row.fixed, row.renewed, row.renewals_failed];
        if counts.iter().all(|count| *count == 0) && failures.is_empty() {
            continue;
        }
        let mut cells = key;
        cells.extend(counts.map(|count| count.to_string()));
        cells.push(failures.join(", "));
        figures.rows.push(cells);
    }
    figures
}

/// A table of a counter: a row for each `rows`, a column for each value of `column`.
pub(super) fn pivot(
    report: &Report,
    title: &'static str,
    metric: &'static Metric,
    rows: &[&str],
    column: &str,
) -> Figures {
    let found = counts(report, metric, rows, column);
    let mut columns: Vec<_> = found.iter().map(|(_, value, _)| value.as_str()).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut cells: BTreeMap<&[String], BTreeMap<&str, u64>> = BTreeMap::new();
    for (key, value, count) in &found {
        *cells.entry(key).or_default().entry(value).or_default() += count;
    }
    let headings = rows.iter().map(|name| name.trim_start_matches("vault_")).chain(columns.iter().copied());
    let headings = headings.map(str::to_owned).collect();
    let row = |(key, counts): (&[String], BTreeMap<&str, u64>)| {
        let numbers = columns.iter().map(|column| counts.get(column).copied().unwrap_or(0).to_string());
        key.iter().cloned().chain(numbers).collect()
    };
    let text = rows.len();
    Figures { title, headings, text, notes: false, rows: cells.into_iter().map(row).collect(), more: None }
}

/// The counts of a metric that are not 0: the labels of `key`, the label `last` (or `""`), the count.
pub(super) fn counts(
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
