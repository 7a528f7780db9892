//! `serve`: reads the logs, asks Vault, answers scrapes, and goes by a changed configuration when it is told to. The
//! only place where tasks and threads are started, and where they are stopped.

mod acknowledged;
mod bell;
mod feed;
mod front;
mod ingest;
mod inputs;
mod local;
mod news;
mod notebook;
mod own;
mod parts;
mod pushed;
mod reception;
mod reload;
mod reloads;
mod shared;
mod steady;
mod view;
mod visitors;

use crate::config::{Config, ConfigError};
use crate::exposition::{Site, http};
use crate::web::Gate;
use anyhow::Context;
use front::{Front, Request};
use parts::{Kept, Parts};
use reload::{Doors, Running};
use reloads::Reloads;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How the configuration is read anew.
pub type Load = Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// Runs until SIGTERM or SIGINT; a second signal ends at once. SIGHUP has the configuration read anew by `load`.
///
/// # Errors
/// Whatever keeps it from starting, or a part of it that ended by itself.
pub fn run(config: Config, load: Load) -> anyhow::Result<()> {
    on_a_runtime(async {
        let stop = CancellationToken::new();
        // Before anything else: without a listener the signal would end the process.
        let hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        stop_on_signals(&stop)?;
        serve(config, None, Some((load, hangup)), stop).await
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
    on_a_runtime(serve(config, Some(listener), None, stop))
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
    reloading: Option<(Load, Signal)>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let gate = Arc::new(Gate::new(config.web_config.as_deref())?);
    let reloads = Arc::new(Reloads::new(Arc::clone(&gate)));
    let mut kept = Kept::open(&config, reloads, Arc::clone(&gate))?;
    let opened = parts::open(&config, &mut kept)?;

    let listener = match listener {
        Some(bound) => bound
            .set_nonblocking(true)
            .and_then(|()| TcpListener::from_std(bound))
            .context("cannot listen")?,
        None => listen(&config.listen_address).await?,
    };
    let tls = gate.rules().tls().is_some();
    tracing::info!(address = %listener.local_addr()?, tls, version = env!("CARGO_PKG_VERSION"), "Listening");

    let parts = opened.start(&config, &mut kept);
    let (front, wishes) = Front::new();
    front.place(Arc::clone(&parts.shared));
    let mut doors = Doors::new(Arc::clone(&front) as Arc<dyn Site>, gate);
    doors.open(listener);
    let (load, hangup) = reloading.map_or((None, None), |(load, hangup)| (Some(load), Some(hangup)));
    let mut running = Running { config, kept, front, doors, load };
    let parts = go_on(&mut running, parts, wishes, hangup, &stop).await;
    stop.cancel();
    tracing::info!("Stopping");
    running.kept.reception.stop();
    let closed = running.doors.close();
    let (ended, ()) = tokio::join!(
        async {
            match parts? {
                Some(parts) => parts.stop().await,
                None => Ok(()),
            }
        },
        closed
    );
    running.kept.reception.stopped();
    ended?;
    tracing::info!("Stopped");
    Ok(())
}

/// Lets the parts run, and exchanges them where that is wished, until `stop`. Those that still run then; an error if
/// they ended by themselves.
async fn go_on(
    running: &mut Running,
    mut parts: Parts,
    mut wishes: mpsc::Receiver<Request>,
    mut hangup: Option<Signal>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Parts>> {
    loop {
        let wish = tokio::select! {
            () = stop.cancelled() => return Ok(Some(parts)),
            // The first part that ends by itself ends the others.
            ended = parts.ended() => {
                parts.stop_beside().await;
                return Err(match ended.context("reading ended unexpectedly") {
                    Ok(Err(error)) | Err(error) => error,
                    Ok(Ok(())) => anyhow::anyhow!("reading ended unexpectedly"),
                });
            }
            wish = wishes.recv() => wish,
            () = hung_up(&mut hangup) => None,
        };
        // One reading is enough for all who wished for it until now.
        let mut wishes_now: Vec<_> = wish.into_iter().collect();
        while let Ok(more) = wishes.try_recv() {
            wishes_now.push(more);
        }
        let (next, outcome) = running.reload(parts, stop).await;
        for wish in wishes_now {
            // Whoever wished may have gone away.
            let _ = wish.send(outcome.clone());
        }
        match next {
            Ok(next) => parts = next,
            Err(_) if stop.is_cancelled() => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

async fn hung_up(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => drop(hangup.recv().await),
        None => std::future::pending().await,
    }
}

/// Listens where the configuration says.
async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    http::bind(address).await.with_context(|| format!("cannot listen on {address}: set --web.listen-address"))
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
