//! An interruption: a person who has waited long enough for finished logs asks, by Ctrl-C, for what
//! is known so far. The second time it is an end at once.

use anyhow::Context;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// The exit code then: what a shell reports of a program that SIGINT ended.
pub(super) const INTERRUPTED: u8 = 130;

/// Whether somebody has asked.
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Listens from now on, on a thread of its own.
    ///
    /// # Errors
    /// The signal cannot be listened to.
    pub(super) fn listen() -> anyhow::Result<Self> {
        const WHY: &str = "cannot listen for SIGINT";
        let asked = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().context(WHY)?;
        let mut interrupts = {
            let _guard = runtime.enter();
            signal(SignalKind::interrupt()).context(WHY)?
        };
        let tell = Arc::clone(&asked);
        let listen = move || {
            runtime.block_on(async {
                interrupts.recv().await;
                tell.store(true, Ordering::Relaxed);
                interrupts.recv().await;
            });
            std::process::exit(i32::from(INTERRUPTED));
        };
        std::thread::Builder::new().name("interrupt".to_owned()).spawn(listen).context(WHY)?;
        Ok(Self(asked))
    }

    /// Somebody has asked.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
