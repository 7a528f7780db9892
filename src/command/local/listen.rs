//! The socket that `serve` listens on for local commands: its owner's and root's alone, from the
//! first moment on, and gone with the process that holds the state folder.

use super::SOCKET;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{SocketAddr, UnixListener as StdListener};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};

/// A folder that nobody else may enter, where the socket is made.
const NURSERY: &str = "socket.next";
/// How long to wait after an error that will not go at once, such as too many open files.
const PAUSE: Duration = Duration::from_millis(500);

/// The file of the socket; removed when this is dropped.
#[derive(Debug)]
pub(in crate::command) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If it cannot be removed, the next start replaces it.
        let _ = fs::remove_file(&self.0);
    }
}

/// The socket, of which only connections of its owner and of root are accepted.
#[derive(Debug)]
pub(in crate::command) struct Listener {
    socket: UnixListener,
    owner: u32,
}

/// Makes the socket in a state folder that this process has locked: one that is there already is
/// a dead process's, and is replaced.
///
/// # Errors
/// That the folder cannot be written, or that its path is too long for a socket.
pub(in crate::command) fn listen(folder: &Path) -> io::Result<(Listener, SocketFile)> {
    let path = folder.join(SOCKET);
    SocketAddr::from_pathname(&path)?;
    unless_absent(fs::remove_file(&path))?;
    let nursery = folder.join(NURSERY);
    unless_absent(fs::remove_dir_all(&nursery))?;
    DirBuilder::new().mode(0o700).create(&nursery)?;
    // A socket is made with the rights that the umask leaves. Nobody can come near it until it
    // has its own, and then it gets its place.
    let made = nursery.join("s");
    let socket = StdListener::bind(&made)?;
    fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    let owner = fs::metadata(&made)?.uid();
    fs::rename(&made, &path)?;
    let file = SocketFile(path);
    fs::remove_dir(&nursery)?;
    socket.set_nonblocking(true)?;
    Ok((Listener { socket: UnixListener::from_std(socket)?, owner }, file))
}

fn unless_absent(removed: io::Result<()>) -> io::Result<()> {
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

impl axum::serve::Listener for Listener {
    type Io = UnixStream;
    type Addr = tokio::net::unix::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.socket.accept().await {
                Ok((stream, address)) => {
                    // The rights of the file say the same; not every system looks at them.
                    let uid = stream.peer_cred().map(|peer| peer.uid());
                    if uid.is_ok_and(|uid| uid == self.owner || uid == 0) {
                        return (stream, address);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "Cannot accept a local connection; if this goes on, raise the limit of open files");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.socket.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::serve::Listener as _;

    #[tokio::test]
    async fn it_is_private_replaces_a_stale_one_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SOCKET);
        // Of a process that was killed, in the middle of it too.
        drop(StdListener::bind(&path).unwrap());
        fs::create_dir(folder.path().join(NURSERY)).unwrap();
        drop(StdListener::bind(folder.path().join(NURSERY).join("s")).unwrap());
        let (mut listener, file) = listen(folder.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!folder.path().join(NURSERY).exists());
        let (accepted, connected) = tokio::join!(listener.accept(), UnixStream::connect(&path));
        connected.unwrap();
        drop((accepted, file));
        assert!(!path.exists());
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120));
        fs::create_dir(&deep).unwrap();
        assert_eq!(listen(&deep).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
    }
}
