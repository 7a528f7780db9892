//! A group of leases: what they have in common, and how many are how.

use super::Is;
use crate::event::{RevocationTrouble, Text, Timestamp};
use crate::state::{Condition, LeaseView};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the leases of a group have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Namespace, mount and role.
    Role,
    /// Who asked for them.
    Requester,
}

/// What a group is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Namespace, mount, role.
    Role(Arc<str>, Arc<str>, Arc<str>),
    /// Display name and entity; `None`: the issue was not seen.
    Requester(Option<(Text, Text)>),
}

/// What its leases come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) leases: u64,
    pub(super) oldest: Option<Timestamp>,
    /// The next end of a lease that is within its TTL.
    pub(super) next_end: Option<Timestamp>,
    pub(super) overdue: u64,
    pub(super) retrying: u64,
    pub(super) stuck: u64,
    /// Why revocations failed, of those that retry or are stuck.
    pub(super) causes: BTreeMap<RevocationTrouble, u64>,
}

impl Group {
    fn add(&mut self, lease: &LeaseView) {
        let earlier = |a: Option<Timestamp>, b: Option<Timestamp>| a.into_iter().chain(b).min();
        self.leases += 1;
        self.oldest = earlier(self.oldest, lease.issued);
        match Is::of(&lease.condition) {
            Is::Stuck => self.stuck += 1,
            Is::Retrying => self.retrying += 1,
            Is::Overdue => self.overdue += 1,
            Is::Live => self.next_end = earlier(self.next_end, lease.ends),
        }
        if let Condition::Retrying { cause, .. } | Condition::Stuck { cause } = lease.condition {
            *self.causes.entry(cause).or_default() += 1;
        }
    }

    /// The commonest cause; of several the first of the contract.
    pub(super) fn top_cause(&self) -> Option<RevocationTrouble> {
        self.causes.iter().rev().max_by_key(|(_, count)| **count).map(|(cause, _)| *cause)
    }
}

/// The groups by their names.
pub(super) fn groups(leases: &[LeaseView], by: By) -> BTreeMap<Key, Group> {
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for lease in leases {
        let key = match by {
            By::Role => Key::Role(lease.vault_namespace.clone(), lease.mount.clone(), lease.role.clone()),
            By::Requester => Key::Requester(
                lease.requester.as_ref().map(|who| (who.display_name.clone(), who.entity.clone())),
            ),
        };
        groups.entry(key).or_default().add(lease);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::super::examples::{at, leases};
    use super::*;

    #[test]
    fn groups_add_up_to_their_leases() {
        let leases = leases().leases;
        for by in [By::Role, By::Requester] {
            let groups = groups(&leases, by);
            assert_eq!(groups.len(), 3, "{by:?}");
            assert_eq!(groups.values().map(|group| group.leases).sum::<u64>(), 7);
            assert_eq!(groups.values().map(|g| g.overdue + g.retrying + g.stuck).sum::<u64>(), 3);
        }
        let app = Key::Role("root".into(), "database/".into(), "app".into());
        let app = &groups(&leases, By::Role)[&app];
        assert_eq!((app.leases, app.overdue, app.retrying, app.stuck), (5, 0, 1, 1));
        assert_eq!((app.oldest, app.next_end), (Some(at(-90_000)), Some(at(30))));
        // Of two as common the first of the contract.
        assert_eq!(app.top_cause(), Some(RevocationTrouble::ObjectDependency));
    }
}
