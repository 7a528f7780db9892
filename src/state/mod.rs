//! State: events to numbers. A pure fold in event time: no IO, no clock. The
//! same events in the same order give the same state, to the byte.
//!
//! Each subsystem is a file with its state, its update and its series; a new
//! one is that file, a field below, and a line in `families`.

mod activity;
mod anomalies;
mod audit;
mod counters;
mod credentials;
mod facts;
mod families;
mod flight;
mod labels;
mod leases;
mod ledger;
mod overflow;
mod privileged;
mod rate;
mod renewals;
mod revocations;
mod server;
mod subject;
mod traffic;
mod unfinished;

use crate::anomaly::{self, Anomalies};
use crate::contract::own::AUDIT_CANARY_SUCCESS;
use crate::event::{Event, EventKind, Timestamp};
use crate::snapshot::{Family, Series};
use labels::RoleId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use labels::{OTHER, UNKNOWN};
pub use ledger::{Condition, LeaseView, LedgerImage, NodeId};

/// Where an event was read: tells the devices apart that logged the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SourceId(pub u16);

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The source that it was read from.
    pub source: SourceId,
    /// The node whose log that is.
    pub node: NodeId,
    /// What kind of log that is.
    pub log: OriginLog,
    /// The line came so late that its time says nothing about when it happened.
    pub is_late: bool,
}

/// A kind of log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginLog {
    /// An audit device's.
    Audit,
    /// A server's own.
    Server,
    /// The exporter's own observations.
    Observations,
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Label sets (mounts and roles) that get a place of their own.
    pub label_sets: usize,
    /// Outstanding leases that are kept, and as many tokens.
    pub leases: usize,
    /// How anomalies are scored.
    pub anomaly: anomaly::Settings,
}

impl Limits {
    /// For whoever wants events, and no counts.
    pub const NONE: Self = Self { label_sets: 0, leases: 0, anomaly: anomaly::Settings::OFF };
}

impl Default for Limits {
    fn default() -> Self {
        Self { label_sets: 2_000, leases: 1_000_000, anomaly: anomaly::Settings::default() }
    }
}

