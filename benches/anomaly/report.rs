//! The report: tables for people, the same figures as JSON, and the goals.

use crate::measure::figures::Figure;
use serde_json::{Map, Value, json};

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Report {
    figures: Map<String, Value>,
    goals: Vec<Goal>,
}

/// One line of the table of goals.
#[derive(Debug)]
struct Goal {
    name: String,
    bound: String,
    measured: String,
    kept: bool,
}

/// A table in the making.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Begins with the names of the columns.
    pub(crate) fn new<const N: usize>(columns: [&str; N]) -> Self {
        Self { rows: vec![columns.map(str::to_string).to_vec()] }
    }

    /// One more line.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Prints it below its title: the first column to the left, the others to the right.
    pub(crate) fn print(&self, title: &str) {
        println!("\n{title}");
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
            for (column, cell) in row.iter().enumerate() {
                let pad = " ".repeat(widths[column] - cell.chars().count());
                line += " ";
                if column == 0 {
                    line += cell;
                    line += &pad;
                } else {
                    line += " ";
                    line += &pad;
                    line += cell;
                }
            }
            println!("{}", line.trim_end());
        }
    }
}

impl Report {
    /// Keeps a figure for the JSON.
    pub(crate) fn figure(&mut self, part: &str, name: &str, value: Value) {
        let part = self.figures.entry(part).or_insert_with(|| json!({}));
        if let Value::Object(part) = part {
            part.insert(name.to_string(), value);
        }
    }

    /// A goal that is a least value.
    pub(crate) fn at_least(&mut self, name: &str, value: f64, goal: f64, shown: String) {
        self.goal(name, format!("≥ {goal}"), shown, value >= goal);
    }

    /// A goal that is a most value.
    pub(crate) fn at_most(&mut self, name: &str, value: f64, goal: f64, unit: &str, shown: String) {
        self.goal(name, format!("≤ {goal}{unit}"), shown, value <= goal);
    }

    /// Any other goal.
    pub(crate) fn goal(&mut self, name: &str, bound: String, measured: String, kept: bool) {
        self.goals.push(Goal { name: name.to_string(), bound, measured, kept });
    }

    /// Prints the table of goals.
    pub(crate) fn print_goals(&self) {
        if self.goals.is_empty() {
            return;
        }
        let mut table = Table::new(["goal", "", "measured", ""]);
        for goal in &self.goals {
            let verdict = if goal.kept { "reached" } else { "MISSED" };
            table.row([goal.name.clone(), goal.bound.clone(), goal.measured.clone(), verdict.to_string()]);
        }
        table.print("Goals");
    }

    /// All of it as JSON.
    pub(crate) fn json(&self, run: &Value) -> Value {
        let goal = |goal: &Goal| json!({"name": goal.name, "goal": goal.bound, "measured": goal.measured, "reached": goal.kept});
        let goals: Vec<_> = self.goals.iter().map(goal).collect();
        json!({"run": run, "figures": self.figures, "goals": goals})
    }
}

/// A share with its half-width: `0.746 ±0.038`.
pub(crate) fn share(figure: Figure) -> String {
    format!("{:.3} ±{:.3}", figure.value, figure.half)
}

/// A rate with its half-width.
pub(crate) fn rate(figure: Figure) -> String {
    if figure.value.is_infinite() {
        return "never".to_string();
    }
    let digits = if figure.value >= 100.0 { 0 } else { 2 };
    let half = if figure.half.is_nan() { String::new() } else { format!(" ±{:.digits$}", figure.half) };
    format!("{:.digits$}{half}", figure.value)
}

/// A figure for the JSON; what is not finite is `null`.
pub(crate) fn value(figure: Figure) -> Value {
    json!({"value": figure.value, "half_width_95": figure.half})
}

/// A time for people.
pub(crate) fn duration(secs: f64) -> String {
    match secs {
        secs if secs.is_nan() => "–".to_string(),
        secs if secs < 90.0 => format!("{secs:.0} s"),
        secs if secs < 90.0 * 60.0 => format!("{:.1} min", secs / 60.0),
        secs if secs < 48.0 * 3_600.0 => format!("{:.1} h", secs / 3_600.0),
        secs => format!("{:.1} d", secs / 86_400.0),
    }
}
