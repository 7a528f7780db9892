//! The guard before every page: rate, password, what a request may bring along, and the headers of every answer.

use super::access::{Caller, Standing};
use super::http::plain;
use crate::web::{Gate, Refusal, Rules, Verdict, credentials};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Answered without a password too: whatever watches over processes has none, and they say nothing but yes or no then.
const PROBES: [&str; 2] = ["/live", "/ready"];

/// Lets a request through, with how its caller stands, or answers in its place. What is refused is counted, here and
/// behind: such an answer says why in its extensions.
pub(super) async fn guard(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let looking = Arc::clone(&gate);
    let Ok(rules) = spawn_blocking(move || looking.rules()).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = match admit(&gate, &rules, request).await {
        Ok(request) => next.run(request).await,
        Err((why, mut refused)) => {
            refused.extensions_mut().insert(why);
            refused
        }
    };
    if let Some(why) = response.extensions().get::<Refusal>() {
        gate.turned_away().request(*why);
    }
    harden(response.headers_mut());
    for (name, value) in rules.headers() {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

async fn admit(gate: &Gate, rules: &Rules, mut request: Request) -> Result<Request, (Refusal, Response)> {
    if !rules.has_room() {
        let text = "too many requests: see rate_limit in the web configuration file";
        return Err((Refusal::Rate, plain(StatusCode::TOO_MANY_REQUESTS, text)));
    }
    let caller = request.extensions().get::<Caller>().copied();
    // It was opened before the file asked for TLS.
    if rules.tls().is_some() && caller.is_some_and(|caller| !caller.is_private) {
        let text = "this port speaks TLS now: connect anew by https://";
        return Err((Refusal::Plain, closing(plain(StatusCode::BAD_REQUEST, text))));
    }
    let is_proven = caller.is_some_and(|caller| caller.is_proven);
    let standing = if rules.asks_for_password() {
        match credentials(request.headers()) {
            Some((user, password)) => {
                let from = caller.map_or([0, 0, 0, 0].into(), |caller| caller.peer.ip());
                match gate.check(rules, &user, &password, from).await {
                    Verdict::Right => Standing::Known,
                    Verdict::Wrong => return Err((Refusal::Password, unauthorized())),
                    Verdict::Busy => {
                        let mut busy = plain(
                            StatusCode::TOO_MANY_REQUESTS,
                            "too many passwords are being checked: try again",
                        );
                        busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                        return Err((Refusal::Busy, busy));
                    }
                }
            }
            None if PROBES.contains(&request.uri().path()) => Standing::Probe,
            None => return Err((Refusal::Password, unauthorized())),
        }
    } else if is_proven {
        Standing::Known
    } else {
        Standing::Anybody
    };
    if brings_a_body(request.headers()) {
        let answer = closing(plain(StatusCode::PAYLOAD_TOO_LARGE, "nothing here takes a body"));
        return Err((Refusal::Body, answer));
    }
    request.extensions_mut().insert(standing);
    Ok(request)
}

fn unauthorized() -> Response {
    let mut response =
        plain(StatusCode::UNAUTHORIZED, "a user and a password of the web configuration file are needed");
    let challenge = HeaderValue::from_static("Basic realm=\"leasewatch\", charset=\"UTF-8\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Whether a request has more than its headers.
fn brings_a_body(headers: &HeaderMap) -> bool {
    let lengths = headers.get_all(header::CONTENT_LENGTH);
    headers.contains_key(header::TRANSFER_ENCODING) || lengths.iter().any(|length| length != "0")
}

/// The connection ends with this answer.
fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The pages run nothing, load nothing, are framed by nobody, read by no other site and kept nowhere.
fn harden(headers: &mut HeaderMap) {
    const HEADERS: [(HeaderName, &str); 6] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
