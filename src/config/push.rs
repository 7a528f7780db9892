//! What is configured of pushing: where metrics, heartbeats, security events and incidents go, and what
//! they may name.

use super::{Secret, SecretSource};
use std::path::PathBuf;
use std::time::Duration;

/// What is pushed where.
#[derive(Clone, Debug)]
pub struct PushConfig {
    /// How often metrics and heartbeats are sent.
    pub interval: Duration,
    /// Whether clients are named.
    pub privacy: Privacy,
    /// File with the key of the pseudonyms; one is made in the state folder without it.
    pub key_file: Option<PathBuf>,
    /// PEM file of the authority that signed the receivers' certificates.
    pub ca_cert: Option<PathBuf>,
    /// Metrics by OTLP.
    pub otlp: OtlpConfig,
    /// All that goes to `OneUptime`.
    pub oneuptime: OneUptimeConfig,
}

/// Whether clients are named in what leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Privacy {
    /// By keyed pseudonyms.
    #[default]
    Pseudonymous,
    /// As Vault knows them.
    Full,
}

/// Metrics by OTLP.
#[derive(Clone, Debug)]
pub struct OtlpConfig {
    /// Address below which `/v1/metrics` lies.
    pub endpoint: Option<String>,
    /// Whole address for metrics, which wins over that.
    pub metrics_endpoint: Option<String>,
    /// Headers to send, as `name=value,…`.
    pub headers: Option<SecretSource>,
    /// Resource attribute `service.name`.
    pub service_name: String,
    /// Further resource attributes.
    pub resource_attributes: Vec<(String, String)>,
}

impl OtlpConfig {
    /// Where metrics go, if they go anywhere.
    pub fn url(&self) -> Option<String> {
        let below = |endpoint: &String| format!("{}/v1/metrics", endpoint.trim_end_matches('/'));
        self.metrics_endpoint.clone().or_else(|| self.endpoint.as_ref().map(below))
    }
}

/// All that goes to `OneUptime`.
#[derive(Clone, Debug)]
pub struct OneUptimeConfig {
    /// Its address; nothing goes there without one.
    pub url: Option<String>,
    /// Telemetry ingestion key.
    pub token: Option<SecretSource>,
    /// Whether metrics go there.
    pub metrics: bool,
    /// Whether episodes and privileged operations go there.
    pub security_events: bool,
    /// Secret key of an Incoming Request monitor.
    pub heartbeat_key: Option<SecretSource>,
    /// Incidents by the REST API.
    pub incidents: IncidentsConfig,
}

/// Incidents by the REST API.
#[derive(Clone, Debug)]
pub struct IncidentsConfig {
    /// Which episodes become one.
    pub from: IncidentsFrom,
    /// Key of the REST API.
    pub api_key: Option<SecretSource>,
    /// ID of the project.
    pub project_id: Option<String>,
    /// ID of the severity that incidents get.
    pub severity_id: Option<String>,
}

/// Which episodes become incidents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncidentsFrom {
    /// None.
    #[default]
    Off,
    /// Those that page.
    Page,
    /// Those that are at least a notice.
    Notice,
}

impl PushConfig {
    /// Metrics go to `OneUptime` by its own settings, and not by those of OTLP already.
    pub fn oneuptime_metrics(&self) -> bool {
        let Some(url) = self.oneuptime.url.as_ref().filter(|_| self.oneuptime.metrics) else { return false };
        let is_there = self.otlp.url().is_some_and(|otlp| otlp.starts_with(&format!("{url}/")));
        self.oneuptime.token.is_some() && !is_there
    }

    /// Security events go to `OneUptime`.
    pub fn oneuptime_events(&self) -> bool {
        self.oneuptime.security_events && self.oneuptime.url.is_some() && self.oneuptime.token.is_some()
    }

    /// Nothing is pushed anywhere.
    pub fn is_off(&self) -> bool {
        let to_oneuptime = self.oneuptime.token.is_some()
            || self.oneuptime.heartbeat_key.is_some()
            || self.oneuptime.incidents.from != IncidentsFrom::Off;
        self.otlp.url().is_none() && !(self.oneuptime.url.is_some() && to_oneuptime)
    }
}

impl SecretSource {
    /// The secret as it is now, without white space around it.
    ///
    /// # Errors
    /// That its file cannot be read, or holds nothing.
    pub fn read(&self) -> Result<Secret, String> {
        let file = match self {
            Self::Value(secret) => return Ok(secret.clone()),
            Self::File(file) => file,
        };
        match std::fs::read_to_string(file) {
            Ok(text) if text.trim().is_empty() => Err(format!("{} is empty", file.display())),
            Ok(text) => Ok(Secret::new(text.trim())),
            Err(error) => Err(format!("{} cannot be read: {error}", file.display())),
        }
    }
}
