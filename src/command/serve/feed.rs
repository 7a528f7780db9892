//! A feed: standard input of `serve`, such as from a log shipper. It cannot be
//! read again, so every line is kept in a spool first, and read from there.

use super::bell::Bell;
use crate::store::{Spool, Store};
use std::collections::BTreeMap;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// Standard input, by the name of its spool: a thread copies it for as long as the process lives, however often the
/// configuration is read anew.
#[derive(Debug)]
pub(super) struct Feeds {
    bell: Arc<Bell>,
    running: BTreeMap<String, PathBuf>,
    opened: Vec<Feed>,
}

impl Feeds {
    pub(super) fn new(bell: Arc<Bell>) -> Self {
        Self { bell, running: BTreeMap::new(), opened: Vec::new() }
    }

    /// The live file of a spool; it is fed from [`start`](Self::start) on.
    pub(super) fn open(&mut self, store: &Store, name: &str, max_line_bytes: usize) -> io::Result<PathBuf> {
        if let Some(path) = self.running.get(name) {
            return Ok(path.clone());
        }
        let spool = Spool::open(store, name)?;
        let path = spool.path().to_owned();
        self.running.insert(name.to_owned(), path.clone());
        self.opened.push(Feed { spool, max_line_bytes });
        Ok(path)
    }

    /// Starts those that were opened since.
    pub(super) fn start(&mut self) {
        for feed in self.opened.drain(..) {
            feed.start(Arc::clone(&self.bell));
        }
    }
}

/// Standard input on its way into a spool.
#[derive(Debug)]
struct Feed {
    spool: Spool,
    /// A longer line is cut here; the rest of it becomes lines that cannot be read.
    max_line_bytes: usize,
}

impl Feed {
    /// Starts the thread that copies. It ends with its input; a read cannot be
    /// interrupted, so the end of the program does not wait for it.
    fn start(mut self, bell: Arc<Bell>) {
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            let mut line = Vec::new();
            loop {
                line.clear();
                let most = self.max_line_bytes as u64 + 1;
                match input.by_ref().take(most).read_until(b'\n', &mut line) {
                    Ok(0) => {
                        tracing::info!("Standard input has ended; what came is counted");
                        return;
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!(%error, "Standard input cannot be read any more: start the shipper anew");
                        return;
                    }
                }
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                if let Err(error) = self.spool.append(&line) {
                    tracing::error!(%error, "A line of standard input could not be kept: make room in the state folder");
                }
                bell.ring();
            }
        });
    }
}
