//! Pushing: what is seen, to those who are not asked by Prometheus. A receiver that is slow or away holds
//! up its own task and nothing else: numbers are read as a page is, events wait in a file of bounded size.
//!
//! | file | its noun |
//! |---|---|
//! | `mod.rs` | all that is pushed, opened by what is configured; what it asks of the program |
//! | `target.rs`, `board.rs` | a receiver; what came of everything sent to it, kept over restarts |
//! | `client.rs`, `courier.rs` | one request and its answer; its credential, back-off, and what is said of it |
//! | `otlp.rs`, `deltas.rs`, `metrics.rs` | OTLP's JSON; what of each counter was acknowledged; the task |
//! | `heartbeat.rs` | a sign of life, only while there is one |
//! | `privacy.rs` | pseudonyms of clients |
//! | `ocsf.rs`, `outbox.rs`, `events.rs` | a security event; those that wait; the task |
//! | `incidents.rs`, `rest.rs` | incidents that open, change and resolve once; the requests for it |

mod board;
mod client;
mod courier;
mod deltas;
mod events;
mod heartbeat;
mod incidents;
mod metrics;
mod ocsf;
mod otlp;
mod outbox;
mod privacy;
mod rest;
mod target;

pub use board::{Board, Report};
pub use client::validate;
pub use events::post;
pub use outbox::Outbox;
pub use privacy::{KEY_LEAST, Pseudonyms};
pub use target::Target;

use crate::anomaly::{Episode, EpisodeId};
use crate::config::{IncidentsFrom, PushConfig};
use crate::snapshot::Snapshot;
use crate::store::{Store, StoreError};
use client::Client;
use courier::Courier;
use serde_json::Value;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// One task of those that push.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is pushed. Methods may take a lock for a moment; they are called where that may block.
pub trait Site: Send + Sync + 'static {
    /// Every number, once every log was read to its end.
    fn snapshot(&self) -> Option<Snapshot>;

    /// A few words for a heartbeat.
    ///
    /// # Errors
    /// Why leasewatch is not well.
    fn pulse(&self) -> Result<Value, String>;

    /// The episodes of the last day that are at least a notice, once every log was read to its end.
    fn episodes(&self) -> Vec<Episode>;

    /// One of them, however old.
    fn episode(&self, id: EpisodeId) -> Option<Episode>;
}

/// Why nothing can be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The state folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something that is configured cannot be used.
    #[error("{0}")]
    Setting(String),
}

/// All that is pushed.
pub struct Push {
    board: Board,
    outbox: Option<Arc<Mutex<Outbox>>>,
    pushers: Vec<Pusher>,
}

enum Pusher {
    Metrics(metrics::Metrics),
    Heartbeat(heartbeat::Heartbeat),
    Events(events::Events),
    Incidents(incidents::Incidents),
}

impl Push {
    /// Opens what is configured.
    ///
    /// # Errors
    /// That the state folder or the key of the pseudonyms cannot be used.
    pub fn open(config: &PushConfig, store: &Store) -> Result<Self, PushError> {
        let mut push = Self { board: Board::open(store)?, outbox: None, pushers: Vec::new() };
        if config.is_off() {
            return Ok(push);
        }
        let client = Client::new(config.ca_cert.as_deref()).map_err(PushError::Setting)?;
        let board = push.board.clone();
        let courier = |target, address: &str, credential: &Option<_>| {
            board.add(target, address);
            Courier::new(target, client.clone(), board.clone(), credential.clone())
        };
        if let Some(url) = config.otlp.url() {
            let courier = courier(Target::Otlp, &url, &config.otlp.headers);
            push.pushers.push(Pusher::Metrics(metrics::Metrics::open(courier, config, url, store)?));
        }
        let oneuptime = &config.oneuptime;
        let Some(base) = &oneuptime.url else { return Ok(push) };
        if config.oneuptime_metrics() {
            let url = format!("{base}/otlp/v1/metrics");
            let courier = courier(Target::OneUptimeMetrics, base, &oneuptime.token);
            push.pushers.push(Pusher::Metrics(metrics::Metrics::open(courier, config, url, store)?));
        }
        if oneuptime.heartbeat_key.is_some() {
            let courier = courier(Target::OneUptimeHeartbeat, base, &oneuptime.heartbeat_key);
            push.pushers.push(Pusher::Heartbeat(heartbeat::Heartbeat::new(courier, config.interval, base)));
        }
        let wants_incidents = oneuptime.incidents.from != IncidentsFrom::Off;
        if !config.oneuptime_events() && !wants_incidents {
            return Ok(push);
        }
        let pseudonyms = Arc::new(
            Pseudonyms::open(config.privacy, config.key_file.as_deref(), store)
                .map_err(PushError::Setting)?,
        );
        if config.oneuptime_events() {
            let courier = courier(Target::OneUptimeSecurityEvents, base, &oneuptime.token);
            let outbox = Arc::new(Mutex::new(Outbox::open(store, Arc::clone(&pseudonyms), board.clone())?));
            push.outbox = Some(Arc::clone(&outbox));
            push.pushers.push(Pusher::Events(events::Events::new(courier, base, outbox)));
        }
        if wants_incidents {
            let courier = courier(Target::OneUptimeIncidents, base, &oneuptime.incidents.api_key);
            let incidents =
                incidents::Incidents::open(courier, base, &oneuptime.incidents, pseudonyms, store)?;
            push.pushers.push(Pusher::Incidents(incidents));
        }
        Ok(push)
    }

    /// What came of it.
    pub fn board(&self) -> Board {
        self.board.clone()
    }

    /// Where privileged operations go, if anybody wants them.
    pub fn outbox(&self) -> Option<Arc<Mutex<Outbox>>> {
        self.outbox.clone()
    }

    /// The tasks, to be run until `stop`; each ends within three seconds of it.
    pub fn tasks(self, site: &Arc<dyn Site>, stop: &CancellationToken) -> Vec<Task> {
        let tasks = self.pushers.into_iter().map(|pusher| -> Task {
            let (site, stop) = (Arc::clone(site), stop.clone());
            match pusher {
                Pusher::Metrics(metrics) => Box::pin(metrics.run(site, stop)),
                Pusher::Heartbeat(heartbeat) => Box::pin(heartbeat.run(site, stop)),
                Pusher::Events(events) => Box::pin(events.run(site, stop)),
                Pusher::Incidents(incidents) => Box::pin(incidents.run(site, stop)),
            }
        });
        tasks.collect()
    }
}

/// Waits so long, or until stopped; true if stopped.
async fn rest(wait: Duration, stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => true,
        () = tokio::time::sleep(wait) => false,
    }
}

/// Asks the program something, where that may block.
async fn ask<T: Send + 'static>(
    site: &Arc<dyn Site>,
    question: impl FnOnce(&dyn Site) -> T + Send + 'static,
) -> Option<T> {
    let site = Arc::clone(site);
    tokio::task::spawn_blocking(move || question(site.as_ref())).await.ok()
}
