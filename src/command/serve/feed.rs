//! A feed: standard input of `serve`, such as from a log shipper. It cannot be
//! read again, so every line is kept in a spool first, and read from there.

use super::bell::Bell;
use crate::store::Spool;
use std::io::{BufRead, Read};
use std::sync::Arc;

/// Standard input on its way into a spool.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) spool: Spool,
    /// A longer line is cut here; the rest of it becomes lines that cannot be read.
    pub(super) max_line_bytes: usize,
}

impl Feed {
    /// Starts the thread that copies. It ends with its input; a read cannot be
    /// interrupted, so the end of the program does not wait for it.
    pub(super) fn start(mut self, bell: Arc<Bell>) {
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
