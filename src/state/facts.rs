//! Observations, folded: what Vault's API has told.

use super::State;
use super::ledger::Times;
use crate::anomaly::Acknowledgement;
use crate::contract::credentials::{RENEWALS, REQUESTS};
use crate::event::{Fact, OWN_MARKER_PREFIX, Observation, RequestId};

impl State {
    pub(super) fn observed(&mut self, observation: Observation) {
        let at = observation.at;
        let node = observation.node.as_deref().unwrap_or("");
        match observation.fact {
            Fact::OwnRequest { request_id } => {
                if let Some(id) = RequestId::parse(&request_id) {
                    self.flight.own(id, at);
                }
            }
            Fact::OwnMarker { marker } => {
                let marker = marker.strip_prefix(OWN_MARKER_PREFIX).and_then(RequestId::parse);
                if let Some(marker) = marker {
                    self.flight.own_marker(marker, at);
                }
            }
            Fact::Mounts { namespace, mounts, .. } => {
                for mount in mounts {
                    let id = self.labels.mount(&namespace, &mount.path, &mount.engine, &REQUESTS);
                    self.ledger.mount_told(id, mount.default_lease_ttl, mount.max_lease_ttl);
                }
            }
            Fact::Roles { namespace, mount, roles, .. } => {
                let mount = self.labels.mount(&namespace, &mount, "", &REQUESTS);
                for fact in roles {
                    let role = self.real_role(|labels| labels.role(mount, &fact.name, at, &REQUESTS));
                    self.ledger.role_told(role, &fact);
                }
            }
            Fact::VaultCounters { raw } => self.counters.scraped(node, &raw),
            Fact::Server(line) => {
                let node = self.ledger.node(node);
                self.ledger.line(node, true, at);
                self.server(node, at, line);
            }
            Fact::ServerGap => {
                let node = self.ledger.node(node);
                self.ledger.stream_gap(node, at);
            }
            Fact::LeaseTimes { lease, issued, expires, renewed, .. } => {
                self.ledger.looked_up(lease, Times { issued, expires, renewed }, at);
            }
            Fact::Acknowledged { episode, author, reason, expires } => {
                if let Ok(episode) = episode.parse() {
                    self.anomalies.acknowledge(episode, Acknowledgement { at, author, reason, expires });
                }
            }
            Fact::LeaseAbsent { lease } => self.ledger.absent(lease, at),
            Fact::Listed { namespace, prefix, leases, asked } => {
                // A prefix is a lease ID without its last part.
                let role = self.role_of_lease(&namespace, &prefix, true, at, &RENEWALS);
                self.ledger.listed(role, &prefix, &leases, asked, at);
            }
        }
    }
}
