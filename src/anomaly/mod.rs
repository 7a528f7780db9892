//! Anomalies: what clients do, held against what they usually do. Pure: no IO,
//! no clock; the same activities in the same order give the same episodes.
//!
//! ```text
//!  Activity ─► models ─► Finding ─► episodes ─► metrics, /api/episodes, reports
//! ```

mod activity;
pub mod episodes;
mod evidence;
mod finding;
pub mod models;
pub mod score;
mod settings;

pub use activity::{Act, Activity, Place};
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
        if self.settings.mode == Mode::Off {
            return;
        }
        self.models.see(activity, &mut self.findings);
        self.tell();
    }

    /// Event time passes.
    pub fn advance(&mut self, from: Timestamp, to: Timestamp) {
        if self.settings.mode == Mode::Off {
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

    /// The episodes.
    pub fn episodes(&self) -> &Episodes {
        &self.episodes
    }

    /// The models.
    pub fn models(&self) -> &Models {
        &self.models
    }

    fn tell(&mut self) {
        for finding in self.findings.drain(..) {
            self.episodes.take(finding);
        }
    }
}
