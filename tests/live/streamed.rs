//! No file of the server's own log: it is streamed from `sys/monitor`. What is said while the
//! stream is broken is lost, and nothing may be made up for it.

use crate::check;
use crate::days::ordinary_days;
use crate::proxy::Proxy;
use crate::support::Metrics;
use crate::truth::{Truth, now};
use crate::watch::{Page, Watch};
use crate::world::{HEALTHY, Place, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Until it has noticed a break and the stream goes on, in seconds, at most.
const RECONNECTS: f64 = 8.0;

#[test]
fn a_streamed_log_with_gaps_makes_the_same_ledger() {
    let world = World::single();
    let truth = Truth::default();
    let proxy = Proxy::to(world.nodes()[0].port());
    let mut watch = Watch::over("streamed", world.leasewatch_streamed("streamed", &proxy.address()));
    let done = AtomicBool::new(false);
    // What ended between these moments may have been lost.
    let mut gaps = Vec::new();
    std::thread::scope(|scope| {
        let days = scope.spawn(|| ordinary_days(&world, &truth, &done));
        let pass = |seconds| {
            std::thread::sleep(Duration::from_secs(seconds));
            assert!(!days.is_finished(), "a client failed");
        };
        pass(8);
        // A short break: whatever is said meanwhile is hardly anything.
        let short = now();
        proxy.cut();
        proxy.mend();
        pass(8);
        gaps.push((short, short + RECONNECTS));
        // A long one: many leases end unseen.
        let long = now();
        proxy.cut();
        // Long enough for what ended unseen to look overdue.
        pass(21);
        proxy.mend();
        gaps.push((long, now() + RECONNECTS));
        pass(8);
        let death = now();
        watch.dies();
        gaps.push((death, now() + RECONNECTS));
        pass(6);
        done.store(true, Ordering::SeqCst);
    });
    let settled = check::in_time(watch.name, Duration::from_secs(60), || {
        let page = watch.leasewatch().try_metrics()?;
        // That every end is seen again is only said once the attempts that may have failed in the
        // last break would have been heard of: ten minutes later.
        check::outstanding_but_for(&page, &world, &gaps)
    });
    let pages = watch.pages();
    check::all_well([settled, check::never_falsely_overdue(&pages, &world, &truth), doubts(&pages, &gaps)]);
}

/// After each break it is for a moment not certain that ends are seen, and each is counted.
fn doubts(pages: &[Page], gaps: &[(f64, f64)]) -> Result<(), String> {
    for (from, to) in gaps {
        let mut meanwhile = pages.iter().filter(|page| *from <= page.at && page.at <= to + RECONNECTS);
        if meanwhile.all(|page| is_observed(&page.metrics)) {
            return Err(format!("the break from {from:.1} to {to:.1} casts no doubt on the ledger"));
        }
    }
    let counted =
        pages.last().map(|page| page.metrics.sum("leasewatch_log_gaps_total", &[("source", "monitor")]));
    if counted == Some(gaps.len() as f64) {
        Ok(())
    } else {
        Err(format!("{counted:?} gaps counted of {}", gaps.len()))
    }
}

fn is_observed(page: &Metrics) -> bool {
    let place = Place { namespace: "", mount: "database/", role: HEALTHY };
    page.value("leasewatch_ledger_observed", &place.labels()) == Some(1.0)
}
