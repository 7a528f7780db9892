//! Requests that were seen answered: several devices, and two nodes, log the same one.

use crate::event::RequestId;
use foldhash::HashSet;
use std::collections::VecDeque;

/// Requests that are remembered.
const MOST: usize = 1 << 17;

/// The last requests.
#[derive(Debug, Default)]
pub(super) struct Seen {
    ids: HashSet<RequestId>,
    order: VecDeque<RequestId>,
}

impl Seen {
    /// Whether this is the first that is heard of it.
    pub(super) fn is_first(&mut self, id: Option<RequestId>) -> bool {
        let Some(id) = id else { return true };
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}
