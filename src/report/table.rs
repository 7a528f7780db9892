//! A table: rows of text in columns as wide as they need to be.

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
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<_> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::from(" ");
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padding = " ".repeat(width - cell.chars().count());
                line.push(' ');
                if column < self.left || (self.notes && column + 1 == columns) {
                    line += cell;
                    line += &padding;
                } else {
                    line += &padding;
                    line += cell;
                }
                line.push(' ');
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
}

/// A name from a log, without anything that a terminal would act on.
pub(super) fn printable(cell: &str) -> String {
    cell.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}
