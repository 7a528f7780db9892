//! A watched leasewatch: its page is looked at twice a second, and what it said about leases is
//! kept, so that it can be held against the truth when that is known.

use crate::support::{Leasewatch, Metrics, NeverFalls};
use crate::truth::now;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

/// Families that are kept of each page.
const KEPT: &[&str] = &[
    "leasewatch_leases",
    "leasewatch_ledger_",
    "leasewatch_credentials_issued_total",
    "leasewatch_revocations_total",
    "leasewatch_catching_up",
    "leasewatch_log_gaps_total",
];

/// What a page said.
pub(crate) struct Page {
    /// When it was asked for, in Unix time.
    pub(crate) at: f64,
    pub(crate) metrics: Metrics,
}

/// A leasewatch, the pages it gave and the thread that asks for them.
pub(crate) struct Watch {
    pub(crate) name: &'static str,
    leasewatch: Arc<Mutex<Leasewatch>>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Page>>>,
}

impl Watch {
    /// Looks at it from now on.
    pub(crate) fn over(name: &'static str, leasewatch: Leasewatch) -> Self {
        let leasewatch = Arc::new(Mutex::new(leasewatch));
        let done = Arc::new(AtomicBool::new(false));
        let thread = {
            let (leasewatch, done) = (Arc::clone(&leasewatch), Arc::clone(&done));
            std::thread::spawn(move || look(&leasewatch, &done))
        };
        Self { name, leasewatch, done, thread: Some(thread) }
    }

    /// The process itself, for whoever stops and starts it. It is not looked at meanwhile.
    pub(crate) fn leasewatch(&self) -> MutexGuard<'_, Leasewatch> {
        // A page that is wrong fails the thread that looks; its own words shall be read.
        self.leasewatch.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Kills it and starts it again.
    pub(crate) fn dies(&self) {
        let mut leasewatch = self.leasewatch();
        leasewatch.kill9();
        leasewatch.restart_on_same_port();
    }

    /// Ends the looking; the pages it gave.
    pub(crate) fn pages(&mut self) -> Vec<Page> {
        self.done.store(true, Ordering::SeqCst);
        let thread = self.thread.take().expect("the pages are taken once");
        thread.join().unwrap_or_else(|_| panic!("a page of {:?} was wrong", self.name))
    }
}

impl Drop for Watch {
    /// Has the looking end with a test that fails, and the process with it.
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // Its own failure has been told, or is not the one that counts.
            let _ = thread.join();
        }
    }
}

fn look(leasewatch: &Mutex<Leasewatch>, done: &AtomicBool) -> Vec<Page> {
    let mut pages = Vec::new();
    let mut never_falls = NeverFalls::default();
    while !done.load(Ordering::SeqCst) {
        let at = now();
        let page = leasewatch.lock().unwrap().try_metrics();
        if let Ok(page) = page {
            never_falls.page(&page);
            let kept = |key: &(String, _)| KEPT.iter().any(|kept| key.0.starts_with(kept));
            let series = page.series.into_iter().filter(|(key, _)| kept(key)).collect();
            let metrics = Metrics { series, ..Metrics::default() };
            pages.push(Page { at, metrics });
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    pages
}
