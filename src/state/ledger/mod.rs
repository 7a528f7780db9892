//! The ledger: every lease from its issue to its end, joined from the audit
//! log, the server log and what the API tells.

mod view;

pub use view::{Condition, LeaseView};
