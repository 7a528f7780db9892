//! Text: what changed, for a person at a terminal.

use super::{Comparison, NAMES_MOST, Name, ROWS_MOST, lasted, rounded};
use crate::report::printable;
use crate::report::table::Table;
use std::fmt::Write;

/// The comparison as text.
pub fn text(comparison: &Comparison) -> String {
    let mut out = String::new();
    for line in comparison.periods().into_iter().chain(comparison.notes()) {
        let _ = writeln!(out, "{}", printable(&line));
    }
    let rows = comparison.rows();
    let clear = rows.iter().filter(|row| row.change.is_clear()).count();
    let _ = writeln!(out, "\nChanges: {clear} of {} numbers", rows.len());
    let mut table = Table::new(
        4,
        &["what", "namespace", "mount", "role", "before", "now", "an hour before", "an hour now", "change"],
    )
    .with_notes();
    for row in rows.iter().take(ROWS_MOST) {
        let [namespace, mount, role] = row.place().map(str::to_owned);
        table.row(&[
            row.what(),
            namespace,
            mount,
            role,
            row.before.total().to_string(),
            row.now.total().to_string(),
            rounded(row.before.rate()),
            rounded(row.now.rate()),
            row.change(),
        ]);
    }
    table.draw(&mut out);
    if rows.len() > ROWS_MOST {
        let _ = writeln!(out, "  and {} more, which --format json has", rows.len() - ROWS_MOST);
    }
    let peaks = comparison.peaks();
    if !peaks.is_empty() {
        let _ = writeln!(out, "\nLeases out, at most");
        let mut table = Table::new(3, &["namespace", "mount", "role", "before", "now"]);
        for peak in peaks.iter().take(ROWS_MOST) {
            let place = peak.place.iter().map(ToString::to_string);
            table.row(&place.chain([peak.before.to_string(), peak.now.to_string()]).collect::<Vec<_>>());
        }
        table.draw(&mut out);
    }
    let all = comparison.lasted();
    if !all.is_empty() {
        let _ = writeln!(out, "\nLeases that ended were out for, in the median");
        let mut table = Table::new(3, &["namespace", "mount", "role", "before", "now"]);
        for of in all.iter().take(ROWS_MOST) {
            let (namespace, mount, role) = of.role;
            let root = if namespace.is_empty() { "root" } else { namespace };
            let place = [root, mount, role].map(str::to_owned);
            table.row(&place.into_iter().chain([lasted(of.before), lasted(of.now)]).collect::<Vec<_>>());
        }
        table.draw(&mut out);
    }
    for (title, names) in comparison.names() {
        list(title, &names, &mut out);
    }
    out
}

fn list(title: &str, names: &[Name], out: &mut String) {
    if names.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}: {}", names.len());
    let mut table = Table::new(1, &["name", "requests"]);
    for name in names.iter().take(NAMES_MOST) {
        table.row(&[name.name.clone(), name.requests.to_string()]);
    }
    table.draw(out);
    if names.len() > NAMES_MOST {
        let _ = writeln!(out, "  and {} more, which --format json has", names.len() - NAMES_MOST);
    }
}
