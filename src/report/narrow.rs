//! A narrowed report: of one namespace, of one mount. What is not told apart by them is left out,
//! since its numbers would be those of all.

use crate::anomaly::Episode;
use crate::digest::Scope;
use crate::event::Timestamp;
use crate::snapshot::{Family, Value};
use crate::state::OTHER;

/// What a report is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// A namespace by its path, without those below it; `root` is one too.
    pub namespace: Option<String>,
    /// A mount by its path in its namespace, with the last slash.
    pub mount: Option<String>,
    /// A role by its name in the metrics.
    pub role: Option<String>,
}

/// What that means for a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// What it is narrowed to.
    pub to: Narrow,
    /// Metrics that are left out, though there are numbers of them.
    pub left_out: Vec<&'static str>,
    /// Some counts may belong to it and are not in it: there was no room for their mount's name.
    pub has_overflow: bool,
}

impl Narrow {
    /// As it was typed.
    pub fn new(namespace: Option<&str>, mount: Option<&str>, role: Option<&str>) -> Self {
        let namespace = namespace.map(|name| match name.trim_matches('/') {
            "" => "root".to_owned(),
            name => name.to_owned(),
        });
        let mount = mount.map(|path| format!("{}/", path.trim_matches('/')));
        Self { namespace, mount, role: role.map(str::to_owned) }
    }

    /// What a digest of it tells.
    pub fn scope(&self, since: Option<Timestamp>) -> Scope {
        let Self { namespace, mount, role } = self.clone();
        Scope { since, namespace, mount, role }
    }

    /// Nothing is left out.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// What there is of it.
    pub fn of(&self, mut families: Vec<Family>) -> Vec<Family> {
        families.retain(|family| self.tells_apart(family));
        for family in &mut families {
            let labels = family.metric.labels;
            family.series.retain(|series| {
                let is = |label: &str, wanted: &Option<String>| {
                    let place = labels.iter().position(|name| *name == label);
                    let value = place.and_then(|place| series.labels.get(place));
                    wanted.as_deref().is_none_or(|wanted| value.is_some_and(|value| **value == *wanted))
                };
                is("vault_namespace", &self.namespace) && is("mount", &self.mount) && is("role", &self.role)
            });
        }
        families
    }

    /// What it leaves out of these.
    pub fn told(&self, families: &[Family]) -> Narrowed {
        let is_there = |family: &&Family| family.series.iter().any(|series| is_something(&series.value));
        let left_out = families.iter().filter(is_there).filter(|family| !self.tells_apart(family));
        let has_overflow = families.iter().any(|family| {
            let place = family.metric.labels.iter().position(|name| *name == "mount");
            place.is_some_and(|place| {
                let of_others = |series: &&crate::snapshot::Series| *series.labels[place] == *OTHER;
                family.series.iter().filter(of_others).any(|series| is_something(&series.value))
            })
        });
        let left_out = left_out.map(|family| family.metric.name).collect();
        Narrowed { to: self.clone(), left_out, has_overflow }
    }

    /// Whether something there, by the names that the metrics have, is in it.
    pub fn holds(&self, namespace: &str, mount: &str, role: &str) -> bool {
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
        is(&self.namespace, namespace) && is(&self.mount, mount) && is(&self.role, role)
    }

    /// Whether an episode was about it.
    pub fn names(&self, episode: &Episode) -> bool {
        episode.touched.iter().any(|to| self.holds(&to.namespace, &to.mount, &to.role))
    }

    fn tells_apart(&self, family: &Family) -> bool {
        let has = |label: &str| family.metric.labels.contains(&label);
        (self.namespace.is_none() || has("vault_namespace"))
            && (self.mount.is_none() || has("mount"))
            && (self.role.is_none() || has("role"))
    }
}

impl Narrowed {
    /// It in words.
    pub fn sentences(&self) -> Vec<String> {
        let Narrow { namespace, mount, role } = &self.to;
        let parts = [("namespace", namespace), ("mount", mount), ("role", role)];
        let parts: Vec<_> = parts
            .iter()
            .filter_map(|(what, name)| Some(format!("the {what} {}", name.as_deref()?)))
            .collect();
        let mut told = vec![format!("of {} alone; lines of logs are those of all", parts.join(" and "))];
        if !self.left_out.is_empty() {
            told.push(format!(
                "left out, since these numbers are not told apart by that: {}",
                self.left_out.join(", ")
            ));
        }
        if self.has_overflow {
            told.push(
                "may lack counts: some are under (other), for whose mounts there was no room; raise --labels.budget"
                    .to_owned(),
            );
        }
        told
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Count(count) => *count > 0,
        Value::Number(number) => *number != 0.0,
        Value::Histogram(histogram) => histogram.counts.iter().any(|count| *count > 0),
    }
}
