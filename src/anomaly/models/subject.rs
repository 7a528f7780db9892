//! A subject: an entity, or tokens of one auth mount, role and name where there is no entity, with
//! everything that is remembered of it. About two kilobytes; `heap` says how many.

use super::clock::Clock;
use super::novelty::Novelty;
use super::slow::Slow;
use super::sources::Sources;
use super::standing::Standing;
use super::volume::Volume;
use crate::anomaly::activity::Place;
use crate::anomaly::finding::{SubjectKind, SubjectView};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::decay::remains;
use crate::anomaly::stat::extremes::Extremes;
use crate::anomaly::stat::rate::Rate;
use crate::event::{Privileged, Text, Who};
use serde::{Deserialize, Serialize};

/// Denials of one subject, paths apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Denials {
    /// Of the current hour.
    #[serde(rename = "c", default)]
    pub count: u32,
    #[serde(rename = "s", default)]
    pub sum: f32,
    #[serde(rename = "x", default)]
    pub own: Extremes,
}

/// One subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Its key.
    pub key: u64,
    /// An entity, or tokens.
    pub kind: SubjectKind,
    /// Namespace in which it was first seen.
    #[serde(default)]
    pub namespace: Text,
    /// Entity ID.
    #[serde(default)]
    pub entity: Text,
    /// Display name of its tokens, the last one seen.
    #[serde(default)]
    pub display_name: Text,
    /// Role of the auth method, the last one seen.
    #[serde(default)]
    pub login: Text,
    /// Its pool.
    pub pool: u32,
    /// The hour in which it was first seen.
    pub first: i32,
    /// The hour of its last activity.
    pub hour: i32,
    /// That hour is not over.
    #[serde(default)]
    pub is_open: bool,
    /// The hour to which it is faded.
    #[serde(default)]
    at: i32,
    /// Active hours, faded.
    #[serde(default)]
    pub hours: f32,
    /// Active hours ever.
    #[serde(default)]
    pub seen: u32,
    /// Logins of the current hour, and of an active hour usually.
    #[serde(default)]
    pub logged_in: (u32, f32),
    /// Logins of the hour before.
    #[serde(default)]
    pub logged_in_before: u32,
    /// Credentials of the hour before.
    #[serde(default)]
    pub issued_before: u32,
    /// How much.
    #[serde(default)]
    pub volume: Volume,
    /// How much for days.
    #[serde(default)]
    pub slow: Slow,
    /// Which roles.
    #[serde(default)]
    pub roles: Novelty,
    /// Which paths in vain.
    #[serde(default)]
    pub paths: Novelty,
    /// How often in vain.
    #[serde(default)]
    pub denials: Denials,
    /// Where from.
    #[serde(default)]
    pub sources: Sources,
    /// When.
    #[serde(default)]
    pub clock: Clock,
    /// How unusual the current hour is.
    #[serde(default)]
    pub unusual: Option<f64>,
    /// Hours with one token in two networks.
    #[serde(default)]
    pub two_networks: Rate,
    /// Wrapped credentials, and those unwrapped elsewhere.
    #[serde(default)]
    pub elsewhere: Rate,
    /// Wrapped credentials, and those never unwrapped.
    #[serde(default)]
    pub unclaimed: Rate,
    /// What happened in the current hour: see the constants.
    #[serde(default)]
    pub marks: u8,
    /// Privileged operations it has done, by their bits, and whether it has listed roles.
    #[serde(default)]
    pub done: u32,
    /// Roles of the auth method under one entity, in short; a few.
    #[serde(default)]
    pub logins: Vec<u32>,
    /// Longest pause in live hours, while it was regular.
    #[serde(default)]
    pub longest_pause: u16,
    /// Its silence was told.
    #[serde(default)]
    pub is_silent: bool,
    /// What it did is the work of many: these models are off ([`NO_ROLES`], [`NO_SOURCES`]).
    #[serde(default)]
    pub off: u8,
    /// What stands against it.
    #[serde(default)]
    pub standing: Standing,
    /// The strongest combination of late, and its hour: an episode counts once.
    #[serde(default)]
    pub peak: (f64, i32),
    /// Where the metrics show what it does.
    pub place: Place,
    /// The role it used last, for people.
    #[serde(default)]
    pub role: Text,
}

/// Mark: one token in two networks.
pub const MARK_TWO_NETWORKS: u8 = 1;
/// Mark: listed roles for the first time.
pub const MARK_LISTED: u8 = 2;
/// Mark: a privileged operation for the first time.
pub const MARK_PRIVILEGED: u8 = 4;
/// Off: new roles.
pub const NO_ROLES: u8 = 1;
/// Off: new sources.
pub const NO_SOURCES: u8 = 2;
/// The bit of [`Subject::done`] for a listing of roles.
pub const LISTED: u32 = 1 << 31;

/// The key of a subject, and what kind it is.
pub fn key_of(who: &Who) -> (u64, SubjectKind) {
    let seeded = |text: &str, seed| xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), seed);
    let entity = who.requester.entity.as_str();
    if entity.is_empty() {
        // The display name begins with the auth mount.
        let name = seeded(&who.requester.display_name, p::SEED ^ 1);
        return (seeded(&who.role, name), SubjectKind::Token);
    }
    (seeded(entity, p::SEED), SubjectKind::Entity)
}

