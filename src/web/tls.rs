//! TLS as the file asks for it: certificate and key, versions, suites, curves, and what is asked of clients.

use super::client::{Anybody, Named};
use super::file::{Line, TlsServer, given, line_of};
use super::problem::WebConfigError;
use super::words::{self, Wrong};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// TLS, ready to be spoken.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    pub(super) config: Arc<ServerConfig>,
    /// A certificate of a client is checked against an authority, so that it says who the client is.
    pub(super) proves_clients: bool,
}

/// The files that the section names, for a file that lies at `file`.
pub(super) fn named(file: &Path, section: &TlsServer) -> Vec<PathBuf> {
    let keys = [&section.cert_file, &section.key_file, &section.client_ca_file];
    keys.into_iter().filter_map(|key| given(key.as_ref())).map(|line| beside(file, &line.value)).collect()
}

/// A path is relative to the folder of the file that names it.
fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

/// Reads what the section names. Its files are read now, and kept.
pub(super) fn build(file: &Path, section: &TlsServer) -> Result<Tls, WebConfigError> {
    Builder { file, section }.build()
}

struct Builder<'a> {
    file: &'a Path,
    section: &'a TlsServer,
}

impl Builder<'_> {
    fn build(&self) -> Result<Tls, WebConfigError> {
        let section = self.section;
        let (cert_at, cert) = self.content("cert", section.cert.as_ref(), section.cert_file.as_ref())?;
        let (key_at, key) = self.content("key", section.key.as_ref(), section.key_file.as_ref())?;
        let chain = certificates(&cert).ok_or_else(|| {
            self.wrong(
                cert_at,
                "the certificate is no PEM certificate",
                "Give the certificate first, then those that signed it, as PEM",
            )
        })?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
            self.wrong(
                key_at,
                "the key is no PEM key",
                "Give the key as PEM, not encrypted: PKCS #8, PKCS #1 or SEC 1",
            )
        })?;
        let provider = Arc::new(self.provider()?);
        let versions = self.versions(&provider)?;
        let (verifier, proves_clients) = self.verifier(&provider)?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(|error| {
                self.wrong(
                    None,
                    format!("these settings leave no way to speak TLS: {error}"),
                    "Take cipher_suites or the versions out",
                )
            })?;
        let builder = match verifier {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            let problem = format!("certificate and key cannot be used together: {error}");
            self.wrong(
                key_at.or(cert_at),
                problem,
                "Give the key that the certificate was made for; while both are replaced, this passes",
            )
        })?;
        config.ignore_client_order = section.prefer_server_cipher_suites.unwrap_or(true);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config), proves_clients })
    }

    /// The bytes of a key that may stand in the file or in another one; the file wins, as with Prometheus's exporters.
    fn content(
        &self,
        what: &str,
        inline: Option<&Line>,
        file: Option<&Line>,
    ) -> Result<(Option<u64>, Vec<u8>), WebConfigError> {
        if let Some(line) = given(file) {
            let path = beside(self.file, &line.value);
            let read = std::fs::read(&path).map_err(|error| {
                let problem = format!("{what}_file {} cannot be read: {error}", path.display());
                self.wrong(line_of(line), problem, "Name a file that the user of leasewatch may read; a relative path begins at the folder of this file")
            })?;
            return Ok((line_of(line), read));
        }
        match given(inline) {
            Some(line) => Ok((line_of(line), line.value.clone().into_bytes())),
            None => Err(self.wrong(
                None,
                format!("tls_server_config has neither {what} nor {what}_file"),
                format!("Give {what}_file, or take tls_server_config out"),
            )),
        }
    }

    fn provider(&self) -> Result<rustls::crypto::CryptoProvider, WebConfigError> {
        let mut provider = words::provider();
        let wanted = self.all(self.section.cipher_suites.as_ref(), words::suite)?;
        if !wanted.is_empty() {
            // As with Go, the list is about TLS 1.2; those of TLS 1.3 are all good, and stay.
            provider.cipher_suites.retain(|suite| suite.tls13().is_some());
            provider.cipher_suites.extend(wanted.into_iter().filter(|suite| suite.tls13().is_none()));
        }
        let curves = self.all(self.section.curve_preferences.as_ref(), words::curve)?;
        if !curves.is_empty() {
            provider.kx_groups = curves;
        }
        Ok(provider)
    }

    fn all<T>(
        &self,
        lines: Option<&Vec<Line>>,
        read: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, WebConfigError> {
        let lines = lines.map(Vec::as_slice).unwrap_or_default();
        lines.iter().map(|line| read(&line.value).map_err(|wrong| self.wrong_at(line, wrong))).collect()
    }

    fn versions(
        &self,
        provider: &rustls::crypto::CryptoProvider,
    ) -> Result<Vec<&'static rustls::SupportedProtocolVersion>, WebConfigError> {
        let read = |line: Option<&Line>, default| match given(line) {
            None => Ok(default),
            Some(line) => words::version(&line.value).map_err(|wrong| self.wrong_at(line, wrong)),
        };
        let least = read(self.section.min_version.as_ref(), 12)?;
        let most = read(self.section.max_version.as_ref(), 13)?;
        let mut versions = words::versions(least, most);
        // With a list of suites that has none of TLS 1.2, that version cannot be spoken.
        if provider.cipher_suites.iter().all(|suite| suite.tls13().is_some()) {
            versions.retain(|version| version.version == rustls::ProtocolVersion::TLSv1_3);
        }
        if versions.is_empty() {
            let at = self.section.min_version.as_ref().or(self.section.max_version.as_ref());
            return Err(self.wrong(
                at.and_then(line_of),
                "no version of TLS is left between min_version and max_version, with these cipher_suites",
                "Take max_version out",
            ));
        }
        Ok(versions)
    }

    /// What is asked of clients, and whether it proves who they are.
    fn verifier(
        &self,
        provider: &Arc<rustls::crypto::CryptoProvider>,
    ) -> Result<(Option<Arc<dyn ClientCertVerifier>>, bool), WebConfigError> {
        let section = self.section;
        let policy = given(section.client_auth_type.as_ref());
        let at = policy.and_then(line_of);
        let ca = given(section.client_ca_file.as_ref()).or(given(section.client_ca.as_ref()));
        let name = policy.map_or("NoClientCert", |line| line.value.as_str());
        let anybody = |mandatory| Arc::new(Anybody { provider: Arc::clone(provider), mandatory }) as Arc<_>;
        let (verifier, mandatory, proves): (Arc<dyn ClientCertVerifier>, bool, bool) = match name {
            "NoClientCert" => {
                if let Some(line) = ca.or(section.client_allowed_sans.as_ref().and_then(|sans| sans.first()))
                {
                    return Err(self.wrong(
                        line_of(line),
                        "no certificate is asked of clients, so that this would have no effect",
                        "Set client_auth_type to RequireAndVerifyClientCert",
                    ));
                }
                return Ok((None, false));
            }
            "RequestClientCert" => (anybody(false), false, false),
            "RequireAnyClientCert" | "RequireClientCert" => (anybody(true), true, false),
            "VerifyClientCertIfGiven" | "RequireAndVerifyClientCert" => {
                let mandatory = name == "RequireAndVerifyClientCert";
                (self.authority(provider, at, mandatory)?, mandatory, true)
            }
            _ => {
                return Err(self.wrong(at, "there is no such client_auth_type", "Write NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert"));
            }
        };
        let Some(sans) = &section.client_allowed_sans else { return Ok((Some(verifier), proves)) };
        if !mandatory {
            return Err(self.wrong(
                sans.first().and_then(line_of).or(at),
                "a client may come without a certificate, which has no name to compare",
                "Set client_auth_type to RequireAndVerifyClientCert, or take client_allowed_sans out",
            ));
        }
        let allowed = sans.iter().map(|line| line.value.clone()).collect();
        Ok((Some(Arc::new(Named { inner: verifier, allowed })), proves))
    }

    fn authority(
        &self,
        provider: &Arc<rustls::crypto::CryptoProvider>,
        at: Option<u64>,
        mandatory: bool,
    ) -> Result<Arc<dyn ClientCertVerifier>, WebConfigError> {
        let section = self.section;
        if given(section.client_ca.as_ref()).is_none() && given(section.client_ca_file.as_ref()).is_none() {
            return Err(self.wrong(
                at,
                "certificates of clients are to be verified, but by no authority",
                "Give client_ca_file",
            ));
        }
        let (at, pem) =
            self.content("client_ca", section.client_ca.as_ref(), section.client_ca_file.as_ref())?;
        let mut roots = RootCertStore::empty();
        let found = certificates(&pem).unwrap_or_default();
        let (taken, _) = roots.add_parsable_certificates(found);
        if taken == 0 {
            return Err(self.wrong(
                at,
                "the authority of clients is no PEM certificate",
                "Give the certificates of the authorities as PEM",
            ));
        }
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let builder = if mandatory { builder } else { builder.allow_unauthenticated() };
        builder.build().map_err(|error| {
            self.wrong(
                at,
                format!("the authority of clients cannot be used: {error}"),
                "Give the certificates of the authorities as PEM",
            )
        })
    }

    fn wrong(
        &self,
        line: Option<u64>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> WebConfigError {
        WebConfigError::new(self.file, line, problem, remedy)
    }

    fn wrong_at(&self, line: &Line, (problem, remedy): Wrong) -> WebConfigError {
        self.wrong(line_of(line), problem, remedy)
    }
}

/// The certificates of a PEM text, if there is one and all can be read.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().ok()?;
    (!all.is_empty()).then_some(all)
}
