//! Three nodes, one cluster, one exporter for all of them: what clients do on any node is
//! counted once, a standby that leaves a request to the active node has not failed it, and
//! a change of the active node loses nothing.

use crate::client::Client;
use crate::stage::Stage;
use crate::support::bao::active;
use crate::support::{Metrics, NeverFalls, eventually};
use crate::truth::Truth;
use std::time::Duration;

/// A standby learns of a token or lease a moment after the active node; a client of its own
/// would have to wait for that as well.
const REPLICATION: Duration = Duration::from_millis(500);

#[test]
fn three_nodes_are_one_cluster() {
    let stage = Stage::cluster();
    let truth = Truth::default();
    let mut leasewatch = stage.leasewatch_on_all_nodes();
    let mut never_falls = NeverFalls::default();
    let clients: Vec<_> = (0..3)
        .map(|node| {
            let number = u8::try_from(node).unwrap() * 10;
            (
                Client::app_role(&stage, &truth, number + 1, "", "app", "service").at(&stage.nodes[node]),
                Client::app_role(&stage, &truth, number + 2, "", "narrow", "service").at(&stage.nodes[node]),
            )
        })
        .collect();
    std::thread::sleep(REPLICATION);
    for (app, narrow) in &clients {
        work(app, narrow);
    }
    never_falls.page(&leasewatch.metrics_when("the first node is active", |page| is_active(page, 0)));

    let stepped_down = stage.nodes[0].root_call("PUT", "sys/step-down").send();
    assert_eq!(stepped_down.status, 204, "{}", stepped_down.text());
    let heir =
        eventually("another node takes over", Duration::from_secs(300), || match active(&stage.nodes) {
            0 => Err("the first is still active".into()),
            heir => Ok(heir),
        });
    std::thread::sleep(REPLICATION);
    for (app, narrow) in &clients {
        work(app, narrow);
    }
    leasewatch.kill9();
    leasewatch.restart();
    let page = leasewatch.metrics_when("the page says what the clients of all nodes saw", |page| {
        never_falls.page(page);
        is_active(page, heir)?;
        truth.hold(page, |_| false)
    });
    let irrevocable: Vec<_> = page.matching("leasewatch_leases_irrevocable", &[]).collect();
    assert!(irrevocable.iter().all(|(_, leases)| *leases < 0.5), "{irrevocable:?}");
}

/// What an application, and one that may do next to nothing, do on their node.
fn work(app: &Client, narrow: &Client) {
    for role in ["app-role", "eu.reports", "invented"] {
        app.generate("database/", role);
    }
    app.generate_wrapped("pg/eu-west/", "app-role", false);
    narrow.generate("database/", "app-role");
    let Some(mut lease) = app.generate("pg/eu-west/", "app-role") else { panic!("no credential") };
    std::thread::sleep(REPLICATION);
    app.renew(&mut lease, 0);
    app.revoke_by_path(&lease);
}

/// All nodes are up, and exactly this one is active.
fn is_active(page: &Metrics, place: usize) -> Result<(), String> {
    for number in 0..3 {
        let name = format!("node-{number}");
        let of = |metric| page.value(metric, &[("node", &name)]).unwrap_or(-1.0).round();
        let found =
            [of("leasewatch_vault_up"), of("leasewatch_vault_active"), of("leasewatch_vault_standby")];
        let expected = if number == place { [1.0, 1.0, 0.0] } else { [1.0, 0.0, 1.0] };
        if found.map(f64::to_bits) != expected.map(f64::to_bits) {
            return Err(format!("{name}: up, active, standby are {found:?} instead of {expected:?}"));
        }
    }
    Ok(())
}
