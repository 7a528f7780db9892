//! The server: connections, each with its seat, its TLS and its limits of time. What is answered is `http`'s.
//!
//! Shutdown ends within [`GRACE`] whatever a client does: axum's own server would wait for a half-sent request for ever.

use super::access::Caller;
use super::http::router;
use super::seats::{Seats, Ticket};
use super::site::Site;
use super::stream::{Over, Stream};
use crate::web::{Gate, Handshake, Refusal};
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How long requests under way may take after shutdown began.
pub const GRACE: Duration = Duration::from_secs(3);

/// How long a client may take over its headers, and stay idle between two requests.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take over the handshake of TLS.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may take to fetch an answer, and how often that is looked at.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(5);

/// Connections at once.
const MAX_CONNECTIONS: usize = 128;

/// Headers of a request: bytes, and how many.
const MAX_HEADER_BYTES: usize = 16 << 10;
const MAX_HEADERS: usize = 64;

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
pub async fn serve(listener: TcpListener, site: Arc<dyn Site>, gate: Arc<Gate>, shutdown: CancellationToken) {
    let service = TowerToHyperService::new(router(site, Arc::clone(&gate)));
    let graceful = GracefulShutdown::new();
    let seats = Seats::new(MAX_CONNECTIONS);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener) => accepted,
        };
        // Those that ended are forgotten here.
        while connections.try_join_next().is_some() {}
        let Some((stream, peer)) = accepted else {
            continue;
        };
        let seat = Arc::new(seats.take(peer.ip()));
        let connection = connection(
            stream,
            peer,
            Arc::clone(&seat),
            Arc::clone(&gate),
            service.clone(),
            graceful.watcher(),
        );
        connections.spawn(async move {
            tokio::select! {
                () = connection => {}
                () = seat.taken() => {}
                () = too_slow(&seat) => {}
            }
        });
    }
    drop(listener);
    // Handshakes have no request under way.
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "Closing HTTP connections whose requests did not end in time"
        );
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            // Mostly too many open files. They become fewer; until then do not spin.
            tracing::warn!(%error, "Cannot accept an HTTP connection; if this goes on, raise the limit of open files");
            sleep(Duration::from_millis(500)).await;
            None
        }
    }
}

/// Serves one connection to its end. A client that goes away in the middle is no event.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    seat: Arc<Ticket>,
    gate: Arc<Gate>,
    service: TowerToHyperService<axum::Router>,
    watcher: Watcher,
) {
    let greeted = timeout(HANDSHAKE_TIMEOUT, greet(stream, peer, Arc::clone(&gate))).await;
    let (over, caller) = match greeted {
        Ok(Ok(Some(greeted))) => greeted,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => {
            gate.turned_away().handshake(Handshake::of(&error));
            return tracing::debug!(%peer, %error, "A TLS handshake failed");
        }
        Err(_) => {
            gate.turned_away().handshake(Handshake::Timeout);
            return tracing::debug!(%peer, "A TLS handshake did not end in time");
        }
    };
    let stream = Stream::new(over, Arc::clone(&seat));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(caller);
        seat.working();
        let (answer, seat) = (service.call(request), Arc::clone(&seat));
        async move {
            let answer = answer.await;
            seat.answering();
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let _ = watcher.watch(connection).await;
}

/// Comes to TLS where it is asked for. `None` where the client does not speak it, or says nothing.
async fn greet(
    mut stream: TcpStream,
    peer: SocketAddr,
    gate: Arc<Gate>,
) -> io::Result<Option<(Over, Caller)>> {
    let looking = Arc::clone(&gate);
    let rules = spawn_blocking(move || looking.rules()).await.map_err(io::Error::other)?;
    let Some(config) = rules.tls() else {
        return Ok(Some((Over::Plain(stream), Caller { peer, is_proven: false, is_private: false })));
    };
    let mut first = [0];
    // Whoever only looks whether the port is open asks for nothing.
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    // A handshake begins with a byte that is no letter, an HTTP request with one.
    if first[0].is_ascii_alphabetic() {
        gate.turned_away().request(Refusal::Plain);
        const ANSWER: &[u8] =
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n\
            This port speaks TLS: ask it by https://\n";
        stream.write_all(ANSWER).await?;
        stream.shutdown().await?;
        return Ok(None);
    }
    let stream = TlsAcceptor::from(config).accept(stream).await?;
    let has_shown = stream.get_ref().1.peer_certificates().is_some_and(|shown| !shown.is_empty());
    let caller = Caller { peer, is_proven: has_shown && rules.proves_clients(), is_private: true };
    Ok(Some((Over::Tls(Box::new(stream)), caller)))
}

/// Until an answer has been on its way for too long.
async fn too_slow(seat: &Ticket) {
    while seat.answering_for() < ANSWER_TIMEOUT {
        sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::super::overview::Overview;
    use super::super::site::{Unavailable, Waiting};
    use super::*;
    use crate::anomaly::{Episode, Which};
    use crate::event::Timestamp;
    use tokio::io::AsyncReadExt;
    use tokio::time::Instant;

    /// More than the system keeps on the way.
    const LARGE: usize = 64 << 20;

    struct Large;

    impl Site for Large {
        fn metrics(&self) -> Result<Vec<u8>, Unavailable> {
            Ok(vec![b'#'; LARGE])
        }
        fn readiness(&self) -> Vec<Waiting> {
            Vec::new()
        }
        fn overview(&self) -> Overview {
            Overview::default()
        }
        fn episodes(&self, _: Which) -> (Timestamp, Vec<Episode>) {
            (Timestamp::MIN, Vec::new())
        }
        fn reload(&self) -> Result<(), String> {
            Ok(())
        }
        fn shows_names(&self) -> bool {
            false
        }
    }

    /// Asks for the page, and waits until the first of it has come.
    async fn asked(address: SocketAddr) -> (TcpStream, usize) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut first = [0; 1024];
        let come = stream.read(&mut first).await.unwrap();
        assert!(first.starts_with(b"HTTP/1.1 200"));
        (stream, come)
    }

    /// Time is the test's own: it leaps to the next limit whenever all is waiting.
    #[tokio::test(start_paused = true)]
    async fn who_does_not_fetch_his_answer_loses_his_connection() {
        let listener = bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let gate = Arc::new(Gate::new(None).unwrap());
        let serving = tokio::spawn(serve(listener, Arc::new(Large), gate, shutdown.clone()));

        // Who fetches it gets all of it, however large it is.
        let (mut quick, mut come) = asked(address).await;
        let mut chunk = vec![0; 1 << 20];
        while come < LARGE {
            come += quick.read(&mut chunk).await.unwrap();
        }

        let began = Instant::now();
        let (mut slow, mut come) = asked(address).await;
        // Still there a moment before, and gone a moment after.
        let before = ANSWER_TIMEOUT.saturating_sub(Duration::from_secs(1));
        sleep(before).await;
        assert_eq!(began.elapsed().as_secs(), before.as_secs());
        come += slow.read(&mut chunk).await.unwrap();
        sleep(LOOK + Duration::from_secs(2)).await;
        // What is on its way comes still, and then the end.
        while let Ok(more @ 1..) = slow.read(&mut chunk).await {
            come += more;
        }
        assert!(come < LARGE, "all {come} bytes came after {:?}", began.elapsed());
        shutdown.cancel();
        serving.await.unwrap();
    }
}
