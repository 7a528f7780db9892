//! `serve`: reads the logs, asks Vault, answers scrapes. The only place where
//! tasks and threads are started, and where they are stopped.

mod acknowledged;
mod bell;
mod feed;
mod ingest;
mod inputs;
mod local;
mod news;
mod notebook;
mod own;
mod pushed;
mod shared;
mod view;

use crate::config::Config;
use crate::exposition::http;
use crate::push::{self, Push};
use crate::receive::Receivers;
use crate::store::Store;
use crate::vault::{Board, Lookups, Scraper, Tell};
use anyhow::Context;
use bell::Bell;
use ingest::Ingest;
use notebook::Notebook;
use shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// How long the parts may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(4);

/// Runs until SIGTERM or SIGINT; a second signal ends at once.
///
/// # Errors
/// Whatever keeps it from starting, or a part of it that ended by itself.
pub fn run(config: Config) -> anyhow::Result<()> {
    on_a_runtime(async {
        let stop = CancellationToken::new();
        stop_on_signals(&stop)?;
        serve(config, None, stop).await
    })
}

/// Runs until `stop` is cancelled, and answers at `listener` and not at the configured address:
/// for a command that had to know the address before, and that watches the signals itself.
///
/// # Errors
/// As [`run`].
pub fn run_until(
    config: Config,
    listener: std::net::TcpListener,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    on_a_runtime(serve(config, Some(listener), stop))
}

fn on_a_runtime(serving: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(serving);
    // A half-sent request or a look at a slow disk must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn serve(
    config: Config,
    listener: Option<std::net::TcpListener>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let store = Store::open(&config.state_dir)?;
    let board = Board::new();
    let push = Push::open(&config.push, &store)?;
    let opened = inputs::open(&config, &store)?;
    let receivers = Receivers::bind(opened.receivers, &config.receive, config.max_line_bytes, &store)?;
    let bell = Arc::new(Bell::default());
    let shared = Shared::new(&config, &store, &opened.names, opened.pipeline, board.clone(), push.board())?
        .receiving(receivers.board());
    let shared = Arc::new(shared);

    let listener = match listener {
        Some(bound) => bound
            .set_nonblocking(true)
            .and_then(|()| TcpListener::from_std(bound))
            .context("cannot listen")?,
        None => http::bind(&config.listen_address).await.with_context(|| {
            format!("cannot listen on {}: set --web.listen-address", config.listen_address)
        })?,
    };
    tracing::info!(address = %listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "Listening");

    let lookups = Lookups::new();
    let notebook = Notebook::new(opened.observations, Arc::clone(&bell));
    acknowledged::tell(&config.anomaly.acknowledged, &shared, &notebook);
    let scrape = {
        let notebook = notebook.clone();
        let tell: Tell = Arc::new(move |observation| {
            if let Err(error) = notebook.write(&observation) {
                tracing::error!(%error, "An observation could not be kept: make room in the state folder");
            }
        });
        let scraper = Scraper::new(&config.vault, &config.nodes, &board, &tell)?.looking_up(&lookups);
        tokio::spawn(scraper.run(stop.clone()))
    };
    let doorbell = tokio::spawn(bell::listen(opened.paths, Arc::clone(&bell), stop.clone()));
    for feed in opened.feeds {
        feed.start(Arc::clone(&bell));
    }
    let ring = Arc::clone(&bell);
    let ring: Arc<dyn Fn() + Send + Sync> = Arc::new(move || ring.ring());
    let receiving = receivers.start(&ring, stop.clone()).context("cannot start the threads that receive")?;
    let ingest = Ingest::new(
        Arc::clone(&shared),
        &store,
        Arc::clone(&bell),
        opened.spools,
        opened.globs,
        lookups,
        &config,
    )
    .posting(push.outbox());
    let ingest = {
        let stop = stop.clone();
        tokio::task::spawn_blocking(move || ingest.run(&stop))
    };
    let local = local::Local::start(&config.state_dir, Arc::clone(&shared), notebook, stop.clone());
    let mut pushers = tokio::task::JoinSet::new();
    let site: Arc<dyn push::Site> = Arc::clone(&shared) as _;
    for task in push.tasks(&site, &stop) {
        pushers.spawn(task);
    }
    let pages = tokio::spawn(http::serve(listener, shared, stop.clone()));

    // The first part that ends, by itself or because of a signal, ends the others.
    let mut ingest = ingest;
    let early = tokio::select! {
        () = stop.cancelled() => None,
        ended = &mut ingest => Some(ended),
    };
    stop.cancel();
    bell.ring();
    tracing::info!("Stopping");
    let counted = match early {
        Some(ended) => ended,
        None => tokio::time::timeout(STOP_WITHIN, ingest)
            .await
            .context("reading did not stop in time; the last checkpoint stands")?,
    };
    let _ = tokio::time::timeout(STOP_WITHIN, async { tokio::join!(pages, pushers.join_all()) }).await;
    receiving.stopped();
    if let Some(local) = local {
        local.stopped().await;
    }
    for task in [scrape, doorbell] {
        task.abort();
    }
    counted.context("reading ended unexpectedly")??;
    tracing::info!("Stopped");
    Ok(())
}

fn stop_on_signals(stop: &CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let stop = stop.clone();
    tokio::spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if first {
                stop.cancel();
            } else {
                std::process::exit(1);
            }
        }
    });
    Ok(())
}
