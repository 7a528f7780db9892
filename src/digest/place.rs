//! A place of a credential: namespace, mount and role; and what a digest is narrowed to.

use crate::event::{Text, Timestamp};

/// Where credentials come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// `""` for the root namespace.
    pub namespace: Text,
    /// With the last slash.
    pub mount: Text,
    /// Empty where it is about the mount as a whole.
    pub role: Text,
}

/// What is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Counts begin here; what was before is known.
    pub since: Option<Timestamp>,
    /// Only this namespace; `root` is one too.
    pub namespace: Option<String>,
    /// Only this mount, with the last slash.
    pub mount: Option<String>,
    /// Only this role.
    pub role: Option<String>,
}

impl Scope {
    /// Whether something of that moment is told.
    pub(super) fn is_of_period(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since)
    }

    /// Whether something there is told; what has no role is not told of one.
    pub(super) fn holds(&self, namespace: &str, mount: &str, role: &str) -> bool {
        let namespace = if namespace.is_empty() { "root" } else { namespace };
        let is = |wanted: &Option<String>, name: &str| wanted.as_deref().is_none_or(|wanted| wanted == name);
        is(&self.namespace, namespace) && is(&self.mount, mount) && is(&self.role, role)
    }
}
