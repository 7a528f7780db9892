//! TLS as Vault's own clients do it: private authorities, client certificates, names.

use crate::fake::Fake;
use crate::watch::{Watch, config, pace, until};
use leasewatch::config::{TlsConfig, VaultConfig};
use leasewatch::vault::Error;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// An authority of a test's own, with its files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn leaf(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Files of a client certificate and its key.
    fn client(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (cert, key) = self.leaf("client.test");
        let (cert_file, key_file) = (folder.join("client.pem"), folder.join("client.key"));
        std::fs::write(&cert_file, cert.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (cert_file, key_file)
    }
}

/// A listener that speaks TLS.
struct Listener {
    tcp: tokio::net::TcpListener,
    tls: TlsAcceptor,
}

impl axum::serve::Listener for Listener {
    type Io = tokio_rustls::server::TlsStream<tokio::net::TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let Ok((stream, from)) = self.tcp.accept().await else { continue };
            // A handshake that fails is the client's affair.
            if let Ok(stream) = self.tls.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// `fake` over TLS, with a certificate for `name`; gives the port.
async fn listen(fake: &Fake, authority: &Authority, name: &str, clients: Option<&Authority>) -> u16 {
    let (cert, key) = authority.leaf(name);
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let builder = ServerConfig::builder();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.issuer.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = builder.with_single_cert(vec![cert.der().clone()], key).unwrap();
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = tcp.local_addr().unwrap().port();
    let listener = Listener { tcp, tls: TlsAcceptor::from(Arc::new(config)) };
    let router = fake.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    port
}

fn watch(port: u16, tls: TlsConfig) -> Watch {
    let config = VaultConfig { tls, ..config() };
    Watch::start(&[("a", &format!("https://127.0.0.1:{port}"))], &config, &pace())
}

async fn is_up(watch: &Watch) {
    until("up", || watch.value("leasewatch_vault_up", &["a"]) == Some(1.0)).await;
}

/// What it says about itself when it does not come up.
async fn trouble(watch: &Watch) -> String {
    until("down", || watch.value("leasewatch_vault_up", &["a"]) == Some(0.0)).await;
    watch.api("health").and_then(|report| report.trouble).unwrap_or_default()
}

#[tokio::test]
async fn an_authority_of_ones_own_by_file_and_by_folder() {
    let (fake, authority) = (Fake::active(), Authority::new());
    let port = listen(&fake, &authority, "127.0.0.1", None).await;
    is_up(&watch(port, TlsConfig { ca_cert: Some(authority.ca_file()), ..TlsConfig::default() })).await;
    let folder = authority.folder.path().to_owned();
    is_up(&watch(port, TlsConfig { ca_path: Some(folder), ..TlsConfig::default() })).await;
    is_up(&watch(port, TlsConfig { skip_verify: true, ..TlsConfig::default() })).await;
}

#[tokio::test]
async fn an_authority_that_nobody_named_is_not_trusted() {
    let (fake, authority, other) = (Fake::active(), Authority::new(), Authority::new());
    let port = listen(&fake, &authority, "127.0.0.1", None).await;
    let tls = TlsConfig { ca_cert: Some(other.ca_file()), ..TlsConfig::default() };
    let words = trouble(&watch(port, tls)).await;
    assert!(words.contains("VAULT_CACERT"), "{words}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_needs_that_name() {
    let (fake, authority) = (Fake::active(), Authority::new());
    let port = listen(&fake, &authority, "vault.internal", None).await;
    let tls = TlsConfig { ca_cert: Some(authority.ca_file()), ..TlsConfig::default() };
    let words = trouble(&watch(port, tls.clone())).await;
    assert!(words.contains("VAULT_TLS_SERVER_NAME"), "{words}");
    is_up(&watch(port, TlsConfig { server_name: Some("vault.internal".into()), ..tls })).await;
    // The name is for TLS alone.
    assert_eq!(fake.seen()[0].headers["host"], format!("127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_listener_that_asks_for_a_client_certificate_gets_one() {
    let (fake, authority) = (Fake::active(), Authority::new());
    let port = listen(&fake, &authority, "127.0.0.1", Some(&authority)).await;
    let folder = tempfile::tempdir().unwrap();
    let (cert, key) = authority.client(folder.path());
    let tls = TlsConfig { ca_cert: Some(authority.ca_file()), ..TlsConfig::default() };
    let words = trouble(&watch(port, tls.clone())).await;
    assert!(words.contains("VAULT_CLIENT_CERT"), "{words}");
    is_up(&watch(port, TlsConfig { client_cert: Some(cert), client_key: Some(key), ..tls })).await;
}

#[tokio::test]
async fn renewed_files_are_taken_up_while_running() {
    let (fake, authority, old) = (Fake::active(), Authority::new(), Authority::new());
    let port = listen(&fake, &authority, "127.0.0.1", None).await;
    let ca_file = old.ca_file();
    let watch = watch(port, TlsConfig { ca_cert: Some(ca_file.clone()), ..TlsConfig::default() });
    assert!(trouble(&watch).await.contains("VAULT_CACERT"));
    std::fs::copy(authority.ca_file(), &ca_file).unwrap();
    is_up(&watch).await;
}

#[tokio::test]
async fn a_listener_without_tls_is_said_so() {
    let fake = Fake::active();
    let address = fake.listen().await.replace("http://", "https://");
    let tls = TlsConfig { skip_verify: true, ..TlsConfig::default() };
    let watch = Watch::start(&[("a", &address)], &VaultConfig { tls, ..config() }, &pace());
    let words = trouble(&watch).await;
    assert!(words.contains("http://"), "{words}");
}

#[tokio::test]
async fn a_unix_socket_does_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.sock");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    let fake = Fake::active();
    let router = fake.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let address = format!("unix://{}", path.display());
    is_up(&Watch::start(&[("a", &address)], &config(), &pace())).await;
}

#[test]
fn a_file_that_cannot_be_used_stops_the_start() {
    let tls = TlsConfig { ca_cert: Some("/nonexistent/ca.pem".into()), ..TlsConfig::default() };
    let config = VaultConfig { tls, ..config() };
    let node =
        leasewatch::config::NodeConfig { name: "a".to_owned(), address: "https://127.0.0.1:1".to_owned() };
    let tell: leasewatch::vault::Tell = Arc::new(|_| {});
    let board = leasewatch::vault::Board::new();
    let started = leasewatch::vault::Scraper::new(&config, &[node], &board, &tell);
    assert!(matches!(started.err(), Some(Error::File { setting: "VAULT_CACERT", .. })));
}
