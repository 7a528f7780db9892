//! Baselines: what people use today, fed with the same entries and judged by the same rule. They
//! are as their descriptions say, and were not tuned for the simulator, nor against it.

mod count;
mod terms;
mod zscore;

use crate::measure::Alarm;
use leasewatch::event::Timestamp;
use std::net::IpAddr;

/// A request for a credential, whatever came of it, by a token that Vault knew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) at: Timestamp,
    /// Entity ID.
    pub(crate) subject: &'a str,
    /// Path of the role, with its mount.
    pub(crate) role: &'a str,
    pub(crate) source: Option<IpAddr>,
}

/// A detector of the plain kind.
pub(crate) trait Baseline {
    /// What the table calls it.
    fn name(&self) -> &'static str;
    /// Looks at one request. They come in the order of time.
    fn see(&mut self, asked: &Asked<'_>);
    /// All alarms.
    fn finish(self: Box<Self>) -> Vec<Alarm>;
}

/// All of them, new.
pub(crate) fn all() -> Vec<Box<dyn Baseline>> {
    vec![
        Box::new(count::Count::default()),
        Box::new(zscore::Zscore::hourly()),
        Box::new(zscore::Zscore::by_hour_of_day()),
        Box::new(terms::Terms::default()),
    ]
}
