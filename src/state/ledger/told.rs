//! What the server log tells of requests that failed: it names the lease and
//! the reason, and the audit log's entry of the same request neither. The two
//! are joined by time, since the line is written while the request is in flight.

use super::ask::SKEW;
use super::lease;
use super::words::Named;
use crate::event::{RenewalTrouble, Timestamp};
use crate::state::labels::{MountId, RoleId};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::num::NonZeroU64;

/// How long after its answer a failed request waits for its line, in seconds.
const WAIT_SECS: i64 = 3;
/// How long a line waits for its request, in seconds.
const KEEP_SECS: i64 = 8;
/// How many of each are kept at most.
const MOST: usize = 1 << 14;

/// A line about a request that failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) at: Timestamp,
    pub(super) key: NonZeroU64,
    namespace: String,
    pub(super) role: RoleId,
    pub(super) mount: MountId,
    /// Why the renewal failed; nothing for a revocation.
    pub(super) renewal: Option<RenewalTrouble>,
    is_used: bool,
}

/// A request that failed, by its audit entries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::state) struct Failed {
    pub(in crate::state) from: Timestamp,
    pub(in crate::state) until: Timestamp,
    /// The lease, where the entry names it.
    pub(in crate::state) key: Option<NonZeroU64>,
    pub(in crate::state) namespace: String,
    /// A renewal, and what the audit log knows of it; else a revocation.
    pub(in crate::state) renewal: Option<(RoleId, RenewalTrouble)>,
}

/// What a failed request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::state) enum Settled {
    /// A renewal of a lease of this role failed.
    Renewal {
        /// By the server log where that has a line, else by the audit log.
        role: RoleId,
        trouble: RenewalTrouble,
        /// The audit log has it.
        is_logged: bool,
    },
    /// A revocation of one lease failed; its mount, where a line tells it.
    Revocation { namespace: String, mount: Option<MountId> },
}

/// Lines and requests that wait for each other.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    lines: VecDeque<Line>,
    failed: VecDeque<Failed>,
}

impl Told {
    pub(super) fn line(&mut self, at: Timestamp, named: Named<'_>, renewal: Option<RenewalTrouble>) {
        if self.lines.len() < MOST {
            let Named { role, mount, namespace, lease } = named;
            let (key, namespace) = (lease::key(lease), namespace.to_owned());
            self.lines.push_back(Line { at, key, namespace, role, mount, renewal, is_used: false });
        }
    }

    pub(super) fn failed(&mut self, request: Failed) {
        if self.failed.len() < MOST {
            self.failed.push_back(request);
        }
    }

    /// What is decided by now.
    pub(super) fn advance(&mut self, now: Timestamp) -> Vec<Settled> {
        let mut settled = Vec::new();
        while self.failed.front().is_some_and(|request| request.until.plus_secs(WAIT_SECS) <= now) {
            let Some(request) = self.failed.pop_front() else { break };
            let line = self.line_of(&request);
            settled.push(match (request.renewal, line) {
                (Some((role, trouble)), line) => Settled::Renewal {
                    role: line.as_ref().map_or(role, |line| line.role),
                    trouble: line.and_then(|line| line.renewal).unwrap_or(trouble),
                    is_logged: true,
                },
                (None, line) => {
                    Settled::Revocation { namespace: request.namespace, mount: line.map(|line| line.mount) }
                }
            });
        }
        while self.lines.front().is_some_and(|line| line.is_used || line.at.plus_secs(KEEP_SECS) <= now) {
            let Some(line) = self.lines.pop_front() else { break };
            if let (false, Some(trouble)) = (line.is_used, line.renewal) {
                settled.push(Settled::Renewal { role: line.role, trouble, is_logged: false });
            }
        }
        settled
    }

    fn line_of(&mut self, request: &Failed) -> Option<Line> {
        let fits = |line: &Line, skew: i64| {
            !line.is_used
                && line.renewal.is_some() == request.renewal.is_some()
                && request.namespace == line.namespace
                && request.key.is_none_or(|key| key == line.key)
                && request.from.plus_nanos(-skew) <= line.at
                && line.at <= request.until.plus_nanos(skew)
        };
        let at =
            [0, SKEW].into_iter().find_map(|skew| self.lines.iter().position(|line| fits(line, skew)))?;
        let line = self.lines.get_mut(at)?;
        line.is_used = true;
        Some(line.clone())
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.failed.is_empty()
    }
}
