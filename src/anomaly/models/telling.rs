//! Findings: what stands against a subject, said with how often such an hour occurs.

use super::calibration::Calibration;
use super::now::Now;
use super::standing::Standing;
use crate::anomaly::activity::{Activity, Place};
use crate::anomaly::evidence::Component;
use crate::anomaly::finding::{Class, Finding, Severity, SubjectView};
use crate::anomaly::score;
use crate::event::Text;

/// What a finding says beside the evidence.
pub struct About<'a> {
    /// Whose it is.
    pub view: &'a dyn Fn() -> SubjectView,
    /// What made it so; `None` for time alone.
    pub activity: Option<&'a Activity<'a>>,
    /// Where the metrics show it.
    pub place: Place,
    /// The role that it is about.
    pub role: &'a str,
    /// A rule's least severity.
    pub floor: Option<Severity>,
    /// The subject is known for two days.
    pub is_learnt: bool,
    /// It is what something broken does, whatever it looks like.
    pub is_broken: bool,
}

/// Says what stands, if it is stronger than what was said last, or if a rule wants it said.
pub fn tell(
    standing: &mut Standing,
    calibration: &Calibration,
    now: &Now,
    about: &About<'_>,
    findings: &mut Vec<Finding>,
) {
    let risen = standing.risen();
    let Some(combined) = risen.or_else(|| about.floor.map(|_| standing.combined())) else { return };
    let strength = calibration.strength(combined);
    let recurrence_days = calibration.recurrence_days(strength, now.hour);
    let score = score::of_recurrence(recurrence_days);
    if score <= 0.0 && about.floor.is_none() {
        return;
    }
    let evidence = standing.evidence();
    let operational = |component| matches!(component, Component::Operational | Component::Silence);
    let class = match evidence.first() {
        Some(first) if about.is_broken || operational(first.component) => Class::Operational,
        _ => Class::Security,
    };
    findings.push(Finding {
        at: now.at,
        subject: (about.view)(),
        evidence,
        strength,
        recurrence_days,
        score,
        class,
        floor: about.floor,
        place: about.place,
        namespace: Text::new(about.activity.map_or("", |activity| activity.namespace)),
        mount: Text::new(about.activity.map_or("", |activity| activity.mount)),
        role: Text::new(about.role),
        request: about.activity.and_then(|activity| activity.request),
        is_learnt: about.is_learnt,
    });
}
