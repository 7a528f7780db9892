//! The door: TLS and passwords of receivers, by a file like that of the pages, which is read again when it changes.

use crate::config::{ReceiveConfig, ReceiverAddress};
use crate::web::{Gate, Rules, Verdict, WebConfigError, credentials};
use axum::http::HeaderMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a sender may take over the handshake of TLS.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// What a sender has to show; nothing without a file. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Door(Option<Arc<Gate>>);

impl Door {
    /// By the file that the configuration names.
    ///
    /// # Errors
    /// What is wrong with it, or that it has no TLS where one of the addresses is to speak it.
    pub(super) fn open<'a>(
        config: &ReceiveConfig,
        mut addresses: impl Iterator<Item = &'a ReceiverAddress>,
    ) -> Result<Self, WebConfigError> {
        let Some(file) = &config.config_file else { return Ok(Self(None)) };
        let gate = Gate::new(Some(file))?;
        if gate.rules().tls().is_none()
            && let Some(address) = addresses.find(|address| address.speaks_tls())
        {
            return Err(WebConfigError {
                file: file.clone(),
                line: None,
                problem: format!("there is no tls_server_config, and {address} is to speak TLS"),
                remedy: "Give it cert_file and key_file".to_owned(),
            });
        }
        Ok(Self(Some(Arc::new(gate))))
    }

    /// Comes to TLS with a sender.
    ///
    /// # Errors
    /// That he does not speak it, shows no certificate that is asked for, or takes too long.
    pub(super) async fn greet(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = self.rules().await.and_then(|rules| rules.tls());
        let config = config.ok_or_else(|| io::Error::other("its file has no tls_server_config any more"))?;
        let accepted = tokio::time::timeout(HANDSHAKE_WITHIN, TlsAcceptor::from(config).accept(stream)).await;
        accepted.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    /// Whether a request may send, by the password that it has.
    pub(super) async fn admits(&self, headers: &HeaderMap, from: IpAddr) -> Verdict {
        let (Some(gate), Some(rules)) = (&self.0, self.rules().await) else { return Verdict::Right };
        if !rules.asks_for_password() {
            return Verdict::Right;
        }
        match credentials(headers) {
            Some((user, password)) => gate.check(&rules, &user, &password, from).await,
            None => Verdict::Wrong,
        }
    }

    /// Why its file is not followed, where it is not. Looks at files.
    pub(super) fn trouble(&self) -> Option<String> {
        self.0.as_ref().and_then(|gate| gate.trouble())
    }

    /// The rules as the file is now. Files may be slow, and one thread receives everything.
    async fn rules(&self) -> Option<Arc<Rules>> {
        let gate = Arc::clone(self.0.as_ref()?);
        spawn_blocking(move || gate.rules()).await.ok()
    }
}
