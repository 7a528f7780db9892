//! A connection's bytes, in plain text or by TLS, which tells its seat when all that was to be sent is sent.

use super::seats::Ticket;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What HTTP is spoken over.
pub(super) struct Stream {
    over: Over,
    seat: Arc<Ticket>,
}

/// One of the two.
pub(super) enum Over {
    /// Anybody in between can read it.
    Plain(TcpStream),
    /// Nobody in between can.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) fn new(over: Over, seat: Arc<Ticket>) -> Self {
        Self { over, seat }
    }
}

/// The call on whichever of the two it is.
macro_rules! either {
    ($stream:expr, $call:ident($($argument:expr),*)) => {
        match &mut $stream.get_mut().over {
            Over::Plain(stream) => Pin::new(stream).$call($($argument),*),
            Over::Tls(stream) => Pin::new(stream).$call($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        either!(self, poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let seat = Arc::clone(&self.seat);
        let flushed = either!(self, poll_flush(cx));
        if flushed.is_ready() {
            seat.sent();
        }
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_shutdown(cx))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.over {
            Over::Plain(stream) => stream.is_write_vectored(),
            Over::Tls(stream) => stream.is_write_vectored(),
        }
    }
}
