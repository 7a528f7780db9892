//! Models: activities to findings. Every subject has a memory of its own, its auth mount one of
//! all its peers, the cluster one of all hours; what is unusual in all of them is found.
//!
//! | file | its noun |
//! |---|---|
//! | `subject.rs`, `subjects.rs` | one subject and what is remembered of it; the bounded table of them |
//! | `pool.rs`, `pools.rs` | the subjects of an auth mount; which one a token belongs to |
//! | `volume.rs`, `ring.rs`, `slow.rs` | how much: bursts, sliding counts, low and slow |
//! | `novelty.rs`, `sources.rs`, `clock.rs` | which roles and paths, where from, and when |
//! | `tokens.rs`, `wrapped.rs` | one token in two networks; wrapped credentials |
//! | `client.rs`, `acts.rs`, `places.rs` | what a request means for its subject |
//! | `faults.rs`, `askers.rs`, `mounts.rs` | what goes wrong at a mount and is nobody's, and who asked for it |
//! | `standing.rs`, `calibration.rs`, `telling.rs` | what stands against a subject now; how rare that is; findings |
//! | `hours.rs` | the end of an hour: what is learnt, by whom, and what is not |
//! | `cluster.rs`, `common.rs` | the log's live hours, networks, the load balancer; what all do at once |
//! | `rates.rs` | expected rates |

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "sums are kept in 32 bits, hashes are halved, and hours are few: a lossy cast is what is meant"
)]

mod acts;
mod askers;
mod calibration;
mod client;
mod clock;
mod cluster;
mod common;
mod faults;
mod hours;
mod mounts;
mod novelty;
mod now;
mod places;
mod pool;
mod pools;
mod rates;
mod ring;
mod slow;
mod sources;
mod standing;
mod subject;
mod subjects;
mod telling;
mod tokens;
mod volume;
mod wrapped;

use super::{Act, Activity, Finding, Settings};
use crate::anomaly::parameters as p;
use crate::event::Timestamp;
use calibration::Calibration;
use cluster::{Addresses, Liveness, Networks};
use common::Common;
use mounts::Mounts;
use now::Now;
use pools::Pools;
use rates::Rates;
use serde::{Deserialize, Serialize};
use subjects::Subjects;
use tokens::Tokens;
use wrapped::Wrapped;

/// All that is learnt. A clone shares the subjects until one of the two changes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Models {
    #[serde(default)]
    pools: Pools,
    #[serde(default = "nobody")]
    subjects: Subjects,
    /// Seats of the subjects of the current hour, in the order in which they came.
    #[serde(default)]
    active: Vec<u32>,
    /// The current hour; 0 before the first.
    #[serde(default)]
    hour: i32,
    /// The hour of the first activity of all.
    #[serde(default)]
    began: i32,
    #[serde(default)]
    calibration: Calibration,
    #[serde(default)]
    liveness: Liveness,
    #[serde(default)]
    networks: Networks,
    #[serde(default)]
    addresses: Addresses,
    #[serde(default)]
    common: Common,
    #[serde(default)]
    mounts: Mounts,
    #[serde(default)]
    tokens: Tokens,
    #[serde(default)]
    wrapped: Wrapped,
    #[serde(default)]
    rates: Rates,
}

fn nobody() -> Subjects {
    Subjects::new(Settings::DEFAULT.subjects)
}

impl Default for Models {
    fn default() -> Self {
        Self::new(&Settings::DEFAULT)
    }
}

impl Models {
    /// Nothing learnt yet.
    pub fn new(settings: &Settings) -> Self {
        Self {
            pools: Pools::default(),
            subjects: Subjects::new(settings.subjects),
            active: Vec::new(),
            hour: 0,
            began: 0,
            calibration: Calibration::default(),
            liveness: Liveness::default(),
            networks: Networks::default(),
            addresses: Addresses::default(),
            common: Common::default(),
            mounts: Mounts::default(),
            tokens: Tokens::default(),
            wrapped: Wrapped::default(),
            rates: Rates::default(),
        }
    }

