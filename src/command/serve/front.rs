//! The front: what the pages ask, over every reload. While the parts are exchanged a page waits for the new ones.

use super::shared::Shared;
use crate::anomaly::{Episode, Which};
use crate::clock::wall;
use crate::event::Timestamp;
use crate::exposition::overview::Overview;
use crate::exposition::{Site, Unavailable, Waiting};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a page waits for the parts: less than Prometheus waits for a page.
const PATIENCE: Duration = Duration::from_secs(8);

/// Wishes to reload that may wait.
const WISHES: usize = 16;

/// Somebody wants the configuration to be read anew, and to know what comes of it.
pub(super) type Request = oneshot::Sender<Result<(), String>>;

/// The parts that are in place, if any are.
pub(super) struct Front {
    parts: Mutex<Option<Arc<Shared>>>,
    placed: Condvar,
    requests: mpsc::Sender<Request>,
}

impl Front {
    /// Without parts; with the end at which wishes to reload come out.
    pub(super) fn new() -> (Arc<Self>, mpsc::Receiver<Request>) {
        let (requests, wishes) = mpsc::channel(WISHES);
        (Arc::new(Self { parts: Mutex::new(None), placed: Condvar::new(), requests }), wishes)
    }

    /// These answer from now on.
    pub(super) fn place(&self, parts: Arc<Shared>) {
        *self.parts.lock().unwrap_or_else(PoisonError::into_inner) = Some(parts);
        self.placed.notify_all();
    }

    /// Nobody answers from now on; those who did.
    pub(super) fn take(&self) -> Option<Arc<Shared>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Those who answer, waited for.
    fn parts(&self) -> Option<Arc<Shared>> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.placed.wait_timeout_while(parts, PATIENCE, |parts| parts.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

/// What is said while there is nobody to ask.
const RELOADING: &str = "the configuration to be reloaded";

impl Site for Front {
    fn metrics(&self) -> Result<Vec<u8>, Unavailable> {
        match self.parts() {
            Some(parts) => parts.page(),
            None => Err(Unavailable::NotYet(format!("waiting for {RELOADING}"))),
        }
    }

    fn readiness(&self) -> Vec<Waiting> {
        self.parts().map_or_else(|| vec![Waiting(RELOADING.to_owned())], |parts| parts.waiting())
    }

    fn overview(&self) -> Overview {
        let waiting =
            || Overview { now: wall(), waiting: vec![Waiting(RELOADING.to_owned())], ..Overview::default() };
        self.parts().map_or_else(waiting, |parts| parts.overview())
    }

    fn episodes(&self, which: Which) -> (Timestamp, Vec<Episode>) {
        self.parts().map_or_else(|| (Timestamp::MIN, Vec::new()), |parts| parts.episodes(which))
    }

    fn shows_names(&self) -> bool {
        self.parts().is_some_and(|parts| parts.shows_names())
    }

    fn reload(&self) -> Result<(), String> {
        let (request, outcome) = oneshot::channel();
        let gone = || "leasewatch is stopping".to_owned();
        self.requests.blocking_send(request).map_err(|_| gone())?;
        outcome.blocking_recv().map_err(|_| gone())?
    }
}
