//! The board: what came of everything that was received, by receiver, for metrics and pages. Its
//! counters are written down before they are shown, so that no restart makes one fall.

use super::door::Door;
use super::tally::{Dropped, Tally};
use crate::contract::receive as metric;
use crate::event::Timestamp;
use crate::snapshot::Family;
use crate::store::{Journal, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Name of its file.
const NAME: &str = "received-totals";

/// All receivers. Clones share it.
#[derive(Clone, Debug)]
pub struct Board {
    receivers: Arc<Vec<Shown>>,
    written: Arc<Mutex<Written>>,
    door: Door,
}

#[derive(Debug)]
struct Shown {
    source: String,
    address: String,
    tally: Arc<Tally>,
}

#[derive(Debug)]
struct Written {
    journal: Journal,
    /// Of every receiver that there ever was.
    totals: BTreeMap<String, Totals>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    dropped: BTreeMap<String, u64>,
    last_line: Option<Timestamp>,
}

/// A line of its file.
#[derive(Serialize, Deserialize)]
struct Line {
    source: String,
    totals: Totals,
}

/// One receiver, for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Name of its log, the label `source`.
    pub source: String,
    /// Where it receives.
    pub address: String,
    /// Open connections; of datagrams there are none.
    pub connections: usize,
    /// What was dropped, by reason, over restarts; only what was.
    pub dropped: Vec<(&'static str, u64)>,
    /// When a line last came.
    pub last_line: Option<Timestamp>,
    /// Why lines are not kept now, with the remedy.
    pub trouble: Option<String>,
}

impl Board {
    /// Reads what came of them before.
    ///
    /// # Errors
    /// That its file cannot be used.
    pub(super) fn open(store: &Store, receivers: &[(String, String)]) -> Result<Self, StoreError> {
        let (journal, lines) = Journal::open(store, NAME)?;
        let totals = totals(lines.iter().map(String::as_str));
        let receivers = receivers.iter().map(|(source, address)| {
            let before = totals.get(source).cloned().unwrap_or_default();
            let dropped = Dropped::ALL.map(|why| before.dropped.get(why.name()).copied().unwrap_or(0));
            let tally = Arc::new(Tally::with(dropped, before.last_line));
            Shown { source: source.clone(), address: address.clone(), tally }
        });
        let receivers = Arc::new(receivers.collect());
        Ok(Self {
            receivers,
            written: Arc::new(Mutex::new(Written { journal, totals })),
            door: Door::default(),
        })
    }

    /// The same with the door that senders come through.
    #[must_use]
    pub(super) fn behind(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// Why the file with TLS and passwords is not followed, where it is not. Looks at files.
    pub fn trouble(&self) -> Option<String> {
        self.door.trouble()
    }

    pub(super) fn tally(&self, source: &str) -> Option<Arc<Tally>> {
        self.receivers.iter().find(|shown| shown.source == source).map(|shown| Arc::clone(&shown.tally))
    }

    /// The series of every receiver.
    pub fn families(&self) -> Vec<Family> {
        if self.receivers.is_empty() {
            return Vec::new();
        }
        let mut connections = Family::new(&metric::CONNECTIONS);
        let mut dropped = Family::new(&metric::DROPPED);
        let mut last = Family::new(&metric::LAST_LINE);
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for Shown { source, tally, .. } in self.receivers.iter() {
            let counts = tally.all_dropped();
            written.set(source, counts, tally.last_line());
            connections.number([source.as_str()], tally.connections() as f64);
            for (why, times) in Dropped::ALL.iter().zip(counts) {
                dropped.count([source.as_str(), why.name()], times);
            }
            if let Some(at) = tally.last_line() {
                last.number([source.as_str()], at.as_secs_f64());
            }
        }
        let mut made = vec![connections, dropped, last];
        for family in &mut made {
            family.series.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        made
    }

    /// Every receiver.
    pub fn report(&self) -> Vec<Report> {
        let report = |Shown { source, address, tally }: &Shown| Report {
            source: source.clone(),
            address: address.clone(),
            connections: tally.connections(),
            dropped: named(Dropped::ALL.iter().map(|why| why.name()).zip(tally.all_dropped())),
            last_line: tally.last_line(),
            trouble: tally.trouble(),
        };
        self.receivers.iter().map(report).collect()
    }
}

/// What an earlier or a running process wrote down of a receiver: for commands beside it.
pub fn written_down(state_dir: &std::path::Path, source: &str) -> Option<Report> {
    let text = std::fs::read_to_string(state_dir.join(NAME)).ok()?;
    let totals = totals(text.lines()).remove(source)?;
    let count = |why: &Dropped| (why.name(), totals.dropped.get(why.name()).copied().unwrap_or(0));
    Some(Report {
        source: source.to_owned(),
        dropped: named(Dropped::ALL.iter().map(count)),
        last_line: totals.last_line,
        ..Report::default()
    })
}

fn named(counts: impl Iterator<Item = (&'static str, u64)>) -> Vec<(&'static str, u64)> {
    counts.filter(|(_, times)| *times > 0).collect()
}

fn totals<'l>(lines: impl Iterator<Item = &'l str>) -> BTreeMap<String, Totals> {
    let lines = lines.filter_map(|line| serde_json::from_str::<Line>(line).ok());
    lines.map(|line| (line.source, line.totals)).collect()
}

impl Written {
    /// Writes down what is about to be shown, if it is new.
    fn set(&mut self, source: &str, counts: [u64; Dropped::ALL.len()], last_line: Option<Timestamp>) {
        let dropped = named(Dropped::ALL.iter().map(|why| why.name()).zip(counts));
        let dropped = dropped.into_iter().map(|(name, times)| (name.to_owned(), times)).collect();
        let totals = Totals { dropped, last_line };
        if self.totals.get(source) == Some(&totals) {
            return;
        }
        let line = |(source, totals): (&String, &Totals)| {
            let line = Line { source: source.clone(), totals: totals.clone() };
            serde_json::to_string(&line).unwrap_or_default()
        };
        let written = self.journal.append(&line((&source.to_owned(), &totals))).and_then(|()| {
            self.totals.insert(source.to_owned(), totals);
            self.journal.compact(self.totals.iter().map(line))
        });
        if let Err(error) = written {
            tracing::error!(%error, "What was dropped could not be written down: make room in the state folder");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Value;

    #[test]
    fn counters_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let names = [("audit".to_owned(), "tcp://127.0.0.1:1".to_owned())];
        for round in 1..=2 {
            let store = Store::open(folder.path()).unwrap();
            let board = Board::open(&store, &names).unwrap();
            let tally = board.tally("audit").unwrap();
            for _ in 0..1_000 {
                tally.dropped(Dropped::Cut, 1);
                let families = board.families();
                let cut = families[1].series.iter().find(|series| &*series.labels[1] == "cut").unwrap();
                assert_eq!(cut.value, Value::Count(tally.all_dropped()[Dropped::Cut as usize]));
            }
            assert_eq!(board.report()[0].dropped, [("cut", 1_000 * round)]);
            let beside = written_down(folder.path(), "audit").unwrap();
            assert_eq!(beside.dropped, [("cut", 1_000 * round)]);
            assert!(std::fs::metadata(store.path(NAME)).unwrap().len() < Journal::LENGTH + 1_000);
        }
        let store = Store::open(folder.path()).unwrap();
        assert!(Board::open(&store, &[]).unwrap().families().is_empty());
    }
}
