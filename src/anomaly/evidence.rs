//! Evidence: what one model says against the usual, in the unit that all
//! share, with what a person needs to believe it.

use crate::event::{Privileged, Text, Timestamp};
use serde::{Deserialize, Serialize};

/// The strength that nothing exceeds: no history is long enough for more.
pub const STRENGTH_MOST: f64 = 30.0;

/// What a model looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Credentials issued in five minutes.
    Burst5m,
    /// Credentials issued in an hour.
    Burst1h,
    /// Credentials issued in a day.
    Burst1d,
    /// Roles that it never used.
    NewRole,
    /// A network that it never came from.
    NewSource,
    /// An hour of the week at which it never works.
    OffHours,
    /// Requests that were denied, or for roles that do not exist.
    Denials,
    /// Different paths of such requests that it never asked for.
    UnknownPaths,
    /// More than usual for a long time.
    Slow,
    /// A regular one that has stopped.
    Silence,
    /// One token used from two networks.
    TwoNetworks,
    /// A wrapped credential unwrapped from another network.
    UnwrappedElsewhere,
    /// A wrapped credential that nobody unwrapped.
    NeverUnwrapped,
    /// Failures to issue or to revoke that are no client's doing.
    Operational,
    /// Somebody who was never seen.
    NewSubject,
    /// Logins that failed.
    FailedLogins,
    /// Requests with tokens that Vault did not know.
    UnknownTokens,
    /// The names of roles, listed by somebody who never did.
    RoleListing,
    /// A privileged operation.
    Rule(Privileged),
}

impl Component {
    /// Every one, a rule standing for all.
    pub const NAMES: [&'static str; 19] = [
        "burst_5m",
        "burst_1h",
        "burst_1d",
        "new_role",
        "new_source",
        "off_hours",
        "denials",
        "unknown_paths",
        "slow",
        "silence",
        "two_networks",
        "unwrapped_elsewhere",
        "never_unwrapped",
        "operational",
        "new_subject",
        "failed_logins",
        "unknown_tokens",
        "role_listing",
        "privileged",
    ];

    /// The label value; all rules are `privileged`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst5m => "burst_5m",
            Self::Burst1h => "burst_1h",
            Self::Burst1d => "burst_1d",
            Self::NewRole => "new_role",
            Self::NewSource => "new_source",
            Self::OffHours => "off_hours",
            Self::Denials => "denials",
            Self::UnknownPaths => "unknown_paths",
            Self::Slow => "slow",
            Self::Silence => "silence",
            Self::TwoNetworks => "two_networks",
            Self::UnwrappedElsewhere => "unwrapped_elsewhere",
            Self::NeverUnwrapped => "never_unwrapped",
            Self::Operational => "operational",
            Self::NewSubject => "new_subject",
            Self::FailedLogins => "failed_logins",
            Self::UnknownTokens => "unknown_tokens",
            Self::RoleListing => "role_listing",
            Self::Rule(_) => "privileged",
        }
    }
}

/// What one model says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Which model.
    pub component: Component,
    /// How rare it is: `-log10 p`, at most [`STRENGTH_MOST`].
    pub strength: f64,
    /// What was seen.
    pub observed: f64,
    /// What is usual: the median, in the same unit.
    pub expected: f64,
    /// What is exceeded once in a thousand times, in the same unit.
    pub upper: f64,
    /// The most that this subject ever had, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_max: Option<(f64, Timestamp)>,
    /// When this was last seen of the subject, where it was seen before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// How many of how many subjects of the same auth mount do this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peers: Option<(u32, u32)>,
    /// The role, network or mount that it is about, for people.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub detail: Text,
}
