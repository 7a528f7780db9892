//! A table: rows of text in columns as wide as they need to be.

use super::printable;
use super::style::{Style, cut_middle};

/// Letters that a cut text keeps.
const CELL_LEAST: usize = 7;

/// Rows under a heading; the first columns to the left, numbers to the right.
pub(super) struct Table {
    left: usize,
    /// The last column is text too.
    notes: bool,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these headings, of which the first `left` are text.
    pub(super) fn new(left: usize, headings: &[&str]) -> Self {
        Self {
            left,
            notes: false,
            rows: vec![headings.iter().map(|heading| (*heading).to_owned()).collect()],
        }
    }

    /// The last column is text as well.
    pub(super) fn with_notes(mut self) -> Self {
        self.notes = true;
        self
    }

    pub(super) fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.iter().map(|cell| printable(cell)).collect());
    }

    pub(super) fn draw(&self, out: &mut String) {
        self.draw_in(Style::PLAIN, out);
    }

    /// For that terminal: text is cut in its middle where a row would be wider than it.
    pub(super) fn draw_in(&self, style: Style, out: &mut String) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let is_text = |column: usize| column < self.left || (self.notes && column + 1 == columns);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let mut widths: Vec<_> = (0..columns).map(width).collect();
        let line = |widths: &[usize]| widths.iter().sum::<usize>() + 2 * columns;
        // The widest text gives way first, and none below what still tells something.
        while line(&widths) >= style.columns()
            && let Some(widest) = (0..columns).filter(|column| is_text(*column)).max_by_key(|at| widths[*at])
            && widths[widest] > CELL_LEAST
        {
            widths[widest] -= 1;
        }
        for (place, row) in self.rows.iter().enumerate() {
            let mut line = String::from(" ");
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let cell = cut_middle(cell, *width);
                let padding = " ".repeat(width - cell.chars().count());
                line.push(' ');
                if is_text(column) {
                    line += &cell;
                    line += &padding;
                } else {
                    line += &padding;
                    line += &cell;
                }
                line.push(' ');
            }
            let line = style.cut(line.trim_end(), 0);
            out.push_str(&if place == 0 { style.dim(&line) } else { line });
            out.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_wider_than_the_terminal_and_a_pipe_cuts_nothing() {
        let mut table = Table::new(1, &["who", "count", "note"]).with_notes();
        table.row(&["kubernetes-shop-app-1".repeat(3), "12".to_owned(), "a long note ".repeat(9)]);
        table.row(&["\u{1b}[31mred".to_owned(), "1".to_owned(), String::new()]);
        for columns in [30, 80, 160] {
            let mut out = String::new();
            table.draw_in(Style { columns: Some(columns), has_colour: false }, &mut out);
            assert!(out.lines().all(|line| line.chars().count() <= columns), "{out}");
            assert!(out.contains("12") && !out.contains('\u{1b}'), "{out}");
        }
        let mut out = String::new();
        table.draw(&mut out);
        assert!(out.contains(&"kubernetes-shop-app-1".repeat(3)) && !out.contains('…'), "{out}");
    }
}
