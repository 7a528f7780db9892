//! The bell: tells the reading thread that it may be worth a look.

use crate::source::Doorbell;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Rung by whoever knows of something new; heard by one thread.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    /// There may be something new.
    pub(super) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_one();
    }

    /// Waits for a ring, or for so long.
    pub(super) fn wait(&self, most: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.heard.wait_timeout_while(rung, most, |rung| !*rung);
        *wait.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

/// Rings whenever something happens near one of `paths`, until stopped.
pub(super) async fn listen(paths: Vec<PathBuf>, bell: Arc<Bell>, stop: CancellationToken) {
    let mut doorbell = Doorbell::new(paths).await;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = doorbell.ring() => bell.ring(),
        }
        // Vault writes line by line: a look for each would be mostly looks.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
