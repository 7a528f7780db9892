//! The site: what the HTTP pages ask for. Whoever runs the pipeline gives it.

use super::check::InvalidSnapshot;
use super::overview::Overview;
use crate::anomaly::{Episode, Which};
use crate::event::Timestamp;

/// What the pages show. Methods may take a lock for a moment, but must not wait for input.
pub trait Site: Send + Sync + 'static {
    /// The text of `/metrics`. Called on a thread that may block.
    ///
    /// # Errors
    /// Why there is none at the moment.
    fn metrics(&self) -> Result<Vec<u8>, Unavailable>;

    /// What `/ready` still waits for; ready when empty.
    fn readiness(&self) -> Vec<Waiting>;

    /// What the page at `/` shows.
    fn overview(&self) -> Overview;

    /// The episodes that are asked for, in the order in which they opened, and the moment of that.
    fn episodes(&self, which: Which) -> (Timestamp, Vec<Episode>);

    /// Reads the configuration anew, and goes by it. Called on a thread that may block; ends when it is done.
    ///
    /// # Errors
    /// Why the configuration before it still holds.
    fn reload(&self) -> Result<(), String>;

    /// Whether pages may name clients at all, to those whom access lets see them.
    fn shows_names(&self) -> bool;
}

/// Why `/metrics` has nothing to show.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Not yet: until the replay has passed what the last page rested on, a counter could seem to fall.
    #[error("not yet: {0}")]
    NotYet(String),
    /// A page that Prometheus would reject.
    #[error(transparent)]
    Invalid(#[from] InvalidSnapshot),
}

/// One thing that is waited for, as a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting(pub String);
