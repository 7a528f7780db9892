//! No file of the server's own log: it is streamed from `sys/monitor`. What is said while the
//! stream is broken is lost, and nothing may be made up for it.

use crate::check;
use crate::days::ordinary_days;
use crate::proxy::Proxy;
use crate::support::eventually;
use crate::truth::Truth;
use crate::watch::Watch;
use crate::world::World;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn a_streamed_log_with_gaps_makes_the_same_ledger() {
    let world = World::single();
    let truth = Truth::default();
    let proxy = Proxy::to(world.nodes()[0].port());
    let mut watch = Watch::over("streamed", world.leasewatch_streamed("streamed", &proxy.address()));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let days = scope.spawn(|| ordinary_days(&world, &truth, &done));
        let pass = |seconds| {
            std::thread::sleep(Duration::from_secs(seconds));
            assert!(!days.is_finished(), "a client failed");
        };
        pass(16);
        // A short break: whatever is said meanwhile is hardly anything.
        proxy.cut();
        proxy.mend();
        pass(14);
        // A long one: many leases end unseen.
        proxy.cut();
        pass(10);
        proxy.mend();
        pass(14);
        watch.dies();
        pass(10);
        done.store(true, Ordering::SeqCst);
    });
    let mut gaps = 0.0;
    eventually("the streamed ledger is what the server lists", Duration::from_secs(120), || {
        std::thread::sleep(Duration::from_secs(1));
        let page = watch.leasewatch().try_metrics()?;
        gaps = page.sum("leasewatch_log_gaps_total", &[]);
        check::outstanding(&page, &world)
    });
    assert!(gaps > 1.5, "{gaps} gaps shown, the stream was broken three times");
    let pages = watch.pages();
    check::never_falsely_overdue(&pages, &world, &truth).unwrap_or_else(|why| panic!("{why}"));
}
