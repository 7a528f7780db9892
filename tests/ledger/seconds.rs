//! The ledger at every second of the corpus, both logs whole.

use crate::corpus::{corpus, listed};
use crate::play::{Log, Play, SECOND};
use crate::watch::{LEASES, OVERDUE, REVOCATIONS, ROLE, Watch, some, span};

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
    let causes = watch.causes.totals.clone();
    watch.equal(end, "ends by cause", &view.some(REVOCATIONS, &["mount", "role", "cause"]), &causes);
    watch.verdict();
}
