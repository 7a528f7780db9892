//! Checks of what is pushed: keys, certificates, and, where asked for, whether the receivers know them.

use super::Findings;
use crate::config::{Config, IncidentsFrom, PushConfig, SecretSource};
use crate::push;
use crate::vault;
use std::fs;
use std::path::Path;

impl Findings {
    pub(super) fn push(&mut self, push: &PushConfig) {
        if push.is_off() {
            return;
        }
        if let Some(url) = push.otlp.url() {
            let url = url.split('?').next().unwrap_or_default().to_owned();
            self.ok(format!("metrics are pushed to {url} (not asked)"));
        }
        if let Some(url) = &push.oneuptime.url {
            let pushed = [
                ("metrics", push.oneuptime_metrics()),
                ("security events", push.oneuptime_events()),
                ("heartbeats", push.oneuptime.heartbeat_key.is_some()),
                ("incidents", push.oneuptime.incidents.from != IncidentsFrom::Off),
            ];
            let pushed: Vec<_> =
                pushed.into_iter().filter(|(_, is_on)| *is_on).map(|(what, _)| what).collect();
            self.ok(format!("pushed to {url} (not asked): {}", pushed.join(", ")));
        }
        let keys = [
            ("push.otlp.headers_file", &push.otlp.headers),
            ("push.oneuptime.token_file", &push.oneuptime.token),
            ("push.oneuptime.heartbeat_key_file", &push.oneuptime.heartbeat_key),
            ("push.oneuptime.api_key_file", &push.oneuptime.incidents.api_key),
        ];
        for (setting, source) in keys {
            if let Some(SecretSource::File(file)) = source {
                match source.as_ref().map(SecretSource::read).transpose() {
                    Ok(_) => self.ok(format!("{setting} {} is readable", file.display())),
                    Err(why) => self.warning(format!("{setting}: {why}; leasewatch waits for it")),
                }
            }
        }
        if let Some(file) = &push.ca_cert {
            self.authorities("push.ca_cert", file);
        }
        if let Some(file) = &push.key_file {
            self.pseudonym_key(file);
        }
    }

    fn pseudonym_key(&mut self, file: &Path) {
        let shown = file.display();
        match fs::read(file) {
            Err(error) => self.error(format!("push.key_file {shown}: {error}")),
            Ok(key) if key.trim_ascii().len() < push::KEY_LEAST => self.error(format!(
                "push.key_file {shown} is shorter than {} bytes; make one by `openssl rand -hex 32`",
                push::KEY_LEAST
            )),
            Ok(_) => self.ok(format!("push.key_file {shown} is readable")),
        }
    }

    /// Asks the receivers and Vault; nothing is changed there.
    pub(super) async fn online(&mut self, config: &Config) {
        let push = &config.push;
        if let (Some(url), Some(token)) = (&push.oneuptime.url, &push.oneuptime.token) {
            match token.read() {
                Err(why) => self.error(format!("push.oneuptime.token_file: {why}")),
                Ok(key) => match push::validate(url, key.reveal(), push.ca_cert.as_deref()).await {
                    Ok(true) => self.ok(format!("{url} knows the ingestion key")),
                    Ok(false) => self.error(format!(
                        "{url} does not know the ingestion key; make one there under Project Settings, Telemetry Ingestion Keys"
                    )),
                    Err(why) => self.error(format!("{url}: {why}")),
                },
            }
        }
        for node in &config.nodes {
            match vault::reach(node, &config.vault.tls, config.vault.timeout).await {
                Ok(state) => self.ok(format!("node {}: {} answers; it is {state}", node.name, node.address)),
                Err(error) => self.error(format!("node {}: {error}", node.name)),
            }
        }
    }
}
