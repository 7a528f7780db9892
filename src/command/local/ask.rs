//! Asking a running `serve`, over its socket.

use super::SOCKET;
use reqwest::{Client, RequestBuilder, Response, Url};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::command) enum AskError {
    /// There is no socket, or nobody listens on it.
    #[error(
        "no leasewatch serves with the state folder {0}: name its folder by --state-dir, or read logs by --audit-log"
    )]
    NobodyThere(PathBuf),
    /// The socket or its folder is another user's.
    #[error(
        "only the user that leasewatch runs as may ask it ({0}): run this as that user, such as by sudo -u"
    )]
    NoRight(PathBuf),
    /// Something else with the socket.
    #[error("cannot connect to {path}: {error}")]
    Connect {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It answered something else than was asked for.
    #[error("the running leasewatch refused: {0}")]
    Refused(String),
    /// It stopped in the middle, or is of a version that says it otherwise.
    #[error(
        "the answer of the running leasewatch {0}; if it was not just stopped, are both of the same version?"
    )]
    Unclear(&'static str),
    /// The connection broke.
    #[error("the running leasewatch did not answer: {0}")]
    Http(#[from] reqwest::Error),
}

/// Asks for a path such as `/leases`, with these parameters.
///
/// # Errors
/// Why there is no answer; one that is not 200 is an error too.
pub(in crate::command) async fn get(
    state_dir: &Path,
    path: &str,
    parameters: &[(&str, String)],
) -> Result<Response, AskError> {
    let (client, mut url) = connect(state_dir, path)?;
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    answer(client.get(url)).await
}

/// Hands a JSON document over, at a path.
///
/// # Errors
/// Why there is no answer; one that is not 200 is an error too.
pub(in crate::command) async fn post(
    state_dir: &Path,
    path: &str,
    document: &impl serde::Serialize,
) -> Result<Response, AskError> {
    let (client, url) = connect(state_dir, path)?;
    answer(client.post(url).json(document)).await
}

fn connect(state_dir: &Path, path: &str) -> Result<(Client, Url), AskError> {
    let socket = state_dir.join(SOCKET);
    // Tried first: a plain error says more than the client's.
    if let Err(error) = UnixStream::connect(&socket) {
        return Err(match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory => {
                AskError::NobodyThere(state_dir.to_owned())
            }
            io::ErrorKind::PermissionDenied => AskError::NoRight(socket),
            _ => AskError::Connect { path: socket, error },
        });
    }
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .unix_socket(socket)
        .build()?;
    let mut url = Url::parse("http://leasewatch.local/").map_err(|_| AskError::Unclear("has no address"))?;
    url.set_path(path);
    Ok((client, url))
}

async fn answer(request: RequestBuilder) -> Result<Response, AskError> {
    let response = request.send().await?;
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    Err(AskError::Refused(if text.trim().is_empty() { status.to_string() } else { text.trim().to_owned() }))
}
