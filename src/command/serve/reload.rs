//! Reloading: the configuration is read anew; if it is sound, the parts are stopped and others opened by it, where they
//! left off. Whatever fails, the configuration before it is in force again.

use super::Load;
use super::front::Front;
use super::listen;
use super::parts::{self, Kept, Parts};
use crate::config::Config;
use crate::exposition::{Site, http};
use crate::web::Gate;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long pages wait for the new parts to read what came meanwhile, so that nobody sees them not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// All that is in force.
pub(super) struct Running {
    pub(super) config: Config,
    pub(super) kept: Kept,
    pub(super) front: Arc<Front>,
    pub(super) doors: Doors,
    pub(super) load: Option<Load>,
}

impl Running {
    /// Reads the configuration, and exchanges the parts by it. The parts that run then; an error only where neither
    /// configuration can be followed, or `stop` was cancelled on the way. Beside it, what whoever wished for it is told.
    pub(super) async fn reload(
        &mut self,
        parts: Parts,
        stop: &CancellationToken,
    ) -> (anyhow::Result<Parts>, Result<(), String>) {
        let (parts, outcome) = match self.read().await {
            Ok((next, door)) => self.exchange(parts, next, door, stop).await,
            Err(why) => (Ok(parts), Err(why)),
        };
        self.kept.reloads.read(&outcome);
        match &outcome {
            Ok(()) => tracing::info!("The configuration was reloaded"),
            Err(why) => {
                tracing::error!(%why, "The configuration was not reloaded; the one before it is in force");
            }
        }
        (parts, outcome)
    }

    /// The configuration as it is now, and the new place to listen at where it names one. Nothing is changed yet.
    async fn read(&self) -> Result<(Config, Option<TcpListener>), String> {
        let load = self.load.as_ref().ok_or("there is no configuration to reload")?;
        let next = load().map_err(|error| error.to_string())?;
        next.something_to_watch().map_err(|error| error.to_string())?;
        let fixed = self.config.needs_restart(&next);
        if !fixed.is_empty() {
            let names = fixed.join(", ");
            return Err(format!(
                "{names} changed, which takes a restart of leasewatch: restart it, or change it back"
            ));
        }
        Gate::new(next.web_config.as_deref()).map_err(|error| error.to_string())?;
        let moves = next.listen_address != self.config.listen_address;
        let door = if moves {
            Some(listen(&next.listen_address).await.map_err(|error| format!("{error:#}"))?)
        } else {
            None
        };
        Ok((next, door))
    }

    async fn exchange(
        &mut self,
        parts: Parts,
        next: Config,
        door: Option<TcpListener>,
        stop: &CancellationToken,
    ) -> (anyhow::Result<Parts>, Result<(), String>) {
        tracing::info!("Reloading");
        // Before the parts are stopped: pages wait from now on.
        drop(self.front.take());
        if let Err(error) = parts.stop_for_others(stop).await {
            let why = format!("{error:#}");
            return (Err(error), Err(why));
        }
        if stop.is_cancelled() {
            return (
                Err(anyhow::anyhow!("stopped while reloading")),
                Err("leasewatch is stopping".to_owned()),
            );
        }
        let same_nodes = next.nodes == self.config.nodes;
        if !same_nodes {
            self.kept.forget_nodes();
        }
        let (opened, outcome) = match parts::open(&next, &mut self.kept) {
            Ok(opened) => {
                self.config = next;
                (Ok(opened), self.follow(door))
            }
            Err(error) => {
                if !same_nodes {
                    self.kept.forget_nodes();
                }
                (parts::open(&self.config, &mut self.kept), Err(format!("{error:#}")))
            }
        };
        let parts = opened.map(|opened| opened.start(&self.config, &mut self.kept));
        if let Ok(parts) = &parts {
            parts.caught_up(PATIENCE).await;
            self.front.place(Arc::clone(&parts.shared));
        }
        (parts, outcome)
    }

    /// Does what only follows once the parts are open.
    fn follow(&mut self, door: Option<TcpListener>) -> Result<(), String> {
        self.config.output.start();
        if let Some(listener) = door {
            self.doors.move_to(listener);
        }
        self.doors.gate.follow(self.config.web_config.as_deref()).map_err(|error| error.to_string())
    }
}

/// Where pages are answered.
pub(super) struct Doors {
    site: Arc<dyn Site>,
    gate: Arc<Gate>,
    serving: JoinSet<()>,
    /// Of the one that was opened last.
    shut: CancellationToken,
}

impl Doors {
    pub(super) fn new(site: Arc<dyn Site>, gate: Arc<Gate>) -> Self {
        Self { site, gate, serving: JoinSet::new(), shut: CancellationToken::new() }
    }

    /// Answers at `listener` too.
    pub(super) fn open(&mut self, listener: TcpListener) {
        self.shut = CancellationToken::new();
        let (site, gate) = (Arc::clone(&self.site), Arc::clone(&self.gate));
        self.serving.spawn(http::serve(listener, site, gate, self.shut.clone()));
    }

    /// Answers at `listener` from now on; what was asked before is answered where it was asked.
    fn move_to(&mut self, listener: TcpListener) {
        if let Ok(address) = listener.local_addr() {
            tracing::info!(%address, "Listening");
        }
        self.shut.cancel();
        self.open(listener);
        while self.serving.try_join_next().is_some() {}
    }

    /// Lets requests end, and then answers no more.
    pub(super) async fn close(&mut self) {
        self.shut.cancel();
        while self.serving.join_next().await.is_some() {}
    }
}
