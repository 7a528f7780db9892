//! A pool: the subjects of one auth mount, and what they teach about each other. A newcomer is
//! judged by its peers, and so is what no history of its own could make rare enough.

use super::now::short;
use super::sources::LEVELS;
use crate::anomaly::parameters as p;
use crate::anomaly::stat::decay::{Fading, remains};
use crate::anomaly::stat::rate::Rate;
use crate::anomaly::stat::tail::Tail;
use crate::event::Text;
use serde::{Deserialize, Serialize};

/// What happens once in so many cases, of which a prior weighs some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    #[serde(rename = "y", default)]
    hits: f32,
    #[serde(rename = "n", default)]
    cases: f32,
}

impl Part {
    /// Counts cases, and those of them that are it.
    pub fn add(&mut self, hits: f32, cases: f32) {
        self.hits += hits;
        self.cases += cases;
    }

    /// The part, with a prior and its weight in cases.
    pub fn mean(self, (prior, weight): (f64, f64)) -> f64 {
        (f64::from(self.hits) + prior * weight) / (f64::from(self.cases) + weight)
    }

    fn fade(&mut self, left: f32) {
        self.hits *= left;
        self.cases *= left;
    }
}

/// What the subjects of one auth mount do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    /// Path of the auth mount.
    pub mount: Text,
    /// The hour in which it was first seen.
    #[serde(default)]
    pub first: i32,
    /// The hour to which it is faded.
    #[serde(default)]
    at: i32,
    /// Subjects that are followed.
    #[serde(default)]
    pub subjects: u32,
    /// Active hours, and of them those with something new.
    #[serde(default)]
    pub roles: Rate,
    /// The same of denied paths.
    #[serde(default)]
    pub paths: Rate,
    /// The same of source levels, cumulated.
    #[serde(default)]
    pub sources: [Rate; LEVELS - 1],
    /// The same of tokens in use from two networks.
    #[serde(default)]
    pub two_networks: Rate,
    /// The same of listings of roles, by who never did.
    #[serde(default)]
    pub listings: Rate,
    /// The same of privileged operations.
    #[serde(default)]
    pub privileged: Rate,
    /// Another new role, after a new one; another path.
    #[serde(default)]
    pub more_roles: Part,
    /// Another denied path, after one.
    #[serde(default)]
    pub more_paths: Part,
    /// New subnets and new networks, while the known one was in use.
    #[serde(default)]
    pub overlap: [Part; 2],
    /// New subnets and new networks without a login from there.
    #[serde(default)]
    pub no_login: [Part; 2],
    /// Wrapped credentials that were unwrapped elsewhere.
    #[serde(default)]
    pub unwrapped_elsewhere: Part,
    /// Wrapped credentials that never were.
    #[serde(default)]
    pub never_unwrapped: Part,
    /// New subjects, of active hours.
    #[serde(default)]
    pub new_subjects: Fading,
    /// Active hours.
    #[serde(default)]
    pub hours: Fading,
    /// Sums of maxima by scale, and their number.
    #[serde(default)]
    pub volumes: [Part; 3],
    /// Denials of hours with some.
    #[serde(default)]
    pub denials: Part,
    /// Peaks of slow excursions.
    pub slow: Tail,
    /// How unusual active hours are.
    pub clock: Tail,
    /// How many subjects use a role; bounded.
    #[serde(default)]
    pub users: Vec<(u32, u32)>,
}

/// Roles whose users are counted.
const ROLES: usize = 512;

impl Pool {
    /// One of an auth mount that is new.
    pub fn new(mount: &str, hour: i32) -> Self {
        Self {
            mount: Text::new(mount),
            first: hour,
            at: hour,
            subjects: 0,
            roles: Rate::default(),
            paths: Rate::default(),
            sources: <[Rate; LEVELS - 1]>::default(),
            two_networks: Rate::default(),
            listings: Rate::default(),
            privileged: Rate::default(),
            more_roles: Part::default(),
            more_paths: Part::default(),
            overlap: <[Part; 2]>::default(),
            no_login: <[Part; 2]>::default(),
            unwrapped_elsewhere: Part::default(),
            never_unwrapped: Part::default(),
            new_subjects: Fading::default(),
            hours: Fading::default(),
            volumes: <[Part; 3]>::default(),
            denials: Part::default(),
            slow: Tail::new(p::SLOW_BINS.0, p::SLOW_BINS.1),
            clock: Tail::new(p::CLOCK_BINS.0, p::CLOCK_BINS.1),
            users: Vec::new(),
        }
    }

    /// Lets time pass, once a day.
    pub fn fade(&mut self, hour: i32) {
        let passed = i64::from(hour - self.at);
        if passed < p::DAY {
            return;
        }
        self.at = hour;
        let rates = [
            &mut self.roles,
            &mut self.paths,
            &mut self.two_networks,
            &mut self.listings,
            &mut self.privileged,
        ];
        for rate in rates.into_iter().chain(&mut self.sources) {
            rate.fade(passed, p::LIFE);
        }
        let left = remains(passed, p::LIFE) as f32;
        let parts = [
            &mut self.more_roles,
            &mut self.more_paths,
            &mut self.unwrapped_elsewhere,
            &mut self.never_unwrapped,
            &mut self.denials,
        ];
        for part in
            parts.into_iter().chain(&mut self.volumes).chain(&mut self.overlap).chain(&mut self.no_login)
        {
            part.fade(left);
        }
    }

    /// What a block brings at a scale, among peers.
    pub fn volume(&self, scale: usize) -> f64 {
        self.volumes[scale].mean((1.0, 1.0))
    }

    /// New subjects in an active hour.
    pub fn arrivals(&self, hour: i32) -> f64 {
        let (new, hours) = (self.new_subjects.at(hour.into(), p::LIFE), self.hours.at(hour.into(), p::LIFE));
        ((new + 1.0) / (hours + 1.0 / p::NEW_SUBJECT)).min(1.0)
    }

    /// Another subject uses a role.
    pub fn uses(&mut self, role: u64) {
        let role = short(role);
        if let Some((_, users)) = self.users.iter_mut().find(|(known, _)| *known == role) {
            *users += 1;
        } else if self.users.len() < ROLES {
            self.users.push((role, 1));
        }
    }

    /// How many subjects were seen to use a role, of all.
    pub fn users(&self, role: u64) -> (u32, u32) {
        let role = short(role);
        let users = self.users.iter().find(|(known, _)| *known == role).map_or(0, |(_, users)| *users);
        (users.min(self.subjects), self.subjects)
    }

    /// How far the pool's habits are known: from 0 to 1 in two days.
    pub fn maturity(&self, hour: i32) -> f64 {
        (f64::from(hour - self.first) / p::MATURE_AFTER).clamp(0.0, 1.0)
    }
}
