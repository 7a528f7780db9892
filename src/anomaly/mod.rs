//! Anomalies: what clients do, held against what they usually do. Pure: no IO,
//! no clock; the same activities in the same order give the same episodes.
//!
//! ```text
//!  Activity ─► models ─► Finding ─► episodes ─► metrics, /api/episodes, reports
//! ```

mod activity;
mod baseline;
pub mod episodes;
mod evidence;
mod finding;
pub mod models;
mod parameters;
pub mod score;
mod settings;
mod stat;

pub use activity::{Act, Activity, Place};
pub use baseline::{Baseline, NoBaseline};
pub use episodes::{Acknowledgement, Episode, EpisodeId, News, Which};
pub use evidence::{Component, Evidence, STRENGTH_MOST};
pub use finding::{Class, Finding, Severity, SubjectKind, SubjectView};
pub use settings::{Mode, Settings};

use crate::event::Timestamp;
use episodes::Episodes;
use models::Models;
use serde::{Deserialize, Serialize};

/// What is usual, and what is not. A clone shares what is large, until it changes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Anomalies {
    #[serde(default)]
    models: Models,
    #[serde(default)]
    episodes: Episodes,
    /// A baseline has taught what happened until then: it is not to be learnt twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learnt_until: Option<Timestamp>,
    #[serde(skip)]
    settings: Settings,
    /// Room for what the models say next.
    #[serde(skip)]
    findings: Vec<Finding>,
}

impl Anomalies {
    /// Nothing learnt yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            models: Models::new(&settings),
            episodes: Episodes::new(&settings),
            learnt_until: None,
            settings,
            findings: Vec::new(),
        }
    }

    /// To be called after loading: sets what is configured now.
    pub fn restore(&mut self, settings: Settings) {
        self.settings = settings;
        self.models.restore(&settings);
        self.episodes.restore(&settings);
    }

    /// Somebody did something.
    pub fn see(&mut self, activity: &Activity<'_>) {
        if self.is_off(activity.at) {
            return;
        }
        self.episodes.learnt_since(activity.at);
        self.models.see(activity, &mut self.findings);
        self.tell();
    }

    /// Event time passes.
    pub fn advance(&mut self, from: Timestamp, to: Timestamp) {
        if self.is_off(to) {
            return;
        }
        self.models.advance(from, to, &mut self.findings);
        self.tell();
        self.episodes.advance(to);
    }

    /// Lines of an audit log were lost before then: nobody's silence means anything.
    pub fn gap(&mut self, at: Timestamp) {
        self.models.gap(at);
    }

    /// Somebody vouches for an episode.
    pub fn acknowledge(&mut self, id: EpisodeId, said: Acknowledgement) {
        if let Some(subject) = self.episodes.acknowledge(id, said) {
            self.models.acknowledge(subject);
        }
    }

    /// What has happened to episodes since this was last asked.
    pub fn take_news(&mut self) -> Vec<News> {
        self.episodes.take_news()
    }

    /// The episodes.
    pub fn episodes(&self) -> &Episodes {
        &self.episodes
    }

    /// The models.
    pub fn models(&self) -> &Models {
        &self.models
    }

    /// How anomalies are scored.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn is_off(&self, at: Timestamp) -> bool {
        self.settings.mode == Mode::Off || self.learnt_until.is_some_and(|until| at <= until)
    }

    fn tell(&mut self) {
        for finding in self.findings.drain(..) {
            self.episodes.take(finding);
        }
    }
}
