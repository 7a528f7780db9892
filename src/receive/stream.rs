//! Streams: connections over TCP and Unix sockets, each with lines of its own. They are read
//! always, whatever becomes of what is read.

use super::gate::Gate;
use super::listener::next;
use super::tally::Dropped;
use socket2::{SockRef, TcpKeepalive};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Connections at once; further ones are closed.
pub(super) const MOST_CONNECTIONS: usize = 128;

/// What is read at once.
const CHUNK: usize = 64 << 10;

/// A machine that went away without a word is noticed after some of these.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Beginnings of requests that a browser could be made to send here.
const HTTP: [&[u8]; 6] = [b"POST ", b"GET ", b"PUT ", b"OPTIONS ", b"HEAD ", b"DELETE "];

/// Accepts connections over TCP until stopped.
pub(super) async fn tcp(listener: TcpListener, gate: Gate, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    while let Some((stream, peer)) = next(|| listener.accept(), &mut connections, &stop).await {
        if gate.admits(peer.ip()) {
            // Without it the connection of a node that lost its power would stay for ever.
            let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE));
            connections.spawn(connection(stream, gate.clone(), stop.clone()));
        }
    }
    connections.join_all().await;
}

/// The same over a Unix socket.
pub(super) async fn unix(listener: UnixListener, gate: Gate, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    while let Some((stream, _)) = next(|| listener.accept(), &mut connections, &stop).await {
        connections.spawn(connection(stream, gate.clone(), stop.clone()));
    }
    connections.join_all().await;
}

async fn connection(mut stream: impl AsyncRead + Unpin, gate: Gate, stop: CancellationToken) {
    let Some(_connected) = gate.tally.connect(MOST_CONNECTIONS) else {
        gate.tally.dropped(Dropped::Refused, 1);
        return;
    };
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
