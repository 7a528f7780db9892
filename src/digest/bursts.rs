//! Bursts: minutes in which far more credentials of a role were issued than in its usual minute,
//! and who got them.

use super::bounded::{Bounded, Weight};
use super::place::Place;
use crate::event::{Requester, Timestamp, Who};
use core::net::IpAddr;
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000_000_000;
/// Roles whose pace is known.
const ROLES_MOST: usize = 2_000;
/// Clients of a burst that are told apart.
const CLIENTS_MOST: usize = 256;
/// Bursts that are kept, the largest.
const BURSTS_MOST: usize = 1_000;
/// Fewer in a minute are no burst.
const LEAST: u64 = 30;
/// A burst has so many times the usual.
const FACTOR: f64 = 3.0;
/// Minutes that must have passed before anything is usual.
const MINUTES_LEAST: u64 = 2;
/// What is usual is that of the last day.
const DAY: u64 = 1_440;

/// A client with an address, and how much of a burst was its.
pub type Share = ((Requester, Option<IpAddr>), u64);

/// A burst.
#[derive(Clone, Debug)]
pub struct Burst {
    /// Of which role.
    pub place: Place,
    /// Beginning of its first minute.
    pub from: Timestamp,
    /// End of its last minute.
    pub until: Timestamp,
    /// Credentials issued in it.
    pub issued: u64,
    /// The most in one minute.
    pub peak: u64,
    /// What a minute usually had before.
    pub usual: f64,
    /// Who got most of them, the first first.
    pub clients: Vec<Share>,
}

#[derive(Debug, Default)]
struct Pace {
    /// The minute that is counted now.
    minute: i64,
    count: u64,
    clients: BTreeMap<(Requester, Option<IpAddr>), u64>,
    /// Whole quiet minutes so far, a day's at most, and their mean.
    minutes: u64,
    usual: f64,
    open: Option<Burst>,
    total: u64,
}

impl Weight for Pace {
    fn weight(&self) -> u64 {
        self.total
    }
}

/// The pace of every role.
#[derive(Debug)]
pub(super) struct Paces {
    begin: Option<i64>,
    roles: Bounded<Place, Pace>,
    found: Vec<Burst>,
    dropped: u64,
}

impl Paces {
    pub(super) fn new() -> Self {
        Self { begin: None, roles: Bounded::new(ROLES_MOST), found: Vec::new(), dropped: 0 }
    }

    pub(super) fn issue(&mut self, at: Timestamp, place: &Place, who: Option<&Who>, from: Option<IpAddr>) {
        let minute = at.as_nanos().div_euclid(MINUTE);
        let begin = *self.begin.get_or_insert(minute);
        // A role is there from the beginning of the log: that it had nothing then is usual, too.
        let pace = self.roles.entry(place, || Pace { minute: begin, ..Pace::default() });
        if minute > pace.minute {
            let over = pace.pass(place, begin, minute);
            self.found.extend(over);
        }
        let pace = self.roles.entry(place, Pace::default);
        pace.count += 1;
        pace.total += 1;
        let who = (who.map(|who| who.requester.clone()).unwrap_or_default(), from);
        if pace.clients.len() < CLIENTS_MOST || pace.clients.contains_key(&who) {
            *pace.clients.entry(who).or_default() += 1;
        }
        if self.found.len() >= 2 * BURSTS_MOST {
            self.cut();
        }
    }

    /// All that ended since, or reach into the period; the largest if they are too many.
    pub(super) fn take(mut self, since: Option<Timestamp>) -> (Vec<Burst>, u64) {
        let begin = self.begin.unwrap_or_default();
        let (roles, _) = self.roles.take();
        for (place, mut pace) in roles {
            let last = pace.minute + 1;
            let over = pace.pass(&place, begin, last);
            self.found.extend(over);
            self.found.extend(pace.open.take());
        }
        self.found.retain(|burst| since.is_none_or(|since| burst.until > since));
        let mut found = std::mem::take(&mut self.found);
        found.sort_by(|a, b| {
            b.issued.cmp(&a.issued).then_with(|| (a.from, &a.place).cmp(&(b.from, &b.place)))
        });
        self.dropped += found.len().saturating_sub(BURSTS_MOST) as u64;
        found.truncate(BURSTS_MOST);
        (found, self.dropped)
    }

