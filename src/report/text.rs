//! Text: the numbers that matter, for a person at a terminal.

use super::printable;
use super::table::Table;
use super::{Report, episodes, figures};
use std::fmt::Write;

/// The report as text.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    sources(report, &mut out);
    for figures in figures::all(report) {
        let headings: Vec<_> = figures.headings.iter().map(String::as_str).collect();
        let mut table = Table::new(figures.text, &headings);
        if figures.notes {
            table = table.with_notes();
        }
        for row in &figures.rows {
            table.row(row);
        }
        let _ = writeln!(out, "\n{}", figures.title);
        table.draw(&mut out);
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
    for note in report.notes() {
        let _ = writeln!(out, "{}", printable(&note));
    }
}
