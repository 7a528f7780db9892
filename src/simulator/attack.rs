//! What an attack was: the label that an evaluation holds scores against.

use crate::event::Timestamp;

/// What an attacker did with what was stolen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttackKind {
    /// Takes many credentials of a role that the victim uses, within minutes, from where the victim is.
    Burst,
    /// Takes one or two credentials of each of many roles that the victim may read and never does.
    Harvest,
    /// Tries some 30 to 60 paths within about ten minutes; a policy refuses them.
    ProbeFast,
    /// Tries a few paths an hour over a day; a policy refuses them.
    ProbeSlow,
    /// Uses a stolen secret or token from another network, for the victim's own roles, with moderation.
    NewSource,
    /// From another network, a role that is new for the victim, a moderate number of credentials.
    MixedTheft,
    /// Takes as many credentials again as the victim does, spread over four days, from where it is.
    SlowDoubling,
    /// A person takes credentials in the middle of the own night, from a network of the own.
    OffHours,
    /// The victim's own rate grows by 5 % a day: poisoning. Only by plan, not one of [`AttackKind::ALL`].
    Ramp,
}

impl AttackKind {
    /// The eight kinds that are placed at random.
    pub const ALL: [Self; 8] = [
        Self::Burst,
        Self::Harvest,
        Self::ProbeFast,
        Self::ProbeSlow,
        Self::NewSource,
        Self::MixedTheft,
        Self::SlowDoubling,
        Self::OffHours,
    ];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Burst => "burst",
            Self::Harvest => "harvest",
            Self::ProbeFast => "probe_fast",
            Self::ProbeSlow => "probe_slow",
            Self::NewSource => "new_source",
            Self::MixedTheft => "mixed_theft",
            Self::SlowDoubling => "slow_doubling",
            Self::OffHours => "off_hours",
            Self::Ramp => "ramp",
        }
    }
}

/// An attack that took place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attack {
    /// What was done.
    pub kind: AttackKind,
    /// Entity ID of the victim, as the audit log has it (with the namespace's suffix).
    pub entity: String,
    /// Display name of the victim's tokens.
    pub display_name: String,
    /// Its first request.
    pub first: Timestamp,
    /// Its last request so far; final once the world has moved past it.
    pub last: Timestamp,
    /// Its requests so far.
    pub requests: u32,
}
