//! Outstanding leases, for a person: which of them, in what order, and how they are shown. Where
//! they come from is the command's business; single lease IDs are shown by `ids` alone.

mod filter;
mod group;
mod ids;
mod json;
mod notes;
mod text;
mod words;

pub(crate) use words::span;

pub use filter::{Filter, Is};
pub use group::By;
pub use ids::{Ids, ids};
pub use json::json;
pub use notes::notes;
pub use text::text;

use crate::event::Timestamp;
use crate::state::{Condition, LeaseView};

/// Leases at a moment.
#[derive(Debug)]
pub struct Leases {
    /// When they were so.
    pub as_of: Timestamp,
    /// What the reader should know of them: whether some may be missing, whether ends are estimated.
    pub notes: Vec<String>,
    /// The leases, in any order.
    pub leases: Vec<LeaseView>,
}

/// What to show of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// One row for each group.
    Summary(By),
    /// One row for each lease.
    List,
}

impl Leases {
    /// Keeps those that the filter lets through, the most urgent first.
    pub fn select(&mut self, filter: &Filter) {
        self.leases.retain(|lease| filter.lets_through(lease));
        self.leases.sort_by(|a, b| urgency(a).cmp(&urgency(b)));
    }
}

/// Stuck, retrying, overdue, then by end; those whose end is not known come last. The rest makes
/// the order the same every time.
fn urgency(lease: &LeaseView) -> impl Ord + '_ {
    let rank = match lease.condition {
        Condition::Stuck { .. } => 0,
        Condition::Retrying { .. } => 1,
        Condition::Overdue => 2,
        Condition::Live => 3,
    };
    let known = |at: Option<Timestamp>| (at.is_none(), at);
    let place = (&*lease.vault_namespace, &*lease.mount, &*lease.role);
    (rank, known(lease.ends), known(lease.issued), place, &lease.requester, &lease.id)
}

#[cfg(test)]
mod examples {
    //! Leases as a ledger might show them, for the tests of this folder.

    use super::{Condition, LeaseView, Leases, Timestamp};
    use crate::event::{Requester, RevocationTrouble};

    pub(super) fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_322_800 + secs)
    }

    pub(super) fn lease(role: &str, number: u32, issued: i64, ends: i64, condition: Condition) -> LeaseView {
        LeaseView {
            vault_namespace: "root".into(),
            mount: "database/".into(),
            engine: "database".into(),
            role: role.into(),
            id: Some(format!("database/creds/{role}/secret{number}")),
            issued: Some(at(issued)),
            ends: Some(at(ends)),
            requester: Some(Requester { entity: "ent-1".into(), display_name: "approle".into() }),
            condition,
        }
    }

    pub(super) fn leases() -> Leases {
        let retrying = Condition::Retrying {
            attempts: 3,
            next_attempt: Some(at(40)),
            cause: RevocationTrouble::Connection,
        };
        let mut foreign = lease("team", 6, -7_200, 86_400, Condition::Live);
        foreign.vault_namespace = "team-a".into();
        foreign.requester = Some(Requester { entity: "".into(), display_name: "kubernetes-web".into() });
        let mut adopted = lease("app", 5, 0, 0, Condition::Live);
        (adopted.issued, adopted.ends, adopted.requester, adopted.id) = (None, None, None, None);
        Leases {
            as_of: at(0),
            notes: vec!["Ends are estimated".to_owned()],
            leases: vec![
                lease("app", 1, -60, 540, Condition::Live),
                foreign,
                lease("app", 2, -3_700, -100, retrying),
                adopted,
                lease("app", 3, -90, 30, Condition::Live),
                lease("report", 4, -700, -20, Condition::Overdue),
                lease(
                    "app",
                    7,
                    -90_000,
                    -86_400,
                    Condition::Stuck { cause: RevocationTrouble::ObjectDependency },
                ),
            ],
        }
    }

    /// The numbers in the IDs, in their order; 0 for a lease without one.
    pub(super) fn numbers(leases: &Leases) -> Vec<u32> {
        let number = |lease: &LeaseView| {
            lease.id.as_ref().map_or(0, |id| id.rsplit_once("secret").unwrap().1.parse().unwrap())
        };
        leases.leases.iter().map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_urgent_come_first_whatever_the_order_before() {
        let mut leases = examples::leases();
        leases.select(&Filter::default());
        assert_eq!(examples::numbers(&leases), [7, 2, 4, 3, 1, 6, 0]);
        leases.leases.reverse();
        leases.select(&Filter::default());
        assert_eq!(examples::numbers(&leases), [7, 2, 4, 3, 1, 6, 0]);
    }
}
