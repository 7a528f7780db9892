//! Visitors that were turned away, over restarts: what is about to be shown is written down before, so that no restart
//! makes a counter fall.

use crate::contract::own as metric;
use crate::snapshot::{Family, Metric};
use crate::store::{Journal, Store, StoreError};
use crate::web::Gate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Name of its file.
const NAME: &str = "turned-away-totals";

/// A line of its file: counts by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Totals {
    requests: BTreeMap<String, u64>,
    handshakes: BTreeMap<String, u64>,
}

/// The counts of this process, and of those before it.
#[derive(Debug)]
pub(super) struct Visitors {
    gate: Arc<Gate>,
    before: Totals,
    written: Mutex<(Journal, Totals)>,
}

impl Visitors {
    /// Reads what was written down.
    ///
    /// # Errors
    /// That its file cannot be used.
    pub(super) fn open(store: &Store, gate: Arc<Gate>) -> Result<Self, StoreError> {
        let (journal, lines) = Journal::open(store, NAME)?;
        let before: Totals =
            lines.iter().rev().find_map(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        Ok(Self { gate, written: Mutex::new((journal, before.clone())), before })
    }

    /// Both series, by every reason there is.
    pub(super) fn families(&self) -> Vec<Family> {
        let away = self.gate.turned_away();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let totals = Totals {
            requests: sum(&self.before.requests, away.requests()),
            handshakes: sum(&self.before.handshakes, away.handshakes()),
        };
        let (journal, last) = &mut *written;
        if *last != totals {
            let line = serde_json::to_string(&totals).unwrap_or_default();
            match journal.append(&line).and_then(|()| journal.compact(std::iter::once(line))) {
                Ok(()) => *last = totals.clone(),
                Err(error) => tracing::error!(
                    %error,
                    "Who was turned away could not be written down: make room in the state folder"
                ),
            }
        }
        vec![
            family(&metric::HTTP_REQUESTS_REFUSED, &totals.requests),
            family(&metric::HTTP_TLS_FAILURES, &totals.handshakes),
        ]
    }
}

fn family(metric: &'static Metric, totals: &BTreeMap<String, u64>) -> Family {
    let mut family = Family::new(metric);
    for (reason, times) in totals {
        family.count([reason.as_str()], *times);
    }
    family
}

/// What is known now, by the reasons that there are now.
fn sum(
    before: &BTreeMap<String, u64>,
    now: impl Iterator<Item = (&'static str, u64)>,
) -> BTreeMap<String, u64> {
    now.map(|(reason, times)| (reason.to_owned(), before.get(reason).copied().unwrap_or(0) + times)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Value;
    use crate::web::{Handshake, Refusal};

    #[test]
    fn counters_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        for round in 1..=2_u64 {
            let store = Store::open(folder.path()).unwrap();
            let gate = Arc::new(Gate::new(None).unwrap());
            let visitors = Visitors::open(&store, Arc::clone(&gate)).unwrap();
            gate.turned_away().handshake(Handshake::Timeout);
            for _ in 0..500 {
                gate.turned_away().request(Refusal::Password);
                visitors.families();
            }
            let families = visitors.families();
            let value = |family: &Family, reason| {
                family.series.iter().find(|series| &*series.labels[0] == reason).unwrap().value.clone()
            };
            assert_eq!(value(&families[0], "password"), Value::Count(500 * round));
            assert_eq!(value(&families[0], "rate"), Value::Count(0));
            assert_eq!(value(&families[1], "timeout"), Value::Count(round));
            assert_eq!((families[0].series.len(), families[1].series.len()), (10, 4));
            assert!(std::fs::metadata(store.path(NAME)).unwrap().len() < Journal::LENGTH + 1_000);
        }
    }
}
