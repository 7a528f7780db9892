//! Three nodes on raft storage, and clients at work while the active node changes: once because
//! it steps down, once because it dies. One leasewatch reads every node's logs; three others
//! stand beside one node each and know nothing of the others.

use crate::check;
use crate::client::Client;
use crate::support::{Metrics, eventually};
use crate::truth::{Truth, now};
use crate::watch::{Page, Watch};
use crate::world::{HEALTHY, MOUNTS, OWNER, STEADY, World};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// TTL of the steady leases, in seconds: they outlive one change of the active node.
const STEADY_TTL: u64 = 40;
/// How long an exporter may take, in seconds, to see that its node is not the active one.
const SEEN: f64 = 12.0;

/// A time between two moments in which a node was, or was not, the active one.
struct Reign {
    node: usize,
    from: f64,
    to: f64,
}

#[test]
fn nothing_is_falsely_overdue_when_the_active_node_changes() {
    let world = World::cluster(STEADY_TTL);
    let truth = Truth::default();
    let mut all = Watch::over("of all nodes", world.leasewatch_of_all("all"));
    let mut beside = [0, 1, 2].map(|node| {
        let name = ["beside the first", "beside the second", "beside the third"][node];
        Watch::over(name, world.leasewatch_beside(&format!("beside-{node}"), node))
    });
    let done = AtomicBool::new(false);
    let mut reigns = Vec::new();
    std::thread::scope(|scope| {
        let load = scope.spawn(|| load(&world, &truth, &done));
        let pass = |seconds| {
            std::thread::sleep(Duration::from_secs(seconds));
            assert!(!load.is_finished(), "a client failed");
        };
        let mut begin = now();
        let mut succeeds = |node: usize, end: f64| {
            reigns.push(Reign { node, from: begin, to: end });
            begin = now();
        };
        pass(10);

        let asked = now();
        let stepped_down = world.root_call("", "PUT", "sys/step-down").send();
        assert_eq!(stepped_down.status, 204, "{}", stepped_down.text());
        let second =
            eventually("another node takes over", Duration::from_secs(300), || match world.active() {
                0 => Err("the first is still active".into()),
                heir => Ok(heir),
            });
        succeeds(0, asked);
        // Clients go on to talk to the old node for a while, which hands their requests on.
        pass(3);
        world.enter_at(second);
        pass(20);

        let killed = now();
        world.nodes()[second].kill9();
        let third = world.active();
        succeeds(second, killed);
        world.enter_at(third);
        pass(20);
        world.nodes()[second].restart();
        world.nodes()[second].join();
        pass(4);
        succeeds(third, f64::INFINITY);
        done.store(true, Ordering::SeqCst);
    });
    end_all(&world);

    let mut found = Vec::new();
    found.push(check::in_time(all.name, Duration::from_secs(60), || {
        let page = all.leasewatch().try_metrics()?;
        check::settled(&page, &world, &truth, true)?;
        check::attempts_that_failed(&page, &world)
    }));
    let active = reigns.last().expect("there were three").node;
    found.push(check::in_time("those beside the nodes together", Duration::from_secs(60), || {
        let pages: Vec<_> =
            beside.iter().map(|watch| watch.leasewatch().try_metrics()).collect::<Result<_, _>>()?;
        check::together(&pages, &world, &truth)?;
        // The heir may say that it does not know them all; if it says that it does, it must.
        let complete = pages[active].value("leasewatch_ledger_complete", &[]);
        if complete.is_some_and(|complete| complete > 0.5) {
            check::outstanding(&pages[active], &world)?;
        }
        Ok(())
    }));
    let named = |name: &str, result: Result<(), String>| result.map_err(|why| format!("{name}:\n{why}"));
    found.push(named(all.name, check::on_the_way(&all.pages(), &world, &truth)));
    for (node, watch) in beside.iter_mut().enumerate() {
        let pages = watch.pages();
        found.push(named(watch.name, check::never_falsely_overdue(&pages, &world, &truth)));
        found.push(named(watch.name, shown_while_active(&pages, node, &reigns)));
    }
    check::all_well(found);
}

/// The exporter beside a node shows gauges of leases while the node is the active one, and no
/// others; one that comes to power does not say that it knows all leases before it can.
fn shown_while_active(pages: &[Page], node: usize, reigns: &[Reign]) -> Result<(), String> {
    let shows = |page: &Metrics| page.matching("leasewatch_leases", &[]).next().is_some();
    for page in pages {
        let reign = reigns.iter().find(|reign| reign.from - 30.0 <= page.at && page.at <= reign.to + SEEN);
        let in_power = reigns
            .iter()
            .any(|reign| reign.node == node && reign.from - 30.0 <= page.at && page.at <= reign.to + SEEN);
        if shows(&page.metrics) && !in_power {
            return Err(format!(
                "leases shown at {:.1}, {:?} was active",
                page.at,
                reign.map(|reign| reign.node)
            ));
        }
    }
    for (number, reign) in reigns.iter().enumerate().filter(|(_, reign)| reign.node == node) {
        let mine: Vec<_> = pages
            .iter()
            .filter(|page| reign.from <= page.at && page.at <= reign.to.min(reign.from + 18.0))
            .collect();
        if !mine.iter().any(|page| shows(&page.metrics)) {
            return Err(format!("no leases shown although it was active from {:.1} on", reign.from));
        }
        let first = mine.iter().find_map(|page| page.metrics.value("leasewatch_ledger_complete", &[]));
        if number > 0 && first != Some(0.0) {
            return Err(format!("on coming to power, leasewatch_ledger_complete is {first:?}"));
        }
    }
    Ok(())
}

/// Ends what can be ended, so that the numbers come to rest.
fn end_all(world: &World) {
    for (namespace, mount) in MOUNTS {
        for role in [HEALTHY, STEADY] {
            let path = format!("sys/leases/revoke-prefix/{mount}creds/{role}");
            let reply = world.root_call(namespace, "POST", &path).json(&json!({"sync": true})).send();
            assert_eq!(reply.status, 204, "{path}: {}", reply.text());
        }
    }
}

/// Clients that get, renew and give back leases through all of it.
fn load(world: &World, truth: &Truth, done: &AtomicBool) {
    std::thread::scope(|scope| {
        for (namespace, mount) in MOUNTS {
            scope.spawn(move || {
                let mut client = None;
                for turn in 0.. {
                    if done.load(Ordering::SeqCst) {
                        return;
                    }
                    match &client {
                        None => client = Client::login(world, truth, namespace, "app"),
                        Some(client) => work(client, mount, turn),
                    }
                    std::thread::sleep(Duration::from_millis(250));
                }
            });
        }
    });
}

fn work(client: &Client, mount: &'static str, turn: usize) {
    match turn % 6 {
        0 | 3 => drop(client.issue(mount, STEADY)),
        1 => drop(client.issue(mount, HEALTHY)),
        2 => {
            if let Some(lease) = client.issue(mount, HEALTHY) {
                client.renew(lease, Some(15));
            }
        }
        4 => {
            if let Some(lease) = client.issue(mount, STEADY) {
                client.revoke_by_path(lease, turn.is_multiple_of(4));
            }
        }
        _ if turn % 18 == 5 => drop(client.issue(mount, OWNER)),
        _ => drop(client.issue(mount, HEALTHY)),
    }
}
