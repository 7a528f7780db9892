//! No file of the server's own log: it is streamed from `sys/monitor`. What is said while the
//! stream is broken is lost, and nothing may be made up for it.

use crate::check;
use crate::days::ordinary_days;
use crate::proxy::Proxy;
use crate::truth::{Truth, now};
use crate::watch::Watch;
use crate::world::World;
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
        pass(16);
        // A short break: whatever is said meanwhile is hardly anything.
        let short = now();
        proxy.cut();
        proxy.mend();
        pass(14);
        gaps.push((short, short + RECONNECTS));
        // A long one: many leases end unseen.
        let long = now();
        proxy.cut();
        pass(10);
        proxy.mend();
        gaps.push((long, now() + RECONNECTS));
        pass(14);
        let death = now();
        watch.dies();
        gaps.push((death, now() + RECONNECTS));
        pass(10);
        done.store(true, Ordering::SeqCst);
    });
    let mut shown = 0.0;
    let settled = check::in_time(watch.name, Duration::from_secs(60), || {
        let page = watch.leasewatch().try_metrics()?;
        shown = page.sum("leasewatch_log_gaps_total", &[]);
        check::outstanding_but_for(&page, &world, &gaps)
    });
    assert!(shown > 1.5, "{shown} gaps shown, the stream was broken three times");
    check::all_well([settled, check::never_falsely_overdue(&watch.pages(), &world, &truth)]);
}
