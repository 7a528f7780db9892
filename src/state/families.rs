//! Families in the making: what the parts of the state add their series to.

use crate::snapshot::{Family, Metric};

/// The families of a snapshot, as they are made.
#[derive(Debug, Default)]
pub struct Out(Vec<Family>);

impl Out {
    /// A new family of this metric.
    pub fn family(&mut self, metric: &'static Metric) -> &mut Family {
        self.0.push(Family::new(metric));
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// The families by name, each with its series by labels.
    pub fn sorted(mut self) -> Vec<Family> {
        for family in &mut self.0 {
            family.series.sort_by(|a, b| a.labels.cmp(&b.labels));
        }
        self.0.sort_by_key(|family| family.metric.name);
        self.0
    }
}
