//! The board for a person: each node, each part of its API, what is wrong and the remedy.

use super::board::{ApiLatest, Board, NodeLatest};
use super::error::Error;
use super::pulse::Role;
use std::time::{Instant, SystemTime};

/// One node, as the status page shows it.
#[derive(Clone, Debug)]
pub struct NodeReport {
    /// Configured name.
    pub node: String,
    /// API address.
    pub address: String,
    /// One line: active, standby, sealed, unreachable, and what runs there.
    pub summary: String,
    /// Each part of the API.
    pub apis: Vec<ApiReport>,
}

/// One part of a node's API, as the status page shows it.
#[derive(Clone, Debug)]
pub struct ApiReport {
    /// As the label `api` names it.
    pub api: &'static str,
    /// How it is.
    pub state: ApiState,
    /// Since when it is so.
    pub since: SystemTime,
    /// When it last succeeded.
    pub last_success: Option<SystemTime>,
    /// What is wrong and what to do about it; or why it is not asked.
    pub trouble: Option<String>,
}

/// How one part of a node's API is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiState {
    /// The last call succeeded.
    Ok,
    /// The exporter lacks a right: that part is missing, and nothing is broken.
    Denied,
    /// The last call failed.
    Failing,
    /// Not asked, and that is right.
    Idle,
}

impl Board {
    /// Every node, by name.
    pub fn report(&self) -> Vec<NodeReport> {
        let now = Instant::now();
        let latest = self.lock();
        let nodes = latest.nodes.iter();
        nodes
            .map(|(name, node)| NodeReport {
                node: name.clone(),
                address: node.address.clone(),
                summary: summary(node, now),
                apis: node.apis.iter().map(|(api, latest)| report(api.label(), latest)).collect(),
            })
            .collect()
    }
}

fn summary(node: &NodeLatest, now: Instant) -> String {
    let health = node.health.as_ref().and_then(|health| health.get(now));
    match (node.up, health) {
        (None, _) => "not asked yet".to_owned(),
        (Some(false), _) | (_, None) => "unreachable".to_owned(),
        (Some(true), Some(health)) => {
            let role = match health.role() {
                Role::Active => "active",
                Role::Standby => "standby",
                Role::DrSecondary => "disaster recovery secondary",
                Role::Closed if !health.initialized => "not initialized",
                Role::Closed | Role::Unreachable => "sealed",
            };
            format!("{role}, {} {}", health.product(), health.version)
        }
    }
}

fn report(api: &'static str, latest: &ApiLatest) -> ApiReport {
    let (state, trouble) = match &latest.outcome {
        None => (ApiState::Idle, Some(latest.idle.to_owned())),
        Some(Ok(())) => (ApiState::Ok, None),
        Some(Err(error @ Error::Denied { .. })) => (ApiState::Denied, Some(error.to_string())),
        Some(Err(error)) => (ApiState::Failing, Some(error.to_string())),
    };
    ApiReport { api, state, since: latest.since, last_success: latest.last_success, trouble }
}
