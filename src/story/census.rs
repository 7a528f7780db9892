//! A census: who asked for anything in two periods, from where, and for how long the leases were out that
//! ended in them.

use super::{Registered, What};
use crate::event::{Requester, Text, Timestamp};
use core::net::IpAddr;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::xxh3_64;

/// Clients, and addresses, of a period that are known one by one.
const NAMES_MOST: usize = 20_000;
/// How finely lengths of time are told apart: by two in a hundred.
const FINENESS: f64 = 1.02;

/// Namespace, mount and role.
pub type RoleName = (Text, Text, Text);

/// A client: whose token, and what it was got with.
pub type Client = (Requester, Text);

/// Goes through the events for two periods.
#[derive(Debug)]
pub struct Census {
    periods: [(Timestamp, Timestamp); 2],
    halves: [Half; 2],
    /// When each lease that is out was issued, by a hash of its ID, and of which namespace.
    out: HashMap<u64, Timestamp>,
    most: usize,
}

/// What there was in one period.
#[derive(Debug, Default)]
pub struct Half {
    /// Requests by client.
    pub clients: BTreeMap<Client, u64>,
    /// Requests by address.
    pub sources: BTreeMap<IpAddr, u64>,
    /// There were more clients or addresses than are known one by one.
    pub is_crowded: bool,
    /// Of leases that ended, by role.
    pub lifetimes: BTreeMap<RoleName, Lifetimes>,
}

/// Lengths of time, as many as there are.
#[derive(Debug, Default)]
pub struct Lifetimes {
    counts: BTreeMap<i32, u64>,
    /// How many there are.
    pub count: u64,
}

impl Census {
    /// Of two periods, whose bounds are in them; leases beyond `most` that are out at a time are not timed.
    pub fn new(periods: [(Timestamp, Timestamp); 2], most: usize) -> Self {
        Self { periods, halves: <[Half; 2]>::default(), out: HashMap::new(), most }
    }

    /// Takes in the next thing that happened.
    pub fn take(&mut self, event: &Registered) {
        let moment = &event.moment;
        let place = self.periods.iter().position(|(from, until)| (*from..=*until).contains(&moment.at));
        if let Some(lease) = &moment.lease {
            let name = xxh3_64(lease.as_bytes());
            match moment.what {
                What::Issue | What::Unwrap if moment.is_done() && self.out.len() < self.most => {
                    self.out.entry(name).or_insert(moment.at);
                }
                What::Ended => {
                    if let (Some(issued), Some(place)) = (self.out.remove(&name), place)
                        && event.namespace_is_known
                        && !moment.role.is_empty()
                    {
                        let role = (moment.namespace.clone(), moment.mount.clone(), moment.role.clone());
                        let lasted = moment.at.nanos_since(issued).max(0) as f64 / 1e9;
                        self.halves[place].lifetimes.entry(role).or_default().add(lasted);
                    }
                }
                _ => {}
            }
        }
        let Some(half) = place.map(|place| &mut self.halves[place]) else { return };
        if let Some(who) = &moment.who {
            half.is_crowded |= !count(&mut half.clients, (who.requester.clone(), who.role.clone()));
        }
        if let Some(source) = moment.source {
            half.is_crowded |= !count(&mut half.sources, source);
        }
    }

    /// What there was in each.
    pub fn end(self) -> [Half; 2] {
        self.halves
    }
}

/// Counts one more; `false` where there is no room for its name.
fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, name: K) -> bool {
    if let Some(count) = counts.get_mut(&name) {
        *count += 1;
        return true;
    }
    let has_room = counts.len() < NAMES_MOST;
    if has_room {
        counts.insert(name, 1);
    }
    has_room
}

impl Lifetimes {
    fn add(&mut self, seconds: f64) {
        #[allow(clippy::cast_possible_truncation, reason = "a logarithm of some thousands at most")]
        let step = (seconds.max(1e-3).ln() / FINENESS.ln()).floor() as i32;
        *self.counts.entry(step).or_default() += 1;
        self.count += 1;
    }

    /// In seconds, exact to one in a hundred.
    pub fn median(&self) -> Option<f64> {
        let mut below = 0;
        let step = self.counts.iter().find_map(|(step, count)| {
            below += count;
            (2 * below >= self.count).then_some(*step)
        });
        step.map(|step| FINENESS.powf(f64::from(step) + 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_close_however_many_there_are() {
        let mut lifetimes = Lifetimes::default();
        assert_eq!(lifetimes.median(), None);
        for seconds in 1..=100_000 {
            lifetimes.add(f64::from(seconds));
        }
        let median = lifetimes.median().unwrap();
        assert!((median / 50_000.0 - 1.0).abs() < 0.011, "{median}");
        assert!(lifetimes.counts.len() < 700);
    }
}
