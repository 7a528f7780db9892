//! The exporter's own requests, told to whoever counts: so that they are left out.

use super::nonce;
use crate::clock::wall;
use crate::event::{Fact, Observation, Timestamp};
use std::sync::Arc;

/// Takes an observation and keeps it; called before a request is sent, and
/// the request waits for it.
pub type Tell = Arc<dyn Fn(Observation) + Send + Sync>;

/// How far the clocks of the exporter and of Vault may be apart for an own
/// request to be known before its audit entry is read.
const MARGIN_NANOS: i64 = 1_500_000_000;

/// Tells of the own requests to one node.
#[derive(Clone)]
pub(super) struct Own {
    tell: Tell,
    node: String,
}

/// A request about to be sent.
pub(super) struct Sending {
    /// The parameter that names it.
    pub(super) marker: String,
    at: Timestamp,
}

impl Own {
    /// For requests to `node`.
    pub(super) fn new(tell: Tell, node: &str) -> Self {
        Self { tell, node: node.to_owned() }
    }

    /// Before a request is sent: names it and tells the name.
    pub(super) fn sending(&self) -> Sending {
        let marker = nonce::marker();
        let at = wall().plus_nanos(-MARGIN_NANOS);
        self.tell(at, Fact::OwnMarker { marker: marker.clone() });
        Sending { marker, at }
    }

    /// A request that has gone on for long is about to end: its response is logged only now,
    /// when its name may be forgotten.
    pub(super) fn ending(&self, sent: &Sending) {
        let at = wall().plus_nanos(-MARGIN_NANOS);
        self.tell(at, Fact::OwnMarker { marker: sent.marker.clone() });
    }

    /// Its answer carried an ID.
    pub(super) fn answered(&self, sent: &Sending, request_id: &str) {
        if !request_id.is_empty() {
            self.tell(sent.at, Fact::OwnRequest { request_id: request_id.to_owned() });
        }
    }

    /// A fact of the node's.
    pub(super) fn fact(&self, fact: Fact) {
        self.tell(wall(), fact);
    }

    /// A fact of the node's, with the time that Vault gives it.
    pub(super) fn dated(&self, at: Timestamp, fact: Fact) {
        self.tell(at, fact);
    }

    /// A fact of the cluster's.
    pub(super) fn cluster_fact(&self, fact: Fact) {
        (self.tell)(Observation { at: wall(), node: None, fact });
    }

    fn tell(&self, at: Timestamp, fact: Fact) {
        (self.tell)(Observation { at, node: Some(self.node.clone()), fact });
    }
}
