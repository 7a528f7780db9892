//! Checks of what Vault is asked with: certificates, the login, addresses. Vault itself is not asked.

use super::Findings;
use crate::config::{AuthConfig, Config, SecretSource, TlsConfig};
use reqwest::{Certificate, Identity, Url};
use std::fs;
use std::io::ErrorKind;
use std::net::ToSocketAddrs;
use std::path::Path;

impl Findings {
    pub(super) fn vault(&mut self, config: &Config) {
        self.tls(&config.vault.tls);
        self.auth(config);
        self.nodes(config);
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
                        self.error(format!(
                            "vault.tls.ca_path {} holds no file; put the authority's PEM file there",
                            folder.display()
                        ));
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
                        Ok(_) => {
                            self.ok(format!(
                                "client certificate {} and its key are readable",
                                cert.display()
                            ));
                        }
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
            self.warning(
                "vault.tls.skip_verify: Vault's certificate is not checked; give vault.tls.ca_cert instead",
            );
        }
    }

    pub(super) fn authorities(&mut self, setting: &str, file: &Path) {
        match fs::read(file).map(|pem| Certificate::from_pem_bundle(&pem)) {
            Err(error) => self.error(format!("{setting} {}: {error}", file.display())),
            Ok(Ok(certificates)) if !certificates.is_empty() => {
                self.ok(format!("{setting} {}: certificates: {}", file.display(), certificates.len()));
            }
            Ok(_) => self.error(format!("{setting} {} holds no PEM certificate", file.display())),
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
            AuthConfig::AppRole { secret_id: SecretSource::File(path), .. } => file("secret ID file", path),
            AuthConfig::Kubernetes { jwt_file, .. } => file("service account token", jwt_file),
            AuthConfig::None if !config.nodes.is_empty() => {
                self.warning("no login to Vault: only availability, seal and HA state are asked for");
            }
            AuthConfig::None | AuthConfig::Token(_) | AuthConfig::AppRole { .. } => {}
        }
        if config.nodes.is_empty() && !matches!(config.vault.auth, AuthConfig::None) {
            self.warning("there is a login to Vault, but no address: give VAULT_ADDR or [[node]] tables");
        }
    }

    fn nodes(&mut self, config: &Config) {
        for node in &config.nodes {
            let Ok(url) = Url::parse(&node.address) else {
                continue;
            };
            let host = url.host_str().unwrap_or_default();
            let loopback = host == "localhost"
                || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
            if url.scheme() == "http" && !loopback && !matches!(config.vault.auth, AuthConfig::None) {
                self.warning(format!(
                    "node {}: the token goes over the network in clear text; use https",
                    node.name
                ));
            }
            match (host.trim_matches(['[', ']']), url.port_or_known_default().unwrap_or(8200))
                .to_socket_addrs()
            {
                Ok(_) => self.ok(format!("node {}: {} is valid (not asked)", node.name, node.address)),
                Err(error) => {
                    self.warning(format!("node {}: {host} cannot be looked up: {error}", node.name));
                }
            }
        }
    }
}
