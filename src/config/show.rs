//! The effective configuration, shown as the TOML that would give it. Secrets are hidden.

use super::value::{attribute, show_duration};
use super::{
    Acknowledged, AnomalyMode, AuthConfig, Config, Identities, IncidentsFrom, LogConfig, LogFormat, LogKind,
    Privacy, SecretSource, StartAt,
};
use std::fmt::{self, Display, Formatter};
use std::path::Path;

impl Display for Config {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "state_dir = {}", path(&self.state_dir))?;
        let start_at = match self.start_at {
            StartAt::Beginning => "beginning",
            StartAt::End => "end",
        };
        writeln!(f, "start_at = {}", text(start_at))?;
        writeln!(f, "max_line_bytes = {}", self.max_line_bytes)?;
        for (key, kind) in KINDS {
            logs(f, key, self.logs.iter().filter(|log| log.kind == kind && !self.in_table(log)))?;
        }
        let networks: Vec<_> = self.receive.allow.iter().map(|network| text(&network.to_string())).collect();
        writeln!(
            f,
            "\n[receive]\nallow = [{}]\nspool_limit = {}",
            networks.join(", "),
            self.receive.spool_limit
        )?;
        if let Some(file) = &self.receive.config_file {
            writeln!(f, "config.file = {}", text(&file.display().to_string()))?;
        }
        let identities = match self.identities {
            Identities::Loopback => "loopback",
            Identities::Nobody => "nobody",
        };
        writeln!(f, "\n[web]\nlisten_address = {}", text(&self.listen_address))?;
        writeln!(f, "identities = {}", text(identities))?;
        if let Some(file) = &self.web_config {
            writeln!(f, "config.file = {}", path(file))?;
        }
        writeln!(f, "\n[checkpoint]\ninterval = {}", text(&show_duration(self.checkpoint_interval)))?;
        writeln!(f, "\n[labels]\nbudget = {}", self.label_sets)?;
        writeln!(f, "\n[ledger]\ncapacity = {}", self.ledger_capacity)?;
        let format = match self.output.format {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        };
        writeln!(f, "\n[log]\nlevel = {}\nformat = {}", text(&self.output.level), text(format))?;
        self.anomaly(f)?;
        self.push(f)?;
        self.vault(f)?;
        self.nodes(f)
    }
}

const KINDS: [(&str, LogKind); 2] = [("audit_log", LogKind::Audit), ("server_log", LogKind::Server)];

impl Config {
    /// Whether a log stands in a `[[node]]` table; with one node it stands on top.
    fn in_table(&self, log: &LogConfig) -> bool {
        log.node.is_some() && self.single().is_none()
    }

    /// The only node, if all logs are its own or nobody's.
    fn single(&self) -> Option<&super::NodeConfig> {
        let [node] = self.nodes.as_slice() else {
            return None;
        };
        self.logs.iter().all(|log| log.node.as_ref() == Some(&node.name)).then_some(node)
    }

    fn anomaly(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let anomaly = &self.anomaly;
        let mode = match anomaly.mode {
            AnomalyMode::On => "on",
            AnomalyMode::Shadow => "shadow",
            AnomalyMode::Off => "off",
        };
        writeln!(f, "\n[anomaly]\nmode = {}\nalarm_budget = {}", text(mode), anomaly.alarm_budget)?;
        writeln!(f, "subjects = {}\nepisodes = {}", anomaly.subjects, anomaly.episodes)?;
        if let Some(file) = &anomaly.baseline {
            writeln!(f, "baseline = {}", path(file))?;
        }
        for Acknowledged { episode, author, reason, expires } in &anomaly.acknowledged {
            writeln!(
                f,
                "\n[[anomaly.acknowledged]]\nepisode = {}\nauthor = {}",
                text(episode),
                text(author)
            )?;
            writeln!(f, "reason = {}\nexpires = {}", text(reason), text(&expires.to_string()))?;
        }
        Ok(())
    }

    fn push(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let push = &self.push;
        let privacy = match push.privacy {
            Privacy::Pseudonymous => "pseudonymous",
            Privacy::Full => "full",
        };
        writeln!(f, "\n[push]\ninterval = {}", text(&show_duration(push.interval)))?;
        writeln!(f, "privacy = {}", text(privacy))?;
        for (key, file) in [("key_file", &push.key_file), ("ca_cert", &push.ca_cert)] {
            if let Some(file) = file {
                writeln!(f, "{key} = {}", path(file))?;
            }
        }
        let otlp = &push.otlp;
        writeln!(f, "\n[push.otlp]\nservice_name = {}", text(&otlp.service_name))?;
        for (key, url) in [("endpoint", &otlp.endpoint), ("metrics_endpoint", &otlp.metrics_endpoint)] {
            if let Some(url) = url {
                writeln!(f, "{key} = {}", text(url))?;
            }
        }
        secret(f, "headers", otlp.headers.as_ref())?;
        let attributes: Vec<_> =
            otlp.resource_attributes.iter().map(|(name, value)| text(&attribute(name, value))).collect();
        if !attributes.is_empty() {
            writeln!(f, "resource_attributes = [{}]", attributes.join(", "))?;
        }
        let oneuptime = &push.oneuptime;
        writeln!(f, "\n[push.oneuptime]")?;
        if let Some(url) = &oneuptime.url {
            writeln!(f, "url = {}", text(url))?;
        }
        secret(f, "token", oneuptime.token.as_ref())?;
        let switch = |on| text(if on { "on" } else { "off" });
        writeln!(f, "metrics = {}", switch(oneuptime.metrics))?;
        writeln!(f, "security_events = {}", switch(oneuptime.security_events))?;
        secret(f, "heartbeat_key", oneuptime.heartbeat_key.as_ref())?;
        let incidents = match oneuptime.incidents.from {
            IncidentsFrom::Off => "off",
            IncidentsFrom::Page => "page",
            IncidentsFrom::Notice => "notice",
        };
        writeln!(f, "incidents = {}", text(incidents))?;
        secret(f, "api_key", oneuptime.incidents.api_key.as_ref())?;
        let ids = [
            ("project_id", &oneuptime.incidents.project_id),
            ("incident_severity_id", &oneuptime.incidents.severity_id),
        ];
        for (key, id) in ids {
            if let Some(id) = id {
                writeln!(f, "{key} = {}", text(id))?;
            }
        }
        Ok(())
    }

