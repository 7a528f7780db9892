//! A sender: sends lines as an audit device does, and says how long it was held up.

use std::io::{self, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::http::Request;

/// Vault's own limit for a write to a socket.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection, with the longest that a write took.
pub(crate) struct Sender<W> {
    to: W,
    pub(crate) longest: Duration,
}

impl Sender<TcpStream> {
    pub(crate) fn tcp(port: u16) -> Self {
        let to = TcpStream::connect(("127.0.0.1", port)).unwrap();
        to.set_write_timeout(Some(WRITE_TIMEOUT)).unwrap();
        Self { to, longest: Duration::ZERO }
    }
}

impl Sender<UnixStream> {
    pub(crate) fn unix(path: &Path) -> Self {
        let to = UnixStream::connect(path).unwrap();
        to.set_write_timeout(Some(WRITE_TIMEOUT)).unwrap();
        Self { to, longest: Duration::ZERO }
    }
}

impl Sender<Datagrams> {
    pub(crate) fn udp(port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.connect(("127.0.0.1", port)).unwrap();
        Self { to: Datagrams::Udp(socket), longest: Duration::ZERO }
    }

    pub(crate) fn unixgram(path: &Path) -> Self {
        let socket = UnixDatagram::unbound().unwrap();
        socket.connect(path).unwrap();
        Self { to: Datagrams::Unix(socket), longest: Duration::ZERO }
    }
}

impl<W: Write> Sender<W> {
    /// Sends a line, and notes how long that took.
    pub(crate) fn send(&mut self, line: &str) -> io::Result<()> {
        let began = Instant::now();
        let sent = self.to.write_all(line.as_bytes());
        self.longest = self.longest.max(began.elapsed());
        sent
    }
}

/// A socket of datagrams, each write one of them.
pub(crate) enum Datagrams {
    Udp(UdpSocket),
    Unix(UnixDatagram),
}

impl Write for Datagrams {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Udp(socket) => socket.send(bytes),
            Self::Unix(socket) => socket.send(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Posts lines; the status of the answer.
pub(crate) fn post(port: u16, path: &str, lines: &str, headers: &[(&str, &str)]) -> io::Result<u16> {
    let mut request = Request::new("POST", path).body(lines.as_bytes());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.send(port).map(|reply| reply.status)
}
