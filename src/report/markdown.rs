//! Markdown: what the text says, as tables for a ticket. Names come from a log: they stand in code
//! spans, where no link, mention or tag comes of them.

use super::episodes::ranked;
use super::{Report, figures, printable};
use crate::anomaly::Episode;
use std::fmt::Write;

/// The report as Markdown.
pub fn markdown(report: &Report) -> String {
    let mut out = String::from("# leasewatch report\n\n");
    let _ = writeln!(out, "As of {}. Times are UTC.", report.snapshot.as_of);
    for note in report.notes() {
        let _ = writeln!(out, "- {}", text(&note));
    }
    sources(report, &mut out);
    for figures in figures::all(report) {
        let _ = writeln!(out, "\n## {}\n", figures.title);
        let columns = figures.headings.len();
        let is_text = |column: usize| column < figures.text || figures.notes && column + 1 == columns;
        let headings: Vec<_> = figures.headings.iter().map(|heading| text(heading)).collect();
        let rows = figures.rows.iter().map(|row| {
            row.iter()
                .enumerate()
                .map(|(column, cell)| if is_text(column) { code(cell) } else { text(cell) })
                .collect()
        });
        table(&headings, is_text, rows, &mut out);
        if let Some(more) = &figures.more {
            let _ = writeln!(out, "\n{}", text(more));
        }
    }
    episodes("Anomalies", &report.episodes, &mut out);
    if let Some(backtest) = &report.backtest {
        let _ = writeln!(out, "\n## Backtest\n\n{}", text(&backtest.sentence()));
        episodes("Anomalies of the rest", &backtest.list, &mut out);
    }
    out
}

fn sources(report: &Report, out: &mut String) {
    out.push_str("\n## Logs\n\n");
    let rows = report.sources.iter().map(|(name, stats)| {
        let unreadable: Vec<_> =
            stats.unreadable.iter().map(|(why, count)| format!("{why} {count}")).collect();
        vec![code(name), stats.lines.to_string(), stats.late.to_string(), code(&unreadable.join(", "))]
    });
    let headings = ["log", "lines", "late", "not read"].map(str::to_owned);
    table(&headings, |column| column == 0 || column == 3, rows, out);
}

/// Episodes, the highest first; nothing where there are none.
pub(super) fn episodes(title: &str, episodes: &[Episode], out: &mut String) {
    if episodes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## {title}\n");
    let rows = ranked(episodes).into_iter().map(|episode| {
        vec![
            episode.severity.name().to_owned(),
            format!("{:.0}", episode.score),
            episode.opened_at.to_string(),
            code(&episode.id.to_string()),
            code(&episode.summary),
        ]
    });
    let headings = ["severity", "score", "since", "id", "what"].map(str::to_owned);
    table(&headings, |column| column != 1, rows, out);
}

/// A table of cells that are Markdown already; what is no text stands to the right.
pub(super) fn table(
    headings: &[String],
    is_text: impl Fn(usize) -> bool,
    rows: impl Iterator<Item = Vec<String>>,
    out: &mut String,
) {
    let _ = writeln!(out, "| {} |", headings.join(" | "));
    let rules = (0..headings.len()).map(|column| if is_text(column) { "---" } else { "---:" });
    let _ = writeln!(out, "|{}|", rules.collect::<Vec<_>>().join("|"));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
}

/// A name out of a log: a code span that nothing in it can end.
pub(super) fn code(name: &str) -> String {
    // Behind a backslash no other one would make a letter of a bar.
    let name = printable(name).replace("\\|", "\\\\u{7c}").replace('|', "\\|");
    if name.is_empty() {
        return name;
    }
    let longest = name.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space at either end is taken off again.
    let space = if longest > 0 || name.starts_with(' ') || name.ends_with(' ') { " " } else { "" };
    format!("{fence}{space}{name}{space}{fence}")
}

/// Words of ours, with what Markdown would act on as letters.
pub(super) fn text(words: &str) -> String {
    let mut out = String::new();
    for letter in printable(words).chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '!') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_code_span_or_a_cell() {
        assert_eq!(code("app"), "`app`");
        assert_eq!(code(""), "");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("``` @all"), "```` ``` @all ````");
        assert_eq!(code("a|b\n| c"), "`a\\|b\\n\\| c`");
        assert_eq!(code(" a"), "`  a `");
        assert_eq!(code("a\\|b||"), "`a\\\\u{7c}b\\|\\|`");
        assert_eq!(code("\u{1b}[31m"), "`\\u{1b}[31m`");
    }

    #[test]
    fn words_stay_words() {
        assert_eq!(text("a_b *c* <d> [e](f) | g"), "a\\_b \\*c\\* \\<d\\> \\[e\\](f) \\| g");
    }
}
