//! The simulated Vault's API: what leasewatch asks a Vault, answered from the simulated world.
//! Every request that a Vault logs is logged, so that leasewatch finds its own in the log.

use super::answers::{self, Answer};
use super::entry::{Asked, request_id};
use super::stage::Stage;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use reqwest::Url;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The token that the simulated Vault knows. It opens nothing else.
pub(super) const TOKEN: &str = "s.simulated";
/// Longest body that is read. Bytes.
const BODY_LIMIT: usize = 1 << 16;

/// What the handlers share.
#[derive(Clone)]
struct Api {
    stage: Arc<Mutex<Stage>>,
    seed: u64,
    /// Requests so far.
    requests: Arc<AtomicU64>,
}

/// Answers until `stop`.
pub(super) async fn serve(
    listener: TcpListener,
    stage: Arc<Mutex<Stage>>,
    seed: u64,
    stop: CancellationToken,
) {
    let api = Api { stage, seed, requests: Arc::default() };
    let router = Router::new().fallback(answer).with_state(api);
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await {
        tracing::error!(%error, "The simulated Vault does not answer any more: start the demo anew");
    }
}

async fn answer(State(api): State<Api>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let path = parts.uri.path().trim_start_matches("/v1/").to_owned();
    // A Vault tells this to everybody, and logs none of it.
    if let Some(open) = answers::open(&path) {
        return json_response(StatusCode::OK, &open);
    }
    let parameters = parameters(&parts, &body);
    let lists = parameters.iter().any(|name| name == "list");
    let asked = Asked {
        id: request_id(api.seed, api.requests.fetch_add(1, Ordering::Relaxed)),
        operation: match (parts.method.as_str(), lists) {
            ("GET", false) => "read",
            ("GET" | "LIST", _) => "list",
            _ => "update",
        },
        namespace: namespace(&parts),
        path,
        parameters,
        is_allowed: is_allowed(&parts),
    };
    let answered = {
        let mut stage = api.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = answers::answer(stage.world(), &asked, &body);
        // Vault answers nobody whose request it could not log.
        stage.enter(|at| asked.entries(at)).map(|()| answered)
    };
    match answered {
        Ok(Answer::Data(data)) => {
            let whole = json!({ "request_id": asked.id, "lease_id": "", "renewable": false, "lease_duration": 0, "data": data });
            json_response(StatusCode::OK, &whole)
        }
        Ok(Answer::Text(text)) => text.into_response(),
        Ok(Answer::Refused(status, why)) => json_response(status, &json!({ "errors": [why] })),
        Ok(Answer::Nothing) => json_response(StatusCode::NOT_FOUND, &json!({ "errors": [] })),
        Err(_) => json_response(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "errors": ["audit failed"] })),
    }
}

fn json_response(status: StatusCode, value: &Value) -> Response {
    let body = Body::from(value.to_string());
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// Names of the parameters: of a query, or of a body's object.
fn parameters(parts: &Parts, body: &Value) -> Vec<String> {
    let url = Url::parse("http://vault.local").and_then(|base| base.join(&parts.uri.to_string()));
    let query = url.iter().flat_map(|url| url.query_pairs().map(|(name, _)| name.into_owned()));
    let keys = body.as_object().into_iter().flat_map(|object| object.keys().cloned());
    query.chain(keys).collect()
}

fn header<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name)?.to_str().ok()
}

/// As the simulator names it: root is nothing.
fn namespace(parts: &Parts) -> String {
    header(parts, "x-vault-namespace").unwrap_or_default().trim_matches('/').to_owned()
}

fn is_allowed(parts: &Parts) -> bool {
    let bearer = header(parts, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| header(parts, "x-vault-token")) == Some(TOKEN)
}
