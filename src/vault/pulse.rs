//! How a node is, by `sys/health` and `sys/leader`: no token, no audit entry.

use super::client::Client;
use super::error::Error;
use crate::config::{NodeConfig, TlsConfig};
use crate::event::Timestamp;
use serde::Deserialize;
use std::time::Duration;

/// Every state answers 200, so that the body is read and not the status.
const HEALTH_QUERY: &str = "standbyok=true&perfstandbyok=true&activecode=200&standbycode=200\
    &drsecondarycode=200&performancestandbycode=200&sealedcode=200&uninitcode=200\
    &haunhealthycode=200&removedcode=200";

/// What a node says of itself to whoever asks.
pub(super) async fn reach(
    node: &NodeConfig,
    tls: &TlsConfig,
    timeout: Duration,
) -> Result<&'static str, Error> {
    let client = Client::new(node, tls, timeout)?;
    let health: Health = client.plain("sys/health", HEALTH_QUERY).await?;
    Ok(match () {
        () if !health.initialized => "not initialized",
        () if health.sealed => "sealed",
        () if health.standby => "a standby",
        () => "active",
    })
}

/// What `sys/health` answers; OpenBao leaves out what it has not.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "the fields of the answer")]
pub(super) struct Health {
    /// Its storage holds a barrier.
    pub(super) initialized: bool,
    /// It cannot serve.
    pub(super) sealed: bool,
    /// It is not the active node; also said by sealed ones.
    pub(super) standby: bool,
    /// Absent in OpenBao.
    pub(super) performance_standby: Option<bool>,
    /// Of Vault Enterprise: `secondary` on a disaster recovery secondary.
    #[serde(default)]
    pub(super) replication_dr_mode: String,
    /// Version of the server.
    #[serde(default)]
    pub(super) version: String,
    /// Empty while sealed.
    #[serde(default)]
    pub(super) cluster_name: String,
    /// Empty while sealed.
    #[serde(default)]
    pub(super) cluster_id: String,
    /// Absent in OpenBao and in older versions of Vault.
    #[serde(default)]
    pub(super) enterprise: bool,
}

/// What `sys/leader` answers.
#[derive(Clone, Debug, Default, Deserialize)]
#[allow(clippy::struct_field_names, reason = "the fields of the answer")]
pub(super) struct Leader {
    /// Whether there can be standbys.
    #[serde(default)]
    pub(super) ha_enabled: bool,
    /// It is the active node.
    #[serde(default)]
    pub(super) is_self: bool,
    /// Of the active node; empty where it knows none.
    #[serde(default)]
    pub(super) leader_address: String,
    /// Since when it is active, RFC 3339.
    #[serde(default)]
    active_time: String,
}

/// What a node can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// No answer.
    Unreachable,
    /// An answer, but not able to serve: uninitialized, or sealed.
    Closed,
    /// Serves; others decide.
    Standby,
    /// A cluster that only copies another.
    DrSecondary,
    /// Serves and decides.
    Active,
}

impl Health {
    /// Asks the node.
    pub(super) async fn ask(client: &Client) -> Result<Self, Error> {
        client.plain("sys/health", HEALTH_QUERY).await
    }

    /// What the node can be asked.
    pub(super) fn role(&self) -> Role {
        if self.sealed || !self.initialized {
            Role::Closed
        } else if self.is_dr_secondary() {
            Role::DrSecondary
        } else if self.standby || self.performance_standby == Some(true) {
            Role::Standby
        } else {
            Role::Active
        }
    }

    /// Whether its cluster only copies another.
    pub(super) fn is_dr_secondary(&self) -> bool {
        self.replication_dr_mode == "secondary"
    }

    /// Which product it is: OpenBao knows no performance standbys.
    pub(super) fn product(&self) -> &'static str {
        match self.performance_standby {
            None => "OpenBao",
            Some(_) if self.enterprise || self.version.contains("+ent") => "Vault Enterprise",
            Some(_) => "Vault",
        }
    }
}

impl Leader {
    /// Asks the node.
    pub(super) async fn ask(client: &Client) -> Result<Self, Error> {
        client.plain("sys/leader", "").await
    }

    /// Since when this node is active; Go's zero time says that nobody knows.
    pub(super) fn active_since(&self) -> Option<Timestamp> {
        let since = Timestamp::parse_rfc3339(&self.active_time)?;
        (self.is_self && since > Timestamp::default()).then_some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(text: &str) -> Health {
        serde_json::from_str(text).expect("JSON of sys/health")
    }

    #[test]
    fn a_sealed_node_is_no_standby() {
        // OpenBao 2.7.2, sealed.
        let health = health(
            r#"{"initialized":true,"sealed":true,"standby":true,"replication_performance_mode":"unknown","replication_dr_mode":"unknown","server_time_utc":1795465064,"version":"2.7.2"}"#,
        );
        assert_eq!((health.role(), health.product()), (Role::Closed, "OpenBao"));
    }

    #[test]
    fn performance_standbys_and_dr_secondaries() {
        let standby = health(
            r#"{"initialized":true,"sealed":false,"standby":false,"performance_standby":true,"replication_dr_mode":"disabled","version":"1.20.1+ent"}"#,
        );
        assert_eq!((standby.role(), standby.product()), (Role::Standby, "Vault Enterprise"));
        let dr = health(
            r#"{"initialized":true,"sealed":false,"standby":false,"performance_standby":false,"replication_dr_mode":"secondary","version":"1.20.1"}"#,
        );
        assert_eq!((dr.role(), dr.product()), (Role::DrSecondary, "Vault"));
    }

    #[test]
    fn zero_time_is_no_time() {
        let leader = |time: &str| Leader { is_self: true, active_time: time.into(), ..Leader::default() };
        assert_eq!(leader("0001-01-01T00:00:00Z").active_since(), None);
        let since = leader("2026-11-23T20:17:44.5Z").active_since();
        assert_eq!(since, Timestamp::parse_rfc3339("2026-11-23T20:17:44.5Z"));
    }
}
