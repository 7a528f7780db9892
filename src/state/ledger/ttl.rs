//! The TTLs of a role, as far as they are known: what the API, the audit log
//! and look-ups say, and what the ends that the server log reports teach.

use crate::event::{Timestamp, WrittenTtl, WrittenTtls};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How many ages are remembered to learn from.
const AGES_MOST: usize = 16;
/// The same age so often is believed for the cause of an end.
const BELIEVED: usize = 2;
/// The same age so often, and in most cases, is believed enough to call a lease overdue.
const CERTAIN: usize = 3;
/// How much longer than two TTLs a role must have been seen to be certain of one, in seconds.
const SEEN_SECS: i64 = 30;
/// How often it is looked whether a TTL is certain, in seconds.
const LOOK_SECS: i64 = 60;
/// How far a line may be before a full second and still mean it, in nanoseconds: the audit log
/// tells of the issue a little after the lease began.
const EARLY: i64 = 100_000_000;
/// How far behind it may be. TTLs are whole seconds: other ages mean something else.
const LATE: i64 = 250_000_000;

/// On what a TTL rests: the label `source`, the least trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    /// Vault's own default.
    System,
    /// The ends seen in the server log.
    Learnt,
    /// A renewal that was cut short.
    Warning,
    /// The mount's configuration.
    Mount,
    /// The times of one lease.
    Lookup,
    /// The role's configuration.
    Role,
}

impl Source {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Learnt => "learnt",
            Self::Warning => "warning",
            Self::Mount => "mount",
            Self::Lookup => "lookup",
            Self::Role => "role",
        }
    }
}

/// A TTL and on what it rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ttl {
    pub(super) secs: i64,
    pub(super) source: Source,
}

/// What is known of a role's TTLs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RoleTtl {
    default: Option<Ttl>,
    max: Option<Ttl>,
    /// The role's own configuration was read: what it does not set, the mount does.
    is_read: bool,
    /// Leases granted before were under another role's rule: it was written then.
    since: Timestamp,
    /// Ages in seconds at which leases ended that nobody renewed or asked to revoke.
    ages: VecDeque<i64>,
    /// Whole lives of leases as warnings tell them: sum in milliseconds, and how many.
    lives: (i64, i64),
    /// What was learnt was looked at more closely, and holds.
    learnt_is_certain: bool,
    /// When it was last looked.
    looked: Timestamp,
}

impl Default for RoleTtl {
    fn default() -> Self {
        Self {
            default: None,
            max: None,
            is_read: false,
            since: Timestamp::MIN,
            ages: VecDeque::new(),
            lives: (0, 0),
            learnt_is_certain: false,
            looked: Timestamp::MIN,
        }
    }
}

/// An age is seen often enough, and mostly.
fn is_most(times: usize, ages: &VecDeque<i64>) -> bool {
    times >= CERTAIN && 2 * times >= ages.len()
}

impl RoleTtl {
    /// The TTL of a lease that was granted at `granted`, and whether it is certain.
    pub(super) fn default_at(&self, granted: Timestamp) -> Option<(i64, bool)> {
        let default = self.default.filter(|_| granted > self.since)?;
        let secs = self.max.map_or(default.secs, |max| default.secs.min(max.secs));
        Some((secs, self.is_certain(default.source)))
    }

    /// The longest life of a lease that was issued at `issued`, and whether it is certain.
    pub(super) fn max_at(&self, issued: Timestamp) -> Option<(i64, bool)> {
        let max = self.max.filter(|_| issued > self.since)?;
        Some((max.secs, self.is_certain(max.source)))
    }

    /// What leases of the role live for by all one can guess, in seconds.
    pub(super) fn guess(&self) -> Option<i64> {
        self.default.filter(|ttl| ttl.source != Source::System).map(|ttl| ttl.secs)
    }

    /// The TTLs now, to be shown: default and max.
    pub(super) fn shown(&self) -> [Option<Ttl>; 2] {
        let default = match (self.default, self.max) {
            (Some(default), Some(max)) if max.secs < default.secs => Some(max),
            (default, _) => default,
        };
        [default, self.max]
    }

