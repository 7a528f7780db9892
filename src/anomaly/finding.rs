//! A finding: what the models say about a subject's current hour. `episodes`
//! makes a story of findings.

use super::activity::Place;
use super::evidence::Evidence;
use crate::event::{RequestId, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// How rare somebody's current hour has become.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// When it became so.
    pub at: Timestamp,
    /// Whose hour it is.
    pub subject: SubjectView,
    /// What speaks for it, strongest first; all of the current hour.
    pub evidence: Vec<Evidence>,
    /// All of it combined: `-log10 p`.
    pub strength: f64,
    /// Days between two such hours in this cluster.
    pub recurrence_days: f64,
    /// The same on the scale from 0 to 100.
    pub score: f64,
    /// What kind of thing it would be.
    pub class: Class,
    /// A rule asks for at least this, whatever the score.
    pub floor: Option<Severity>,
    /// Where the metrics show it.
    pub place: Place,
    /// Namespace of the mount that the request was about, `""` for the root one.
    pub namespace: Text,
    /// The mount that the request was about, for people; empty where time alone made it so.
    pub mount: Text,
    /// The role that the request was about, for people; empty where it was about none.
    pub role: Text,
    /// The request that made it so.
    pub request: Option<RequestId>,
    /// The models knew their subject well enough to be held to it.
    pub is_learnt: bool,
}

/// A subject, as people know it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectView {
    /// Its key: a hash of what identifies it, the same in every run.
    pub key: u64,
    /// What it is.
    pub kind: SubjectKind,
    /// Namespace, `""` for the root one.
    #[serde(default)]
    pub namespace: Text,
    /// Entity ID; empty where there is none.
    #[serde(default)]
    pub entity: Text,
    /// Display name of the token.
    #[serde(default)]
    pub display_name: Text,
    /// Role or user name of the auth method; empty where the token does not say.
    #[serde(default)]
    pub role: Text,
    /// Auth mount of a client, or the mount itself.
    #[serde(default)]
    pub mount: Text,
    /// Models that mean nothing for it, by their names, with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switched_off: Vec<(Text, Text)>,
}

/// What a subject is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// An entity.
    #[default]
    Entity,
    /// Tokens without an entity: auth mount, role and display name.
    Token,
    /// A mount: what nobody in particular does there.
    Mount,
    /// All of it.
    Cluster,
}

/// What kind of thing it would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Somebody may do what he should not.
    Security,
    /// Something may be broken.
    Operational,
}

/// How much somebody should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Kept, for whoever looks.
    Info,
    /// To be looked at some time.
    Notice,
    /// Rarer than the alarm budget: to be looked at now.
    Page,
}

impl Severity {
    /// Each of them, the least first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Notice, Self::Page];

    /// The label value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Page => "page",
        }
    }
}
