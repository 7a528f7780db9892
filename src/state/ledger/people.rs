//! The ledger for people: every outstanding lease by itself.

use super::Ledger;
use super::lease::NONE;
use super::names::id_of;
use super::view::LeaseView;
use crate::event::Timestamp;
use crate::state::labels::{Labels, RoleId};

impl Ledger {
    /// The leases outstanding at `as_of` in `most` places of the book from one on, and the place
    /// to go on from; those without an ID come with the first.
    pub(in crate::state) fn views_from(
        &self,
        labels: &Labels,
        as_of: Timestamp,
        from: u32,
        most: u32,
    ) -> (Vec<LeaseView>, Option<u32>) {
        let moment = self.moment(as_of);
        let mut views = Vec::new();
        let view = |role: RoleId, issued: Timestamp, requester: u32| {
            let [vault_namespace, mount, engine, role] = labels.role_values(role);
            move |id, ends, condition| LeaseView {
                vault_namespace,
                mount,
                engine,
                role,
                id,
                issued: (issued != NONE).then_some(issued),
                ends,
                requester: self.requesters.get(requester).cloned(),
                condition,
            }
        };
        let (to, end) = (from.saturating_add(most), self.leases.places());
        for lease in (from..to.min(end)).filter_map(|slot| self.leases.get(slot)) {
            // Issued between one page and the next.
            if lease.issued != NONE && lease.issued > as_of {
                continue;
            }
            self.one(moment, lease, |lease, _, condition, _, end| {
                let of = view(lease.role, lease.issued, lease.requester);
                views.push(of(id_of(&self.forms, lease), end, condition));
            });
        }
        if from == 0 {
            self.each_anonymous(moment, |lease, role, condition, _, end| {
                views.push(view(role, lease.issued, lease.requester)(None, end, condition));
            });
        }
        (views, (to < end).then_some(to))
    }
}
