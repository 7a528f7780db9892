//! TLS settings and addresses to an HTTP client for one node.

use super::error::Error;
use crate::config::TlsConfig;
use crate::stamp::FileStamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where to send a node's requests.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The HTTP library's client, made for this node alone.
    pub(super) http: reqwest::Client,
    /// What API paths are joined to.
    pub(super) base: reqwest::Url,
    /// The `Host` header, where it is not the one in `base`.
    pub(super) host: Option<String>,
}

/// Builds the client for `address`. Reads the files of `tls` anew each time.
pub(super) fn endpoint(address: &str, tls: &TlsConfig, timeout: Duration) -> Result<Endpoint, Error> {
    let mut builder = reqwest::Client::builder()
        // A standby answers 307 with another node's address. Followed, the
        // token would go wherever an answer says.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("leasewatch/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(timeout)
        .pool_max_idle_per_host(1)
        .http1_only();
    if let Some(path) = address.strip_prefix("unix://").filter(|_| cfg!(unix)) {
        return finish(unix_socket(builder, path), parse("http://localhost")?, None);
    }
    let mut base = parse(address)?;
    let real_host = base.host_str().unwrap_or_default().to_owned();
    if is_loopback(&real_host) {
        builder = builder.no_proxy();
    }
    if base.scheme() == "http" {
        return finish(builder, base, None);
    }
    let mut authorities = Vec::new();
    if let Some(path) = &tls.ca_cert {
        authorities.extend(certificates("VAULT_CACERT", path)?);
    } else if let Some(folder) = &tls.ca_path {
        for path in folder_files(folder)? {
            authorities.extend(certificates("VAULT_CAPATH", &path)?);
        }
    }
    if !authorities.is_empty() {
        builder = builder.tls_certs_only(authorities);
    }
    builder = client_certificate(builder, tls)?;
    if tls.skip_verify {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    let mut host = None;
    if let Some(name) = tls.server_name.as_deref().filter(|name| *name != real_host) {
        // The library checks the certificate against the host of the URL: so
        // the URL gets the name to expect, and the name leads to the real host.
        host = Some(match base.port() {
            Some(port) => format!("{real_host}:{port}"),
            None => real_host.clone(),
        });
        base.set_host(Some(name)).map_err(|_| Error::Setting {
            setting: "VAULT_TLS_SERVER_NAME",
            problem: "not a host name".to_owned(),
        })?;
        builder = builder.no_proxy().dns_resolver(LeadsTo(real_host));
    }
    finish(builder, base, host)
}

/// Stamps of all files that `tls` names, to notice a renewed certificate.
pub(super) fn stamps(tls: &TlsConfig) -> Vec<FileStamp> {
    let named = [&tls.ca_cert, &tls.ca_path, &tls.client_cert, &tls.client_key];
    let mut paths: Vec<PathBuf> = named.into_iter().flatten().cloned().collect();
    if let Some(folder) = &tls.ca_path {
        paths.extend(folder_files(folder).unwrap_or_default());
    }
    paths.iter().map(|path| FileStamp::of(path)).collect()
}

fn finish(
    builder: reqwest::ClientBuilder,
    base: reqwest::Url,
    host: Option<String>,
) -> Result<Endpoint, Error> {
    let http = builder.build().map_err(|error| Error::Setting {
        setting: "TLS settings",
        problem: std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string),
    })?;
    Ok(Endpoint { http, base, host })
}

fn parse(address: &str) -> Result<reqwest::Url, Error> {
    let wrong = |problem: &str| Error::Setting {
        setting: "address of a node (VAULT_ADDR)",
        problem: problem.to_owned(),
    };
    let mut url = reqwest::Url::parse(address)
        .map_err(|_| wrong("not a URL; it should look like https://vault.example:8200"))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong("neither http://, https:// nor unix://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it must not contain a user name or password"));
    }
    url.set_query(None);
    url.set_fragment(None);
    Ok(url)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(unix)]
fn unix_socket(builder: reqwest::ClientBuilder, path: &str) -> reqwest::ClientBuilder {
    builder.unix_socket(path)
}