    fn cut(&mut self) {
        self.found.sort_by(|a, b| b.issued.cmp(&a.issued).then_with(|| a.from.cmp(&b.from)));
        self.dropped += (self.found.len() - BURSTS_MOST) as u64;
        self.found.truncate(BURSTS_MOST);
    }
}

impl Pace {
    /// Its minute is over; `to` is the next that has something. Gives the burst that ended.
    fn pass(&mut self, place: &Place, begin: i64, to: i64) -> Option<Burst> {
        let mut over = None;
        let (count, minute) = (std::mem::take(&mut self.count), self.minute);
        let clients = std::mem::take(&mut self.clients);
        // The first minute of the log is a part of one.
        let is_burst = self.minutes >= MINUTES_LEAST && count >= LEAST && count as f64 >= FACTOR * self.usual;
        if is_burst {
            let burst = self.open.get_or_insert_with(|| Burst {
                place: place.clone(),
                from: Timestamp::from_nanos(minute * MINUTE),
                until: Timestamp::MIN,
                issued: 0,
                peak: 0,
                usual: self.usual,
                clients: Vec::new(),
            });
            burst.until = Timestamp::from_nanos((minute + 1) * MINUTE);
            burst.issued += count;
            burst.peak = burst.peak.max(count);
            join(&mut burst.clients, clients);
        } else {
            over = self.open.take();
            if minute > begin {
                self.quiet(count);
            }
        }
        let empty = to - minute - 1;
        if empty > 0 {
            over = over.or(self.open.take());
            for _ in 0..empty.min(i64::try_from(DAY).unwrap_or(0)) {
                self.quiet(0);
            }
        }
        self.minute = to;
        over
    }

    fn quiet(&mut self, count: u64) {
        self.minutes = (self.minutes + 1).min(DAY);
        self.usual += (count as f64 - self.usual) / self.minutes as f64;
    }
}

/// The clients of one more minute; the first few stay.
fn join(all: &mut Vec<Share>, more: BTreeMap<(Requester, Option<IpAddr>), u64>) {
    let mut sum: BTreeMap<_, u64> = std::mem::take(all).into_iter().collect();
    for (client, count) in more {
        *sum.entry(client).or_default() += count;
    }
    *all = sum.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(CLIENTS_MOST);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bursts(counts: &[u64]) -> Vec<(u64, u64)> {
        let (mut paces, place) = (Paces::new(), Place::default());
        for (minute, count) in counts.iter().enumerate() {
            for _ in 0..*count {
                paces.issue(Timestamp::from_secs(60 * i64::try_from(minute).unwrap()), &place, None, None);
            }
        }
        let (found, _) = paces.take(None);
        found.iter().map(|burst| (burst.issued, burst.peak)).collect()
    }

    #[test]
    fn what_is_far_above_the_usual_minute_is_a_burst_and_becomes_no_habit() {
        assert_eq!(bursts(&[5, 20, 20, 20, 70, 90, 20, 20]), [(160, 90)]);
        assert_eq!(bursts(&[5, 20, 20, 20, 70]), [(70, 70)]);
        assert_eq!(bursts(&[5, 20, 20, 0, 0, 70, 0, 20]), [(70, 70)]);
    }

    #[test]
    fn a_beginning_few_and_little_more_are_none() {
        assert_eq!(bursts(&[500, 500]), []);
        assert_eq!(bursts(&[1, 1, 1, 1, 29]), []);
        assert_eq!(bursts(&[5, 100, 100, 100, 250]), []);
    }
}
