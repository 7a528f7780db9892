//! Random worlds: with nothing lost the ledger equals the model, however the
//! lines come; with losses it claims nothing that is not so.

use crate::play::{Log, Numbers, Piece, Play, SECOND, View};
use crate::watch::{LEASES, OBSERVED, OVERDUE, REVOCATIONS, ROLE, by_mount, some};
use crate::world::{Action, Form, ROLES, START, World};
use leasewatch::config::LogKind;
use leasewatch::event::{Fact, Observation, RoleFact, Timestamp};
use leasewatch::observed::encode;
use proptest::prelude::*;
use std::sync::Arc;

/// When ends that nobody asked for have proven the server log in every world.
const PROVEN: i64 = START + 66 * SECOND;

fn action() -> impl Strategy<Value = Action> {
    let failures = prop_oneof![4 => Just(0), 2 => 1..4u32, 1 => Just(9)];
    let form = prop_oneof![Just(Form::Path), Just(Form::Queued), Just(Form::Body)];
    prop_oneof![
        6 => (0..3usize, prop::bool::weighted(0.2), failures)
            .prop_map(|(role, wrapped, failures)| Action::Issue { role, wrapped, failures }),
        4 => (0..8usize).prop_map(Action::Renew),
        4 => (0..8usize, form).prop_map(|(lease, form)| Action::Revoke(lease, form)),
        1 => (0..3usize, any::<bool>()).prop_map(|(role, force)| Action::Below { role, force }),
        1 => (0..3usize).prop_map(Action::Token),
        2 => (1..40i64).prop_map(Action::Wait),
    ]
}

/// What happens, each so many milliseconds after the one before, and how long it is watched then.
fn story() -> impl Strategy<Value = (Vec<(i64, Action)>, i64)> {
    let tail = prop_oneof![2 => 20..90i64, 1 => 300..900i64];
    (prop::collection::vec((5..3000i64, action()), 1..40), tail)
}

/// Seconds to look at: some on the way, and the end.
fn looks(world: &World) -> Vec<i64> {
    let (from, to) = (PROVEN + 6 * SECOND, world.end());
    (0..24).map(|look| from + (to - from) / 24 * look).chain([to]).collect()
}

fn pieces(lines: &[(i64, Arc<str>)]) -> Vec<Piece> {
    lines.iter().map(|(_, line)| Piece::Line(Arc::clone(line))).collect()
}

fn logs(world: &World) -> Vec<Log> {
    vec![
        Log::new(LogKind::Audit, pieces(&world.audit.sorted())),
        Log::new(LogKind::Server, pieces(&world.server.sorted())),
    ]
}

/// What the API tells about the roles, before anything happens.
fn told() -> Log {
    let roles = |mount: &str| {
        let of_mount = ROLES.iter().filter(|(point, ..)| *point == mount);
        let fact = |(_, name, ttl): &(&str, &str, i64)| RoleFact {
            name: (*name).to_owned(),
            connection: None,
            default_ttl: ttl.unsigned_abs(),
            max_ttl: 3 * ttl.unsigned_abs(),
        };
        let fact = Fact::Roles {
            namespace: String::new(),
            mount: mount.to_owned(),
            roles: of_mount.map(fact).collect(),
            partial: false,
        };
        Piece::Line(
            encode(&Observation { at: Timestamp::from_nanos(START - SECOND), node: None, fact }).into(),
        )
    };
    Log::observations(vec![roles("database/"), roles("orders-db/")])
}

/// Exact, as nothing is lost.
fn exact(world: &World, view: &View, at: i64) -> Result<(), TestCaseError> {
    let (observed, leases) = (view.by(OBSERVED, &ROLE), view.by(LEASES, &ROLE));
    for (role, expected) in every_role(world.outstanding(at)) {
        prop_assert_eq!(observed.get(&role), Some(&1.0), "observed {:?} at {}", role, at);
        // An end of a lease that nobody has heard of may wait for an answer that carries it.
        let most = expected + world.held(at).get(&role).copied().unwrap_or(0.0);
        let shown = leases.get(&role).copied().unwrap_or(-1.0);
        prop_assert!((expected..=most).contains(&shown), "{role:?} {shown} leases, not {expected} at {at}");
    }
    let shown = view.some("leasewatch_leases_retrying", &["mount", "role", "failed_attempts"]);
    prop_assert_eq!(shown, world.retrying(at), "retrying at {}", at);
    let shown = view.some("leasewatch_leases_stuck", &ROLE);
    prop_assert_eq!(shown, world.stuck(at), "stuck at {}", at);
    let late = world.late(at, 0);
    for (role, shown) in view.some(OVERDUE, &ROLE) {
        let most = late.get(&role).copied().unwrap_or(0.0);
        prop_assert!(shown <= most, "{role:?} {shown} overdue of {most} at {at}");
    }
    Ok(())
}