    fn vault(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let vault = &self.vault;
        writeln!(f, "\n[vault]")?;
        if let Some(node) = self.single() {
            writeln!(f, "address = {}\nnode_name = {}", text(&node.address), text(&node.name))?;
        }
        writeln!(f, "namespace = {}", text(namespace(&vault.namespace)))?;
        let namespaces: Vec<_> = vault.namespaces.iter().map(|path| text(namespace(path))).collect();
        writeln!(f, "namespaces = [{}]", namespaces.join(", "))?;
        writeln!(f, "scrape_interval = {}", text(&show_duration(vault.scrape_interval)))?;
        writeln!(f, "timeout = {}", text(&show_duration(vault.timeout)))?;
        writeln!(f, "metrics_prefix = {}", text(&vault.metrics_prefix))?;
        writeln!(f, "monitor = {}", vault.monitor)?;
        let listing = vault.listing_interval.map_or("off".to_owned(), show_duration);
        writeln!(f, "listing_interval = {}", text(&listing))?;
        match &vault.auth {
            AuthConfig::None => writeln!(f, "# no login: availability and seal state only")?,
            AuthConfig::Token(_) => writeln!(f, "# token from the environment (hidden)")?,
            AuthConfig::TokenFile(file) => writeln!(f, "token_file = {}", path(file))?,
            AuthConfig::AppRole { mount, role_id, secret_id } => {
                writeln!(f, "\n[vault.approle]\nmount = {}\nrole_id = {}", text(mount), text(role_id))?;
                match secret_id {
                    SecretSource::Value(_) => {
                        writeln!(f, "# secret ID from the environment (hidden)")?;
                    }
                    SecretSource::File(file) => writeln!(f, "secret_id_file = {}", path(file))?,
                }
            }
            AuthConfig::Kubernetes { mount, role, jwt_file } => {
                writeln!(f, "\n[vault.kubernetes]\nmount = {}\nrole = {}", text(mount), text(role))?;
                writeln!(f, "jwt_file = {}", path(jwt_file))?;
            }
        }
        self.tls(f)
    }

    fn tls(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let tls = &self.vault.tls;
        writeln!(f, "\n[vault.tls]")?;
        let files = [
            ("ca_cert", &tls.ca_cert),
            ("ca_path", &tls.ca_path),
            ("client_cert", &tls.client_cert),
            ("client_key", &tls.client_key),
        ];
        for (key, file) in files {
            if let Some(file) = file {
                writeln!(f, "{key} = {}", path(file))?;
            }
        }
        if let Some(name) = &tls.server_name {
            writeln!(f, "server_name = {}", text(name))?;
        }
        writeln!(f, "skip_verify = {}", tls.skip_verify)
    }

    fn nodes(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.single().is_some() {
            return Ok(());
        }
        let mut names: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        names.extend(self.logs.iter().filter_map(|log| log.node.as_deref()));
        let mut shown: Vec<&str> = Vec::new();
        for name in names {
            if shown.contains(&name) {
                continue;
            }
            shown.push(name);
            writeln!(f, "\n[[node]]\nname = {}", text(name))?;
            if let Some(node) = self.nodes.iter().find(|node| node.name == name) {
                writeln!(f, "address = {}", text(&node.address))?;
            }
            for (key, kind) in KINDS {
                logs(
                    f,
                    key,
                    self.logs.iter().filter(|log| log.kind == kind && log.node.as_deref() == Some(name)),
                )?;
            }
        }
        Ok(())
    }
}

fn logs<'a>(f: &mut Formatter<'_>, key: &str, logs: impl Iterator<Item = &'a LogConfig>) -> fmt::Result {
    let logs: Vec<_> = logs.map(|log| text(&format!("{}={}", log.name, log.path))).collect();
    if logs.is_empty() { Ok(()) } else { writeln!(f, "{key} = [{}]", logs.join(", ")) }
}

/// A secret is hidden; its file is not.
fn secret(f: &mut Formatter<'_>, key: &str, source: Option<&SecretSource>) -> fmt::Result {
    match source {
        None => Ok(()),
        Some(SecretSource::Value(_)) => writeln!(f, "# {key} from the environment (hidden)"),
        Some(SecretSource::File(file)) => writeln!(f, "{key}_file = {}", path(file)),
    }
}

/// The root namespace has a name here: an empty text looks like a mistake.
fn namespace(path: &str) -> &str {
    if path.is_empty() { "root" } else { path }
}

fn path(path: &Path) -> String {
    text(&path.display().to_string())
}

/// A text as TOML writes it.
fn text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
