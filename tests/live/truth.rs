//! The truth: what the clients got and asked for, and what the servers' own logs say became of it.

use crate::world::{Place, World, is_token};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

/// Causes under which an end may be counted; more than one where the client cannot tell.
pub(crate) type Causes = &'static [&'static str];

/// The end that nobody asked for.
pub(crate) const EXPIRED: Causes = &["expired"];

/// A lease as its client knows it.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    /// Empty where the answer stayed wrapped.
    pub(crate) id: String,
    pub(crate) place: Place,
    /// When it ends by itself, in Unix time.
    pub(crate) expires: f64,
    /// Why it will have ended, when it has.
    pub(crate) causes: Causes,
}

/// What all clients know together.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    leases: Mutex<Vec<Lease>>,
    /// Requests that were never answered, or by a node that was about to go.
    lost: Mutex<BTreeMap<Place, u64>>,
    /// Held by whoever revokes a lease that the log shows only as a hash: of two at a time
    /// nobody could tell which is whose.
    pub(crate) hashed: Mutex<()>,
}

impl Truth {
    /// A lease was issued; its number.
    pub(crate) fn issued(&self, lease: Lease) -> usize {
        let mut leases = self.leases();
        leases.push(lease);
        leases.len() - 1
    }

    /// Nobody knows whether one was issued.
    pub(crate) fn lost(&self, place: Place) {
        *self.lost.lock().unwrap().entry(place).or_default() += 1;
    }

    /// Every lease, in order of issue.
    pub(crate) fn leases(&self) -> MutexGuard<'_, Vec<Lease>> {
        self.leases.lock().unwrap()
    }

    /// How many of a role's were issued: at least, and at most.
    pub(crate) fn issued_of(&self, place: &Place) -> (u64, u64) {
        let seen = self.leases().iter().filter(|lease| lease.place == *place).count() as u64;
        let lost = self.lost.lock().unwrap().get(place).copied().unwrap_or(0);
        (seen, seen + lost)
    }

    /// All of a role's leases that are out are about to end for this cause.
    pub(crate) fn all_end(&self, place: &Place, gone: &Record, cause: Causes, with_request: Causes) {
        for lease in self.leases().iter_mut().filter(|lease| lease.place == *place) {
            if !gone.ended.contains_key(&lease.id) {
                // A queued request of the lease's own may come first.
                lease.causes = if lease.causes == EXPIRED { cause } else { with_request };
            }
        }
    }
}

/// A failed attempt to revoke, as the server's log has it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) at: f64,
    pub(crate) number: u64,
    pub(crate) reason: &'static str,
}

/// What the servers' own logs say, by lease ID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    /// When each lease ended.
    pub(crate) ended: BTreeMap<String, f64>,
    /// Failed attempts in order.
    pub(crate) failed: BTreeMap<String, Vec<Attempt>>,
}

impl Record {
    /// Reads the logs as they are now.
    pub(crate) fn of(world: &World) -> Self {
        let mut record = Self::default();
        for log in world.server_logs() {
            for line in log.lines().filter(|line| line.contains("\"expiration\"")) {
                let line: Value = serde_json::from_str(line).unwrap_or(Value::Null);
                record.take(&line);
            }
        }
        for attempts in record.failed.values_mut() {
            attempts.sort_by(|one, other| one.at.total_cmp(&other.at));
        }
        record
    }

    fn take(&mut self, line: &Value) {
        let Some(id) = line["lease_id"].as_str().filter(|id| !is_token(id)) else { return };
        let time: jiff::Timestamp = line["@timestamp"].as_str().unwrap().parse().unwrap();
        let at = time.as_nanosecond() as f64 / 1e9;
        match line["@message"].as_str() {
            Some("revoked lease") => {
                // A node that dies at that moment leaves the lease to its heir, who ends it again.
                let first = self.ended.get(id).copied().unwrap_or(f64::INFINITY);
                self.ended.insert(id.into(), at.min(first));
            }
            Some("failed to revoke lease") => {
                let reason = reason(line["error"].as_str().unwrap());
                let number = line["attempts"].as_u64().unwrap();
                self.failed.entry(id.into()).or_default().push(Attempt { at, number, reason });
            }
            _ => {}
        }
    }

    /// Those of a role that have ended.
    pub(crate) fn ended_of(&self, place: &Place) -> impl Iterator<Item = (&String, f64)> {
        self.ended.iter().filter(|(id, _)| belongs(id, place)).map(|(id, at)| (id, *at))
    }

    /// Gives anonymous leases of the truth the IDs of those of their role that no client knows, in
    /// the order in which they fell due: that is when the log first spoke of them, well or badly.
    pub(crate) fn name(&self, leases: &mut [Lease]) {
        let known: BTreeSet<String> = leases.iter().map(|lease| lease.id.clone()).collect();
        let ended = self.ended.iter().map(|(id, at)| (id, *at));
        let failed = self.failed.iter().filter_map(|(id, attempts)| Some((id, attempts.first()?.at)));
        let mut first_words: BTreeMap<&String, f64> = BTreeMap::new();
        for (id, at) in ended.chain(failed).filter(|(id, _)| !known.contains(*id)) {
            let first = first_words.entry(id).or_insert(at);
            *first = first.min(at);
        }
        for place in Place::all() {
            let mut unknown: Vec<_> = first_words.iter().filter(|(id, _)| belongs(id, &place)).collect();
            unknown.sort_by(|one, other| one.1.total_cmp(other.1));
            let mut anonymous: Vec<_> =
                leases.iter_mut().filter(|lease| lease.place == place && lease.id.is_empty()).collect();
            anonymous.sort_by(|one, other| one.expires.total_cmp(&other.expires));
            for (lease, (id, _)) in anonymous.into_iter().zip(unknown) {
                lease.id.clone_from(id);
            }
        }
    }
}

/// Whether a lease is of this role: its namespace stands behind a point at its end.
pub(crate) fn belongs(id: &str, place: &Place) -> bool {
    let rest = id.strip_prefix(&place.prefix());
    rest.is_some_and(|rest| !rest.contains('/') && rest.contains('.') != place.namespace.is_empty())
}

/// Why an attempt failed, by the codes of `PostgreSQL`: without one, it was not reached, or not for long.
fn reason(error: &str) -> &'static str {
    match error {
        error if error.contains("SQLSTATE 42704") => "missing_role",
        error if error.contains("SQLSTATE 2BP01") => "object_dependency",
        error if error.contains("SQLSTATE 42501") => "permission",
        _ => "connection",
    }
}

/// Seconds since the Unix epoch.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
