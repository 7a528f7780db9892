//! The metrics of episodes: how high, how many, from where on. Labels are made by whoever knows what a
//! place is called.

use super::Episodes;
use crate::anomaly::{Component, Mode, Place, Severity, score};
use crate::contract::anomaly::{EPISODE_EVICTIONS, EPISODES, OPEN_EPISODES, THRESHOLD};
use crate::event::Timestamp;
use crate::snapshot::Family;
use std::collections::BTreeMap;

/// The highest score of the episodes that are open, by place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Level {
    /// Of mounts, by their number.
    pub mounts: BTreeMap<u32, f64>,
    /// Of roles, by their number.
    pub roles: BTreeMap<u32, f64>,
}

impl Episodes {
    /// How high each place stands then: every half hour without more halves it.
    pub fn level(&self, as_of: Timestamp) -> Level {
        let mut level = Level::default();
        for record in self.open.values().filter_map(|id| self.records.get(id)) {
            if record.is_vouched(as_of) {
                continue;
            }
            let height = record.level_at(as_of);
            for Place { mount, role } in record.touched.iter().map(|touched| touched.place) {
                let of_mount = level.mounts.entry(mount).or_default();
                *of_mount = of_mount.max(height);
                if let Some(role) = role {
                    let of_role = level.roles.entry(role).or_default();
                    *of_role = of_role.max(height);
                }
            }
        }
        level
    }

    /// What needs no names of places; nothing where nothing is scored.
    pub fn families(&self, as_of: Timestamp) -> Vec<Family> {
        if self.settings.mode == Mode::Off {
            return Vec::new();
        }
        let mut open: BTreeMap<&str, [u32; 3]> = BTreeMap::new();
        for record in self.open.values().filter_map(|id| self.records.get(id)) {
            open.entry(record.component()).or_default()[record.severity_at(as_of) as usize] += 1;
        }
        let [mut opened, mut total, mut threshold, mut evictions] =
            [&OPEN_EPISODES, &EPISODES, &THRESHOLD, &EPISODE_EVICTIONS].map(Family::new);
        let unnamed = self.totals.keys().map(String::as_str).filter(|name| !Component::NAMES.contains(name));
        for component in Component::NAMES.into_iter().chain(unnamed) {
            for severity in Severity::ALL {
                let place = severity as usize;
                let now = open.get(component).map_or(0, |counts| counts[place]);
                opened.number([component, severity.name()], f64::from(now));
                let so_far = self.totals.get(component).map_or(0, |counts| counts[place]);
                total.count([component, severity.name()], so_far);
            }
        }
        for severity in [Severity::Notice, Severity::Page] {
            threshold.number([severity.name()], score::threshold(severity, self.settings.alarm_budget));
        }
        evictions.count::<&str>([], self.evicted);
        vec![opened, total, threshold, evictions]
    }
}
