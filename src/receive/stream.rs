//! Streams: connections over TCP and Unix sockets, each with lines of its own. They are read
//! always, whatever becomes of what is read.

use super::gate::Gate;
use super::listener::next;
use super::tally::{Connected, Dropped};
use socket2::{SockRef, TcpKeepalive};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// What is read at once.
const CHUNK: usize = 64 << 10;

/// A machine that went away without a word is noticed after some of these.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Beginnings of requests that a browser could be made to send here.
const HTTP: [&[u8]; 6] = [b"POST ", b"GET ", b"PUT ", b"OPTIONS ", b"HEAD ", b"DELETE "];

/// Accepts connections over TCP until stopped, by TLS or in plain text.
pub(super) async fn tcp(listener: TcpListener, by_tls: bool, gate: Gate, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    while let Some((stream, peer)) = next(|| listener.accept(), &mut connections, &stop).await {
        if gate.admits(peer.ip()) {
            // Without it the connection of a node that lost its power would stay for ever.
            let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
            let (gate, stop) = (gate.clone(), stop.clone());
            connections.spawn(async move {
                // The seat is taken before the handshake, of which there may not be any number either.
                let Some(connected) = gate.seat() else { return };
                if !by_tls {
                    return connection(stream, connected, gate, stop).await;
                }
                let greeted = tokio::select! {
                    greeted = gate.greet(stream) => greeted,
                    () = stop.cancelled() => None,
                };
                if let Some(stream) = greeted {
                    connection(stream, connected, gate, stop).await;
                }
            });
        }
    }
    connections.join_all().await;
}

/// The same over a Unix socket.
pub(super) async fn unix(listener: UnixListener, gate: Gate, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    while let Some((stream, _)) = next(|| listener.accept(), &mut connections, &stop).await {
        let (gate, stop) = (gate.clone(), stop.clone());
        connections.spawn(async move {
            if let Some(connected) = gate.seat() {
                connection(stream, connected, gate, stop).await;
            }
        });
    }
    connections.join_all().await;
}

async fn connection(
    mut stream: impl AsyncRead + Unpin,
    _connected: Connected,
    gate: Gate,
    stop: CancellationToken,
) {
    let mut chunk = vec![0; CHUNK];
    let mut assembly = gate.assembly();
    let mut is_first = true;
    loop {
        let read = tokio::select! {
            biased;
            read = stream.read(&mut chunk) => read,
            () = stop.cancelled() => break,
        };
        // A broken connection ends like one that was closed.
        let Ok(n @ 1..) = read else { break };
        if std::mem::take(&mut is_first) && HTTP.iter().any(|start| chunk[..n].starts_with(start)) {
            gate.tally.dropped(Dropped::Refused, 1);
            return;
        }
        gate.bytes(&mut assembly, &chunk[..n]);
    }
    gate.end(assembly);
}
