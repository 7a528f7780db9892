//! `demo`: a simulated Vault, and the real `serve` on it. One command, and nothing else installed.
//!
//! ```text
//!  simulator ─► stage ─► audit.log, server.log ─► serve ─► page, /metrics
//!                 └────► api (loopback) ─────────► serve
//! ```
//!
//! The past is written to compressed files first, as fast as it goes; then time goes on by the
//! clock, and `serve` catches up as it would with any Vault that is older than it. What watches
//! is started by `serve`; what is watched, here.

mod answers;
mod api;
mod entry;
mod folder;
mod guide;
mod journal;
mod plot;
mod stage;
mod visit;

use super::backfill::Past;
use super::finished::Finished;
use super::period::Period;
use super::serve;
use crate::anomaly::Settings;
use crate::cli::DemoArgs;
use crate::clock::wall;
use crate::config::{Config, Flags};
use crate::event::Timestamp;
use crate::exposition::http;
use crate::report::{Backfill, Labels};
use crate::simulator::World;
use crate::state::Limits;
use anyhow::Context;
use folder::Folder;
use guide::{Progress, grouped, say};
use stage::{Stage, audit_log, server_log};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Seconds of a week.
const WEEK: f64 = 7.0 * 86_400.0;
/// How often lines are written whose time has come.
const PACE: Duration = Duration::from_millis(100);
/// How long before now the past ends, in seconds: the plain logs begin there.
const RECENT: i64 = 300;
/// Between two samples of its history: of weeks, more of them would take long to write.
const STEP: Duration = Duration::from_secs(300);
/// A longer line is not in its logs.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Runs until a signal, or for as long as was asked.
///
/// # Errors
/// An address or a folder that cannot be used, a full disk, and whatever ends `serve`.
pub fn run(args: &DemoArgs) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let stop = CancellationToken::new();
    let folder = Folder::open(args.dir.as_deref())?;
    stop_on_signals(&runtime, &stop, &folder)?;
    let result = play(args, &runtime, &folder, &stop);
    stop.cancel();
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

fn play(args: &DemoArgs, runtime: &Runtime, folder: &Folder, stop: &CancellationToken) -> anyhow::Result<()> {
    let api = runtime.block_on(http::bind("127.0.0.1:0")).context("cannot listen on 127.0.0.1")?;
    let config = config(args, folder, api.local_addr()?)?;
    // Before anybody waits for the past.
    let listener = runtime.block_on(http::bind(&config.listen_address)).with_context(|| {
        format!("cannot listen on {}: give another address by --web.listen-address", config.listen_address)
    })?;
    let address = listener.local_addr()?;

    let mut progress = Progress::new();
    progress.tell("leasewatch demo: a simulated Vault, and leasewatch on it\n");
    let span = Span::of(args);
    let Some(stage) = past(args, &span, folder, stop, &mut progress)? else { return Ok(()) };
    let lines = stage.lines();
    let mut text = guide::where_to_look(address, folder);
    if let Some(file) = &args.openmetrics {
        let instance = guide::reachable(address).to_string();
        history(file, &span, folder, &instance, stop, &mut progress)?;
        text.push_str(&guide::how_to_use(&file.display().to_string()));
    }
    let stage = Arc::new(Mutex::new(stage));
    runtime.spawn(api::serve(api, Arc::clone(&stage), args.seed, stop.clone()));
    let pacer = {
        let stop = stop.clone();
        thread::spawn(move || pace(&stage, &stop))
    };
    let announced =
        Announcement { address, lines, text, hints: guide::what_to_see(folder), run_for: args.run_for };
    runtime.spawn(announced.make(progress, stop.clone()));
    let served = serve::run_until(config, listener.into_std()?, stop.clone());
    stop.cancel();
    let paced = pacer.join().map_err(|_| anyhow::anyhow!("the simulated Vault failed; please report it"))?;
    served.and(paced.context("cannot write the simulated logs: make room, or name another folder by --dir"))
}

/// The simulated past.
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    /// It ends a little before now: the plain logs begin there.
    fn of(args: &DemoArgs) -> Self {
        let now = wall();
        #[allow(clippy::cast_possible_truncation, reason = "at most two years of seconds")]
        let from = now.plus_secs(-(args.weeks * WEEK) as i64);
        Self { from, to: now.plus_secs(-RECENT) }
    }
}

/// The world with everything that has happened until now in its logs; `None` where that was stopped.
fn past(
    args: &DemoArgs,
    span: &Span,
    folder: &Folder,
    stop: &CancellationToken,
    progress: &mut Progress,
) -> anyhow::Result<Option<Stage>> {
    let from = span.from;
    let scenario = plot::scenario(args.seed, span.from, span.to);
    let mut written = || -> std::io::Result<Option<Stage>> {
        let mut stage = Stage::new(World::new(&scenario), from, folder.path())?;
        stage.past(span.to, |at, lines| {
            let week = at.nanos_since(from) as f64 / 1e9 / WEEK;
            let weeks = args.weeks;
            progress.show(|| {
                format!(
                    "writing the past: week {:.0} of {weeks}, {} lines",
                    week.floor() + 1.0,
                    grouped(lines)
                )
            });
            !stop.is_cancelled()
        })?;
        if stop.is_cancelled() {
            return Ok(None);
        }
        stage.advance(wall())?;
        Ok(Some(stage))
    };
    written().with_context(|| {
        let path = folder.path().display();
        format!("cannot write the simulated logs to {path}: make room, or name another folder by --dir")
    })
}

