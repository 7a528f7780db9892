//! The board: what came of everything that was sent, by target, for metrics and pages. Its counters are
//! written down before they are shown, so that no restart makes one fall.

use super::target::{Outcome, Target};
use crate::clock::wall;
use crate::contract::push as metric;
use crate::event::Timestamp;
use crate::snapshot::Family;
use crate::store::{Journal, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What came of what was sent. Clones share it.
#[derive(Clone, Debug)]
pub struct Board(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    totals: BTreeMap<Target, Totals>,
    /// Those configured now.
    shown: BTreeMap<Target, Shown>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Totals {
    outcomes: [u64; 4],
    last_success: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Shown {
    address: String,
    trouble: Option<String>,
}

/// A line of its file.
#[derive(Serialize, Deserialize)]
struct Line {
    target: Target,
    totals: Totals,
}

/// One target, for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub target: Target,
    /// Where it goes, without anything secret.
    pub address: String,
    /// Requests that were taken.
    pub delivered: u64,
    /// Requests that were not.
    pub undelivered: u64,
    /// When one was last taken.
    pub last_success: Option<Timestamp>,
    /// What is wrong now, with the remedy.
    pub trouble: Option<String>,
}

impl Board {
    /// Reads what came of it before.
    ///
    /// # Errors
    /// That its file cannot be used.
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        let (journal, lines) = Journal::open(store, "push-totals")?;
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let totals = lines.map(|line| (line.target, line.totals)).collect();
        Ok(Self(Arc::new(Mutex::new(Inner { journal, totals, shown: BTreeMap::new() }))))
    }

    /// A target that is configured. Of its address, what may hold a key is left out.
    pub(super) fn add(&self, target: Target, address: &str) {
        let address = address.split('?').next().unwrap_or_default().to_owned();
        self.lock().shown.insert(target, Shown { address, trouble: None });
    }

    /// Counts what came of a request.
    pub(super) fn count(&self, target: Target, outcome: Outcome, times: u64) {
        let inner = &mut *self.lock();
        let mut totals = inner.totals.get(&target).copied().unwrap_or_default();
        totals.outcomes[outcome as usize] += times;
        if outcome == Outcome::Delivered {
            totals.last_success = Some(wall());
        }
        let line = |(target, totals): (&Target, &Totals)| {
            serde_json::to_string(&Line { target: *target, totals: *totals }).unwrap_or_default()
        };
        let written = inner.journal.append(&line((&target, &totals)));
        inner.totals.insert(target, totals);
        let written = written.and_then(|()| inner.journal.compact(inner.totals.iter().map(line)));
        if let Err(error) = written {
            tracing::error!(%error, "What was pushed could not be written down: make room in the state folder");
        }
    }

    /// What is wrong with a target; nothing, if `None`.
    pub(super) fn trouble(&self, target: Target, trouble: Option<String>) {
        if let Some(shown) = self.lock().shown.get_mut(&target) {
            shown.trouble = trouble;
        }
    }

    /// The series of every configured target.
    pub fn families(&self) -> Vec<Family> {
        let inner = self.lock();
        if inner.shown.is_empty() {
            return Vec::new();
        }
        let (mut batches, mut last) = (Family::new(&metric::BATCHES), Family::new(&metric::LAST_SUCCESS));
        for target in inner.shown.keys() {
            let totals = inner.totals.get(target).copied().unwrap_or_default();
            for outcome in Outcome::ALL {
                batches.count([target.name(), outcome.name()], totals.outcomes[outcome as usize]);
            }
            if let Some(at) = totals.last_success {
                last.number([target.name()], at.as_secs_f64());
            }
        }
        for family in [&mut batches, &mut last] {
            family.series.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        vec![batches, last]
    }

    /// Every configured target.
    pub fn report(&self) -> Vec<Report> {
        let inner = self.lock();
        let report = |(target, shown): (&Target, &Shown)| {
            let totals = inner.totals.get(target).copied().unwrap_or_default();
            let delivered = totals.outcomes[Outcome::Delivered as usize];
            Report {
                target: *target,
                address: shown.address.clone(),
                delivered,
                undelivered: totals.outcomes.iter().sum::<u64>() - delivered,
                last_success: totals.last_success,
                trouble: shown.trouble.clone(),
            }
        };
        inner.shown.iter().map(report).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Value;

    #[test]
    fn counters_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let total = |board: &Board, label: &str| {
            let families = board.families();
            let found = families[0].series.iter().find(|series| &*series.labels[1] == label).unwrap();
            found.value.clone()
        };
        for round in 1..=2 {
            let board = Board::open(&store).unwrap();
            assert!(board.families().is_empty(), "nothing is configured yet");
            board.add(Target::Otlp, "http://x/v1/metrics?key=secret");
            for _ in 0..1_000 {
                board.count(Target::Otlp, Outcome::Delivered, 1);
            }
            board.count(Target::Otlp, Outcome::Failed, 3);
            assert_eq!(total(&board, "delivered"), Value::Count(1_000 * round));
            assert_eq!(total(&board, "failed"), Value::Count(3 * round));
            assert_eq!(board.report()[0].address, "http://x/v1/metrics");
            assert!(std::fs::metadata(store.path("push-totals")).unwrap().len() < Journal::LENGTH + 1_000);
        }
    }
}
