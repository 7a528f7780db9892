//! A crew of threads: one world each, results in the order of the worlds.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Works through jobs, as many at a time as there are cores; `what` is told on a terminal.
pub(crate) fn each<J: Sync, T: Send>(
    threads: usize,
    what: &str,
    jobs: &[J],
    work: impl Fn(&J) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(jobs.len()));
    let began = Instant::now();
    tell(what, 0, jobs.len(), began);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(job) = jobs.get(number)
                {
                    let result = work(job);
                    let mut results = results.lock().unwrap();
                    results.push((number, result));
                    tell(what, results.len(), jobs.len(), began);
                }
            });
        }
    });
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

fn tell(what: &str, done: usize, all: usize, began: Instant) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K{what}: {done} of {all}, {:.0} s", began.elapsed().as_secs_f64());
        let _ = stderr.flush();
    }
}
