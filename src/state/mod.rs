//! State: events to numbers. A pure fold in event time: no IO, no clock. The
//! same events in the same order give the same state, to the byte.
//!
//! Each subsystem is a file with its state, its update and its series; a new
//! one is that file, a field below, and a line in `families`.

mod audit;
mod counters;
mod credentials;
mod families;
mod flight;
mod labels;
mod ledger;
mod overflow;
mod rate;
mod renewals;
mod revocations;
mod subject;
mod traffic;

use crate::contract::credentials::{REQUESTS, REVOCATION_FAILURES};
use crate::contract::own::AUDIT_CANARY_SUCCESS;
use crate::event::{
    Event, EventKind, Fact, OWN_MARKER_PREFIX, Observation, RequestId, ServerEvent, Timestamp,
};
use crate::snapshot::Family;
use labels::RoleId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use labels::{OTHER, UNKNOWN};
pub use ledger::{Condition, LeaseView};

/// Where an event was read: tells the devices apart that logged the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceId(pub u16);

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Label sets (mounts and roles) that get a place of their own.
    pub label_sets: usize,
}

/// A role without an event for this long, in seconds, gives its place back.
const RETIRE_SECS: i64 = 30 * 86_400;
/// State advances on this grid of event time, in nanoseconds.
const GRID: i64 = 1_000_000_000;

/// All that is counted.
#[derive(Debug, Serialize, Deserialize)]
pub struct State {
    /// The grid point last passed.
    now: Timestamp,
    labels: labels::Labels,
    flight: flight::Flight,
    credentials: credentials::Credentials,
    renewals: renewals::Renewals,
    revocations: revocations::Revocations,
    traffic: traffic::Traffic,
    counters: counters::Counters,
    /// Namespaces by the ID that their lease IDs end with.
    namespaces: BTreeMap<String, String>,
    /// When a request of the exporter's own was last seen in an audit log.
    canary: Option<Timestamp>,
}

impl State {
    /// Nothing counted yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            now: Timestamp::MIN,
            labels: labels::Labels::new(limits.label_sets),
            flight: flight::Flight::default(),
            credentials: credentials::Credentials::default(),
            renewals: renewals::Renewals::default(),
            revocations: revocations::Revocations::default(),
            traffic: traffic::Traffic::default(),
            counters: counters::Counters::default(),
            namespaces: BTreeMap::new(),
            canary: None,
        }
    }

    /// To be called after loading: makes the look-up tables, and sets the limits now configured.
    pub fn restore(&mut self, limits: Limits) {
        self.labels.restore(limits.label_sets);
    }

    /// Counts one event. Events come in the order of their time; one that comes
    /// late is counted at the front.
    pub fn apply(&mut self, source: SourceId, event: Event) {
        self.advance(event.at);
        match event.kind {
            EventKind::Audit(entry) => self.audit(source, event.at, &entry),
            EventKind::Server(line) => self.server(event.at, line),
            EventKind::Observed(observation) => self.observed(observation),
            EventKind::Nothing => {}
        }
    }

    /// Event time has come so far.
    pub fn advance(&mut self, to: Timestamp) {
        let point = to.as_nanos().div_euclid(GRID).saturating_mul(GRID);
        if point <= self.now.as_nanos() {
            return;
        }
        let before = self.now;
        self.now = Timestamp::from_nanos(point);
        self.make_room();
        let day = |at: Timestamp| at.as_nanos().div_euclid(86_400 * GRID);
        if day(before) != day(self.now) {
            for role in self.labels.retire(self.now.plus_secs(-RETIRE_SECS)) {
                self.credentials.retire(role);
                self.renewals.retire(role);
                self.revocations.retire(role);
            }
        }
    }

    /// All series at `as_of`, by name and labels.
    pub fn families(&self, as_of: Timestamp) -> Vec<Family> {
        let mut out = families::Out::default();
        self.credentials.families(&self.labels, as_of, &mut out);
        self.renewals.families(&self.labels, &mut out);
        self.revocations.families(&self.labels, &mut out);
        self.traffic.families(&self.labels, &mut out);
        self.counters.families(&mut out);
        self.labels.overflow.families(&mut out);
        if let Some(seen) = self.canary {
            out.family(&AUDIT_CANARY_SUCCESS).number::<&str>([], seen.as_secs_f64());
        }
        out.sorted()
    }

    /// When a request of the exporter's own was last seen in an audit log.
    pub fn canary(&self) -> Option<Timestamp> {
        self.canary
    }

    /// Every outstanding lease at `as_of`, for a person who asks; in no order.
    pub fn leases(&self, as_of: Timestamp) -> Vec<LeaseView> {
        let _ = as_of;
        Vec::new()
    }

    /// A lease whose times the API should be asked for: its plain ID and its namespace.
    pub fn lookup_wanted(&self) -> Option<(String, String)> {
        None
    }

    /// How many mounts are known: more than before means that there is a new one.
    pub fn mounts(&self) -> usize {
        self.labels.mounts()
    }

    fn make_room(&mut self) {
        let (flight, traffic) = (&mut self.flight, &mut self.traffic);
        flight.advance(self.now, |open| traffic.request(open.mount, traffic::Ended::Unanswered));
    }

    fn server(&mut self, at: Timestamp, line: ServerEvent) {
        match line {
            ServerEvent::RevocationFailed { lease, trouble, .. } => {
                let namespace = self.namespace_of(&lease);
                let role = self.role_of_lease(&namespace, &lease, true, at, &REVOCATION_FAILURES);
                self.revocations.failed(role, trouble);
            }
            _ => {}
        }
    }

    fn observed(&mut self, observation: Observation) {
        let at = observation.at;
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
                    self.labels.mount(&namespace, &mount.path, &mount.engine, &REQUESTS);
                }
            }
            Fact::Roles { namespace, mount, roles, .. } => {
                let mount = self.labels.mount(&namespace, &mount, "", &REQUESTS);
                for role in roles {
                    self.real_role(|labels| labels.role(mount, &role.name, at, &REQUESTS));
                }
            }
            Fact::VaultCounters { raw } => {
                self.counters.scraped(observation.node.as_deref().unwrap_or(""), &raw);
            }
            _ => {}
        }
    }

    /// The place that `find` gives; where it is new, the counters of that role start.
    fn real_role(&mut self, find: impl FnOnce(&mut labels::Labels) -> RoleId) -> RoleId {
        let places = self.labels.places();
        let role = find(&mut self.labels);
        if self.labels.places() > places {
            self.credentials.know(role);
            self.renewals.know(role);
            self.revocations.know(role);
        }
        role
    }

    /// The namespace of a plain lease ID: named by what follows its last dot.
    fn namespace_of(&self, lease: &str) -> String {
        lease
            .rsplit_once('.')
            .filter(|(_, id)| !id.contains('/'))
            .and_then(|(_, id)| self.namespaces.get(id))
            .cloned()
            .unwrap_or_default()
    }
}
