//! The parts: all that a configuration comes to, opened, started and stopped together. A reload stops them, and opens
//! others where they left off: by the checkpoint, as a restart does, so that every setting can change and no line is
//! lost or counted twice. What must not end with them is [`Kept`].

use super::acknowledged;
use super::bell::{self, Bell};
use super::feed::Feeds;
use super::ingest::Ingest;
use super::inputs;
use super::local::Local;
use super::notebook::Notebook;
use super::reception::Reception;
use super::reloads::Reloads;
use super::shared::Shared;
use super::visitors::Visitors;
use crate::config::Config;
use crate::push::{self, Push};
use crate::store::{Spool, Store};
use crate::vault::{Board, Lookups, Scraper, Tell};
use crate::web::Gate;
use anyhow::Context;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long a part may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// What outlives a reload: the state folder with its lock, what is written there from elsewhere, and what is known of
/// the nodes.
pub(super) struct Kept {
    store: Store,
    bell: Arc<Bell>,
    notebook: Notebook,
    feeds: Feeds,
    pub(super) reception: Reception,
    board: Board,
    pub(super) reloads: Arc<Reloads>,
    visitors: Arc<Visitors>,
}

/// What runs by one configuration.
pub(super) struct Parts {
    pub(super) shared: Arc<Shared>,
    stop: CancellationToken,
    bell: Arc<Bell>,
    ingest: JoinHandle<anyhow::Result<()>>,
    scrape: JoinHandle<()>,
    doorbell: JoinHandle<()>,
    local: Option<Local>,
    pushers: JoinSet<()>,
}

impl Kept {
    /// Takes the state folder.
    pub(super) fn open(config: &Config, reloads: Arc<Reloads>, gate: Arc<Gate>) -> anyhow::Result<Self> {
        let store = Store::open(&config.state_dir)?;
        let observations = Spool::open(&store, inputs::OBSERVATIONS)
            .context("cannot open the observations in the state folder")?;
        let bell = Arc::new(Bell::default());
        let notebook = Notebook::new(observations, Arc::clone(&bell));
        Ok(Self {
            visitors: Arc::new(Visitors::open(&store, gate)?),
            store,
            feeds: Feeds::new(Arc::clone(&bell)),
            reception: Reception::new(Arc::clone(&bell)),
            bell,
            notebook,
            board: Board::new(),
            reloads,
        })
    }

    /// What is known of other nodes than those that are asked from now on is forgotten.
    pub(super) fn forget_nodes(&mut self) {
        self.board = Board::new();
    }
}

/// The parts, before they run.
pub(super) struct Opened {
    shared: Arc<Shared>,
    inputs: inputs::Opened,
    push: Push,
    scraper: Scraper,
    lookups: Lookups,
}

/// Opens the logs where the checkpoint left off, and all else. Nothing runs yet.
pub(super) fn open(config: &Config, kept: &mut Kept) -> anyhow::Result<Opened> {
    let push = Push::open(&config.push, &kept.store)?;
    let lookups = Lookups::new();
    let tell: Tell = {
        let notebook = kept.notebook.clone();
        Arc::new(move |observation| {
            if let Err(error) = notebook.write(&observation) {
                tracing::error!(%error, "An observation could not be kept: make room in the state folder");
            }
        })
    };
    let scraper = Scraper::new(&config.vault, &config.nodes, &kept.board, &tell)?.looking_up(&lookups);
    let received = kept.reception.hold(config, &kept.store)?;
    let mut inputs = inputs::open(config, &kept.store, &kept.notebook, &mut kept.feeds)?;
    let pipeline = inputs.pipeline.take().context("the logs were opened twice; please report it")?;
    let (board, reloads) = (kept.board.clone(), Arc::clone(&kept.reloads));
    let shared = Shared::new(config, &kept.store, &inputs.names, pipeline, board, push.board(), reloads)?
        .receiving(received)
        .visited(Arc::clone(&kept.visitors));
    Ok(Opened { shared: Arc::new(shared), inputs, push, scraper, lookups })
}

impl Opened {
    /// Starts every task and thread.
    pub(super) fn start(self, config: &Config, kept: &mut Kept) -> Parts {
        let Self { shared, inputs, push, scraper, lookups } = self;
        let (stop, bell) = (CancellationToken::new(), Arc::clone(&kept.bell));
        acknowledged::tell(&config.anomaly.acknowledged, &shared, &kept.notebook);
        let scrape = tokio::spawn(scraper.run(stop.clone()));
        let doorbell = tokio::spawn(bell::listen(inputs.paths, Arc::clone(&bell), stop.clone()));
        kept.feeds.start();
        let ingest = Ingest::new(
            Arc::clone(&shared),
            &kept.store,
            Arc::clone(&bell),
            inputs.spools,
            inputs.globs,
            lookups,
            config,
        )
        .posting(push.outbox());
        let ingest = {
            let stop = stop.clone();
            tokio::task::spawn_blocking(move || ingest.run(&stop))
        };
        let local = Local::start(&config.state_dir, Arc::clone(&shared), kept.notebook.clone(), stop.clone());
        let mut pushers = JoinSet::new();
        let site: Arc<dyn push::Site> = Arc::clone(&shared) as _;
        for task in push.tasks(&site, &stop) {
            pushers.spawn(task);
        }
        Parts { shared, stop, bell, ingest, scrape, doorbell, local, pushers }
    }
}

impl Parts {
    /// Until every log was read to its end once, or for so long.
    pub(super) async fn caught_up(&self, most: Duration) {
        let reading = async {
            while !self.shared.has_caught_up() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = timeout(most, reading).await;
    }

    /// Until reading ends by itself, which it should not.
    pub(super) async fn ended(&mut self) -> Result<anyhow::Result<()>, JoinError> {
        (&mut self.ingest).await
    }

    /// Stops them all and saves, so that others can go on from there. Takes as long as saving takes, unless
    /// `at_once` is cancelled.
    pub(super) async fn stop_for_others(mut self, at_once: &CancellationToken) -> anyhow::Result<()> {
        self.ring_out();
        let saved = tokio::select! {
            ended = &mut self.ingest => ended,
            () = at_once.cancelled() => return self.stop().await,
        };
        self.stop_beside().await;
        match saved {
            Ok(Ok(())) => {}
            // As after a crash: the logs are read again from the checkpoint before it.
            Ok(Err(error)) => {
                tracing::warn!(%error, "The state was not saved before the reload; more is read again");
            }
            Err(error) => {
                tracing::error!(%error, "Reading ended unexpectedly; it begins again where the checkpoint says");
            }
        }
        // A page that is being made still looks at them, and may mark what it shows.
        for _ in 0..200 {
            if Arc::strong_count(&self.shared) == 1 {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        tracing::warn!("A page is still being made by the configuration before");
        Ok(())
    }

    /// Stops them all, within a time.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        self.ring_out();
        let saved = timeout(STOP_WITHIN, &mut self.ingest).await;
        self.stop_beside().await;
        saved
            .context("reading did not stop in time; the last checkpoint stands")?
            .context("reading ended unexpectedly")?
    }

    /// Stops what is left once reading has ended.
    pub(super) async fn stop_beside(&mut self) {
        self.ring_out();
        let all = async { while self.pushers.join_next().await.is_some() {} };
        let _ = timeout(STOP_WITHIN, all).await;
        self.pushers.shutdown().await;
        if let Some(local) = self.local.take() {
            local.stopped().await;
        }
        for task in [&mut self.scrape, &mut self.doorbell] {
            task.abort();
            let _ = task.await;
        }
    }

    fn ring_out(&self) {
        self.stop.cancel();
        self.bell.ring();
    }
}
