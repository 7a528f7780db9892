//! A listener: a bound address, before anything is read from it.

use super::gate::Gate;
use super::{datagram, http, stream};
use crate::config::ReceiverAddress;
use socket2::SockRef;
use std::fs;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Who may write to a Unix socket: its owner and its group.
const MODE: u32 = 0o660;

/// What the system is asked to keep of UDP while nobody reads; it gives as much as `net.core.rmem_max`.
const UDP_BUFFER: usize = 8 << 20;

/// A bound address. A socket in the file system goes with this value.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Udp(UdpSocket),
    Unix(UnixListener, SocketFile),
    UnixDatagram(UnixDatagram, SocketFile),
    Http(TcpListener, String),
    /// As `Tcp`, by TLS.
    Tls(TcpListener),
    /// As `Http`, by TLS.
    Https(TcpListener, String),
}

/// The file of a Unix socket, removed when this is dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // One that is left behind is removed by the next start.
        let _ = fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Binds it.
    ///
    /// # Errors
    /// That the address is taken, not ours, or not to be had.
    pub(super) fn bind(address: &ReceiverAddress) -> io::Result<Self> {
        Ok(match address {
            ReceiverAddress::Tcp(at) => Self::Tcp(tcp(*at)?),
            ReceiverAddress::Http(at, path) => Self::Http(tcp(*at)?, path.clone()),
            ReceiverAddress::Tls(at) => Self::Tls(tcp(*at)?),
            ReceiverAddress::Https(at, path) => Self::Https(tcp(*at)?, path.clone()),
            ReceiverAddress::Udp(at) => {
                let socket = UdpSocket::bind(at)?;
                // Less is no reason not to start.
                let _ = SockRef::from(&socket).set_recv_buffer_size(UDP_BUFFER);
                socket.set_nonblocking(true)?;
                Self::Udp(socket)
            }
            ReceiverAddress::Unix(path) => {
                make_way(path, || UnixStream::connect(path).map(drop))?;
                let listener = UnixListener::bind(path)?;
                let file = opened(path)?;
                listener.set_nonblocking(true)?;
                Self::Unix(listener, file)
            }
            ReceiverAddress::UnixDatagram(path) => {
                make_way(path, || UnixDatagram::unbound()?.connect(path))?;
                let socket = UnixDatagram::bind(path)?;
                let file = opened(path)?;
                socket.set_nonblocking(true)?;
                Self::UnixDatagram(socket, file)
            }
        })
    }

    /// Receives until stopped. To be called on a runtime.
    ///
    /// # Errors
    /// That the runtime cannot take it.
    pub(super) async fn run(self, gate: Gate, stop: CancellationToken) -> io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                stream::tcp(tokio::net::TcpListener::from_std(listener)?, false, gate, stop).await;
            }
            Self::Tls(listener) => {
                stream::tcp(tokio::net::TcpListener::from_std(listener)?, true, gate, stop).await;
            }
            Self::Udp(socket) => datagram::udp(tokio::net::UdpSocket::from_std(socket)?, gate, stop).await,
            Self::Unix(listener, _file) => {
                stream::unix(tokio::net::UnixListener::from_std(listener)?, gate, stop).await;
            }
            Self::UnixDatagram(socket, _file) => {
                datagram::unix(tokio::net::UnixDatagram::from_std(socket)?, gate, stop).await;
            }
            Self::Http(listener, path) => {
                http::serve(tokio::net::TcpListener::from_std(listener)?, path, false, gate, stop).await;
            }
            Self::Https(listener, path) => {
                http::serve(tokio::net::TcpListener::from_std(listener)?, path, true, gate, stop).await;
            }
        }
        Ok(())
    }
}

fn tcp(at: std::net::SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(at)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Removes a socket that a killed process left behind; nothing else, and none that answers.
fn make_way(path: &Path, ask: impl Fn() -> io::Result<()>) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(metadata) if !metadata.file_type().is_socket() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is in the way"))
        }
        Ok(_) => match ask() {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
            _ => Err(io::ErrorKind::AddrInUse.into()),
        },
    }
}

fn opened(path: &Path) -> io::Result<SocketFile> {
    let file = SocketFile(path.to_owned());
    fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
    Ok(file)
}

/// The next connection that `accept` gives; none once it is to stop. Connections that ended are forgotten here.
pub(super) async fn next<T, A: Future<Output = io::Result<T>>>(
    accept: impl Fn() -> A,
    connections: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> Option<T> {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok(accepted) => return Some(accepted),
            Err(error) => pause(&error).await,
        }
    }
}

/// After an error of a socket: mostly too many open files. They become fewer; until then do not spin.
pub(super) async fn pause(error: &io::Error) {
    tracing::warn!(%error, "A socket of a receiver has trouble; if this goes on, raise the limit of open files");
    tokio::time::sleep(Duration::from_millis(200)).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_left_behind_makes_way_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.sock");
        for address in [ReceiverAddress::Unix(path.clone()), ReceiverAddress::UnixDatagram(path.clone())] {
            let listener = Listener::bind(&address).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
            let taken = Listener::bind(&address).unwrap_err();
            assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
            drop(listener);
            assert!(!path.exists());
            drop(UnixListener::bind(&path).unwrap());
            drop(Listener::bind(&address).unwrap());
        }
        fs::write(&path, "mine").unwrap();
        assert!(Listener::bind(&ReceiverAddress::Unix(path.clone())).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
