//! What `serve` answers to local commands, over the socket in its state folder.
//!
//! To add a command: its document in `command::local`, its route here.

use super::acknowledged;
use super::notebook::Notebook;
use super::shared::Shared;
use crate::command::local::episodes::{self, Document, Vouch};
use crate::command::local::leases::{self, Pieces, Query, Writer};
use crate::command::local::listen::{Listener, SocketFile, listen};
use crate::event::Timestamp;
use crate::report::leases::notes;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use reqwest::Url;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long an answer under way may take once the program stops.
const GRACE: Duration = Duration::from_secs(1);

/// The interface while it is up.
pub(super) struct Local {
    task: JoinHandle<()>,
    _file: SocketFile,
}

impl Local {
    /// Listens; `None` where that is not possible, which nothing else suffers from.
    pub(super) fn start(
        state_dir: &Path,
        shared: Arc<Shared>,
        notebook: Notebook,
        stop: CancellationToken,
    ) -> Option<Self> {
        match listen(state_dir) {
            Ok((listener, file)) => {
                Some(Self { task: tokio::spawn(serve(listener, shared, notebook, stop)), _file: file })
            }
            Err(error) => {
                tracing::warn!(
                    %error,
                    "There is no socket for local commands in the state folder, so that `leasewatch leases` and \
                     `leasewatch episodes` cannot ask this process; all else goes on. Name a shorter path, or make the folder writable"
                );
                None
            }
        }
    }

    /// Ends within [`GRACE`], and removes the socket.
    pub(super) async fn stopped(mut self) {
        if timeout(GRACE, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

/// Leases looked at under one lock.
const PAGE: u32 = 4_000;
/// Leases in one piece of an answer.
const PIECE: usize = 250;
/// Pieces that may wait to be taken.
const PIECES: usize = 4;

#[derive(Clone)]
struct Answers {
    shared: Arc<Shared>,
    notebook: Notebook,
    /// Lists of leases made at once: one, since each is a copy of the ledger.
    lists: Arc<Semaphore>,
}

async fn serve(listener: Listener, shared: Arc<Shared>, notebook: Notebook, stop: CancellationToken) {
    let answers = Answers { shared, notebook, lists: Arc::new(Semaphore::new(1)) };
    let router = Router::new()
        .route(leases::PATH, get(list))
        .route(episodes::PATH, get(list_episodes))
        .route(episodes::ACKNOWLEDGE, post(acknowledge))
        .with_state(answers);
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = served {
        tracing::warn!(%error, "Local commands are not answered any more; start leasewatch anew");
    }
}

async fn list_episodes(State(answers): State<Answers>, uri: Uri) -> Response {
    let query = match parameters(&uri).and_then(|pairs| episodes::Query::parse(pairs.into_iter())) {
        Ok(query) => query,
        Err(problem) => return (StatusCode::BAD_REQUEST, format!("{problem}\n")).into_response(),
    };
    // It takes the lock that a batch of lines holds: not on a thread that others wait for.
    let made = spawn_blocking(move || {
        let pipeline = answers.shared.pipeline();
        let (as_of, all) = (pipeline.front(), pipeline.state().anomalies().episodes());
        let found = match query.id {
            Some(id) => all.find(id).into_iter().collect(),
            None => all.list(query.which),
        };
        drop(pipeline);
        serde_json::to_vec(&Document::new(as_of, found))
    });
    match made.await {
        Ok(Ok(text)) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, text).into_response()
        }
        Ok(Err(_)) | Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn acknowledge(State(answers): State<Answers>, body: Bytes) -> Response {
    let Ok(vouch) = serde_json::from_slice::<Vouch>(&body) else {
        let text = "this version does not understand the acknowledgement\n";
        return (StatusCode::BAD_REQUEST, text).into_response();
    };
    let text = format!("{} is acknowledged until {}\n", vouch.episode, vouch.expires);
    match spawn_blocking(move || acknowledged::take(vouch, &answers.shared, &answers.notebook)).await {
        Ok(Ok(())) => text.into_response(),
        Ok(Err(refused)) => (StatusCode::CONFLICT, format!("{refused}\n")).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn list(State(answers): State<Answers>, uri: Uri) -> Response {
    let query = match query(&uri) {
        Ok(query) => query,
        Err(problem) => return (StatusCode::BAD_REQUEST, format!("{problem}\n")).into_response(),
    };
    let Ok(turn) = Arc::clone(&answers.lists).acquire_owned().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let (sender, receiver) = channel(PIECES);
    // It takes the lock that a batch of lines holds: not on a thread that others wait for.
    spawn_blocking(move || {
        match write(&answers.shared, &query, &sender) {
            Ok(Some(leases)) if query.ids => {
                tracing::info!(leases, "Lease IDs were given to a local command");
            }
            // Without IDs it is no event, nor where whoever asked went away.
            Ok(_) => {}
            // Cut short; the reader notices.
            Err(error) => tracing::error!(%error, "Listing the leases failed; please report it"),
        }
        drop(turn);
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::new(Pieces(receiver))).into_response()
}

/// Writes the answer piece by piece, as fast as it is taken. The number of leases in it; `None`
/// where whoever asked went away.
fn write(shared: &Shared, query: &Query, to: &Sender<Bytes>) -> serde_json::Result<Option<u64>> {
    let (as_of, notes) = shared.lease_notes();
    if to.blocking_send(Writer::head(as_of, notes)?).is_err() {
        return Ok(None);
    }
    let mut writer = Writer::default();
    let mut next = Some(0);
    while let Some(from) = next {
        // The lock is let go before anything is written.
        let (mut leases, then) = shared.pipeline().state().leases_from(as_of, from, PAGE);
        next = then;
        query.apply_to(&mut leases);
        for some in leases.chunks(PIECE) {
            if to.blocking_send(writer.page(some)?).is_err() {
                return Ok(None);
            }
        }
    }
    Ok(to.blocking_send(Writer::tail()).is_ok().then(|| writer.written()))
}

fn query(uri: &Uri) -> Result<Query, String> {
    Query::parse(parameters(uri)?.into_iter())
}

fn parameters(uri: &Uri) -> Result<Vec<(String, String)>, String> {
    let url = Url::parse("http://leasewatch.local").and_then(|base| base.join(&uri.to_string()));
    let url = url.map_err(|_| "the address of the request cannot be read".to_owned())?;
    Ok(url.query_pairs().map(|(name, text)| (name.into_owned(), text.into_owned())).collect())
}

impl Shared {
    /// The front, and what a reader should know of the leases then.
    fn lease_notes(&self) -> (Timestamp, Vec<String>) {
        let pipeline = self.pipeline();
        let as_of = pipeline.front();
        let families = pipeline.families(as_of);
        let is_behind = self.replays(&pipeline).is_some() || self.is_catching_up(as_of);
        drop(pipeline);
        let mut notes = notes(&families);
        if is_behind {
            notes.insert(0, "Older lines are still being read; this is how it was then".to_owned());
        }
        (as_of, notes)
    }
}
