//! HTTP: `/metrics`, `/ready`, `/live`, `/api/episodes`, the pages for people, and `/-/reload`. Who is let through
//! to them is `guard`'s, how they travel is `server`'s.

use super::access::{self, Caller, Refused, Standing};
use super::episodes::{document, query};
use super::guard::guard;
use super::page;
use super::render::CONTENT_TYPE;
use super::site::{self, Site, Unavailable};
use crate::web::Gate;
use axum::Router;
use axum::extract::{Extension, State};
use axum::http::header;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

pub use super::server::{GRACE, bind, serve};

/// Pages of metrics made at once; each takes memory in proportion to the series.
const MAX_RENDERS: usize = 2;

/// Other pages made at once; each holds up the counting for a moment.
const MAX_PAGES: usize = 2;

#[derive(Clone)]
struct Context {
    site: Arc<dyn Site>,
    renders: Arc<Semaphore>,
    pages: Arc<Semaphore>,
}

/// Whom a request comes from, and how he stands.
type From = (Option<Extension<Caller>>, Option<Extension<Standing>>);

/// All that is answered, behind the guard.
pub(super) fn router(site: Arc<dyn Site>, gate: Arc<Gate>) -> Router {
    let slots = |most| Arc::new(Semaphore::new(most));
    Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics))
        .route("/api/episodes", get(episodes))
        .route("/ready", get(ready))
        .route("/live", get(|| async { "alive\n" }))
        .route("/docs", get(|| async { Html(page::docs()) }))
        .route("/-/reload", post(reload).put(reload))
        .fallback(not_found)
        .layer(from_fn_with_state(gate, guard))
        .with_state(Context { site, renders: slots(MAX_RENDERS), pages: slots(MAX_PAGES) })
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

async fn ready(State(context): State<Context>, standing: Option<Extension<Standing>>) -> Response {
    match blocking(context, Site::readiness).await {
        Some(waiting) if waiting.is_empty() => plain(StatusCode::OK, "ready"),
        Some(_) if standing.is_some_and(|Extension(standing)| standing == Standing::Probe) => {
            plain(StatusCode::SERVICE_UNAVAILABLE, "not ready; with a password this says why")
        }
        Some(waiting) => {
            let list: Vec<_> = waiting.into_iter().map(|site::Waiting(text)| format!("- {text}")).collect();
            plain(StatusCode::SERVICE_UNAVAILABLE, &format!("not ready, waiting for:\n{}", list.join("\n")))
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn index(State(context): State<Context>, from: From, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(refused) = access::allowed(&from, &headers, &uri) {
        return (StatusCode::FORBIDDEN, Extension(refused.refusal()), Html(page::refused(refused)))
            .into_response();
    }
    match blocking(context, |site| page::index(&site.overview(), site.shows_names())).await {
        Some(page) => Html(page).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn reload(State(context): State<Context>, from: From, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(refused) =
        access::allowed(&from, &headers, &uri).and_then(|()| access::of_no_other_site(&headers))
    {
        return forbidden(refused);
    }
    let site = context.site;
    match spawn_blocking(move || site.reload()).await {
        Ok(Ok(())) => plain(StatusCode::OK, "the configuration was reloaded"),
        Ok(Err(why)) => plain(StatusCode::INTERNAL_SERVER_ERROR, &why),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn episodes(State(context): State<Context>, from: From, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(refused) = access::allowed(&from, &headers, &uri) {
        return forbidden(refused);
    }
    let which = match query(&uri) {
        Ok(which) => which,
        Err(problem) => return plain(StatusCode::BAD_REQUEST, &problem),
    };
    let made = blocking(context, move |site| {
        site.shows_names().then(|| {
            let (as_of, episodes) = site.episodes(which);
            document(as_of, &episodes)
        })
    });
    match made.await {
        Some(Some(text)) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Some(None) => forbidden(Refused::Nobody),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn forbidden(refused: Refused) -> Response {
    let answer = plain(StatusCode::FORBIDDEN, &format!("{refused}. {}", Refused::REMEDY));
    (Extension(refused.refusal()), answer).into_response()
}

async fn not_found(uri: Uri) -> Response {
    (StatusCode::NOT_FOUND, Html(page::not_found(uri.path()))).into_response()
}

/// The site may take a lock that a batch of lines holds: not on a thread that others wait for.
async fn blocking<T: Send + 'static>(
    context: Context,
    ask: impl FnOnce(&dyn Site) -> T + Send + 'static,
) -> Option<T> {
    let _turn = context.pages.acquire().await.ok()?;
    let site = context.site;
    spawn_blocking(move || ask(site.as_ref()))
        .await
        .inspect_err(|error| tracing::error!(%error, "A page failed; please report it"))
        .ok()
}

/// A line of text.
pub(super) fn plain(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}
