//! The vocabulary: what can have happened, as plain types. Imports nothing of ours.
//!
//! `audit`, `serverlog` and `observed` make events out of lines; `pipeline`
//! puts them in order; `state` and `anomaly` fold them into numbers.

mod entry;
mod observation;
mod outcome;
mod privileged;
mod server;
mod time;

pub use entry::{
    Action, Caller, Entry, GrantedToken, LeaseHash, LeaseRef, Mount, Operation, Privileged, RequestId,
    Requester, Stage, Text, TokenHash, Who, WrittenTtl, WrittenTtls,
};
pub use observation::{Fact, LeaseKey, MountClass, MountFact, OWN_MARKER_PREFIX, Observation, RoleFact};
pub use outcome::{Failure, Outcome, RenewalTrouble, RevocationForm, RevocationTrouble};
pub use privileged::PrivilegedUse;
pub use server::ServerEvent;
pub use time::Timestamp;

/// One thing that happened, with its time as its own log tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Time of the line.
    pub at: Timestamp,
    /// What it says.
    pub kind: EventKind,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// An audit entry, of a request or of its response.
    Audit(Box<Entry>),
    /// A line of the server's own log.
    Server(ServerEvent),
    /// Something learnt outside the logs.
    Observed(Observation),
    /// A readable line that says nothing to us.
    Nothing,
}
