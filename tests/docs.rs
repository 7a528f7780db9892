//! The reference pages are made from the program's own tables, between two marks.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes them anew.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

use leasewatch::config::setting::{self, Kind, Setting};
use leasewatch::contract;
use leasewatch::report::events::SCHEMA;
use leasewatch::snapshot::Kind as MetricKind;
use std::fmt::Write;

const BEGIN: &str = "<!-- made from the program's tables; UPDATE_DOCS=1 cargo test --test docs -->\n";
const END: &str = "<!-- end -->\n";

/// Compares what stands between the marks of a page with what should, or puts it there.
fn hold(page: &str, made: &str) {
    let text = std::fs::read_to_string(page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap_or_else(|| panic!("{page} has no mark"));
    let (there, after) = rest.split_once(END).unwrap_or_else(|| panic!("{page} has no end mark"));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(page, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        assert!(there == made, "{page} is not current: UPDATE_DOCS=1 cargo test --test docs\n{made}");
    }
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(text: &str) -> String {
    format!("`{}`", cell(text))
}

fn form(kind: Kind) -> String {
    match kind {
        Kind::Text(name) => name.to_owned(),
        Kind::List(name) => format!("list of {name}"),
        Kind::Integer => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Switch => "true or false".to_owned(),
        Kind::Choice(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" or "),
    }
}

fn row(out: &mut String, setting: &Setting) {
    let key = setting.key.map_or("–".to_owned(), code);
    let flag = setting.flag.map_or("–".to_owned(), |flag| code(&format!("--{flag}")));
    let variables = setting.variables.iter().map(|variable| code(variable)).collect::<Vec<_>>().join(", ");
    let (form, default, help) = (cell(&form(setting.kind)), cell(setting.default), cell(setting.help));
    writeln!(out, "| {key} | {flag} | {variables} | {form} | {default} | {help}. |").unwrap();
}

#[test]
fn configuration_is_current() {
    let mut out = String::from(
        "\n| TOML key | Flag | Variable | Value | Default | Meaning |\n|---|---|---|---|---|---|\n",
    );
    for setting in setting::ALL {
        row(&mut out, setting);
    }
    for (table, keys) in [("node", setting::NODE_KEYS), ("anomaly.acknowledged", setting::ACKNOWLEDGED_KEYS)]
    {
        writeln!(out, "\nKeys of a `[[{table}]]` table, which have neither flag nor variable:\n").unwrap();
        out.push_str("| TOML key | Value | Meaning |\n|---|---|---|\n");
        for (key, kind, help) in keys {
            writeln!(out, "| {} | {} | {}. |", code(key), cell(&form(*kind)), cell(help)).unwrap();
        }
    }
    out.push('\n');
    hold("docs/configuration.md", &out);
}

#[test]
fn metrics_are_current() {
    let mut out = String::from("\n| Metric | Type | Labels | Meaning |\n|---|---|---|---|\n");
    for metric in contract::all() {
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram => "histogram",
        };
        let labels = metric.labels.iter().map(|label| code(label)).collect::<Vec<_>>().join(", ");
        writeln!(out, "| {} | {kind} | {labels} | {} |", code(metric.name), cell(metric.help)).unwrap();
    }
    out.push('\n');
    hold("docs/metrics.md", &out);
}

#[test]
fn columns_of_events_are_current() {
    let mut out = String::from("\n| column | type | is |\n|---|---|---|\n");
    for field in SCHEMA {
        writeln!(out, "| {} | {} | {} |", code(field.name), field.form.name(), cell(field.help)).unwrap();
    }
    out.push('\n');
    hold("docs/events.md", &out);
}