    /// To be called after loading: what is set now.
    pub fn restore(&mut self, settings: &Settings) {
        self.subjects.set_capacity(settings.subjects);
    }

    /// Learns from an activity, and adds what it makes unusual.
    pub fn see(&mut self, activity: &Activity<'_>, findings: &mut Vec<Finding>) {
        let now = Now::of(activity.at);
        if now.hour != self.hour {
            self.pass(now.hour, findings);
        }
        match activity.act {
            Act::LoginFailed | Act::InvalidToken => {
                let networks = (!self.addresses.is_constant).then_some(&self.networks);
                self.mounts.refused(activity, (&now, self.began), networks, &self.calibration, findings);
            }
            Act::Failed { .. } | Act::RevocationFailed => {
                self.mounts.failed(activity, (&now, self.began), &self.calibration, findings);
            }
            Act::Unwrapped { tokens } => self.unwrapped(activity, tokens, &now, findings),
            _ => {}
        }
        if let Some(who) = activity.who {
            self.client(activity, who, &now, findings);
        }
    }

    /// Event time passes. Whole hours end one by one, however time is cut.
    pub fn advance(&mut self, _from: Timestamp, to: Timestamp, findings: &mut Vec<Finding>) {
        let hour = Now::of(to).hour;
        if self.hour != 0 && hour > self.hour {
            self.pass(hour, findings);
        }
    }

    /// Lines of an audit log were lost before then: what did not happen in that hour proves nothing.
    pub fn gap(&mut self, at: Timestamp) {
        self.liveness.gap(Now::of(at).hour);
    }

    /// Somebody has said that what this subject does now is known: it is usual from now on.
    pub fn acknowledge(&mut self, subject: u64) {
        let hour = self.hour;
        if let Some(subject) = self.subjects.find(subject).and_then(|at| self.subjects.get_mut(at)) {
            subject.volume.believe(hour);
            subject.slow.believe();
            subject.roles.believe();
            subject.paths.believe();
            subject.sources.believe();
            subject.standing.clear();
            subject.peak = (0.0, 0);
        }
    }

    /// Subjects that are followed.
    pub fn subjects(&self) -> usize {
        self.subjects.len()
    }

    /// Of them, those that are not fully believed yet.
    pub fn learning(&self) -> usize {
        self.subjects.iter().filter(|subject| subject.maturity(self.hour) < 1.0).count()
    }

    /// Subjects that made room for others, ever.
    pub fn evictions(&self) -> u64 {
        self.subjects.evictions
    }

    /// One address stands for nearly all clients: where they come from says nothing.
    pub fn source_model_is_off(&self) -> bool {
        self.addresses.is_constant
    }

    /// The hour of the first activity of all, as its beginning.
    pub fn began(&self) -> Option<Timestamp> {
        (self.began != 0).then(|| now::of_hour(self.began))
    }

    /// Credentials a second that a role is expected to issue, and what it exceeds in one hour of a
    /// thousand; `None` before two days.
    pub fn expected_rate(
        &self,
        namespace: &str,
        mount: &str,
        role: &str,
        as_of: Timestamp,
    ) -> Option<(f64, f64)> {
        self.rates.expected(namespace, mount, role, Now::of(as_of).hour, |hour| self.liveness.was_live(hour))
    }

    /// Bytes of all subjects and of the table, about.
    pub fn bytes(&self) -> usize {
        self.subjects.iter().map(subject::Subject::bytes).sum::<usize>() + self.subjects.overhead()
    }

    /// A baseline that was learnt elsewhere, from older logs, takes the place of what is here, if
    /// that is nothing yet. `false` if it is not.
    pub fn adopt(&mut self, baseline: Self) -> bool {
        if self.hour != 0 {
            return false;
        }
        let capacity = self.subjects.capacity();
        *self = baseline;
        self.subjects.set_capacity(capacity);
        true
    }

    /// What is rarer than this is not learnt from: the same whatever the budget is, so that a budget
    /// moves thresholds and nothing else.
    fn gate(&self) -> f64 {
        self.calibration.weekly(self.hour) - p::GATE
    }
}