    /// The longest life that any lease can have, in seconds, if that is certain.
    pub(super) fn longest(&self) -> Option<i64> {
        self.max.filter(|max| max.source > Source::Warning).map(|max| max.secs)
    }

    /// What leases end by is known.
    pub(super) fn is_known(&self) -> bool {
        self.default.is_some_and(|ttl| ttl.source != Source::System)
    }

    /// Vault itself has told what leases end by.
    pub(super) fn is_told(&self) -> bool {
        self.default.is_some_and(|ttl| ttl.source > Source::Warning)
    }

    fn is_certain(&self, source: Source) -> bool {
        match source {
            Source::System => false,
            Source::Learnt => self.learnt_is_certain,
            _ => true,
        }
    }

    /// A source tells. 0 means that it leaves it to the next one.
    pub(super) fn told(&mut self, default: i64, max: i64, source: Source) {
        for (place, secs) in [(&mut self.default, default), (&mut self.max, max)] {
            if secs > 0 && place.is_none_or(|ttl| ttl.source <= source) {
                *place = Some(Ttl { secs, source });
            }
        }
    }

    /// What holds where the role leaves it open, by the mount and by Vault. `false` where it
    /// changes nothing.
    pub(super) fn inherits(&mut self, default: i64, max: i64, source: Source) -> bool {
        let before = (self.default, self.max);
        // What a role that nobody has read leaves open is not known.
        let default = if self.is_read || source == Source::Lookup { default } else { 0 };
        self.told(default, max, source);
        // A mount's max TTL holds for its roles, too.
        if source == Source::Mount && max > 0 && self.max.is_some_and(|own| own.secs > max) {
            self.max = Some(Ttl { secs: max, source });
        }
        before != (self.default, self.max)
    }

    /// The role itself was read: what it leaves open is open.
    pub(super) fn read(&mut self, default: i64, max: i64) -> bool {
        let before = (self.default, self.max);
        self.is_read = true;
        for (place, secs) in [(&mut self.default, default), (&mut self.max, max)] {
            if secs > 0 {
                *place = Some(Ttl { secs, source: Source::Role });
            } else if place.is_some_and(|ttl| ttl.source == Source::Role) {
                *place = None;
            }
        }
        before != (self.default, self.max)
    }

    /// The role was written at `at`. What the log hides is not known any more.
    pub(super) fn written(&mut self, ttls: WrittenTtls, at: Timestamp) {
        self.since = at;
        self.is_read = false;
        self.ages.clear();
        self.lives = (0, 0);
        self.learnt_is_certain = false;
        for (place, written) in [(&mut self.default, ttls.default), (&mut self.max, ttls.max)] {
            match written {
                WrittenTtl::Secs(secs) if secs > 0 => {
                    *place =
                        Some(Ttl { secs: i64::try_from(secs).unwrap_or(i64::MAX), source: Source::Role });
                }
                WrittenTtl::Secs(_) | WrittenTtl::Hidden => *place = None,
                // A write may leave a TTL as it was; only what the role itself said is still so.
                WrittenTtl::Absent => *place = place.filter(|ttl| ttl.source >= Source::Mount),
            }
        }
    }

    /// A lease that nobody renewed ended (or failed to) at this age, in nanoseconds, and
    /// nobody had asked for it. `true` where something new is known by it.
    pub(super) fn learn(&mut self, issued: Timestamp, age: i64) -> bool {
        if issued <= self.since || self.default.is_some_and(|ttl| ttl.source > Source::Learnt) {
            return false;
        }
        let shifted = age.saturating_add(EARLY);
        let secs = shifted.div_euclid(1_000_000_000);
        if secs < 1 || shifted.rem_euclid(1_000_000_000) > EARLY + LATE {
            return false;
        }
        self.ages.push_back(secs);
        if self.ages.len() > AGES_MOST {
            self.ages.pop_front();
        }
        let before = (self.default, self.learnt_is_certain);
        let times = |secs: i64| self.ages.iter().filter(|age| **age == secs).count();
        // The most frequent age; of several the longest, as what ends early has other reasons.
        let best = self.ages.iter().map(|secs| (times(*secs), *secs)).max();
        if let Some((times, secs)) = best.filter(|(times, _)| *times >= BELIEVED) {
            let learnt = Some(Ttl { secs, source: Source::Learnt });
            self.learnt_is_certain &= self.default == learnt && is_most(times, &self.ages);
            self.default = learnt;
        }
        before != (self.default, self.learnt_is_certain)
    }

