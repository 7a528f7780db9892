//! `check-config`: the effective configuration, and what stands in its way.
//!
//! It tries everything that can be tried without asking Vault: files, folders, certificates.

use crate::config::{AuthConfig, Config, LogConfig, LogKind, SecretSource, TlsConfig};
use reqwest::{Certificate, Identity, Url};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

/// One line of the report.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Ok,
    Warning,
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Prints the configuration and the findings; true if nothing stands in the way of `serve`.
///
/// # Errors
/// That `out` cannot be written.
pub fn run(config: &Config, out: &mut dyn Write) -> io::Result<bool> {
    let findings = check(config);
    write!(
        out,
        "# The configuration in effect\n\n{config}\n# Checks\n\n"
    )?;
    for finding in &findings {
        writeln!(out, "{:<8} {}", finding.level, finding.text)?;
    }
    let count = |level| {
        findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    };
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    writeln!(out, "\n{errors} errors, {warnings} warnings")?;
    out.flush()?;
    Ok(errors == 0)
}

fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Findings::default();
    if let Err(error) = config.something_to_watch() {
        findings.error(error.to_string());
    }
    for log in &config.logs {
        findings.log(log);
    }
    if !config.logs.is_empty() && !config.logs.iter().any(|log| log.kind == LogKind::Server) {
        findings.warning("no server log: leases that end by themselves are estimated, not seen; give --server-log");
    }
    findings.state_dir(&config.state_dir);
    findings.listen_address(&config.listen_address);
    findings.tls(&config.vault.tls);
    findings.auth(config);
    findings.nodes(config);
    findings.0
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, text: impl Into<String>) {
        self.0.push(Finding {
            level: Level::Ok,
            text: text.into(),
        });
    }

    fn warning(&mut self, text: impl Into<String>) {
        self.0.push(Finding {
            level: Level::Warning,
            text: text.into(),
        });
    }

    fn error(&mut self, text: impl Into<String>) {
        self.0.push(Finding {
            level: Level::Error,
            text: text.into(),
        });
    }

    fn log(&mut self, log: &LogConfig) {
        let LogConfig { name, path, .. } = log;
        if path == "-" {
            return self.ok(format!("log {name}: standard input"));
        }
        // A file of that very name counts as one, whatever marks its name has.
        let files: Vec<PathBuf> = match Path::new(path).try_exists() {
            Ok(true) => vec![path.into()],
            _ => glob::glob(path)
                .map(|paths| paths.filter_map(Result::ok).collect())
                .unwrap_or_default(),
        };
        if files.is_empty() {
            return self.missing_log(log);
        }
        for file in &files {
            match File::open(file).and_then(|open| open.metadata()) {
                Ok(metadata) if metadata.is_dir() => {
                    self.error(format!(
                        "log {name}: {} is a folder; name the file in it",
                        file.display()
                    ));
                }
                Ok(_) => self.ok(format!("log {name}: {} is readable", file.display())),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    self.error(format!(
                        "log {name}: {} may not be read. {}",
                        file.display(),
                        access_remedy(log.kind)
                    ));
                }
                Err(error) => self.error(format!("log {name}: {}: {error}", file.display())),
            }
        }
    }

    fn missing_log(&mut self, log: &LogConfig) {
        let LogConfig { name, path, .. } = log;
        // The folder without marks of a glob, as far as there is one.
        let plain = path.split(['*', '?', '[']).next().unwrap_or_default();
        let folder = if plain == path {
            Path::new(path).parent()
        } else {
            Path::new(plain).ancestors().find(|p| p.is_dir())
        };
        let folder = folder
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => self.error(format!(
                "log {name}: the folder {} may not be entered. Let leasewatch's group read it: chgrp and chmod g+rx",
                folder.display()
            )),
            Err(error) => self.warning(format!("log {name}: {path} does not exist yet, nor can its folder be read: {error}")),
            Ok(_) => self.warning(format!("log {name}: {path} does not exist yet; it is read once it does")),
        }
    }

    fn state_dir(&mut self, folder: &Path) {
        let shown = folder.display();
        let probe = folder.join(format!(".check-config-{}", std::process::id()));
        match fs::OpenOptions::new().write(true).create_new(true).open(&probe) {
            Ok(_) => {
                // Left behind it would do no harm; the next check has another name.
                let _ = fs::remove_file(&probe);
                self.ok(format!("state folder {shown} is writable"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => self.missing_state_dir(folder),
            Err(error) => self.error(format!(
                "state folder {shown} cannot be written: {error}. Give it to the user that runs leasewatch, or name another with --state-dir"
            )),
        }
    }

    fn missing_state_dir(&mut self, folder: &Path) {
        let shown = folder.display();
        let Some(parent) = folder.ancestors().skip(1).find(|parent| parent.is_dir()) else {
            return self.warning(format!(
                "state folder {shown} does not exist; serve makes it if it may"
            ));
        };
        match tempdir_in(parent) {
            Ok(()) => self.ok(format!("state folder {shown} does not exist yet; serve can make it")),
            Err(error) => self.error(format!(
                "state folder {shown} does not exist and cannot be made: {error}. Make it for the user that runs leasewatch, or name another with --state-dir"
            )),
        }
    }

    fn listen_address(&mut self, address: &str) {
        let lookup = if address.starts_with(':') {
            format!("0.0.0.0{address}")
        } else {
            address.to_owned()
        };
        match lookup.to_socket_addrs().map(|mut addresses| addresses.next()) {
            Ok(Some(_)) => self.ok(format!("listening address {address} is valid")),
            Ok(None) => self.error(format!("listening address {address}: the host has no address")),
            Err(error) => self.error(format!("listening address {address}: {error}. Give --web.listen-address an address of this machine")),
        }
    }

    fn tls(&mut self, tls: &TlsConfig) {
        if let Some(file) = &tls.ca_cert {
            self.authorities("vault.tls.ca_cert", file);
        }
        if let Some(folder) = &tls.ca_path {
            match fs::read_dir(folder) {
                Err(error) => {
                    self.error(format!("vault.tls.ca_path {}: {error}", folder.display()));
                }
                Ok(entries) => {
                    let files: Vec<_> = entries
                        .filter_map(Result::ok)
                        .map(|entry| entry.path())
                        .filter(|p| p.is_file())
                        .collect();
                    if files.is_empty() {
                        self.error(format!("vault.tls.ca_path {} holds no file; put the authority's PEM file there", folder.display()));
                    }
                    for file in files {
                        self.authorities("vault.tls.ca_path", &file);
                    }
                }
            }
        }
        if let (Some(cert), Some(key)) = (&tls.client_cert, &tls.client_key) {
            match (fs::read(cert), fs::read(key)) {
                (Err(error), _) => {
                    self.error(format!("vault.tls.client_cert {}: {error}", cert.display()));
                }
                (_, Err(error)) => {
                    self.error(format!("vault.tls.client_key {}: {error}", key.display()));
                }
                (Ok(mut pem), Ok(key_pem)) => {
                    pem.push(b'\n');
                    pem.extend(key_pem);
                    match Identity::from_pem(&pem) {
                        Ok(_) => self.ok(format!("client certificate {} and its key are readable", cert.display())),
                        // The error is not shown: it may tell of the key.
                        Err(_) => self.error(format!(
                            "client certificate {} and key {} are no PEM pair. The key must not be encrypted",
                            cert.display(),
                            key.display()
                        )),
                    }
                }
            }
        }
        if tls.skip_verify {
            self.warning("vault.tls.skip_verify: Vault's certificate is not checked; give vault.tls.ca_cert instead");
        }
    }

    fn authorities(&mut self, setting: &str, file: &Path) {
        match fs::read(file).map(|pem| Certificate::from_pem_bundle(&pem)) {
            Err(error) => self.error(format!("{setting} {}: {error}", file.display())),
            Ok(Ok(certificates)) if !certificates.is_empty() => {
                self.ok(format!(
                    "{setting} {}: {} certificates",
                    file.display(),
                    certificates.len()
                ));
            }
            Ok(_) => self.error(format!(
                "{setting} {} holds no PEM certificate",
                file.display()
            )),
        }
    }

    fn auth(&mut self, config: &Config) {
        let mut file = |what: &str, path: &Path| match fs::read(path) {
            Ok(content) if content.iter().all(u8::is_ascii_whitespace) => {
                self.warning(format!(
                    "{what} {} is empty; leasewatch waits for it to be filled",
                    path.display()
                ));
            }
            Ok(_) => self.ok(format!("{what} {} is readable", path.display())),
            // An agent may write it later.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.warning(format!(
                    "{what} {} does not exist yet; leasewatch waits for it",
                    path.display()
                ));
            }
            Err(error) => self.error(format!("{what} {}: {error}", path.display())),
        };
        match &config.vault.auth {
            AuthConfig::TokenFile(path) => file("token file", path),
            AuthConfig::AppRole {
                secret_id: SecretSource::File(path),
                ..
            } => file("secret ID file", path),
            AuthConfig::Kubernetes { jwt_file, .. } => file("service account token", jwt_file),
            AuthConfig::None if !config.nodes.is_empty() => {
                self.warning(
                    "no login to Vault: only availability, seal and HA state are asked for",
                );
            }
            AuthConfig::None | AuthConfig::Token(_) | AuthConfig::AppRole { .. } => {}
        }
        if config.nodes.is_empty() && !matches!(config.vault.auth, AuthConfig::None) {
            self.warning(
                "there is a login to Vault, but no address: give VAULT_ADDR or [[node]] tables",
            );
        }
    }

    fn nodes(&mut self, config: &Config) {
        for node in &config.nodes {
            let Ok(url) = Url::parse(&node.address) else {
                continue;
            };
            let host = url.host_str().unwrap_or_default();
            let loopback = host == "localhost"
                || host
                    .trim_matches(['[', ']'])
                    .parse()
                    .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
            if url.scheme() == "http" && !loopback && !matches!(config.vault.auth, AuthConfig::None)
            {
                self.warning(format!(
                    "node {}: the token goes over the network in clear text; use https",
                    node.name
                ));
            }
            match (
                host.trim_matches(['[', ']']),
                url.port_or_known_default().unwrap_or(8200),
            )
                .to_socket_addrs()
            {
                Ok(_) => self.ok(format!(
                    "node {}: {} is valid (not asked)",
                    node.name, node.address
                )),
                Err(error) => self.warning(format!(
                    "node {}: {host} cannot be looked up: {error}",
                    node.name
                )),
            }
        }
    }
}

fn access_remedy(kind: LogKind) -> &'static str {
    match kind {
        LogKind::Audit => {
            "Vault writes it with mode 0600: set `mode = \"0640\"` on the audit device and put leasewatch into the group of the file. \
             An ACL does not last, as Vault sets the mode again whenever it opens the file"
        }
        LogKind::Server => {
            "Let leasewatch's group read it: chgrp and chmod g+r, and the same in the rotation's settings"
        }
    }
}

/// Whether a folder can be made in `parent`.
fn tempdir_in(parent: &Path) -> io::Result<()> {
    let probe = parent.join(format!(".check-config-{}", std::process::id()));
    fs::create_dir(&probe)?;
    fs::remove_dir(&probe)
}
