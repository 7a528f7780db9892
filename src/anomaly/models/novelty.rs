//! A bounded memory of what somebody has used (roles) or asked for in vain (paths), that tells
//! what is new, and how many new things a day has brought.

use super::now::short;
use crate::anomaly::parameters as p;
use crate::anomaly::stat::rate::Rate;
use serde::{Deserialize, Serialize};

/// One thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    #[serde(rename = "x")]
    hash: u32,
    /// Hour in which it was first used.
    #[serde(rename = "f")]
    first: i32,
    /// Hour in which it was last used.
    #[serde(rename = "l")]
    last: i32,
    /// An alarm brought it: it is not believed yet.
    #[serde(rename = "q", default, skip_serializing_if = "std::ops::Not::not")]
    held: bool,
}

/// What a look says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Known, last used in that hour.
    Known,
    /// New; the so-manyth new one within a day.
    New(u32),
    /// Brought by an alarm, and back after a pause; the so-manyth such one within a day.
    Again(u32),
}

/// Things used before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Novelty {
    #[serde(rename = "k", default)]
    known: Vec<Known>,
    /// Hours that brought something new.
    #[serde(rename = "r", default)]
    pub rate: Rate,
    /// New things of the current hour.
    #[serde(rename = "n", default)]
    pub new: u16,
}

impl Novelty {
    /// Looks at one thing, and remembers it, among `most` at most.
    pub fn look(&mut self, hash: u64, hour: i32, most: usize) -> Look {
        let hash = short(hash);
        if let Some(known) = self.known.iter_mut().find(|known| known.hash == hash) {
            let pause = hour - known.last;
            known.last = known.last.max(hour);
            if pause > p::FORGET {
                known.first = hour;
                self.new += 1;
                return Look::New(self.recent(hour));
            }
            if known.held && hour - known.first > p::QUARANTINE {
                known.held = false;
            }
            let is_back = known.held && pause >= p::PAUSE;
            return if is_back { Look::Again(self.back(hour)) } else { Look::Known };
        }
        if self.known.len() >= most
            && let Some(least) = self.known.iter().enumerate().min_by_key(|(_, known)| known.last)
        {
            self.known.swap_remove(least.0);
        }
        if self.known.len() == self.known.capacity() {
            // Grow by little: most have few.
            self.known.reserve_exact(
                (self.known.len() / 2).max(2).min(most.max(1) - self.known.len().min(most.max(1) - 1)),
            );
        }
        self.known.push(Known { hash, first: hour, last: hour, held: false });
        self.new = self.new.saturating_add(1);
        Look::New(self.recent(hour))
    }

    /// How many were first used within the last day.
    fn recent(&self, hour: i32) -> u32 {
        let new = |known: &&Known| known.first > hour - p::NOVELTY_WINDOW;
        u32::try_from(self.known.iter().filter(new).count()).unwrap_or(u32::MAX)
    }

    /// How many that are not believed have come back within the last day.
    fn back(&self, hour: i32) -> u32 {
        let back = |known: &&Known| {
            known.held && known.last > hour - p::NOVELTY_WINDOW && known.last - known.first >= p::PAUSE
        };
        u32::try_from(self.known.iter().filter(back).count()).unwrap_or(u32::MAX)
    }

    /// The hours in which something was first and last used, if it ever was.
    pub fn hours_of(&self, hash: u64) -> Option<(i32, i32)> {
        let hash = short(hash);
        self.known.iter().find(|known| known.hash == hash).map(|known| (known.first, known.last))
    }

    /// How many are remembered and believed.
    pub fn believed(&self, hour: i32) -> usize {
        self.known.iter().filter(|known| !known.held && hour - known.last <= p::FORGET).count()
    }

    /// Ends an hour: counts it, and holds what is new if an alarm came with it.
    /// `exposure`: how much could be new, 0 for too early to say. Gives how many were new, and whether the day had brought some before.
    pub fn close(&mut self, hour: i32, gated: bool, exposure: f32) -> (u16, bool) {
        let new = std::mem::take(&mut self.new);
        self.rate.trials += exposure;
        if new > 0 && !gated && exposure > 0.0 {
            self.rate.hits += 1.0;
        }
        let before = self.recent(hour) > u32::from(new);
        if gated {
            for known in self.known.iter_mut().filter(|known| known.first == hour) {
                known.held = true;
            }
        }
        (new, before)
    }

    /// Believes everything: somebody has said that it is known.
    pub fn believe(&mut self) {
        for known in &mut self.known {
            known.held = false;
            // What is known does not count among a day's new things any more.
            known.first = known.first.min(known.last - p::NOVELTY_WINDOW);
        }
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.known.capacity() * size_of::<Known>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(index: u64) -> u64 {
        index << 32
    }

    #[test]
    fn new_things_of_a_day_are_counted_together() {
        let mut roles = Novelty::default();
        assert_eq!(roles.look(name(1), 100, 48), Look::New(1));
        assert_eq!(roles.look(name(1), 100, 48), Look::Known);
        assert_eq!(roles.look(name(2), 105, 48), Look::New(2));
        assert_eq!(roles.look(name(3), 130, 48), Look::New(1));
        assert_eq!(roles.look(name(1), 130 + p::FORGET + 1, 48), Look::New(1));
    }

    #[test]
    fn what_an_alarm_brought_is_not_believed_for_three_days() {
        let mut roles = Novelty::default();
        roles.look(name(1), 100, 48);
        roles.close(100, true, 1.0);
        assert_eq!(roles.look(name(1), 101, 48), Look::Known, "the same incident");
        assert_eq!(roles.believed(101), 0);
        assert_eq!(roles.look(name(1), 124, 48), Look::Again(1));
        roles.believe();
        assert_eq!(roles.look(name(1), 140, 48), Look::Known);
        assert_eq!(roles.believed(140), 1);
    }

    #[test]
    fn what_comes_back_is_counted_together_like_what_is_new() {
        let mut roles = Novelty::default();
        for role in 1..=4 {
            roles.look(name(role), 100, 48);
        }
        roles.close(100, true, 1.0);
        for (day, hour) in [(1, 124), (2, 148)] {
            for role in 1..=4 {
                let count = u32::try_from(role).unwrap();
                assert_eq!(roles.look(name(role), hour, 48), Look::Again(count), "day {day}");
            }
        }
    }

    #[test]
    fn it_is_bounded_and_drops_what_is_oldest() {
        let mut paths = Novelty::default();
        for index in 0..1000u16 {
            paths.look(name(index.into()), i32::from(index), 64);
        }
        assert_eq!(paths.known.len(), 64);
        assert!(paths.known.capacity() <= 80, "{}", paths.known.capacity());
        assert_eq!(paths.look(name(999), 1000, 64), Look::Known);
        assert!(matches!(paths.look(name(3), 1000, 64), Look::New(_)));
    }
}
