//! Candidates: whose request may have made a user of a database, found from its name.

use super::username::{Template, Username};
use super::{Filter, Moment, What};
use crate::event::{Action, Entry, Event, EventKind, Outcome, RequestId, Stage, Timestamp, TokenHash};
use std::collections::HashMap;

/// Candidates that are kept.
const MOST: usize = 100;
/// Requests under way that are kept.
const OPEN_MOST: usize = 100_000;
/// How far a request may be from the second in the name, in nanoseconds: clocks differ.
const SLACK: i64 = 5_000_000_000;

/// Requests that can have made a name.
#[derive(Debug)]
pub struct Candidates {
    name: Username,
    filter: Filter,
    found: Vec<Candidate>,
    left_out: u64,
    open: HashMap<RequestId, Timestamp>,
    seen: Vec<RequestId>,
    /// Tokens that wrap the answers to candidates.
    wrapping: HashMap<TokenHash, RequestId>,
    logs: Option<(Timestamp, Timestamp)>,
}

/// One of them.
#[derive(Debug)]
pub struct Candidate {
    /// The answer, and who had asked.
    pub moment: Moment,
    /// When the request came in, where the log has that.
    pub asked: Option<Timestamp>,
    /// By which template the name fits.
    pub template: &'static Template,
    /// Nanoseconds between the second in the name and the request; 0 where it was under way then.
    pub off: Option<i64>,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The name.
    pub name: Username,
    /// The most likely first.
    pub candidates: Vec<Candidate>,
    /// How many more there were no room for.
    pub left_out: u64,
    /// First and last moment of the logs.
    pub logs: Option<(Timestamp, Timestamp)>,
}

impl Candidates {
    /// None yet; only requests that the filter wants will be.
    pub fn new(name: Username, filter: Filter) -> Self {
        Self {
            name,
            filter,
            found: Vec::new(),
            left_out: 0,
            open: HashMap::new(),
            seen: Vec::new(),
            wrapping: HashMap::new(),
            logs: None,
        }
    }

    /// Looks at one event.
    pub fn see(&mut self, event: &Event) {
        let EventKind::Audit(entry) = &event.kind else { return };
        let from = self.logs.map_or(event.at, |(from, _)| from);
        self.logs = Some((from, event.at));
        self.unwrapped(entry);
        if !self.is_near(event.at) {
            return;
        }
        if entry.stage == Stage::Request {
            if let Some(id) = entry.id.filter(|_| self.open.len() < OPEN_MOST) {
                self.open.entry(id).or_insert(event.at);
            }
            return;
        }
        let asked = entry.id.and_then(|id| self.open.remove(&id));
        let engine = entry.mount.as_ref().map(|mount| mount.engine.as_str()).or(entry.engine.as_deref());
        if !matches!(engine, None | Some("" | "database")) || entry.outcome == Outcome::Forwarded {
            return;
        }
        let Some(moment) = Moment::of(event.at, entry).filter(|moment| moment.what == What::Issue) else {
            return;
        };
        if !self.filter.wants(&moment) {
            return;
        }
        // A refused request has made nothing; one that failed may have.
        if moment.outcome == "denied"
            || matches!(moment.reason, Some("invalid_token" | "not_found" | "not_allowed"))
        {
            return;
        }
        let display_name = moment.who.as_ref().map_or("", |who| who.requester.display_name.as_str());
        let Some(template) = self.name.template(display_name, &moment.role) else { return };
        let off = match self.name.made {
            Some(made) => match off(made, asked.unwrap_or(event.at), event.at) {
                off if off <= SLACK => Some(off),
                _ => return,
            },
            None => None,
        };
        if let Some(id) = entry.id {
            if entry.wrapped && self.wrapping.len() < OPEN_MOST {
                self.wrapping.extend(entry.wrapping.into_iter().flatten().map(|token| (token, id)));
            }
            if self.seen.contains(&id) {
                return;
            }
            self.seen.push(id);
        }
        self.found.push(Candidate { moment, asked, template, off });
        if self.found.len() > 2 * MOST {
            self.cut();
        }
    }

    /// The lease of a wrapped answer stands where it was unwrapped.
    fn unwrapped(&mut self, entry: &Entry) {
        if let (Action::Unwrap, Some(lease)) = (&entry.action, &entry.lease)
            && let Some(id) = entry.wrapping.iter().flatten().find_map(|token| self.wrapping.get(token))
        {
            for candidate in self.found.iter_mut().filter(|one| one.moment.request == Some(*id)) {
                candidate.moment.lease = Some(lease.clone());
            }
        }
    }

    /// All that was found.
    pub fn end(mut self) -> Found {
        self.cut();
        Found { name: self.name, candidates: self.found, left_out: self.left_out, logs: self.logs }
    }

    /// A request that takes long began well before.
    fn is_near(&self, at: Timestamp) -> bool {
        const LONGEST: i64 = 180_000_000_000;
        self.name.made.is_none_or(|made| at.nanos_since(made).abs() <= LONGEST)
    }

    fn cut(&mut self) {
        // What worked before what failed, the nearest first, the latest of those that are equally near.
        self.found.sort_by_key(|candidate| {
            (!candidate.moment.is_done(), candidate.off, -candidate.moment.at.as_nanos())
        });
        let beyond = self.found.len().saturating_sub(MOST);
        self.left_out += beyond as u64;
        self.found.truncate(MOST);
        let kept: Vec<_> = self.found.iter().filter_map(|candidate| candidate.moment.request).collect();
        self.seen = kept;
    }
}

/// How far that second is from a request that was under way between two moments.
fn off(made: Timestamp, from: Timestamp, until: Timestamp) -> i64 {
    let next = made.plus_secs(1);
    if until < made {
        made.nanos_since(until)
    } else if from >= next {
        from.nanos_since(next).max(1)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_was_under_way_is_not_off() {
        let second = |millis: i64| Timestamp::from_nanos(millis * 1_000_000);
        let made = second(10_000);
        assert_eq!(off(made, second(9_900), second(10_100)), 0);
        assert_eq!(off(made, second(10_500), second(10_600)), 0);
        assert_eq!(off(made, second(10_999), second(12_000)), 0);
        assert_eq!(off(made, second(9_000), second(9_800)), 200_000_000);
        assert_eq!(off(made, second(11_300), second(11_400)), 300_000_000);
    }
}
