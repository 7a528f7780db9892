//! Mounts: subjects of their own for what nobody in particular does there. Failures of what is
//! behind a mount are operational; refused logins and unknown tokens are, where one client that
//! the cluster knows repeats itself.

use super::askers::Askers;
use super::calibration::Calibration;
use super::cluster::Networks;
use super::faults::Faults;
use super::now::Now;
use super::sources::Ladder;
use super::standing::Standing;
use super::telling::{About, tell};
use crate::anomaly::activity::{Act, Activity};
use crate::anomaly::evidence::Component;
use crate::anomaly::finding::{Finding, SubjectKind, SubjectView};
use crate::anomaly::parameters as p;
use crate::event::Text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Faults of one kind at one mount.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Mount {
    #[serde(default)]
    faults: Faults,
    #[serde(default)]
    askers: Askers,
    #[serde(default)]
    standing: Standing,
}

/// Every mount that something went wrong at, by namespace and path, and by kind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Mounts {
    #[serde(default)]
    all: BTreeMap<u64, Mount>,
}

fn key(activity: &Activity<'_>, kind: u64) -> u64 {
    let seeded = |text: &str, seed| xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), seed);
    seeded(activity.mount, seeded(activity.namespace, p::SEED ^ kind))
}

/// What tells the kinds of a mount's faults from each other.
const fn kind(component: Component) -> u64 {
    match component {
        Component::Operational => 2,
        Component::FailedLogins => 3,
        _ => 4,
    }
}

/// What logs in there is short enough to be guessed: names and passwords that people choose.
fn takes_passwords(engine: &str) -> bool {
    matches!(engine, "userpass" | "ldap" | "radius" | "okta")
}

impl Mounts {
    /// A login failed there, or a token was not known. `began`: the hour since which anything is seen.
    /// `networks`: of the cluster, unless addresses mean nothing.
    pub fn refused(
        &mut self,
        activity: &Activity<'_>,
        now: (&Now, i32),
        networks: Option<&Networks>,
        calibration: &Calibration,
        findings: &mut Vec<Finding>,
    ) {
        let is_login = matches!(activity.act, Act::LoginFailed);
        let component = if is_login { Component::FailedLogins } else { Component::UnknownTokens };
        // Nobody finds a token, a secret ID or a signature by trying.
        let can_be_guessed = is_login && takes_passwords(activity.engine);
        let networks = networks.filter(|_| !can_be_guessed);
        self.fault(activity, now, component, networks, calibration, findings);
    }

    /// What is behind it failed. `began`: the hour since which anything is seen.
    pub fn failed(
        &mut self,
        activity: &Activity<'_>,
        now: (&Now, i32),
        calibration: &Calibration,
        findings: &mut Vec<Finding>,
    ) {
        self.fault(activity, now, Component::Operational, None, calibration, findings);
    }

    /// One fault. Where `networks` are given, one address in one of them that has nearly all is a
    /// client of ours that goes on trying.
    fn fault(
        &mut self,
        activity: &Activity<'_>,
        (now, began): (&Now, i32),
        component: Component,
        networks: Option<&Networks>,
        calibration: &Calibration,
        findings: &mut Vec<Finding>,
    ) {
        let key = key(activity, kind(component));
        if self.all.len() >= p::MOUNTS && !self.all.contains_key(&key) {
            return;
        }
        let mount = self.all.entry(key).or_default();
        // Who asks of a database that is away is everybody.
        let is_refused = component != Component::Operational;
        if is_refused {
            mount.askers.add(now.hour, activity.source);
        }
        let Some(mut evidence) = mount.faults.add(now, began, component) else { return };
        if is_refused {
            evidence.detail = Text::from(mount.askers.words());
        }
        mount.standing.raise(now.secs, evidence);
        let is_ours = |networks: &Networks| {
            let asker = mount.askers.nearly_all();
            asker.is_some_and(|asker| networks.is_known(Ladder::of(asker).rungs[2]))
        };
        let view = || SubjectView {
            key,
            // Of what is sent to no real mount, none is the subject.
            kind: if activity.mount.starts_with('(') { SubjectKind::Cluster } else { SubjectKind::Mount },
            namespace: Text::new(activity.namespace),
            mount: Text::new(activity.mount),
            ..SubjectView::default()
        };
        let role = "";
        let about = About {
            view: &view,
            activity: Some(activity),
            place: activity.place,
            role,
            floor: None,
            is_learnt: true,
            is_broken: networks.is_some_and(is_ours),
        };
        tell(&mut mount.standing, calibration, now, &about, findings);
    }

    /// Whether something is wrong at a mount now, so that clients will be back all at once.
    pub fn is_troubled(&self, activity: &Activity<'_>) -> bool {
        let mount = self.all.get(&key(activity, kind(Component::Operational)));
        mount.is_some_and(|mount| mount.faults.last_hour() >= p::TROUBLED)
    }
}
