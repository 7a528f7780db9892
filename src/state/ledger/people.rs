//! The ledger for people: every outstanding lease by itself.

use super::Ledger;
use super::lease::NONE;
use super::names::id_of;
use super::view::LeaseView;
use crate::event::Timestamp;
use crate::state::labels::{Labels, RoleId};

impl Ledger {
    /// Every outstanding lease at `as_of`.
    pub(in crate::state) fn views(&self, labels: &Labels, as_of: Timestamp) -> Vec<LeaseView> {
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
        self.each(moment, |lease, _, condition, _, end| {
            let of = view(lease.role, lease.issued, lease.requester);
            views.push(of(id_of(&self.forms, lease), end, condition));
        });
        self.each_anonymous(moment, |lease, role, condition, _, end| {
            views.push(view(role, lease.issued, lease.requester)(None, end, condition));
        });
        views
    }
}
