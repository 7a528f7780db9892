//! A target: what is sent to one receiver, by the name it has in metrics and on pages.

use serde::{Deserialize, Serialize};

/// What is sent where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Metrics to an OTLP receiver.
    Otlp,
    /// Metrics to `OneUptime`.
    #[serde(rename = "oneuptime_metrics")]
    OneUptimeMetrics,
    /// Heartbeats.
    #[serde(rename = "oneuptime_heartbeat")]
    OneUptimeHeartbeat,
    /// Episodes and privileged operations.
    #[serde(rename = "oneuptime_security_events")]
    OneUptimeSecurityEvents,
    /// Incidents.
    #[serde(rename = "oneuptime_incidents")]
    OneUptimeIncidents,
}

impl Target {
    /// The label value; its files in the state folder carry it too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::OneUptimeMetrics => "oneuptime_metrics",
            Self::OneUptimeHeartbeat => "oneuptime_heartbeat",
            Self::OneUptimeSecurityEvents => "oneuptime_security_events",
            Self::OneUptimeIncidents => "oneuptime_incidents",
        }
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver took it.
    Delivered,
    /// It could not be delivered now, and is tried again.
    Failed,
    /// The receiver does not accept the key.
    Refused,
    /// The receiver will never take it, or there was no room for it: it is given up.
    Dropped,
}

impl Outcome {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Delivered, Self::Failed, Self::Refused, Self::Dropped];

    /// The label value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Dropped => "dropped",
        }
    }
}
