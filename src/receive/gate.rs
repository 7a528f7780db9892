//! The gate: what every way in does with what has come in. Lines go to the queue, and what
//! does not is counted.

use super::assembly::{Assembly, Record, Room, lines};
use super::door::Door;
use super::queue::Queue;
use super::tally::{Connected, Dropped, Tally};
use crate::config::ReceiveConfig;
use crate::source::OWN_WORD;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Connections at once; further ones are closed.
const MOST_CONNECTIONS: usize = 128;

/// One receiver's gate; clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) queue: Arc<Queue>,
    pub(super) tally: Arc<Tally>,
    pub(super) config: Arc<ReceiveConfig>,
    pub(super) door: Door,
    /// Longest line. Bytes.
    pub(super) most: usize,
    pub(super) room: Room,
}

impl Gate {
    /// Whether this peer may send; counts it if not.
    pub(super) fn admits(&self, peer: IpAddr) -> bool {
        let allowed = self.config.allows(peer);
        if !allowed {
            self.tally.dropped(Dropped::Refused, 1);
        }
        allowed
    }

    /// A place for a connection, if there is one; counts it if not.
    pub(super) fn seat(&self) -> Option<Connected> {
        let seat = self.tally.connect(MOST_CONNECTIONS);
        if seat.is_none() {
            self.tally.dropped(Dropped::Refused, 1);
        }
        seat
    }

    /// Comes to TLS with a peer; counts him if that fails.
    pub(super) async fn greet(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        match self.door.greet(stream).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                self.tally.dropped(Dropped::Refused, 1);
                tracing::debug!(%error, "A TLS handshake with a receiver failed");
                None
            }
        }
    }

    /// Takes one line; its number in the queue, if there was room.
    pub(super) fn line(&self, line: &[u8]) -> Option<u64> {
        self.tally.came();
        // Only leasewatch itself writes lines that begin so.
        let own = line.iter().take_while(|byte| **byte == OWN_WORD).count();
        match self.queue.push(&line[own..]) {
            Ok(number) => Some(number),
            Err(why) => {
                self.tally.dropped(why, 1);
                None
            }
        }
    }

    /// Takes all lines of a datagram or a body; the number of the last, if all were taken.
    pub(super) fn whole(&self, bytes: &[u8]) -> Option<u64> {
        let mut last = Some(0);
        for line in lines(bytes) {
            let number = if line.len() > self.most {
                self.tally.dropped(Dropped::TooLong, 1);
                None
            } else {
                self.line(line)
            };
            last = last.and(number);
        }
        last
    }

    /// For a new connection.
    pub(super) fn assembly(&self) -> Assembly {
        Assembly::new(self.most, self.room.clone())
    }

    /// Takes bytes of a connection as they came.
    pub(super) fn bytes(&self, assembly: &mut Assembly, bytes: &[u8]) {
        assembly.take(bytes, |record| match record {
            Record::Line(line) => {
                self.line(line);
            }
            Record::TooLong => self.tally.dropped(Dropped::TooLong, 1),
            Record::NoRoom => self.tally.dropped(Dropped::NoRoom, 1),
        });
    }

    /// A connection has ended. What was begun is an entry if it is whole, without its end alone:
    /// of what is not, Vault sends the whole again over its next connection.
    pub(super) fn end(&self, assembly: Assembly) {
        let Some(begun) = assembly.end() else { return };
        let is_whole = |line: &[u8]| {
            let object = memchr::memchr(b'{', line).map(|start| &line[start..]);
            object.is_some_and(|text| serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok())
        };
        if is_whole(&begun) {
            self.whole(&begun);
        } else {
            self.tally.dropped(Dropped::Cut, 1);
        }
    }
}
