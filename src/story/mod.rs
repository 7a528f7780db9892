//! A story: what happened to one lease, one client or one role, from beginning to end, out of the
//! events of finished logs. Pure.
//!
//! The events are gone through twice. The first time [`Threads`] are found: which leases and tokens
//! belong to it, and which hashed names in the audit log are theirs. The second time a [`Teller`]
//! follows them.
//!
//! [`Candidates`] go the other way, from the name of a database's user to who may have got it. A
//! [`Register`] tells of everything, once, and asks for no topic; a [`Census`] makes of that who was there
//! in two periods.

mod candidates;
mod cause;
mod census;
mod filter;
mod joint;
mod life;
mod moment;
mod place;
mod register;
mod shelf;
mod teller;
mod threads;
mod topic;
mod username;

pub use candidates::{Candidate, Candidates, Found};
pub use census::{Census, Client, Half, Lifetimes, RoleName};
pub use filter::{Filter, Network};
pub use life::{End, Granted, Life};
pub use moment::{Moment, Rests, What};
pub use place::of_lease as lease_place;
pub use register::{Register, Registered};
pub use shelf::LeftOut;
pub use teller::{Limits, Part, Teller};
pub use threads::Threads;
pub use topic::Topic;
pub use username::{Template, Username};

use crate::engine::Meaning;
use crate::event::{Entry, Who};

/// The mount that an entry's path leads to (empty where it is not known), and what it asks there.
pub fn place_of(entry: &Entry) -> (&str, Meaning<'_>) {
    let place = place::of(entry);
    (place.mount, place.meaning)
}

/// One account, in the order of time.
#[derive(Debug)]
pub struct Story {
    /// What it is about.
    pub topic: Topic,
    /// What part of it is told, in words, where that is not all.
    pub part: Option<String>,
    /// Its lease by its plain ID, where a hashed one was asked for and that was found out.
    pub resolved: Option<String>,
    /// Clients that it is about: those of the name that was asked for, or who got the lease.
    pub clients: Vec<Who>,
    /// What happened.
    pub moments: Vec<Moment>,
    /// What there was no room for.
    pub left_out: LeftOut,
    /// Requests that are none of what is told, such as reading a key.
    pub others: u64,
    /// Its leases, in the order in which they were heard of.
    pub lives: Vec<Life>,
    /// Leases that there was no room for.
    pub lives_left_out: u64,
    /// A server log was read: ends that nobody asked for are known.
    pub has_ends: bool,
    /// Failed logins name nobody; how many there were, of anybody.
    pub failed_logins: u64,
    /// Requests to revoke by a hashed ID that could not be tied to any lease.
    pub untied: u64,
}
