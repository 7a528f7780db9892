//! Snapshot to people: what `analyze` and `leases` print. One format a file.

mod backfill;
pub mod compare;
mod course;
pub mod episodes;
pub mod events;
mod figures;
mod html;
mod incident;
mod json;
pub mod leases;
mod markdown;
mod narrow;
mod opening;
pub mod story;
mod style;
mod table;
mod text;

use crate::anomaly::Episode;
use crate::digest::Told;
use crate::event::Timestamp;
use crate::harmless::is_obeyed;
use crate::pipeline::Stats;
use crate::snapshot::Snapshot;

pub use backfill::{Backfill, Labels};
pub use course::Course;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use narrow::{Narrow, Narrowed};
pub use opening::Opening;
pub use style::Style;

pub(crate) use leases::span;
pub use text::text;

/// What a report is made of.
#[derive(Debug)]
pub struct Report {
    /// All numbers: counters of the period, gauges at its end.
    pub snapshot: Snapshot,
    /// Somebody had enough before all was read.
    pub is_interrupted: bool,
    /// What it is about, where that is not all that was read.
    pub period: Option<Period>,
    /// What part of it is told, where that is not all.
    pub narrowed: Option<Narrowed>,
    /// Every log by name, with what was counted of it in the period.
    pub sources: Vec<(String, Stats)>,
    /// The episodes that were asked for, in the order in which they opened.
    pub episodes: Vec<Episode>,
    /// How often one would have been paged, where that was asked for.
    pub backtest: Option<episodes::Backtest>,
    /// How the numbers went, where the form shows it.
    pub course: Option<Course>,
    /// Who, since when, how long: where the form shows it.
    pub digest: Option<Told>,
}

impl Report {
    /// What it is about, in words, where that is not all that was read.
    fn notes(&self) -> Vec<String> {
        let period = self.period.map(|period| format!("counted {}", period.sentence()));
        let narrowed = self.narrowed.iter().flat_map(Narrowed::sentences);
        let interrupted = self.is_interrupted.then(|| {
            format!("interrupted at {}: what the logs tell after that is not in here", self.snapshot.as_of)
        });
        interrupted.into_iter().chain(period).chain(narrowed).collect()
    }

    /// Whoever does something from here on, and not before, has started to: the period, or all but
    /// the first tenth of the logs.
    fn started_after(&self) -> Option<Timestamp> {
        if let Some(since) = self.period.and_then(|period| period.since) {
            return Some(since);
        }
        let begins = self.digest.as_ref()?.begins?;
        Some(begins.plus_nanos(self.snapshot.as_of.nanos_since(begins) / 10))
    }

    /// The same as comments in front of Prometheus text.
    pub fn comments(&self) -> String {
        let lines = self.notes().into_iter();
        lines.flat_map(|note| ["# ".to_owned(), printable(&note), "\n".to_owned()]).collect()
    }
}

/// The period that a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Its beginning, where one was asked for.
    pub since: Option<Timestamp>,
    /// Its end: as asked for, or that of the logs if they end before.
    pub until: Timestamp,
    /// Lines before it, of all logs: they tell what was there when it began.
    pub lines_before: u64,
}

impl Period {
    /// It as a value of JSON.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "since": self.since.map(|at| at.to_string()),
            "until": self.until.to_string(),
            "lines_before": self.lines_before,
        })
    }

    /// It in words.
    pub fn sentence(&self) -> String {
        match self.since {
            None => format!("from the beginning of the logs until {}", self.until),
            Some(since) => format!(
                "from {since} until {}; {} lines before it are the opening balance",
                self.until, self.lines_before
            ),
        }
    }
}

/// A text without anything that a terminal would act on: names come from a log.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if is_obeyed(c) { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}
