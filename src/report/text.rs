//! Text: the numbers that matter, for a person at a terminal.

use super::printable;
use super::table::Table;
use super::{Report, Style, episodes, figures};
use std::fmt::Write;

/// The report as text, for that terminal.
pub fn text(report: &Report, style: Style) -> String {
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
        let _ = writeln!(out, "\n{}", style.title(figures.title));
        table.draw_in(style, &mut out);
        if let Some(more) = &figures.more {
            let _ = writeln!(out, "  {}", style.dim(&style.cut(&printable(more), 2)));
        }
    }
    anomalies(report, style, &mut out);
    out
}

fn anomalies(report: &Report, style: Style, out: &mut String) {
    if !report.episodes.is_empty() {
        let _ = write!(
            out,
            "\n{}\n{}",
            style.title("Anomalies"),
            episodes::list_in(&report.episodes, style.columns())
        );
    }
    if let Some(backtest) = &report.backtest {
        let list = episodes::list_in(&backtest.list, style.columns());
        let _ = write!(out, "\n{}\n  {}\n{list}", style.title("Backtest"), backtest.sentence());
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
