//! Labels: what Prometheus adds to a series that it scrapes, such as `job` and `instance`. Samples of the
//! past need the same ones to be of the same series.

use crate::contract;
use std::collections::BTreeSet;

/// Labels that every sample gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(pub(super) Vec<(String, String)>);

impl Labels {
    /// These labels, in this order.
    ///
    /// # Errors
    /// With what is wrong and what to do: a name that Prometheus has no place for, one that a metric of
    /// ours has itself, one that comes twice, an empty value.
    pub fn new(pairs: Vec<(String, String)>) -> Result<Self, (String, String)> {
        let mut names = BTreeSet::new();
        for (name, value) in &pairs {
            let is_word = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !is_word {
                return Err((
                    format!("{name:?} is no name of a label"),
                    "Write letters, digits and underscores, no digit first".to_owned(),
                ));
            }
            if name.starts_with("__") {
                return Err((
                    format!("{name} is one of Prometheus' own: it begins with two underscores"),
                    "Choose another name".to_owned(),
                ));
            }
            let owner = contract::all().find(|metric| metric.labels.contains(&name.as_str()));
            if let Some(owner) = owner {
                return Err((
                    format!("{name} is a label of {} itself", owner.name),
                    "Choose another name, as it is in Prometheus' configuration".to_owned(),
                ));
            }
            if name == "le" {
                return Err((
                    "le is the bound of a histogram's bucket".to_owned(),
                    "Choose another name".to_owned(),
                ));
            }
            if value.is_empty() {
                return Err((
                    format!("{name} is empty, and an empty label is none"),
                    "Write a value, or leave it out".to_owned(),
                ));
            }
            if !names.insert(name) {
                return Err((format!("{name} comes twice"), "Leave one of them out".to_owned()));
            }
        }
        Ok(Self(pairs))
    }

    /// Samples with these can be of a series that Prometheus scrapes.
    pub fn join(&self) -> bool {
        ["job", "instance"].iter().all(|wanted| self.0.iter().any(|(name, _)| name == wanted))
    }
}
