//! Spells: from when to when something kept failing: issuing at a mount for a reason of Vault's own
//! or of the database's, and revoking.

use super::bounded::{Bounded, Weight};
use crate::event::{Text, Timestamp};

/// So long without one more, and it is over. Nanoseconds.
const OVER: i64 = 300_000_000_000;
/// Fewer failures are no spell.
const LEAST: u64 = 5;
/// Places and reasons whose failures are followed.
const PLACES_MOST: usize = 4_000;
/// Spells that are kept, the largest.
const MOST: usize = 1_000;

/// What kept failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failing {
    /// Credentials could not be issued.
    Issue,
    /// Vault's own attempts to revoke.
    Revocation,
}

impl Failing {
    /// Its name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Revocation => "revocation",
        }
    }
}

/// Where, what and why.
pub(super) type Key = (Failing, Text, Text, &'static str);

/// A time in which something kept failing.
#[derive(Clone, Debug)]
pub struct Spell {
    /// What.
    pub failing: Failing,
    /// `""` for the root namespace; empty also where a server log does not say it.
    pub namespace: Text,
    /// At which mount.
    pub mount: Text,
    /// Why, by class.
    pub reason: &'static str,
    /// The first failure.
    pub from: Timestamp,
    /// The last one.
    pub until: Timestamp,
    /// How many.
    pub failures: u64,
    /// No five minutes without one have passed at the end.
    pub is_open: bool,
}

impl Weight for Spell {
    fn weight(&self) -> u64 {
        self.until.as_nanos().cast_unsigned()
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Spells {
    open: Bounded<Key, Spell>,
    over: Vec<Spell>,
    dropped: u64,
}

impl Spells {
    pub(super) fn new() -> Self {
        Self { open: Bounded::new(PLACES_MOST), over: Vec::new(), dropped: 0 }
    }

    pub(super) fn note(&mut self, at: Timestamp, key: &Key) {
        let new = || Spell {
            failing: key.0,
            namespace: key.1.clone(),
            mount: key.2.clone(),
            reason: key.3,
            from: at,
            until: at,
            failures: 0,
            is_open: true,
        };
        let spell = self.open.entry(key, new);
        if at.nanos_since(spell.until) > OVER {
            let over = std::mem::replace(spell, new());
            if over.failures >= LEAST {
                self.over.push(Spell { is_open: false, ..over });
            }
        }
        let spell = self.open.entry(key, new);
        spell.until = at;
        spell.failures += 1;
        if self.over.len() >= 2 * MOST {
            self.cut();
        }
    }

    /// In the order of their beginnings, and how many there was no room for.
    pub(super) fn take(mut self, since: Option<Timestamp>, end: Timestamp) -> (Vec<Spell>, u64) {
        for spell in self.open.values_mut() {
            spell.is_open = end.nanos_since(spell.until) <= OVER;
        }
        let (open, dropped) = std::mem::replace(&mut self.open, Bounded::new(0)).take();
        self.dropped += dropped;
        self.over.extend(open.into_iter().map(|(_, spell)| spell).filter(|spell| spell.failures >= LEAST));
        self.over.retain(|spell| since.is_none_or(|since| spell.until >= since));
        self.cut();
        self.over.sort_by(|a, b| {
            (a.from, a.failing, &a.namespace, &a.mount, a.reason).cmp(&(
                b.from,
                b.failing,
                &b.namespace,
                &b.mount,
                b.reason,
            ))
        });
        (self.over, self.dropped)
    }

    fn cut(&mut self) {
        let order = |spell: &Spell| (std::cmp::Reverse(spell.failures), spell.from);
        self.over.sort_by_key(order);
        self.dropped += self.over.len().saturating_sub(MOST) as u64;
        self.over.truncate(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_a_spell_and_a_few_failures_are_none() {
        let mut spells = Spells::new();
        let key = (Failing::Issue, Text::default(), Text::from("db/"), "backend");
        for secs in (0..60).chain(1_000..1_003).chain(2_000..2_010) {
            spells.note(Timestamp::from_secs(secs), &key);
        }
        let (all, dropped) = spells.take(None, Timestamp::from_secs(2_100));
        let told: Vec<_> = all.iter().map(|spell| (spell.failures, spell.is_open)).collect();
        assert_eq!((told, dropped), (vec![(60, false), (10, true)], 0));
    }
}
