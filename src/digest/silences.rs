//! Silences: times in which an audit log says nothing, though at the rate that it had it would have,
//! and beginnings and ends that are not those of the other logs.

use crate::event::Timestamp;

/// A shorter one is none. Nanoseconds.
const LEAST: i64 = 60_000_000_000;
/// So many times the mean time between entries: by chance not once in hundreds of millions of them.
const FACTOR: f64 = 20.0;
/// Entries that must have been there before a rate is believed.
const ENTRIES_LEAST: u64 = 100;
/// Entries over which the rate goes: the slower of the two counts, so that a pace that changes is none.
const MEMORY: [f64; 2] = [256.0, 16.0];
/// The longest ones that are kept of a log.
const KEPT: usize = 64;
/// Where so many others are at least half as long, it is the log's habit.
const HABIT: usize = 4;

/// What kind of silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quiet {
    /// The log begins after another one.
    BeginsLate,
    /// Nothing for a while.
    Silent,
    /// The log ends before another one.
    EndsEarly,
}

impl Quiet {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BeginsLate => "begins_late",
            Self::Silent => "silent",
            Self::EndsEarly => "ends_early",
        }
    }
}

/// A silence that the log's own rate does not explain.
#[derive(Clone, Debug)]
pub struct Silence {
    /// The place of the log among those that were read.
    pub source: usize,
    /// What kind.
    pub quiet: Quiet,
    /// The entry before it, or where another log begins.
    pub from: Timestamp,
    /// The entry after it, or where another log ends.
    pub until: Timestamp,
    /// Mean seconds between entries before it (after it, where the log begins late).
    pub usual: f64,
    /// Other audit logs had entries meanwhile.
    pub others_went_on: bool,
}

#[derive(Clone, Debug, Default)]
struct Pace {
    first: Timestamp,
    last: Timestamp,
    entries: u64,
    means: [f64; 2],
    /// Entries of all audit logs when it had its last.
    all: u64,
    longest: Vec<Silence>,
}

/// The pace of every log.
#[derive(Debug, Default)]
pub(super) struct Silences {
    audit: Vec<Option<Pace>>,
    all: u64,
    first: Option<Timestamp>,
    last: Timestamp,
}

impl Silences {
    /// A line of a log that tells a time.
    pub(super) fn hear(&mut self, at: Timestamp) {
        self.first.get_or_insert(at);
        self.last = self.last.max(at);
    }

    /// The same line, of an audit log.
    pub(super) fn entry(&mut self, source: usize, at: Timestamp) {
        self.all += 1;
        if self.audit.len() <= source {
            self.audit.resize(source + 1, None);
        }
        let all = self.all;
        let Some(pace) = &mut self.audit[source] else {
            self.audit[source] = Some(Pace { first: at, last: at, entries: 1, all, ..Pace::default() });
            return;
        };
        let gap = at.nanos_since(pace.last);
        if gap >= LEAST && pace.entries >= ENTRIES_LEAST && gap as f64 >= FACTOR * pace.mean() {
            pace.longest.push(Silence {
                source,
                quiet: Quiet::Silent,
                from: pace.last,
                until: at,
                usual: pace.mean() / 1e9,
                others_went_on: all - pace.all > 1,
            });
            if pace.longest.len() >= 2 * KEPT {
                pace.keep();
            }
        }
        for (mean, memory) in pace.means.iter_mut().zip(MEMORY) {
            *mean += (gap as f64 - *mean) / memory.min(pace.entries as f64);
        }
        pace.entries += 1;
        (pace.last, pace.all) = (at, all);
    }

    /// What is not the habit of its log, in the order of time.
    pub(super) fn take(mut self, since: Option<Timestamp>) -> Vec<Silence> {
        let (all, last) = (self.all, self.last);
        let Some(first) = self.first else { return Vec::new() };
        let mut told = Vec::new();
        for (source, pace) in self.audit.iter_mut().enumerate() {
            let Some(pace) = pace else { continue };
            pace.keep();
            let half_as_long =
                |gap: i64| pace.longest.iter().filter(|other| 2 * other.length() >= gap).count();
            let kept = pace.longest.iter().filter(|one| half_as_long(one.length()) <= HABIT);
            told.extend(kept.cloned());
            let is_odd = |from: Timestamp, until: Timestamp| {
                let gap = until.nanos_since(from);
                let is_long = gap >= LEAST && gap as f64 >= FACTOR * pace.mean();
                pace.entries >= ENTRIES_LEAST && is_long && half_as_long(gap) < HABIT
            };
            let mut edge = |quiet, from, until, others_went_on| {
                if is_odd(from, until) {
                    told.push(Silence {
                        source,
                        quiet,
                        from,
                        until,
                        usual: pace.mean() / 1e9,
                        others_went_on,
                    });
                }
            };
            edge(Quiet::BeginsLate, first, pace.first, pace.all > pace.entries);
            edge(Quiet::EndsEarly, pace.last, last, all > pace.all);
        }
        told.retain(|one| since.is_none_or(|since| one.until > since));
        told.sort_by_key(|one| (one.from, one.source, one.quiet));
        told
    }
}

impl Silence {
    /// Nanoseconds.
    pub fn length(&self) -> i64 {
        self.until.nanos_since(self.from)
    }
}

impl Pace {
    /// Nanoseconds between entries.
    fn mean(&self) -> f64 {
        self.means[0].max(self.means[1])
    }

    fn keep(&mut self) {
        self.longest.sort_by_key(|one| (std::cmp::Reverse(one.length()), one.from));
        self.longest.truncate(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seconds: impl Iterator<Item = i64>) -> Vec<(Quiet, i64)> {
        let mut silences = Silences::default();
        for second in seconds {
            silences.hear(Timestamp::from_secs(second));
            silences.entry(0, Timestamp::from_secs(second));
        }
        silences.take(None).iter().map(|one| (one.quiet, one.length() / 1_000_000_000)).collect()
    }

    #[test]
    fn a_silence_that_the_rate_does_not_explain_is_told_and_a_habit_is_not() {
        assert_eq!(told((0..500).chain(800..1_500)), [(Quiet::Silent, 301)]);
        assert_eq!(told((0..500).map(|entry| entry * 30)), []);
        // From an entry a second to one in ten.
        assert_eq!(told((0..500).chain((50..100).map(|entry| entry * 10)).chain(1_090..1_100)), []);
        let nights = (0..10).flat_map(|night| (0..500).map(move |second| night * 2_000 + second));
        assert_eq!(told(nights), []);
    }

    #[test]
    fn another_log_shows_that_one_begins_late_or_ends_early() {
        let mut silences = Silences::default();
        for second in 0..2_000 {
            let at = Timestamp::from_secs(second);
            silences.hear(at);
            silences.entry(0, at);
            if (600..1_200).contains(&second) {
                silences.entry(1, at);
            }
        }
        let told = silences.take(None);
        let told: Vec<_> = told.iter().map(|one| (one.source, one.quiet, one.others_went_on)).collect();
        assert_eq!(told, [(1, Quiet::BeginsLate, true), (1, Quiet::EndsEarly, true)]);
    }
}
