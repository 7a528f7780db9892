//! What to simulate: the span, the size, the attacks and what else goes wrong.

use super::attack::AttackKind;
use crate::event::Timestamp;

/// What to simulate. Equal scenarios give equal lines, byte for byte, on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Seed of everything random.
    pub seed: u64,
    /// The first moment. Services start during the first half day.
    pub from: Timestamp,
    /// Nobody begins anything at or after this moment; what was begun is finished, within seconds
    /// as a rule. A moment that never comes for a world without an end.
    pub to: Timestamp,
    /// How much is there.
    pub size: Size,
    /// Attacks placed at random or by plan. What everybody else does is not touched by them.
    pub attacks: Attacks,
    /// Attacks at moments of their own, beside [`Scenario::attacks`].
    pub plans: Vec<Plan>,
    /// A flood of one-off identities.
    pub flood: Option<Flood>,
    /// Every request reaches the server from one address: a proxy stands before it.
    pub behind_proxy: bool,
    /// From this moment on there are several requests a second: reads of settings, look-ups of
    /// tokens and leases by clients that were there before.
    pub lively_from: Option<Timestamp>,
    /// From this moment on the leases of one role with a short TTL cannot be revoked.
    pub revocations_fail_from: Option<Timestamp>,
}

/// How much there is of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Services at the beginning.
    pub services: u32,
    /// Batch jobs: hourly, daily, weekly and monthly.
    pub crons: u32,
    /// People in three time zones.
    pub people: u32,
    /// CI systems.
    pub pipelines: u32,
    /// Applications that the secrets operator serves by its one entity; 0 for no operator.
    pub served: u32,
    /// Days until the next new service; 0 for never.
    pub days_per_new_service: u32,
    /// TTLs of services are divided by this: 1 for hours, 12 for minutes.
    pub haste: u32,
}

/// Which attacks there are.
#[derive(Clone, Debug, PartialEq)]
pub enum Attacks {
    /// None.
    None,
    /// So many a week on average, from the second week on, kinds in turn.
    PerWeek(f64),
    /// So many within a span, as many of each kind.
    Placed {
        /// None begins before.
        from: Timestamp,
        /// None ends after, as far as planned.
        to: Timestamp,
        /// How many in all.
        count: u32,
    },
    /// These.
    Planned(Vec<Plan>),
}

/// An attack at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is done.
    pub kind: AttackKind,
    /// When it begins.
    pub at: Timestamp,
    /// Entity ID of the victim; `None` for one that fits, chosen by the seed.
    pub victim: Option<String>,
}

/// One-off identities that log in once and read one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flood {
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// How many identities.
    pub identities: u32,
}

impl Default for Scenario {
    /// Twelve weeks from Monday, 2026-01-05, without attacks.
    fn default() -> Self {
        let from = Timestamp::from_secs(1_767_571_200);
        Self {
            seed: 1,
            from,
            to: from.plus_secs(12 * 7 * 86_400),
            size: Size::default(),
            attacks: Attacks::None,
            plans: Vec::new(),
            flood: None,
            behind_proxy: false,
            lively_from: None,
            revocations_fail_from: None,
        }
    }
}

impl Default for Size {
    /// About 130 subjects and 590,000 requests in twelve weeks.
    fn default() -> Self {
        Self {
            services: 60,
            crons: 15,
            people: 40,
            pipelines: 5,
            served: 25,
            days_per_new_service: 7,
            haste: 1,
        }
    }
}

impl Size {
    /// For a demonstration: about 30 subjects and a request every two or three seconds, leases of minutes.
    pub const fn demo() -> Self {
        Self {
            services: 14,
            crons: 4,
            people: 8,
            pipelines: 2,
            served: 6,
            days_per_new_service: 14,
            haste: 12,
        }
    }

    /// For a test: a dozen subjects.
    pub const fn small() -> Self {
        Self { services: 6, crons: 2, people: 4, pipelines: 2, served: 4, days_per_new_service: 7, haste: 1 }
    }
}

impl Scenario {
    /// So many weeks from the beginning, with this seed.
    #[must_use]
    pub fn weeks(seed: u64, weeks: u32) -> Self {
        let plain = Self::default();
        Self { seed, to: plain.from.plus_secs(i64::from(weeks) * 7 * 86_400), ..plain }
    }

    /// With another size.
    #[must_use]
    pub const fn size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// With other attacks.
    #[must_use]
    pub fn attacks(mut self, attacks: Attacks) -> Self {
        self.attacks = attacks;
        self
    }

    /// With one more attack, on a victim that fits.
    #[must_use]
    pub fn attack_at(mut self, kind: AttackKind, at: Timestamp) -> Self {
        self.plans.push(Plan { kind, at, victim: None });
        self
    }

    /// With a flood of one-off identities.
    #[must_use]
    pub const fn flood(mut self, flood: Flood) -> Self {
        self.flood = Some(flood);
        self
    }
}
