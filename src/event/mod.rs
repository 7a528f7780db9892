//! The vocabulary: what can have happened, as plain types. Imports nothing of ours.
//!
//! `audit`, `serverlog` and `observed` make events out of lines; `pipeline`
//! puts them in order; `state` and `anomaly` fold them into numbers.

mod observation;
mod time;

pub use observation::{Fact, MountClass, MountFact, OWN_MARKER_PREFIX, Observation, RoleFact};
pub use time::Timestamp;
