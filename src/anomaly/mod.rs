//! Anomalies: what clients do, held against what they usually do. Pure: no IO,
//! no clock; the same activities in the same order give the same episodes.
//!
//! ```text
//!  Activity ─► models ─► Finding ─► episodes ─► metrics, /api/episodes, reports
//! ```

mod activity;
mod evidence;
mod finding;
pub mod score;
mod settings;

pub use activity::{Act, Activity, Place};
pub use evidence::{Component, Evidence, STRENGTH_MOST};
pub use finding::{Class, Finding, Severity, SubjectKind, SubjectView};
pub use settings::{Mode, Settings};
