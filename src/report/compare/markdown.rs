//! Markdown: what changed, for a ticket.

use super::{Comparison, NAMES_MOST, ROWS_MOST, lasted, rounded};
use crate::report::markdown::{code, table, text};
use std::fmt::Write;

/// The comparison as Markdown.
pub fn markdown(comparison: &Comparison) -> String {
    let mut out = String::from("# leasewatch comparison\n\nTimes are UTC.\n");
    for line in comparison.periods().into_iter().chain(comparison.notes()) {
        let _ = writeln!(out, "- {}", text(&line));
    }
    let rows = comparison.rows();
    let clear = rows.iter().filter(|row| row.change.is_clear()).count();
    let _ = writeln!(out, "\n## Changes\n\n{clear} of {} numbers have changed.\n", rows.len());
    let headings =
        ["what", "namespace", "mount", "role", "before", "now", "an hour before", "an hour now", "change"];
    let cells = rows.iter().take(ROWS_MOST).map(|row| {
        let [namespace, mount, role] = row.place().map(code);
        vec![
            text(&row.what()),
            namespace,
            mount,
            role,
            row.before.total().to_string(),
            row.now.total().to_string(),
            rounded(row.before.rate()),
            rounded(row.now.rate()),
            text(&row.change()),
        ]
    });
    table(&headings.map(str::to_owned), |column| column < 4 || column == 8, cells, &mut out);
    more(rows.len(), ROWS_MOST, &mut out);
    let headings = ["namespace", "mount", "role", "before", "now"].map(str::to_owned);
    let peaks = comparison.peaks();
    if !peaks.is_empty() {
        out.push_str("\n## Leases out, at most\n\n");
        let cells = peaks.iter().take(ROWS_MOST).map(|peak| {
            let place = peak.place.iter().map(|name| code(name));
            place.chain([peak.before.to_string(), peak.now.to_string()]).collect()
        });
        table(&headings, |column| column < 3, cells, &mut out);
    }
    let all = comparison.lasted();
    if !all.is_empty() {
        out.push_str("\n## Leases that ended were out for, in the median\n\n");
        let cells = all.iter().take(ROWS_MOST).map(|of| {
            let (namespace, mount, role) = of.role;
            let root = if namespace.is_empty() { "root" } else { namespace };
            let place = [root, mount, role].map(code);
            place.into_iter().chain([lasted(of.before), lasted(of.now)]).collect()
        });
        table(&headings, |column| column < 3, cells, &mut out);
    }
    for (title, names) in comparison.names().into_iter().filter(|(_, names)| !names.is_empty()) {
        let _ = writeln!(out, "\n## {title}: {}\n", names.len());
        let cells =
            names.iter().take(NAMES_MOST).map(|name| vec![code(&name.name), name.requests.to_string()]);
        table(&["name", "requests"].map(str::to_owned), |column| column == 0, cells, &mut out);
        more(names.len(), NAMES_MOST, &mut out);
    }
    out
}

fn more(all: usize, most: usize, out: &mut String) {
    if all > most {
        let _ = writeln!(out, "\nAnd {} more, which `--format json` has.", all - most);
    }
}
