//! HTTP: entries in the body of a POST, as `OpenBao`'s device of that name sends them. The server
//! waits for the answer, so it comes once the lines are in the spool, or after a short time without.

use super::gate::Gate;
use super::listener::next;
use super::tally::Dropped;
use crate::web::Verdict;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the server is held up at most while the disk is slow.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(10);

/// How long headers may take to come, and a connection stay idle.
const HEADERS_WITHIN: Duration = Duration::from_secs(300);

/// Accepts entries at `path` until stopped, by TLS or in plain text.
pub(super) async fn serve(
    listener: TcpListener,
    path: String,
    by_tls: bool,
    gate: Gate,
    stop: CancellationToken,
) {
    let path: Arc<str> = path.into();
    let mut connections = JoinSet::new();
    while let Some((stream, peer)) = next(|| listener.accept(), &mut connections, &stop).await {
        if !gate.admits(peer.ip()) {
            continue;
        }
        let (gate, path, stop) = (gate.clone(), Arc::clone(&path), stop.clone());
        connections.spawn(async move {
            let Some(_connected) = gate.seat() else { return };
            if !by_tls {
                return connection(stream, peer.ip(), path, gate, stop).await;
            }
            let greeted = tokio::select! {
                greeted = gate.greet(stream) => greeted,
                () = stop.cancelled() => None,
            };
            if let Some(stream) = greeted {
                connection(stream, peer.ip(), path, gate, stop).await;
            }
        });
    }
    connections.join_all().await;
}

/// Serves one connection to its end.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    from: IpAddr,
    path: Arc<str>,
    gate: Gate,
    stop: CancellationToken,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (gate, path) = (gate.clone(), Arc::clone(&path));
        async move { Ok::<_, Infallible>(answer(take(request, from, &path, &gate).await)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // A client that goes away in the middle is no event.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(WRITTEN_WITHIN, connection).await;
        }
    }
}

/// What becomes of a request.
async fn take(request: Request<Incoming>, from: IpAddr, path: &str, gate: &Gate) -> StatusCode {
    // A page in somebody's browser must not be able to write here: no server sends this.
    if request.headers().contains_key(header::ORIGIN) || request.headers().contains_key("sec-fetch-site") {
        gate.tally.dropped(Dropped::Refused, 1);
        return StatusCode::FORBIDDEN;
    }
    match gate.door.admits(request.headers(), from).await {
        Verdict::Right => {}
        Verdict::Wrong => {
            gate.tally.dropped(Dropped::Refused, 1);
            return StatusCode::UNAUTHORIZED;
        }
        Verdict::Busy => {
            gate.tally.dropped(Dropped::Refused, 1);
            return StatusCode::TOO_MANY_REQUESTS;
        }
    }
    if request.uri().path() != path {
        return StatusCode::NOT_FOUND;
    }
    if request.method() != Method::POST && request.method() != Method::PUT {
        return StatusCode::METHOD_NOT_ALLOWED;
    }
    // Its length has to be known before: what all bodies take together is bounded.
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let Some(length) = length else { return StatusCode::LENGTH_REQUIRED };
    if length > gate.most.saturating_add(1) {
        gate.tally.dropped(Dropped::TooLong, 1);
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let Some(_room) = gate.room.hold(length) else {
        gate.tally.dropped(Dropped::NoRoom, 1);
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let Ok(Ok(body)) = timeout(BODY_WITHIN, to_bytes(Body::new(request.into_body()), length)).await else {
        gate.tally.dropped(Dropped::Cut, 1);
        return StatusCode::BAD_REQUEST;
    };
    match gate.whole(&body) {
        Some(last) if gate.queue.written(last, WRITTEN_WITHIN).await => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
