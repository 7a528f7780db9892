//! An acknowledgement: somebody vouches for an episode, for a time. The same cause is expected until
//! then; a new one, or the same ten times as rare, is not.

use super::record::{Held, Record};
use crate::anomaly::{Component, Finding};
use crate::event::{Text, Timestamp};
use serde::{Deserialize, Serialize};

/// By how much stronger (`-log10 p`) the same has to be to count as something else.
const DECADE: f64 = 1.0;

/// Somebody vouches for an episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// When he said so.
    #[serde(with = "super::rfc3339")]
    pub at: Timestamp,
    /// Who.
    pub author: String,
    /// Why it is no reason to worry.
    pub reason: String,
    /// Until when the same is expected again.
    #[serde(with = "super::rfc3339")]
    pub expires: Timestamp,
}

/// An acknowledgement, with what it covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Vouch {
    pub(super) episode: u64,
    pub(super) said: Acknowledgement,
    /// Subject and components, where the episode was known.
    pub(super) cause: Option<Cause>,
}

/// What an episode rests on, to tell whether another finding says more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cause {
    pub(super) subject: u64,
    components: Vec<(Component, f64, Text)>,
}

impl Cause {
    pub(super) fn of(record: &Record) -> Self {
        let of =
            |Held { evidence, .. }: &Held| (evidence.component, evidence.strength, evidence.detail.clone());
        Self { subject: record.subject.key, components: record.held.iter().map(of).collect() }
    }

    /// Of this, what goes on for days: a level that has changed.
    pub(super) fn lasting(mut self) -> Self {
        self.components.retain(|(component, ..)| *component == Component::Slow);
        self
    }

    /// The finding says nothing that is new against this, nor says it ten times as loudly.
    pub(super) fn explains(&self, finding: &Finding) -> bool {
        self.covers(finding, |component| component == Component::Slow)
    }

    /// The same of what follows within hours: what is counted for a day still grows then.
    pub(super) fn explains_soon(&self, finding: &Finding) -> bool {
        self.covers(finding, |component| {
            matches!(component, Component::Slow | Component::Burst1d | Component::UnknownPaths)
        })
    }

    /// Of those that `grow`, the strength says how long it has gone on, and not how much it is.
    fn covers(&self, finding: &Finding, grow: impl Fn(Component) -> bool) -> bool {
        self.subject == finding.subject.key
            && finding.evidence.iter().all(|evidence| {
                let component = evidence.component;
                let same = self.components.iter().find(|(known, ..)| *known == component);
                // What is as weak as that is in every hour; a rule has no strength at all.
                (evidence.strength < DECADE && !matches!(component, Component::Rule(_)))
                    || same.is_some_and(|(_, strength, detail)| {
                        (grow(component) || evidence.strength < strength + DECADE)
                            && (!is_novelty(component) || key(detail) == key(&evidence.detail))
                    })
            })
    }
}

/// What tells a role or a network from another; behind a network may stand the address of the moment.
fn key(detail: &str) -> &str {
    detail.split(' ').next().unwrap_or_default()
}

/// Of these, another role or network is another thing.
const fn is_novelty(component: Component) -> bool {
    matches!(
        component,
        Component::NewRole
            | Component::NewSource
            | Component::NewSubject
            | Component::TwoNetworks
            | Component::UnwrappedElsewhere
            | Component::RoleListing
            | Component::Rule(_)
    )
}
