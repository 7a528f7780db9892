//! A record: one episode as it is kept, and how a finding makes it grow.

use super::acknowledgement::Acknowledgement;
use crate::anomaly::{Class, Component, Evidence, Finding, Place, Severity, SubjectView, score};
use crate::event::{Text, Timestamp};
use serde::{Deserialize, Serialize};

/// Request IDs that are kept as samples.
const SAMPLES: usize = 5;
/// Samples that stay from the beginning; the others are of later rises.
const FIRST_SAMPLES: usize = 2;
/// Mounts and roles that are kept.
const TOUCHED: usize = 32;
/// Rises that are kept.
const RISES: usize = 64;
/// By how much it must have risen to be kept as another rise.
const RISE: f64 = 2.0;
/// A gauge has fallen to half of its height after so many seconds without more.
const HALF_LIFE_SECS: f64 = 1_800.0;

/// One episode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) subject: SubjectView,
    pub(super) opened: Timestamp,
    /// The last finding that belongs to it.
    pub(super) updated: Timestamp,
    /// When it came to its highest score.
    pub(super) raised: Timestamp,
    #[serde(default)]
    pub(super) closed: Option<Timestamp>,
    /// Its score when it was over: what came later was told to nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<f64>,
    /// After it was over: the last time that its level had not fallen back yet.
    #[serde(default)]
    pub(super) lasted: Option<Timestamp>,
    /// The highest.
    pub(super) score: f64,
    /// Of that score.
    pub(super) recurrence_days: f64,
    /// Nothing as rare can have been seen in so short a past.
    #[serde(default)]
    pub(super) is_beyond: bool,
    pub(super) severity: Severity,
    pub(super) class: Class,
    /// A rule made the severity what it is, not the score.
    #[serde(default)]
    pub(super) by_rule: bool,
    #[serde(default)]
    pub(super) is_learnt: bool,
    /// Each component at its strongest, the strongest first.
    pub(super) held: Vec<Held>,
    pub(super) rises: Vec<(Timestamp, f64)>,
    #[serde(default)]
    pub(super) samples: Vec<Text>,
    #[serde(default)]
    pub(super) touched: Vec<Touched>,
    /// What the highest score was about, as a place in `touched`.
    #[serde(default)]
    pub(super) about: Option<usize>,
    /// The last score, from which the gauge decays.
    pub(super) level: f64,
    pub(super) level_at: Timestamp,
    #[serde(default)]
    pub(super) acknowledged: Option<Acknowledgement>,
    /// Days of the past that it was held against.
    pub(super) history_days: f64,
}

/// What one component said at its strongest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    #[serde(flatten)]
    pub(super) evidence: Evidence,
    /// The score that it would have alone.
    pub(super) score: f64,
}

/// A mount or role that an episode was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Touched {
    pub(super) place: Place,
    pub(super) namespace: Text,
    pub(super) mount: Text,
    pub(super) role: Text,
}

/// What a finding is worth under the settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Worth {
    pub(super) score: f64,
    pub(super) severity: Severity,
    /// The severity is a rule's.
    pub(super) by_rule: bool,
}

impl Record {
    /// Begins with a finding.
    pub(super) fn new(finding: &Finding, worth: Worth, began: Timestamp) -> Self {
        let at = finding.at;
        let mut record = Self {
            subject: finding.subject.clone(),
            opened: at,
            updated: at,
            raised: at,
            closed: None,
            told: None,
            lasted: None,
            score: worth.score,
            recurrence_days: 0.0,
            is_beyond: false,
            severity: worth.severity,
            class: finding.class,
            by_rule: worth.by_rule,
            is_learnt: finding.is_learnt,
            held: Vec::new(),
            rises: vec![(at, worth.score)],
            samples: Vec::new(),
            touched: Vec::new(),
            about: None,
            level: worth.score,
            level_at: at,
            acknowledged: None,
            history_days: 0.0,
        };
        record.rise(finding, worth, began);
        record.merge(finding);
        record
    }

    /// Goes on with a finding. True if the severity rose.
    pub(super) fn grow(&mut self, finding: &Finding, worth: Worth, began: Timestamp) -> bool {
        self.updated = self.updated.max(finding.at);
        self.level = self.level_at(finding.at).max(worth.score);
        self.level_at = finding.at;
        if finding.class == Class::Security {
            self.class = Class::Security;
        }
        let rises = worth.score > self.score;
        self.merge(finding);
        if rises {
            self.rise(finding, worth, began);
        }
        let more = worth.severity > self.severity;
        if more {
            (self.severity, self.by_rule) = (worth.severity, worth.by_rule);
        }
        more
    }

    /// It is over.
    pub(super) fn close(&mut self, at: Timestamp) {
        self.closed = Some(at);
        self.told = Some(self.score);
    }

    /// The highest score that anybody was told of.
    pub(super) fn told(&self) -> f64 {
        self.told.unwrap_or(self.score)
    }

