//! Mounts: subjects of their own for what nobody in particular does there. Failures of what is
//! behind a mount are operational; refused logins and unknown tokens are not.

use super::calibration::Calibration;
use super::faults::Faults;
use super::now::Now;
use super::standing::Standing;
use super::telling::{About, tell};
use crate::anomaly::activity::Activity;
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

impl Mounts {
    /// A login failed there, or a token was not known. `began`: the hour since which anything is seen.
    pub fn refused(
        &mut self,
        activity: &Activity<'_>,
        (now, began): (&Now, i32),
        calibration: &Calibration,
        findings: &mut Vec<Finding>,
    ) {
        self.fault(activity, (now, began), Component::FailedLogins, calibration, findings);
    }

    /// What is behind it failed. `began`: the hour since which anything is seen.
    pub fn failed(
        &mut self,
        activity: &Activity<'_>,
        (now, began): (&Now, i32),
        calibration: &Calibration,
        findings: &mut Vec<Finding>,
    ) {
        self.fault(activity, (now, began), Component::Operational, calibration, findings);
    }

    fn fault(
        &mut self,
        activity: &Activity<'_>,
        (now, began): (&Now, i32),
        component: Component,
        calibration: &Calibration,
        findings: &mut Vec<Finding>,
    ) {
        let kind = if component == Component::Operational { 2 } else { 3 };
        let key = key(activity, kind);
        if self.all.len() >= p::MOUNTS && !self.all.contains_key(&key) {
            return;
        }
        let mount = self.all.entry(key).or_default();
        let Some(mut evidence) = mount.faults.add(now, began, component) else { return };
        evidence.detail = Text::new(activity.mount);
        mount.standing.raise(now.secs, evidence);
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
        };
        tell(&mut mount.standing, calibration, now, &about, findings);
    }

    /// Whether something is wrong at a mount now, so that clients will be back all at once.
    pub fn is_troubled(&self, activity: &Activity<'_>) -> bool {
        self.all.get(&key(activity, 2)).is_some_and(|mount| mount.faults.last_hour() >= p::TROUBLED)
    }
}