/// The bit of a privileged operation.
pub fn bit(operation: Privileged) -> u32 {
    1 << (operation as u32).min(30)
}

impl Subject {
    /// One that is new.
    pub fn new(key: u64, kind: SubjectKind, who: &Who, pool: u32, first: i32, place: Place) -> Self {
        Self {
            key,
            kind,
            namespace: Text::default(),
            entity: who.requester.entity.clone(),
            display_name: who.requester.display_name.clone(),
            login: who.role.clone(),
            pool,
            first,
            hour: first,
            is_open: false,
            at: first,
            hours: 0.0,
            seen: 0,
            logged_in: (0, 0.0),
            logged_in_before: 0,
            issued_before: 0,
            volume: Volume::default(),
            slow: Slow::default(),
            roles: Novelty::default(),
            paths: Novelty::default(),
            denials: Denials::default(),
            sources: Sources::default(),
            clock: Clock::default(),
            unusual: None,
            two_networks: Rate::default(),
            elsewhere: Rate::default(),
            unclaimed: Rate::default(),
            marks: 0,
            done: 0,
            logins: Vec::new(),
            longest_pause: 0,
            is_silent: false,
            off: 0,
            standing: Standing::default(),
            peak: (0.0, 0),
            place,
            role: Text::default(),
        }
    }

    /// From 0 to 1: how well it is known.
    pub fn maturity(&self, hour: i32) -> f64 {
        (f64::from(hour - self.first) / p::MATURE_AFTER).clamp(0.0, 1.0)
    }

    /// How much is new in an hour of somebody known for so long, against the first hours.
    pub fn exposure(&self) -> f64 {
        (1.0 / (1.0 + f64::from(self.seen) / p::NOVELTY_HALVES)).max(p::NOVELTY_LEAST)
    }

    /// Whether what it takes in these hours is what its logins of these hours explain: clients that start
    /// take a credential of each of their roles, and others go on beside them.
    pub fn restarts(&self) -> bool {
        let logins = self.logged_in.0 + self.logged_in_before;
        let roles = self.roles.believed(self.hour).clamp(1, p::ROLES_AT_ONCE);
        let explained = f64::from(logins) * roles as f64 * p::RESTART_SLACK.0 + p::RESTART_SLACK.1;
        logins >= p::RESTARTS.0 && f64::from(self.volume.issued + self.issued_before) <= explained
    }

    /// Lets time pass, once a day.
    pub fn fade(&mut self, hour: i32) {
        let passed = i64::from(hour - self.at);
        if passed < p::DAY {
            return;
        }
        self.at = hour;
        let left = remains(passed, p::LIFE) as f32;
        self.hours *= left;
        self.denials.sum *= left;
        self.volume.fade(passed);
        self.clock.fade(left);
        let rates = [
            &mut self.roles.rate,
            &mut self.paths.rate,
            &mut self.two_networks,
            &mut self.elsewhere,
            &mut self.unclaimed,
        ];
        for rate in rates.into_iter().chain(&mut self.sources.rates) {
            rate.fade(passed, p::LIFE);
        }
    }

    /// As people know it; `mount` is that of its pool.
    pub fn view(&self, mount: &str) -> SubjectView {
        let off = [
            (NO_ROLES, "new_role", "it serves many applications: it uses more roles than a habit has"),
            (NO_SOURCES, "new_source", "it comes from more networks than a habit has"),
        ];
        let off = off.into_iter().filter(|(bit, ..)| self.off & bit != 0);
        SubjectView {
            key: self.key,
            kind: self.kind,
            namespace: self.namespace.clone(),
            entity: self.entity.clone(),
            display_name: self.display_name.clone(),
            role: self.login.clone(),
            mount: Text::new(mount),
            switched_off: off.map(|(_, model, why)| (Text::new(model), Text::new(why))).collect(),
        }
    }

    /// Takes note of a role of the auth method under this entity.
    pub fn logged_in_as(&mut self, login: &str) {
        if self.login != login {
            self.login = Text::new(login);
        }
        let login = super::now::short(super::now::hash(login));
        if self.logins.len() < p::SHARED_LOGINS && !self.logins.contains(&login) {
            self.logins.push(login);
        }
    }

    /// Judges whether it serves many applications, so that some models mean nothing for it.
    pub fn recognise(&mut self) {
        let many_roles =
            self.roles.believed(self.hour) >= p::SHARED_ROLES || self.logins.len() >= p::SHARED_LOGINS;
        let many_networks = self.sources.networks(self.hour) >= p::SHARED_NETWORKS;
        self.off = if many_roles { NO_ROLES } else { 0 } | if many_networks { NO_SOURCES } else { 0 };
    }

    /// Bytes in all.
    pub fn bytes(&self) -> usize {
        let names = [&self.namespace, &self.entity, &self.display_name, &self.login, &self.role];
        let names: usize =
            names.iter().map(|name| if name.is_heap_allocated() { name.len() } else { 0 }).sum();
        size_of::<Self>()
            + names
            + self.volume.heap()
            + self.slow.heap()
            + self.roles.heap()
            + self.paths.heap()
            + self.denials.own.heap()
            + self.sources.heap()
            + self.clock.heap()
            + self.logins.capacity() * size_of::<u32>()
            + self.standing.heap()
    }
}
