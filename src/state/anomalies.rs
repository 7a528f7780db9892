//! The series of anomalies: what the scores say of places, under the labels of these.

use super::families::Out;
use super::labels::{Labels, MountId, RoleId};
use crate::anomaly::{Anomalies, Mode};
use crate::contract::anomaly as metric;
use crate::event::Timestamp;
use std::collections::BTreeMap;

/// Adds them; there are none where nothing is scored.
pub(super) fn families(anomalies: &Anomalies, labels: &Labels, as_of: Timestamp, out: &mut Out) {
    if anomalies.settings().mode == Mode::Off {
        return;
    }
    let (models, episodes) = (anomalies.models(), anomalies.episodes());
    for family in episodes.families(as_of) {
        let metric = family.metric;
        *out.family(metric) = family;
    }
    let level = episodes.level(as_of);
    // Several places can have the same labels: those that were given back, and the reserved ones.
    let mut of_roles = BTreeMap::new();
    for (role, score) in level.roles {
        let highest: &mut f64 = of_roles.entry(labels.role_values(RoleId::of_number(role))).or_default();
        *highest = highest.max(score);
    }
    let scores = out.family(&metric::SCORE);
    for (values, score) in of_roles {
        scores.number(values, score);
    }
    let mut of_mounts = BTreeMap::new();
    for (mount, score) in level.mounts {
        let [namespace, path, _] = labels.mount_values(MountId::of_number(mount));
        let highest: &mut f64 = of_mounts.entry([namespace, path]).or_default();
        *highest = highest.max(score);
    }
    let scores = out.family(&metric::MOUNT_SCORE);
    for (values, score) in of_mounts {
        scores.number(values, score);
    }
    let numbers = [
        (&metric::SUBJECTS, models.subjects() as f64),
        (&metric::LEARNING_SUBJECTS, models.learning() as f64),
        (&metric::SOURCE_MODEL_DISABLED, f64::from(u8::from(models.source_model_is_off()))),
    ];
    for (metric, value) in numbers {
        out.family(metric).number::<&str>([], value);
    }
    out.family(&metric::SUBJECT_EVICTIONS).count::<&str>([], models.evictions());
    let mut expected = Vec::new();
    for (id, role) in labels.real_roles() {
        let mount = labels.mount_of(id);
        let (namespace, path) = (labels.namespace_of(mount), labels.path_of(mount));
        if let Some(rates) = models.expected_rate(namespace, path, role, as_of) {
            expected.push((labels.role_values(id), rates));
        }
    }
    let usual = out.family(&metric::EXPECTED_RATE);
    for (values, (rate, _)) in &expected {
        usual.number(values.clone(), *rate);
    }
    let upper = out.family(&metric::EXPECTED_RATE_UPPER);
    for (values, (_, rate)) in expected {
        upper.number(values, rate);
    }
}