/// Writes the past as Prometheus would have seen it, up to now.
fn history(
    file: &Path,
    span: &Span,
    folder: &Folder,
    instance: &str,
    stop: &CancellationToken,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let cannot = || format!("--openmetrics: cannot write {}", file.display());
    let mut out = BufWriter::new(File::create(file).with_context(cannot)?);
    let dir = folder.path();
    let (audit, server) = (stage::files(&audit_log(dir))?, stage::files(&server_log(dir))?);
    let labels = [("job", "leasewatch"), ("instance", instance)];
    let labels = Labels::new(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let labels = labels.map_err(|(problem, _)| anyhow::anyhow!(problem))?;
    let limits = Limits { label_sets: 2_000, leases: 1_000_000, anomaly: Settings::DEFAULT };
    let logs = Finished {
        audit: &audit,
        server: &server,
        at: None,
        // The world goes on beside it.
        threads: 1,
        // What has happened since the past ended is in the logs as well.
        period: Period { since: None, until: Some(wall()) },
        max_line_bytes: MAX_LINE_BYTES,
        limits,
        baseline: None,
    };
    let days = wall().nanos_since(span.from) as f64 / 86_400e9;
    let written = Past { logs, step: STEP, only: &|families| families }.write(
        // Of weeks, zeros are most of it.
        Backfill::new(labels).leaving_out_zeros(),
        &mut out,
        &Arc::default(),
        |read| {
            let day = read.front().nanos_since(span.from).max(0) as f64 / 86_400e9;
            progress.show(|| format!("writing its history: day {day:.0} of {days:.0}"));
            !stop.is_cancelled()
        },
    );
    written.map(drop).with_context(cannot)
}

/// Lets time go on in the world by the wall clock, and never ahead of it.
fn pace(stage: &Mutex<Stage>, stop: &CancellationToken) -> std::io::Result<()> {
    while !stop.is_cancelled() {
        let advanced = stage.lock().unwrap_or_else(PoisonError::into_inner).advance(wall());
        if advanced.is_err() {
            stop.cancel();
            return advanced;
        }
        thread::sleep(PACE);
    }
    Ok(())
}

/// What `serve` runs with: the flags that anybody would give it for such a Vault.
fn config(args: &DemoArgs, folder: &Folder, api: SocketAddr) -> anyhow::Result<Config> {
    let dir = folder.path();
    // With the rotated files, which hold the past.
    let log =
        |name: &str, path: PathBuf| format!("{name}={}*", glob::Pattern::escape(&path.to_string_lossy()));
    let flags = [
        ("audit-log", log("audit", audit_log(dir))),
        ("server-log", log("server", server_log(dir))),
        ("state-dir", dir.join("state").to_string_lossy().into_owned()),
        ("vault.address", format!("http://{api}")),
        ("vault.scrape-interval", "5s".to_owned()),
        ("web.listen-address", args.listen_address.clone()),
        ("log.level", args.log_level.clone()),
    ];
    let mut flags: BTreeMap<_, _> = flags.into_iter().map(|(flag, text)| (flag, vec![text])).collect();
    flags.insert("vault.namespaces", plot::NAMESPACES.map(str::to_owned).to_vec());
    let variables = BTreeMap::from([("VAULT_TOKEN".to_owned(), api::TOKEN.to_owned())]);
    Ok(Config::load(Flags(flags), variables)?)
}

/// What is said once there is something to see.
struct Announcement {
    address: SocketAddr,
    /// Lines of the past.
    lines: u64,
    text: String,
    hints: String,
    run_for: Option<Duration>,
}

impl Announcement {
    async fn make(self, mut progress: Progress, stop: CancellationToken) {
        let at = guide::reachable(self.address);
        let ready = visit::until_ready(at, |read| {
            let (read, all) = (grouped(read.min(self.lines)), grouped(self.lines));
            progress.show(|| format!("leasewatch reads it: {read} of {all} lines"));
        });
        tokio::select! {
            () = stop.cancelled() => return progress.clear(),
            () = ready => progress.clear(),
        }
        progress.tell("\n");
        say(&self.text);
        progress.tell(&self.hints);
        if let Some(run_for) = self.run_for {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(run_for) => stop.cancel(),
            }
        }
    }
}

/// The first signal ends everything in order; a second one at once, but for the folder.
fn stop_on_signals(runtime: &Runtime, stop: &CancellationToken, folder: &Folder) -> anyhow::Result<()> {
    let _inside = runtime.enter();
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
    let passing = (!folder.is_kept()).then(|| folder.path().to_owned());
    let stop = stop.clone();
    runtime.spawn(async move {
        for first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
            if first {
                stop.cancel();
            } else {
                if let Some(path) = &passing {
                    let _ = std::fs::remove_dir_all(path);
                }
                std::process::exit(1);
            }
        }
    });
    Ok(())
}