#[cfg(not(unix))]
fn unix_socket(builder: reqwest::ClientBuilder, _: &str) -> reqwest::ClientBuilder {
    builder
}

fn client_certificate(
    builder: reqwest::ClientBuilder,
    tls: &TlsConfig,
) -> Result<reqwest::ClientBuilder, Error> {
    let (cert, key) = match (&tls.client_cert, &tls.client_key) {
        (None, None) => return Ok(builder),
        (Some(cert), Some(key)) => (cert, key),
        (Some(_), None) => return Err(half("VAULT_CLIENT_KEY")),
        (None, Some(_)) => return Err(half("VAULT_CLIENT_CERT")),
    };
    let mut pem = read("VAULT_CLIENT_CERT", cert)?;
    pem.push(b'\n');
    pem.extend(read("VAULT_CLIENT_KEY", key)?);
    let identity = reqwest::Identity::from_pem(&pem).map_err(|_| Error::File {
        setting: "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY",
        path: cert.clone(),
        problem: "certificate or key is no PEM, or they do not belong together".to_owned(),
    })?;
    Ok(builder.identity(identity))
}

fn half(setting: &'static str) -> Error {
    Error::Setting {
        setting,
        problem: "missing: a client certificate needs its key, and a key its certificate".to_owned(),
    }
}

fn certificates(setting: &'static str, path: &Path) -> Result<Vec<reqwest::Certificate>, Error> {
    let wrong = || Error::File { setting, path: path.to_owned(), problem: "holds no PEM certificate".into() };
    let found = reqwest::Certificate::from_pem_bundle(&read(setting, path)?).map_err(|_| wrong())?;
    if found.is_empty() { Err(wrong()) } else { Ok(found) }
}

/// The files of a folder of certificates, by name.
fn folder_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let wrong = |problem: String| Error::File { setting: "VAULT_CAPATH", path: folder.to_owned(), problem };
    let entries = std::fs::read_dir(folder).map_err(|error| wrong(error.to_string()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        // Kubernetes mounts carry hidden folders beside the links to their files.
        .filter(|path| {
            path.is_file() && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
        })
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(wrong("holds no file".to_owned()));
    }
    Ok(files)
}

fn read(setting: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| Error::File {
        setting,
        path: path.to_owned(),
        problem: error.to_string(),
    })
}

/// A resolver for which every name is another host.
struct LeadsTo(String);

impl Resolve for LeadsTo {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.0.trim_start_matches('[').trim_end_matches(']').to_owned();
        Box::pin(async move {
            // Port 0 stands for the one in the URL.
            let found: Vec<_> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(address: &str, tls: &TlsConfig) -> Result<Endpoint, Error> {
        endpoint(address, tls, Duration::from_secs(1))
    }

    #[test]
    fn addresses() {
        let tls = TlsConfig::default();
        for good in ["http://127.0.0.1:8200", "https://[::1]:8200/", "unix:///run/bao.sock"] {
            assert!(build(good, &tls).is_ok(), "{good}");
        }
        for bad in ["vault:8200", "ftp://vault", "vault", "http://", "https://user:pw@vault"] {
            let error = build(bad, &tls).expect_err(bad).to_string();
            assert!(error.contains("VAULT_ADDR"), "{error}");
            assert!(!error.contains("pw"), "{error}");
        }
    }

    #[test]
    fn a_file_in_trouble_is_named_with_its_setting() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        let mut tls = TlsConfig { ca_cert: Some(path.clone()), ..TlsConfig::default() };
        let missing = build("https://vault:8200", &tls).expect_err("missing").to_string();
        assert!(missing.contains("VAULT_CACERT") && missing.contains("ca.pem"), "{missing}");
        std::fs::write(&path, "no PEM").expect("written");
        let wrong = build("https://vault:8200", &tls).expect_err("no PEM").to_string();
        assert!(wrong.contains("no PEM certificate"), "{wrong}");
        tls = TlsConfig { client_cert: Some(path), ..TlsConfig::default() };
        let half = build("https://vault:8200", &tls).expect_err("half").to_string();
        assert!(half.contains("VAULT_CLIENT_KEY"), "{half}");
    }
}
