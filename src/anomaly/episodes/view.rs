//! An episode as people and programs read it: `GET /api/episodes`, `analyze --format json`, `leasewatch
//! episodes`. The names of its fields are stable; what is not known is absent.

use super::acknowledgement::Acknowledgement;
use super::id::EpisodeId;
use super::record::{Held, Record, Touched};
use super::{Episodes, rfc3339, words};
use crate::anomaly::{Class, Severity, SubjectKind};
use crate::event::Timestamp;
use serde::{Deserialize, Serialize};

/// One episode. Names of clients are in `subject`, `summary`, `samples` and in the texts of `components`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Its ID, the same wherever the same logs are read.
    pub id: EpisodeId,
    /// When it began.
    #[serde(with = "rfc3339")]
    pub opened_at: Timestamp,
    /// The last thing that belongs to it.
    #[serde(with = "rfc3339")]
    pub updated_at: Timestamp,
    /// When it was over; `None` while it is not.
    #[serde(with = "rfc3339::option", default)]
    pub closed_at: Option<Timestamp>,
    /// Whom it is about.
    pub subject: SubjectOf,
    /// 0 to 100: how rarely such an hour comes.
    pub score: f64,
    /// How much somebody should care.
    pub severity: Severity,
    /// A rule made the severity, not the score.
    pub by_rule: bool,
    /// What kind of thing it would be.
    pub class: Class,
    /// How rarely, as a sentence.
    pub recurrence: String,
    /// All of it in a few sentences, to be read aloud.
    pub summary: String,
    /// The past is long enough for the subject to be held to it.
    pub learnt: bool,
    /// What speaks for it, the strongest first.
    pub components: Vec<ComponentView>,
    /// IDs of a few of its requests, to be found in the audit log.
    pub samples: Vec<String>,
    /// Mounts and roles that it was about.
    pub touched: Vec<TouchedView>,
    /// How its score rose.
    pub raised: Vec<Rise>,
    /// Who vouches for it.
    #[serde(default)]
    pub acknowledged: Option<Acknowledgement>,
}

/// Whom an episode is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectOf {
    /// What it is.
    pub kind: SubjectKind,
    /// Entity ID.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub entity_id: String,
    /// Display name of the token.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// Role or user name of the auth method.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// Its namespace; `root` is one too.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Auth mount of a client, or the mount itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mount: String,
    /// Models that mean nothing for it, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switched_off: Vec<(String, String)>,
}

/// What one model says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentView {
    /// Which model.
    pub name: String,
    /// What was seen.
    pub observed: f64,
    /// What is usual: the median, in the same unit.
    pub expected: f64,
    /// What is exceeded once in a thousand times, in the same unit.
    pub upper: f64,
    /// The score that it would have alone.
    pub score: f64,
    /// The most that this subject ever had, and when.
    #[serde(default)]
    pub own_max: Option<OwnMax>,
    /// When this was last seen of the subject.
    #[serde(with = "rfc3339::option", default)]
    pub last_seen: Option<Timestamp>,
    /// How many of how many of its peers do this.
    #[serde(default)]
    pub peers: Option<(u32, u32)>,
    /// `unseen`, `rare`, `infrequent` or `frequent`.
    pub word: String,
    /// The role, network or operation that it is about.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// All of it as a sentence.
    pub text: String,
}

/// The most that a subject ever had.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnMax {
    /// How much.
    pub value: f64,
    /// When.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
}

/// A mount or role that an episode was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TouchedView {
    /// `root` or the path without the last slash.
    pub namespace: String,
    /// Path of the mount with the last slash.
    pub mount: String,
    /// The role, where it was about one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
}

/// How high it came when.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rise {
    /// When.
    #[serde(with = "rfc3339")]
    pub at: Timestamp,
    /// How high.
    pub score: f64,
}

/// Which episodes are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Which {
    /// Those with at least this score; without one, those that are at least a notice.
    pub min_score: Option<f64>,
    /// Those of which something came then or later.
    pub since: Option<Timestamp>,
    /// Those that are not over.
    pub open: bool,
}

impl Which {
    /// Sets one by its name as a parameter: `min_score`, `since`, `open`. False if that means nothing.
    pub fn set(&mut self, name: &str, text: &str) -> bool {
        match name {
            "min_score" => {
                self.min_score = text.parse().ok().filter(|score| (0.0..=100.0).contains(score));
                self.min_score.is_some()
            }
            "since" => {
                self.since = Timestamp::parse_rfc3339(text);
                self.since.is_some()
            }
            "open" => {
                self.open = text == "true";
                matches!(text, "true" | "false")
            }
            _ => false,
        }
    }
}

impl Episodes {
    /// The episodes that are asked for, in the order in which they opened.
    pub fn list(&self, which: Which) -> Vec<Episode> {
        let wanted = |record: &Record| {
            let worth = match which.min_score {
                Some(least) => record.score >= least,
                None => record.severity > Severity::Info,
            };
            worth
                && which.since.is_none_or(|since| record.updated >= since)
                && !(which.open && record.closed.is_some())
        };
        let mut found: Vec<_> = self.records.iter().filter(|(_, record)| wanted(record)).collect();
        found.sort_by_key(|(id, record)| (record.opened, **id));
        found.into_iter().map(|(id, record)| show(*id, record)).collect()
    }

    /// One episode.
    pub fn find(&self, id: EpisodeId) -> Option<Episode> {
        self.records.get(&id).map(|record| show(id, record))
    }
}

fn show(id: EpisodeId, record: &Record) -> Episode {
    let subject = &record.subject;
    Episode {
        id,
        opened_at: record.opened,
        updated_at: record.updated,
        closed_at: record.closed,
        subject: SubjectOf {
            kind: subject.kind,
            entity_id: subject.entity.to_string(),
            display_name: subject.display_name.to_string(),
            role: subject.role.to_string(),
            namespace: root(&subject.namespace),
            mount: subject.mount.to_string(),
            switched_off: subject
                .switched_off
                .iter()
                .map(|(name, why)| (name.to_string(), why.to_string()))
                .collect(),
        },
        score: record.score,
        severity: record.severity,
        by_rule: record.by_rule,
        class: record.class,
        recurrence: words::recurrence(record),
        summary: words::summary(record),
        learnt: record.is_learnt,
        components: record.components().map(component).collect(),
        samples: record.samples.iter().map(ToString::to_string).collect(),
        touched: record.touched.iter().map(touched).collect(),
        raised: record.rises.iter().map(|(at, score)| Rise { at: *at, score: *score }).collect(),
        acknowledged: record.acknowledged.clone(),
    }
}

fn component(held: &Held) -> ComponentView {
    let evidence = &held.evidence;
    ComponentView {
        name: evidence.component.name().to_owned(),
        observed: evidence.observed,
        expected: evidence.expected,
        upper: evidence.upper,
        score: held.score,
        own_max: evidence.own_max.map(|(value, at)| OwnMax { value, at }),
        last_seen: evidence.last_seen,
        peers: evidence.peers,
        word: words::rarity(evidence).to_owned(),
        detail: evidence.detail.to_string(),
        text: words::component(evidence),
    }
}

fn touched(touched: &Touched) -> TouchedView {
    TouchedView {
        namespace: root(&touched.namespace),
        mount: touched.mount.to_string(),
        role: touched.role.to_string(),
    }
}

/// The root namespace has a name here.
fn root(namespace: &str) -> String {
    if namespace.is_empty() { "root".to_owned() } else { namespace.to_owned() }
}
