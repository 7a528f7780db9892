//! How to talk to Vault: TLS, and which of several logins counts.

use super::{Resolver, problem};
use crate::config::layers::Given;
use crate::config::problem::Origin;
use crate::config::setting::{self, Setting};
use crate::config::{AuthConfig, Secret, SecretSource, TlsConfig, VaultConfig, value};
use std::path::PathBuf;
use std::time::Duration;

impl Resolver<'_> {
    pub(super) fn vault(&mut self) -> VaultConfig {
        let namespace =
            self.given(&setting::VAULT_NAMESPACE).map_or_else(String::new, |text| value::path_segment(&text));
        let namespaces = match self.layers.get(&setting::VAULT_NAMESPACES) {
            Some(given) => given.texts.iter().map(|text| value::path_segment(text)).collect(),
            None => vec![namespace.clone()],
        };
        VaultConfig {
            namespace,
            tls: self.tls(),
            auth: self.auth(),
            scrape_interval: self.duration(&setting::SCRAPE_INTERVAL),
            timeout: self.duration(&setting::VAULT_TIMEOUT),
            metrics_prefix: self.parsed(&setting::METRICS_PREFIX, value::present),
            namespaces,
            monitor: self.parsed(&setting::MONITOR, value::switch),
            listing_interval: self.listing_interval(),
        }
    }

    fn listing_interval(&mut self) -> Option<Duration> {
        let given = self.layers.get(&setting::LISTING_INTERVAL)?;
        if given.text() == setting::LISTING_INTERVAL.default {
            return None;
        }
        let interval = value::duration(given.text(), Duration::from_secs(60));
        self.problems.take(interval.map_err(|wrong| problem(&given.origin, wrong)))
    }

    fn tls(&mut self) -> TlsConfig {
        let tls = TlsConfig {
            ca_cert: self.path(&setting::TLS_CA_CERT),
            ca_path: self.path(&setting::TLS_CA_PATH),
            client_cert: self.path(&setting::TLS_CLIENT_CERT),
            client_key: self.path(&setting::TLS_CLIENT_KEY),
            server_name: self.given(&setting::TLS_SERVER_NAME),
            skip_verify: self.parsed(&setting::TLS_SKIP_VERIFY, value::switch),
        };
        let lonely = match (&tls.client_cert, &tls.client_key) {
            (Some(_), None) => {
                Some((&setting::TLS_CLIENT_CERT, "a certificate without its key", "vault.tls.client_key"))
            }
            (None, Some(_)) => {
                Some((&setting::TLS_CLIENT_KEY, "a key without its certificate", "vault.tls.client_cert"))
            }
            _ => None,
        };
        if let Some((setting, problem, other)) = lonely
            && let Some(given) = self.layers.get(setting)
        {
            self.problems.0.push(given.origin.problem(problem, format!("Give {other} too")));
        }
        tls
    }

    /// The login: of those that were begun, the one given in the strongest layer.
    fn auth(&mut self) -> AuthConfig {
        let methods = [
            &setting::VAULT_TOKEN,
            &setting::VAULT_TOKEN_FILE,
            &setting::APPROLE_ROLE_ID,
            &setting::KUBERNETES_ROLE,
        ];
        let mut begun: Vec<(&'static Setting, Given)> =
            methods.into_iter().filter_map(|setting| Some((setting, self.layers.get(setting)?))).collect();
        begun.sort_by_key(|(_, given)| std::cmp::Reverse(given.origin.rank()));
        let Some((method, given)) = begun.first() else {
            return AuthConfig::None;
        };
        if let Some((_, other)) = begun.get(1)
            && other.origin.rank() == given.origin.rank()
        {
            let problem = format!("there is another login: {}", other.origin);
            self.problems.0.push(given.origin.problem(problem, "Keep one of them"));
        }
        let text = given.text().to_owned();
        if *method == &setting::VAULT_TOKEN {
            AuthConfig::Token(Secret::new(text.trim()))
        } else if *method == &setting::VAULT_TOKEN_FILE {
            AuthConfig::TokenFile(self.path(&setting::VAULT_TOKEN_FILE).unwrap_or_default())
        } else if *method == &setting::APPROLE_ROLE_ID {
            AuthConfig::AppRole {
                mount: value::path_segment(&self.parsed(&setting::APPROLE_MOUNT, value::present)),
                role_id: self.given(&setting::APPROLE_ROLE_ID).unwrap_or_default(),
                secret_id: self.secret_id(&given.origin),
            }
        } else {
            AuthConfig::Kubernetes {
                mount: value::path_segment(&self.parsed(&setting::KUBERNETES_MOUNT, value::present)),
                role: self.given(&setting::KUBERNETES_ROLE).unwrap_or_default(),
                jwt_file: self.parsed(&setting::KUBERNETES_JWT_FILE, value::present).into(),
            }
        }
    }

    fn secret_id(&mut self, login: &Origin) -> SecretSource {
        let value = self.layers.get(&setting::APPROLE_SECRET_ID);
        let file = self.layers.get(&setting::APPROLE_SECRET_ID_FILE);
        match (value, file) {
            (Some(value), file)
                if file.as_ref().is_none_or(|file| file.origin.rank() < value.origin.rank()) =>
            {
                SecretSource::Value(Secret::new(value.text().trim()))
            }
            (_, Some(file)) => SecretSource::File(file.text().into()),
            (_, None) => {
                let remedy = "Give vault.approle.secret_id_file, or LEASEWATCH_VAULT_APPROLE_SECRET_ID";
                self.problems.0.push(login.problem("the AppRole login has no secret ID", remedy));
                SecretSource::File(PathBuf::new())
            }
        }
    }
}
