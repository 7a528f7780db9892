//! What is true of a made-up world at a moment, by its own memory.

use super::{Lease, ROLES, World};
use crate::lives::{Role, count as by_key};
use crate::play::{Numbers, SECOND};
use crate::watch::HELD;

fn role(lease: &Lease) -> Role {
    let (mount, name, _) = ROLES[lease.role];
    vec![mount.to_owned(), name.to_owned()]
}

fn count<'a>(leases: impl Iterator<Item = &'a Lease>) -> Numbers {
    by_key(leases.map(role))
}

impl World {
    fn there(&self, at: i64) -> impl Iterator<Item = &Lease> {
        self.leases.iter().filter(move |lease| lease.issued <= at && lease.ended.is_none_or(|end| end > at))
    }

    pub fn outstanding(&self, at: i64) -> Numbers {
        count(self.there(at))
    }

    /// Leases of wrapped answers that ended just now.
    pub fn held(&self, at: i64) -> Numbers {
        let just = at - HELD..=at;
        let wrapped = self.leases.iter().filter(|lease| lease.wrapped);
        count(wrapped.filter(|lease| lease.ended.is_some_and(|end| just.contains(&end))))
    }

    /// Leases of wrapped answers that ended before their TTL, and would still be out by it.
    pub fn early_wrapped(&self) -> Numbers {
        let is_early = |lease: &&Lease| {
            lease.wrapped
                && lease.ended.is_some_and(|end| end < lease.expires)
                && self.now < lease.expires + 15 * SECOND
        };
        count(self.leases.iter().filter(is_early))
    }

    pub fn issued(&self) -> Numbers {
        count(self.leases.iter())
    }

    pub fn ended(&self) -> Numbers {
        count(self.leases.iter().filter(|lease| lease.ended.is_some()))
    }

    /// Those that should have been gone 15 seconds before, and for a while more.
    pub fn late(&self, at: i64, more: i64) -> Numbers {
        count(self.there(at).filter(|lease| at >= lease.due + 15 * SECOND + more))
    }

    /// Ends by mount, role and cause, and how many of them had more than one.
    pub fn causes(&self) -> (Numbers, f64) {
        const ORDER: [&str; 5] = ["requested", "prefix", "forced", "token", "expired"];
        let ended = self.leases.iter().filter(|lease| lease.ended.is_some());
        let (mut causes, mut several) = (Vec::new(), 0);
        for lease in ended {
            let cause = ORDER.iter().find(|cause| lease.reasons.contains(*cause)).unwrap();
            causes.push([role(lease), vec![(*cause).to_owned()]].concat());
            several += usize::from(lease.reasons.len() > 1);
        }
        (by_key(causes.into_iter()), several as f64)
    }

    /// The last word about failed attempts of every lease there is: how many failed, and
    /// whether it was given up since.
    fn failing(&self, at: i64) -> impl Iterator<Item = (&Lease, u32, bool)> {
        self.there(at).filter_map(move |lease| {
            let (_, attempts, next) = lease.told.iter().rfind(|(told, ..)| *told <= at)?;
            Some((lease, *attempts, *attempts == 5 && at >= next + 90 * SECOND))
        })
    }

    /// Leases that wait for another attempt, by the number of those that failed.
    pub fn retrying(&self, at: i64) -> Numbers {
        let waiting = self.failing(at).filter(|(_, _, is_stuck)| !is_stuck);
        let key =
            |(lease, attempts, _): (&Lease, u32, bool)| [role(lease), vec![attempts.to_string()]].concat();
        by_key(waiting.map(key))
    }

    /// Leases that were given up.
    pub fn stuck(&self, at: i64) -> Numbers {
        count(self.failing(at).filter(|(_, _, is_stuck)| *is_stuck).map(|(lease, ..)| lease))
    }
}
