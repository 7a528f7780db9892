//! The plot: what happens in a demo, and when.

use crate::event::Timestamp;
use crate::simulator::{AttackKind, Attacks, Scenario, Size};

/// The namespaces of the simulated tenant.
pub(super) const NAMESPACES: [&str; 3] = ["root", "payments", "research"];

/// How long before the end of the past the revocations of one role begin to fail, in seconds:
/// when the page is up the first leases are given up, and others are still tried.
const FAILING: i64 = 900;
/// When attacks begin, in seconds after the end of the past. The first ones are under way when
/// the page is up; then each kind in its turn.
const FIRST: [(AttackKind, i64); 3] =
    [(AttackKind::Harvest, 60), (AttackKind::ProbeFast, 120), (AttackKind::Burst, 210)];
/// Attacks after those, one after the other.
const NEXT: [AttackKind; 4] =
    [AttackKind::MixedTheft, AttackKind::Burst, AttackKind::NewSource, AttackKind::Harvest];
/// From the first of those on, and from one to the next, in seconds.
const PAUSE: i64 = 900;
/// So many are planned: for some days.
const PLANNED: i64 = 500;

/// Everything: a past from `from` to `to` with an attack now and then, and a present in which
/// there is always something to see.
pub(super) fn scenario(seed: u64, from: Timestamp, to: Timestamp) -> Scenario {
    let plain = Scenario {
        seed,
        from,
        to: Timestamp::from_nanos(i64::MAX),
        size: Size::demo(),
        attacks: Attacks::None,
        lively_from: Some(to),
        revocations_fail_from: Some(to.plus_secs(-FAILING)),
        ..Scenario::default()
    };
    let first = FIRST.into_iter().map(|(kind, after)| (kind, to.plus_secs(after)));
    let next = NEXT.into_iter().cycle().zip(1..=PLANNED);
    let next = next.map(|(kind, number)| (kind, to.plus_secs(PAUSE * number)));
    first.chain(next).fold(plain, |scenario, (kind, at)| scenario.attack_at(kind, at))
}
