//! HTTP: `/metrics`, `/ready`, `/live`, `/api/episodes`, and the pages for people.
//!
//! Connections are few, their headers must come within a time, and shutdown ends
//! within [`GRACE`] whatever a client does: axum's own server would wait for a half-sent request for ever.

use super::access::{self, Peer, Refused};
use super::episodes::{document, query};
use super::render::CONTENT_TYPE;
use super::site::{Site, Unavailable};
use super::{page, site};
use axum::Router;
use axum::extract::Extension;
use axum::extract::State;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long requests under way may take after shutdown began.
pub const GRACE: Duration = Duration::from_secs(3);

/// How long a client may take over its headers, and stay idle between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections at once; more wait to be accepted.
const MAX_CONNECTIONS: usize = 128;

/// Pages of metrics made at once; each takes memory in proportion to the series.
const MAX_RENDERS: usize = 2;

/// Listens on `host:port`; without a host on all addresses, IPv6 and IPv4.
///
/// # Errors
/// That the address is taken, not ours or not to be found.
pub async fn bind(address: &str) -> io::Result<TcpListener> {
    let Some(port) = address.strip_prefix(':') else {
        return TcpListener::bind(address).await;
    };
    match TcpListener::bind(format!("[::]:{port}")).await {
        Ok(listener) => Ok(listener),
        // A machine without IPv6.
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(format!("0.0.0.0:{port}")).await
        }
        Err(error) => Err(error),
    }
}

/// Serves until `shutdown`, then lets requests end for [`GRACE`] at most.
pub async fn serve(listener: TcpListener, site: Arc<dyn Site>, shutdown: CancellationToken) {
    let service = TowerToHyperService::new(router(site));
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        // Those that ended are forgotten here.
        while connections.try_join_next().is_some() {}
        let Some((stream, peer, slot)) = accepted else {
            continue;
        };
        let service = service.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer));
            service.call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            // A client that goes away in the middle is no event.
            let _ = connection.await;
            drop(slot);
        });
    }
    drop(listener);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "Closing HTTP connections whose requests did not end in time"
        );
    }
    connections.shutdown().await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            // Mostly too many open files. They become fewer; until then do not spin.
            tracing::warn!(%error, "Cannot accept an HTTP connection; if this goes on, raise the limit of open files");
            sleep(Duration::from_millis(500)).await;
            None
        }
    }
}

#[derive(Clone)]
struct Context {
    site: Arc<dyn Site>,
    renders: Arc<Semaphore>,
}

fn router(site: Arc<dyn Site>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics))
        .route("/api/episodes", get(episodes))
        .route("/ready", get(ready))
        .route("/live", get(|| async { "alive\n" }))
        .route("/docs", get(|| async { Html(page::docs()) }))
        .fallback(not_found)
        .layer(map_response(harden))
        .with_state(Context { site, renders: Arc::new(Semaphore::new(MAX_RENDERS)) })
}

async fn metrics(State(context): State<Context>) -> Response {
    let Ok(_permit) = context.renders.acquire().await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match spawn_blocking(move || context.site.metrics()).await {
        Ok(Ok(text)) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Ok(Err(not_yet @ Unavailable::NotYet(_))) => {
            plain(StatusCode::SERVICE_UNAVAILABLE, &not_yet.to_string())
        }
        Ok(Err(Unavailable::Invalid(error))) => {
            tracing::error!(%error, "Refusing to serve metrics that Prometheus would reject");
            plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
        Err(error) => {
            tracing::error!(%error, "Making the metrics failed; please report it");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "making the metrics failed; leasewatch's log says more")
        }
    }
}

async fn ready(State(context): State<Context>) -> Response {
    match blocking(context, Site::readiness).await {
        Some(waiting) if waiting.is_empty() => plain(StatusCode::OK, "ready"),
        Some(waiting) => {
            let list: Vec<_> = waiting.into_iter().map(|site::Waiting(text)| format!("- {text}")).collect();
            plain(StatusCode::SERVICE_UNAVAILABLE, &format!("not ready, waiting for:\n{}", list.join("\n")))
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn index(
    State(context): State<Context>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let names = access::allowed(context.site.shows_names(), peer.as_deref(), &headers, &uri).is_ok();
    match blocking(context, move |site| page::index(&site.overview(), names)).await {
        Some(page) => Html(page).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn episodes(
    State(context): State<Context>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if let Err(refused) = access::allowed(context.site.shows_names(), peer.as_deref(), &headers, &uri) {
        return plain(StatusCode::FORBIDDEN, &format!("{refused}. {}", Refused::REMEDY));
    }
    let which = match query(&uri) {
        Ok(which) => which,
        Err(problem) => return plain(StatusCode::BAD_REQUEST, &problem),
    };
    let made = blocking(context, move |site| {
        let (as_of, episodes) = site.episodes(which);
        document(as_of, &episodes)
    });
    match made.await {
        Some(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn not_found(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, Html(page::not_found(uri.path()))).into_response()
}

/// The site may take a lock that a batch of lines holds: not on a thread that others wait for.
async fn blocking<T: Send + 'static>(
    context: Context,
    ask: impl FnOnce(&dyn Site) -> T + Send + 'static,
) -> Option<T> {
    spawn_blocking(move || ask(context.site.as_ref()))
        .await
        .inspect_err(|error| tracing::error!(%error, "A page failed; please report it"))
        .ok()
}

fn plain(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}

/// The pages run nothing, load nothing, are framed by nobody and kept nowhere.
async fn harden(mut response: Response) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