    /// What was learnt and could be certain, in seconds, if it is time to look whether it is:
    /// enough of the role's life was seen since `since`, and it was not looked just now.
    pub(super) fn confirmable(&mut self, since: Timestamp, now: Timestamp) -> Option<i64> {
        let secs = self.default.filter(|ttl| ttl.source == Source::Learnt && !self.learnt_is_certain)?.secs;
        let times = self.ages.iter().filter(|age| **age == secs).count();
        let seen = since.max(self.since).plus_secs(2 * secs + SEEN_SECS);
        if !is_most(times, &self.ages) || now < seen || now < self.looked.plus_secs(LOOK_SECS) {
            return None;
        }
        self.looked = now;
        Some(secs)
    }

    /// It is certain.
    pub(super) fn confirm(&mut self) {
        self.learnt_is_certain = true;
    }

    /// It is about a lease that was issued then.
    pub(super) fn governs(&self, issued: Timestamp) -> bool {
        issued > self.since
    }

    /// A renewal was cut short: the lease's whole life is so many nanoseconds, give or take the
    /// second to which Vault's warning is rounded. Of several the mean is rounded again.
    pub(super) fn capped(&mut self, issued: Timestamp, life: i64) {
        if issued > self.since && self.max.is_none_or(|max| max.source <= Source::Warning) {
            self.lives = (self.lives.0.saturating_add(life / 1_000_000), self.lives.1 + 1);
            let secs = (self.lives.0 / self.lives.1 + 500).div_euclid(1000);
            self.max = Some(Ttl { secs, source: Source::Warning });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn the_same_age_twice_teaches_a_ttl_and_three_times_for_certain() {
        let mut ttl = RoleTtl::default();
        assert!(!ttl.learn(at(1), 60 * SECOND + 5_000_000));
        assert_eq!(ttl.default_at(at(2)), None);
        assert!(!ttl.learn(at(1), 12 * SECOND));
        // Some milliseconds early by the audit log's clock.
        assert!(ttl.learn(at(2), 60 * SECOND - 3_000_000));
        assert_eq!(ttl.default_at(at(2)), Some((60, false)));
        ttl.learn(at(3), 60 * SECOND);
        // Not before more than two TTLs were seen, and once a minute.
        assert_eq!(ttl.confirmable(at(0), at(149)), None);
        assert_eq!(ttl.confirmable(at(0), at(150)), Some(60));
        assert_eq!(ttl.confirmable(at(0), at(151)), None);
        ttl.confirm();
        assert_eq!(ttl.default_at(at(2)), Some((60, true)));
    }

    #[test]
    fn what_is_written_holds_for_leases_from_then_on() {
        let mut ttl = RoleTtl::default();
        ttl.read(20, 40);
        ttl.written(WrittenTtls { default: WrittenTtl::Secs(25), max: WrittenTtl::Hidden }, at(10));
        assert_eq!(ttl.default_at(at(11)), Some((25, true)));
        assert_eq!(ttl.default_at(at(9)), None);
        assert_eq!(ttl.max_at(at(11)), None);
    }

    #[test]
    fn a_better_source_wins_and_max_cuts() {
        let mut ttl = RoleTtl::default();
        ttl.told(2_764_800, 2_764_800, Source::System);
        assert!(!ttl.is_known());
        ttl.told(0, 3600, Source::Mount);
        assert_eq!(ttl.default_at(at(1)), Some((3600, false)));
        ttl.read(600, 0);
        ttl.told(900, 0, Source::Lookup);
        assert_eq!(ttl.default_at(at(1)), Some((600, true)));
    }
}
