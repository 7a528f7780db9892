//! Snapshot to people: what `analyze` and `leases` print. One format a file.

mod course;
pub mod episodes;
mod figures;
mod html;
mod json;
pub mod leases;
mod table;
mod text;

use crate::anomaly::Episode;
use crate::pipeline::Stats;
use crate::snapshot::Snapshot;

pub use course::Course;
pub use html::html;
pub use json::json;
pub use text::text;

/// What a report is made of.
#[derive(Debug)]
pub struct Report {
    /// All numbers.
    pub snapshot: Snapshot,
    /// Every log by name, with what was counted of it.
    pub sources: Vec<(String, Stats)>,
    /// The episodes that were asked for, in the order in which they opened.
    pub episodes: Vec<Episode>,
    /// How often one would have been paged, where that was asked for.
    pub backtest: Option<episodes::Backtest>,
    /// How the numbers went, where the form shows it.
    pub course: Option<Course>,
}

/// A text without anything that a terminal would act on: names come from a log.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}