/// A role without a lease and without an event for this long, in seconds, gives its place back.
const RETIRE_SECS: i64 = 30 * 86_400;
/// A day, in nanoseconds.
const DAY: i64 = 86_400 * GRID;
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
    ledger: ledger::Ledger,
    unfinished: unfinished::Unfinished,
    traffic: traffic::Traffic,
    counters: counters::Counters,
    /// Not in the JSON of the counters: it is as large again, and can be written later.
    #[serde(skip)]
    anomalies: Anomalies,
    /// Uses of rights, for whoever collects them.
    #[serde(skip)]
    uses: privileged::Uses,
    /// No role gives its place back.
    #[serde(skip)]
    keeps_roles: bool,
    /// The event that is applied now came late: a backlog is no burst.
    #[serde(skip)]
    is_late: bool,
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
            ledger: ledger::Ledger::new(limits.leases),
            unfinished: unfinished::Unfinished::default(),
            traffic: traffic::Traffic::default(),
            counters: counters::Counters::default(),
            anomalies: Anomalies::new(limits.anomaly),
            uses: privileged::Uses::default(),
            keeps_roles: false,
            is_late: false,
            namespaces: BTreeMap::new(),
            canary: None,
        }
    }

    /// To be called after loading: makes the look-up tables, and sets the limits now configured.
    pub fn restore(&mut self, limits: Limits) {
        self.labels.restore(limits.label_sets);
        self.ledger.restore(limits.leases);
        self.anomalies.restore(limits.anomaly);
    }

    /// The leases and tokens as they are now, for a checkpoint: they are not in the JSON.
    pub fn ledger_image(&self) -> LedgerImage {
        self.ledger.image()
    }

    /// What is unusual as it is now, for a checkpoint: it is not in the JSON.
    pub fn anomalies_image(&self) -> Anomalies {
        self.anomalies.clone()
    }

    /// Takes up what was usual at a checkpoint.
    pub fn load_anomalies(&mut self, anomalies: Anomalies) {
        self.anomalies = anomalies;
    }

    /// Takes up the leases and tokens of a checkpoint.
    ///
    /// # Errors
    /// That the bytes are damaged.
    pub fn load_ledger(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.ledger.load(bytes)
    }

    /// The node of that name, for [`Origin`]; `""` where logs are of no node in particular.
    pub fn node(&mut self, name: &str) -> NodeId {
        self.ledger.node(name)
    }

    /// Counts one event. Events come in the order of their time; one that comes
    /// late is counted at the front.
    pub fn apply(&mut self, origin: Origin, event: Event) {
        self.advance(event.at);
        let at = event.at;
        self.is_late = origin.is_late;
        if origin.log != OriginLog::Observations {
            let is_server_log = origin.log == OriginLog::Server || matches!(event.kind, EventKind::Server(_));
            self.ledger.line(origin.node, is_server_log, at);
        }
        match event.kind {
            EventKind::Audit(entry) => self.audit(origin, at, &entry),
            EventKind::Server(line) => {
                for line in self.unfinished.take(origin.source, line) {
                    self.server(origin.node, at, line);
                }
            }
            EventKind::Observed(observation) => self.observed(observation),
            EventKind::Nothing => {}
        }
    }

    /// Lines of a source were lost, somewhere before its next one.
    pub fn gap(&mut self, origin: Origin, at: Timestamp) {
        match origin.log {
            OriginLog::Audit => {
                self.ledger.audit_gap(at);
                self.anomalies.gap(at);
            }
            OriginLog::Server => self.ledger.server_gap(origin.node, at),
            OriginLog::Observations => {}
        }
    }

    /// Event time has come so far.
    pub fn advance(&mut self, to: Timestamp) {
        let point = to.as_nanos().div_euclid(GRID).saturating_mul(GRID);
        if point <= self.now.as_nanos() {
            return;
        }
        let midnight = point.div_euclid(DAY).saturating_mul(DAY);
        if midnight > self.now.as_nanos() {
            // At the same moment whether time passes in steps or with the next line.
            self.pass(Timestamp::from_nanos(midnight));
            self.retire();
        }
        self.pass(Timestamp::from_nanos(point));
    }

    fn pass(&mut self, to: Timestamp) {
        let before = std::mem::replace(&mut self.now, to);
        self.make_room();
        self.place_ends(to);
        let outcomes = self.ledger.advance(before, to);
        self.settled(outcomes);
        self.anomalies.advance(before, to);
    }

    /// Gives back the places of roles that nothing has been heard of for long.
    fn retire(&mut self) {
        if self.keeps_roles {
            return;
        }
        let ledger = &self.ledger;
        for role in self.labels.retire(self.now.plus_secs(-RETIRE_SECS), |role| ledger.holds(role)) {
            self.credentials.retire(role);
            self.renewals.retire(role);
            self.revocations.retire(role);
            self.ledger.retire(role);
        }
    }

    /// From now on no role gives its place back: its counts go on.
    pub fn keep_roles(&mut self) {
        self.keeps_roles = true;
    }

    /// No line will come any more: what waits for none is decided.
    pub fn close(&mut self) {
        let outcomes = self.ledger.close();
        self.settled(outcomes);
    }

    /// All series at `as_of`, by name and labels.
    pub fn families(&self, as_of: Timestamp) -> Vec<Family> {
        let mut families = self.opening(as_of);
        // The type is a label: a series that changed it would end, and its counter seem to fall.
        let guessed = if self.ledger.has_audit() { self.labels.guessed() } else { Vec::new() };
        if !guessed.is_empty() {
            for family in families.iter_mut().filter(|family| family.metric.labels.contains(&"engine")) {
                let of = |series: &Series| {
                    guessed.iter().any(|(namespace, mount)| {
                        series.labels.first() == Some(namespace) && series.labels.get(1) == Some(mount)
                    })
                };
                family.series.retain(|series| !of(series));
            }
        }
        families
    }

    /// The same with the series of mounts whose type is not known yet.
    pub fn opening(&self, as_of: Timestamp) -> Vec<Family> {
        let mut out = families::Out::default();
        self.credentials.families(&self.labels, as_of, &mut out);
        self.renewals.families(&self.labels, &mut out);
        self.revocations.families(&self.labels, &mut out);
        self.ledger.families(&self.labels, as_of, &mut out);
        self.traffic.families(&self.labels, &mut out);
        self.counters.families(&mut out);
        anomalies::families(&self.anomalies, &self.labels, as_of, &mut out);
        self.labels.overflow.families(&mut out);
        if let Some(seen) = self.canary {
            out.family(&AUDIT_CANARY_SUCCESS).number::<&str>([], seen.as_secs_f64());
        }
        out.sorted()
    }

    /// What is unusual.
    pub fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// The same, to tell it something.
    pub fn anomalies_mut(&mut self) -> &mut Anomalies {
        &mut self.anomalies
    }

    /// When a request of the exporter's own was last seen in an audit log.
    pub fn canary(&self) -> Option<Timestamp> {
        self.canary
    }

    /// How often streams of server logs broke or lost lines; nothing where none was asked for.
    pub fn stream_gaps(&self) -> Option<u64> {
        self.ledger.stream_gaps()
    }

    /// Every outstanding lease at `as_of`, for a person who asks; in no order.
    pub fn leases(&self, as_of: Timestamp) -> Vec<LeaseView> {
        self.leases_from(as_of, 0, u32::MAX).0
    }

    /// The leases outstanding at `as_of` in `most` places from one on, and the place to go on
    /// from: for whoever holds a lock meanwhile.
    pub fn leases_from(&self, as_of: Timestamp, from: u32, most: u32) -> (Vec<LeaseView>, Option<u32>) {
        self.ledger.views_from(&self.labels, as_of, from, most)
    }

    /// A lease whose times the API should be asked for: its plain ID and its namespace.
    pub fn lookup_wanted(&self) -> Option<(String, String)> {
        let (role, lease) = self.ledger.lookup_wanted(self.now)?;
        let namespace = self.labels.namespace_of(self.labels.mount_of(role));
        Some((lease, namespace.to_string()))
    }

    /// How often roles were written: more than before means that what the API told of them is old.
    pub fn role_writes(&self) -> u64 {
        self.ledger.role_writes()
    }

    /// How many mounts are known: more than before means that there is a new one.
    pub fn mounts(&self) -> usize {
        self.labels.mounts()
    }

    fn make_room(&mut self) {
        let (flight, traffic) = (&mut self.flight, &mut self.traffic);
        flight.advance(self.now, |open| traffic.request(open.mount, traffic::Ended::Unanswered));
    }

    /// The place that `find` gives; where it is new, the counters of that role start.
    fn real_role(&mut self, find: impl FnOnce(&mut labels::Labels) -> RoleId) -> RoleId {
        let places = self.labels.places();
        let role = find(&mut self.labels);
        if self.labels.places() > places {
            self.credentials.know(role);
            self.renewals.know(role);
            self.revocations.know(role);
            if self.labels.is_reserved(role) {
                self.ledger.know_mixed(role);
            }
            self.ledger.know(role, self.labels.mount_of(role));
        }
        role
    }

    /// The namespace of a plain lease ID: named by what follows its last dot. `None` where no
    /// entry has told yet which that is.
    fn namespace_of(&self, lease: &str) -> Option<String> {
        match lease.rsplit_once('.').filter(|(_, id)| !id.contains('/')) {
            None => Some(String::new()),
            Some((_, id)) => self.namespaces.get(id).cloned(),
        }
    }
}
