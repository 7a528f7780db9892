//! A filter: which leases a person asked about.

use crate::state::{Condition, LeaseView};

/// Which leases; everything that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Namespace, `root` or a path; slashes at its ends do not matter.
    pub namespace: Option<String>,
    /// Mount relative to its namespace; slashes at its ends do not matter.
    pub mount: Option<String>,
    /// Role, as metrics show it.
    pub role: Option<String>,
    /// Entity ID or display name of whoever asked.
    pub requester: Option<String>,
    /// One of these; any where there are none.
    pub conditions: Vec<Is>,
}

/// How a lease is, without its details.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Is {
    /// Presumed irrevocable.
    Stuck,
    /// Vault will try again to revoke it.
    Retrying,
    /// Past its TTL without a word of its end.
    Overdue,
    /// Within its TTL.
    Live,
}

impl Is {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Stuck, Self::Retrying, Self::Overdue, Self::Live];

    /// How a lease is.
    pub fn of(condition: &Condition) -> Self {
        match condition {
            Condition::Stuck { .. } => Self::Stuck,
            Condition::Retrying { .. } => Self::Retrying,
            Condition::Overdue => Self::Overdue,
            Condition::Live => Self::Live,
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Retrying => "retrying",
            Self::Overdue => "overdue",
            Self::Live => "live",
        }
    }
}

impl Filter {
    /// Whether it asks for all leases there are.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a lease is one of them.
    pub fn lets_through(&self, lease: &LeaseView) -> bool {
        let path = |wanted: &Option<String>, is: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.trim_matches('/') == is.trim_matches('/'))
        };
        let namespace = self.namespace.as_ref().map(|namespace| match namespace.trim_matches('/') {
            "" => "root".to_owned(),
            path => path.to_owned(),
        });
        path(&namespace, &lease.vault_namespace)
            && path(&self.mount, &lease.mount)
            && self.role.as_ref().is_none_or(|role| **role == *lease.role)
            && self.requester.as_ref().is_none_or(|wanted| {
                lease
                    .requester
                    .as_ref()
                    .is_some_and(|requester| requester.entity == *wanted || requester.display_name == *wanted)
            })
            && (self.conditions.is_empty() || self.conditions.contains(&Is::of(&lease.condition)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples;
    use super::*;

    fn left(filter: &Filter) -> Vec<u32> {
        let mut leases = examples::leases();
        leases.select(filter);
        examples::numbers(&leases)
    }

    #[test]
    fn every_filter_lets_through_what_it_says() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(left(&Filter { role: some("report"), ..Filter::default() }), [4]);
        assert_eq!(left(&Filter { namespace: some("team-a/"), ..Filter::default() }), [6]);
        for root in ["root", "", "/"] {
            assert_eq!(left(&Filter { namespace: some(root), ..Filter::default() }).len(), 6, "{root:?}");
        }
        for mount in ["database", "database/", "/database"] {
            assert_eq!(left(&Filter { mount: some(mount), ..Filter::default() }).len(), 7, "{mount}");
        }
        assert_eq!(left(&Filter { mount: some("data"), ..Filter::default() }), [0u32; 0]);
        assert_eq!(left(&Filter { requester: some("kubernetes-web"), ..Filter::default() }), [6]);
        assert_eq!(left(&Filter { requester: some("ent-1"), ..Filter::default() }), [7, 2, 4, 3, 1]);
        let conditions = vec![Is::Overdue, Is::Stuck];
        assert_eq!(left(&Filter { conditions, ..Filter::default() }), [7, 4]);
        let both = Filter { role: some("app"), conditions: vec![Is::Live], ..Filter::default() };
        assert_eq!(left(&both), [3, 1, 0]);
    }

    #[test]
    fn an_empty_filter_is_told() {
        assert!(Filter::default().is_empty());
        assert!(!Filter { conditions: vec![Is::Live], ..Filter::default() }.is_empty());
    }
}