    fn rise(&mut self, finding: &Finding, worth: Worth, began: Timestamp) {
        self.score = worth.score;
        self.raised = finding.at;
        self.recurrence_days = finite(finding.recurrence_days);
        self.is_learnt = finding.is_learnt;
        self.history_days = days(finding.at.nanos_since(began));
        self.is_beyond = self.score > BEYOND || self.recurrence_days > self.history_days;
        let last = self.rises.last().map_or(f64::MIN, |(_, score)| *score);
        if worth.score >= last + RISE {
            if self.rises.len() == RISES {
                self.rises.remove(RISES / 2);
            }
            self.rises.push((finding.at, worth.score));
        }
        if let Some(request) = finding.request {
            let request = Text::from(request.to_string());
            if !self.samples.contains(&request) {
                if self.samples.len() == SAMPLES {
                    self.samples.remove(FIRST_SAMPLES);
                }
                self.samples.push(request);
            }
        }
        self.touch(finding);
        if !finding.mount.is_empty() {
            self.about = self.touched.iter().position(|touched| touched.is_of(finding));
        }
    }

    /// Each component at its strongest, whatever the whole is worth.
    fn merge(&mut self, finding: &Finding) {
        if self.samples.len() < FIRST_SAMPLES
            && let Some(request) = finding.request.map(|request| Text::from(request.to_string()))
            && !self.samples.contains(&request)
        {
            self.samples.push(request);
        }
        self.touch(finding);
        for evidence in &finding.evidence {
            let held = Held { evidence: sane(evidence), score: alone(evidence, finding) };
            match self.held.iter_mut().find(|held| held.evidence.component == evidence.component) {
                Some(before) if before.evidence.strength < held.evidence.strength => *before = held,
                Some(_) => {}
                None => self.held.push(held),
            }
        }
        self.held.sort_by(|a, b| {
            let by_strength = b.evidence.strength.total_cmp(&a.evidence.strength);
            by_strength.then(a.evidence.component.cmp(&b.evidence.component))
        });
    }

    fn touch(&mut self, finding: &Finding) {
        let known = self.touched.iter().any(|touched| touched.is_of(finding));
        if finding.mount.is_empty() || known || self.touched.len() == TOUCHED {
            return;
        }
        self.touched.push(Touched {
            place: finding.place,
            namespace: finding.namespace.clone(),
            mount: finding.mount.clone(),
            role: finding.role.clone(),
        });
    }

    /// How high its gauge stands then, on the grid of seconds.
    pub(super) fn level_at(&self, at: Timestamp) -> f64 {
        let seconds = at.nanos_since(self.level_at).max(0) / 1_000_000_000;
        self.level * (-(seconds as f64) / HALF_LIFE_SECS).exp2()
    }

    /// Its components, with the one first that it rests on most: the rule, where a rule made the severity.
    pub(super) fn components(&self) -> impl Iterator<Item = &Held> {
        let is_rule = |held: &&Held| matches!(held.evidence.component, Component::Rule(_));
        let first = if self.by_rule { self.held.iter().position(|held| is_rule(&held)) } else { None };
        let others = self.held.iter().enumerate().filter(move |(place, _)| Some(*place) != first);
        first.and_then(|place| self.held.get(place)).into_iter().chain(others.map(|(_, held)| held))
    }

    /// What it rests on most, as a label says it.
    pub(super) fn component(&self) -> &'static str {
        self.components().next().map_or(UNNAMED, |held| held.evidence.component.name())
    }

    /// Somebody vouches for it, then.
    pub(super) fn is_vouched(&self, at: Timestamp) -> bool {
        self.acknowledged.as_ref().is_some_and(|acknowledged| acknowledged.expires > at)
    }

    /// The severity, as far as nobody vouches for it.
    pub(super) fn severity_at(&self, at: Timestamp) -> Severity {
        if self.is_vouched(at) { Severity::Info } else { self.severity }
    }
}

impl Touched {
    fn is_of(&self, finding: &Finding) -> bool {
        (&self.namespace, &self.mount, &self.role) == (&finding.namespace, &finding.mount, &finding.role)
    }
}

/// The component of an episode without evidence, which no model makes.
const UNNAMED: &str = "(unknown)";

/// Above this score no number of days or years is said: calibration does not reach so far.
const BEYOND: f64 = 60.0;

/// The score of a component alone: the strength that it lacks makes it so much more frequent. The
/// whole is calibrated and its parts are not: what calibration took from the whole it takes from them.
fn alone(evidence: &Evidence, finding: &Finding) -> f64 {
    let strongest = finding.evidence.iter().map(|one| finite(one.strength)).fold(0.0, f64::max);
    let part = if strongest > finding.strength { finite(finding.strength) / strongest } else { 1.0 };
    let days = finding.recurrence_days * 10f64.powf(finite(evidence.strength) * part - finding.strength);
    score::of_recurrence(finite(days)).min(finding.score)
}

/// JSON has no word for what is not a number.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { 0.0 }
}

fn sane(evidence: &Evidence) -> Evidence {
    Evidence {
        strength: finite(evidence.strength),
        observed: finite(evidence.observed),
        expected: finite(evidence.expected),
        upper: finite(evidence.upper),
        own_max: evidence.own_max.filter(|(value, _)| value.is_finite()),
        ..evidence.clone()
    }
}

fn days(nanos: i64) -> f64 {
    nanos.max(0) as f64 / 86_400e9
}