fn every_role(mut numbers: Numbers) -> Numbers {
    for (mount, name, _) in ROLES {
        numbers.entry(vec![mount.to_owned(), name.to_owned()]).or_default();
    }
    numbers
}

/// Every lease is out or has ended, once.
fn balanced(world: &World, view: &View) -> Result<(), TestCaseError> {
    prop_assert_eq!(view.some(REVOCATIONS, &ROLE), world.ended());
    prop_assert_eq!(view.some("leasewatch_credentials_issued_total", &ROLE), world.issued());
    Ok(())
}

/// A chance of so many in a hundred, from what proptest chose.
fn hits(seed: u64, number: usize, percent: u64) -> bool {
    let mixed = (seed ^ number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33 < (percent << 31) / 100
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn with_nothing_lost_the_ledger_equals_the_model((actions, tail) in story(), stops in prop::collection::vec(1..200usize, 0..4)) {
        let world = World::of(&actions, tail);
        let mut play = Play::new(&logs(&world));
        for stop in stops {
            play.steps(stop);
            play = play.restart();
        }
        let front = play.pipeline.front().as_nanos();
        for at in looks(&world).into_iter().filter(|at| *at >= front) {
            exact(&world, &play.to(at), at)?;
        }
        balanced(&world, &play.finish())?;
    }

    #[test]
    fn with_ttls_told_causes_and_what_is_late_are_exact((actions, tail) in story()) {
        let world = World::of(&actions, tail);
        let mut logs = logs(&world);
        logs.insert(0, told());
        let mut play = Play::new(&logs);
        for at in looks(&world) {
            let view = play.to(at);
            exact(&world, &view, at)?;
            // Nothing is late beyond the last line of the log: somebody is heard every four seconds.
            let (least, shown) = (world.late(at, 5 * SECOND), view.some(OVERDUE, &ROLE));
            for (role, least) in least {
                let shown = shown.get(&role).copied().unwrap_or(0.0);
                prop_assert!(shown >= least, "{role:?} {shown} overdue, not {least} at {at}");
            }
        }
        let view = play.finish();
        balanced(&world, &view)?;
        let shown = view.some(REVOCATIONS, &["mount", "role", "cause"]);
        let (causes, several) = world.causes();
        let of = |numbers: &Numbers, key| numbers.get(key).copied().unwrap_or(0.0);
        let keys = shown.keys().chain(causes.keys().filter(|key| !shown.contains_key(*key)));
        let wrong: f64 = keys.map(|key| (of(&shown, key) - of(&causes, key)).abs()).sum();
        prop_assert!(wrong / 2.0 <= several, "{shown:?}, should be {causes:?} but for {several}");
    }

    #[test]
    fn lines_that_come_twice_change_nothing((actions, tail) in story(), seed: u64) {
        let world = World::of(&actions, tail);
        let twice = |pieces: &[Piece]| {
            let mut doubled = Vec::new();
            for (number, piece) in pieces.iter().enumerate() {
                doubled.push(piece.clone());
                if hits(seed, number, 40) {
                    doubled.push(piece.clone());
                }
            }
            doubled
        };
        let logs: Vec<Log> = logs(&world).iter().map(|log| log.changed(twice)).collect();
        let mut play = Play::new(&logs);
        for at in looks(&world) {
            exact(&world, &play.to(at), at)?;
        }
        balanced(&world, &play.finish())?;
    }

    #[test]
    fn in_one_stream_it_is_the_same((actions, tail) in story()) {
        let world = World::of(&actions, tail);
        let mut lines = [world.audit.sorted(), world.server.sorted()].concat();
        lines.sort_by_key(|(at, _)| *at);
        let merged = Play::new(&[Log::new(LogKind::Audit, pieces(&lines))]).finish();
        prop_assert_eq!(merged.all(), Play::new(&logs(&world)).finish().all());
    }

    #[test]
    fn with_losses_nothing_is_counted_twice_or_called_late_wrongly(
        (actions, tail) in story(),
        seed: u64,
        percent in 1..60u64,
        (audit_suffers, server_suffers, is_told) in (any::<bool>(), any::<bool>(), any::<bool>()),
        ttls_are_told: bool,
    ) {
        let world = World::of(&actions, tail);
        let mut lost_ends = 0.0;
        let mut lose = |lines: Vec<(i64, Arc<str>)>, suffers: bool, kind| {
            let mut pieces = Vec::new();
            for (number, (_, line)) in lines.iter().enumerate() {
                if !(suffers && hits(seed, number, percent)) {
                    pieces.push(Piece::Line(Arc::clone(line)));
                } else if is_told {
                    pieces.push(Piece::Gap);
                } else {
                    lost_ends += f64::from(line.contains("\"revoked lease\""));
                }
            }
            Log::new(kind, pieces)
        };
        let mut logs = vec![
            lose(world.audit.sorted(), audit_suffers, LogKind::Audit),
            lose(world.server.sorted(), server_suffers, LogKind::Server),
        ];
        if ttls_are_told {
            logs.insert(0, told());
        }
        let mut play = Play::new(&logs);
        let leases = by_mount(&world.issued());
        let within = |view: &View, at: i64| -> Result<(), TestCaseError> {
            // A lost renewal makes a lease look late, but one that is still there.
            let truth = if audit_suffers { world.outstanding(at) } else { world.late(at, 0) };
            for (role, shown) in view.some(OVERDUE, &ROLE) {
                let most = truth.get(&role).copied().unwrap_or(0.0) + lost_ends;
                prop_assert!(shown <= most, "{role:?} {shown} overdue of {most} at {at}");
            }
            for (mount, ends) in view.some(REVOCATIONS, &["mount"]) {
                let most = leases.get(&mount).copied().unwrap_or(0.0);
                prop_assert!(ends <= most, "{mount:?} {ends} ends of {most} leases at {at}");
            }
            for (mount, out) in some(view.by(LEASES, &["mount"])) {
                let most = leases.get(&mount).copied().unwrap_or(0.0);
                prop_assert!(out <= most, "{mount:?} {out} of {most} leases at {at}");
            }
            Ok(())
        };
        for at in looks(&world) {
            within(&play.to(at), at)?;
        }
        let view = play.finish();
        within(&view, world.end())?;
        // What is out and what has ended are different leases; but that a wrapped one ended before
        // its time, nobody can tell where the request for that was lost.
        let out = view.by(LEASES, &["mount"]);
        let untold = if audit_suffers { by_mount(&world.early_wrapped()) } else { Numbers::new() };
        for (mount, ends) in view.by(REVOCATIONS, &["mount"]) {
            let sum = ends + out.get(&mount).copied().unwrap_or(0.0);
            let most = [&leases, &untold].map(|of| of.get(&mount).copied().unwrap_or(0.0));
            prop_assert!(sum <= most[0] + most[1], "{mount:?} {ends} ends and {} out of {most:?}", sum - ends);
        }
    }
}

#[test]
fn a_wrapped_lease_ends_once() {
    let world = World::of(&[(5, Action::Issue { role: 0, wrapped: true, failures: 0 })], 40);
    let view = Play::new(&logs(&world)).finish();
    assert_eq!(some(view.by(LEASES, &ROLE)), Numbers::new());
    assert_eq!(view.some(REVOCATIONS, &ROLE), world.ended());
}

/// The pages of a world whose TTLs are told, without the lines that have these words.
fn without(words: &str, actions: &[(i64, Action)], tail: i64) -> (World, Vec<View>) {
    let world = World::of(actions, tail);
    let rest = |lines: Vec<(i64, Arc<str>)>| {
        let all = lines.len();
        let rest: Vec<_> = lines.into_iter().filter(|(_, line)| !line.contains(words)).collect();
        (pieces(&rest), all - rest.len())
    };
    let ((audit, of_audit), (server, of_server)) = (rest(world.audit.sorted()), rest(world.server.sorted()));
    assert_ne!(of_audit + of_server, 0, "no line has the words {words}");
    let mut play = Play::new(&[told(), Log::new(LogKind::Audit, audit), Log::new(LogKind::Server, server)]);
    let views = looks(&world).into_iter().map(|at| play.to(at)).collect();
    (world, views)
}

#[test]
fn a_wrapped_lease_that_ends_late_is_none_that_nobody_knew() {
    // Its first attempt fails unseen, before every lease of its role is known.
    let actions = [(5, Action::Issue { role: 1, wrapped: true, failures: 1 })];
    let (world, views) = without("failed to revoke lease", &actions, 150);
    let last = views.last().unwrap();
    assert_eq!(some(last.by(LEASES, &ROLE)), Numbers::new());
    assert_eq!(last.some(OVERDUE, &ROLE), Numbers::new());
    assert_eq!(last.some(REVOCATIONS, &ROLE), world.ended());
}

#[test]
fn a_wrapped_lease_that_may_have_ended_is_never_called_overdue() {
    // Nobody saw the request that ended it, and once its TTL is over every lease of its role is known.
    let actions = [
        (5, Action::Issue { role: 1, wrapped: true, failures: 0 }),
        (5000, Action::Below { role: 1, force: false }),
    ];
    let (world, views) = without("revoke-prefix", &actions, 200);
    for view in &views {
        assert_eq!(view.some(OVERDUE, &ROLE), Numbers::new());
    }
    let last = views.last().unwrap();
    assert_eq!(some(last.by(LEASES, &ROLE)), Numbers::new());
    assert_eq!(last.some(REVOCATIONS, &ROLE), world.ended());
}
