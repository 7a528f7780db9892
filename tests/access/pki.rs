//! An authority, its certificates, and web configuration files, in a folder of a test's own.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::fs;
use std::path::{Path, PathBuf};

/// An authority.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// Certificate and key for names, as PEM.
    pub(crate) fn leaf(&self, names: &[&str]) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params
            .subject_alt_names
            .push(rcgen::SanType::URI("spiffe://example.org/prometheus".try_into().unwrap()));
        (params.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

/// A folder with what a web configuration file names.
pub(crate) struct Folder {
    pub(crate) dir: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// Writes a file in one step, as whoever renews certificates does.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let (next, path) = (self.path(&format!("{name}.next")), self.path(name));
        fs::write(&next, text).unwrap();
        fs::rename(next, &path).unwrap();
        path
    }

    /// A server's certificate and key of this authority.
    pub(crate) fn serve_by(&self, authority: &Authority) {
        let (cert, key) = authority.leaf(&["127.0.0.1", "localhost"]);
        self.write("server.key", &key);
        self.write("server.pem", &cert);
    }
}

/// bcrypt's hash of a password, as cheap as it may be.
pub(crate) fn hashed(password: &str) -> String {
    bcrypt::hash(password, 4).unwrap()
}

/// `serve`'s arguments for an empty log, beside a web configuration file.
pub(crate) fn arguments(folder: &Folder, web: &Path) -> Vec<String> {
    let log = folder.path("audit.log");
    if !log.exists() {
        fs::write(&log, "").unwrap();
    }
    let pairs = [
        ("--audit-log", folder.text("audit.log")),
        ("--state-dir", folder.text("state")),
        ("--web.config.file", web.to_str().unwrap().to_owned()),
    ];
    pairs.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
}
