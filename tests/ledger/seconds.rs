//! The ledger at every second of the corpus, both logs whole.

use crate::causes::{ROUNDING, rewritten, ttls};
use crate::corpus::{calls, corpus, listed};
use crate::lives::lives;
use crate::play::{Log, Piece, Play, SECOND};
use crate::watch::{LEASES, OBSERVED, OVERDUE, REVOCATIONS, ROLE, Watch, some, span};
use crate::withheld::misjudged;
use leasewatch::event::{Fact, Observation, RoleFact, Timestamp};
use leasewatch::observed::encode;

#[test]
fn the_ledger_is_right_at_every_second_of_the_corpus() {
    let mut watch = Watch::new();
    let mut play = Play::new(&[Log::audit(&corpus().audit), Log::server(&corpus().server)]);
    for second in span() {
        let view = play.to(second * SECOND);
        watch.sane(second, &view);
        watch.exact(second, &view);
    }
    // What the server itself listed then, and nothing elsewhere.
    let (last, end) = (play.view(), *span().end());
    let listed = some(listed());
    assert_eq!(listed, some(watch.lives.outstanding(end * SECOND)));
    watch.equal(end, "listed", &last.some(LEASES, &ROLE), &listed);
    watch.equal(end, "overdue", &last.some(OVERDUE, &ROLE), &listed);

    // Every lease is accounted for, once.
    let view = play.finish();
    let ended = some(watch.lives.ended(i64::MAX));
    watch.equal(end, "ends", &view.some(REVOCATIONS, &ROLE), &ended);
    let issued = watch.lives.issued(i64::MAX);
    watch.equal(end, "issued", &view.some("leasewatch_credentials_issued_total", &ROLE), &issued);
    // One end may be misjudged: nobody knows the TTL of database/analytics-role when its first
    // leases end, 30 s after they were issued, and one of them ends while clients revoke others
    // by names of which only hashes are logged.
    let wrong = misjudged(&watch, &view);
    watch.expect(wrong <= 1.0, || format!("{wrong} ends with a wrong cause"));
    watch.verdict();
}

/// What the API would have told about the roles of both databases, before the first lease and
/// after every write.
fn told() -> Log {
    let writes = calls().iter().filter(|call| call.op == "role-write").map(|call| call.answered);
    let mut pieces = Vec::new();
    for at in std::iter::once(lives().named[0].issued - SECOND / 10).chain(writes.map(|at| at + SECOND / 2)) {
        for mount in ["database/", "orders-db/"] {
            let of_mount = lives().roles().filter(|role| role[0] == mount);
            let fact = |role: &Vec<String>| {
                let (default, max) = ttls(role, at).unwrap();
                RoleFact {
                    name: role[1].clone(),
                    connection: Some("pg".to_owned()),
                    default_ttl: (default / SECOND).unsigned_abs(),
                    max_ttl: (max / SECOND).unsigned_abs(),
                }
            };
            let roles = of_mount.map(fact).collect();
            let fact =
                Fact::Roles { namespace: String::new(), mount: mount.to_owned(), roles, partial: false };
            let observation = Observation { at: Timestamp::from_nanos(at), node: None, fact };
            pieces.push(Piece::Line(encode(&observation).into()));
        }
    }
    Log::observations(pieces)
}

#[test]
fn with_ttls_told_what_is_late_and_what_ends_when_are_exact_too() {
    let mut watch = Watch::new();
    let mut play = Play::new(&[told(), Log::audit(&corpus().audit), Log::server(&corpus().server)]);
    for second in span().step_by(4) {
        let (view, at) = (play.to(second * SECOND), second * SECOND);
        watch.sane(second, &view);
        watch.exact(second, &view);
        let observed = view.by(OBSERVED, &ROLE);
        let (overdue, leases) = (view.by(OVERDUE, &ROLE), view.by(LEASES, &ROLE));
        let expiring = view.by("leasewatch_leases_expiring", &["mount", "role", "within"]);
        for (role, leases) in leases {
            if observed.get(&role) != Some(&1.0) || role[0] == "pki/" {
                continue;
            }
            // Nothing is late beyond the last line: while all is quiet there is one in ten seconds.
            let least = watch.should_be_gone(&role, at, 26 * SECOND + ROUNDING);
            let shown = overdue.get(&role).copied().unwrap_or(0.0);
            watch.expect(shown >= least, || format!("{second}: {role:?} {shown} overdue, not {least}"));
            let known = view.by("leasewatch_role_default_ttl_seconds", &ROLE).contains_key(&role);
            let is_stale = role[1] == "reporting" && at > rewritten();
            watch.expect(known || is_stale, || format!("{second}: {role:?} has no TTL"));
            let soon = [role.clone(), vec!["5m".to_owned()]].concat();
            let soon = expiring.get(&soon).copied().unwrap_or(0.0);
            // Every lease of these roles ends within five minutes, or should have ended.
            let least = leases - watch.held(&role, at) - watch.should_be_gone(&role, at, -ROUNDING);
            let is_right = is_stale || (least..=leases).contains(&soon);
            watch.expect(is_right, || format!("{second}: {role:?} {soon} of {leases} expiring, not {least}"));
        }
    }
    let view = play.finish();
    let causes = watch.causes.totals.clone();
    watch.equal(0, "ends by cause", &view.some(REVOCATIONS, &["mount", "role", "cause"]), &causes);
    watch.verdict();
}
