//! Snapshot to people: what `analyze` prints. One format a file.

mod json;
mod table;
mod text;

use crate::pipeline::Stats;
use crate::snapshot::Snapshot;

pub use json::json;
pub use text::text;

/// What a report is made of.
#[derive(Debug)]
pub struct Report {
    /// All numbers.
    pub snapshot: Snapshot,
    /// Every log by name, with what was counted of it.
    pub sources: Vec<(String, Stats)>,
}
