//! One server, and leasewatch in four situations beside it: with a token for the API and
//! without, killed again and again, and away for a good minute while the log is rotated.

use crate::check;
use crate::days::ordinary_days;
use crate::support::{Metrics, eventually};
use crate::truth::{Record, Truth};
use crate::watch::Watch;
use crate::world::{HEALTHY, MISSING, OWNER, Place, STEADY, World};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// For how long leasewatch is away, in seconds; a soak asks for more.
fn absence() -> Duration {
    let seconds =
        std::env::var("LIVE_AWAY_SECONDS").map(|text| text.parse().expect("LIVE_AWAY_SECONDS is a number"));
    Duration::from_secs(seconds.unwrap_or(75))
}

/// Whether to wait until Vault gives leases up, which takes a quarter of an hour.
fn until_irrevocable() -> bool {
    std::env::var_os("LIVE_IRREVOCABLE").is_some()
}

#[test]
fn the_ledger_is_what_the_server_lists() {
    let world = World::single();
    let truth = Truth::default();
    let mut watches = [("told", true), ("untold", false), ("killed", true), ("away", false)]
        .map(|(name, with_token)| Watch::over(name, world.leasewatch(name, with_token)));
    let [_, _, killed, away] = &watches;
    let done = AtomicBool::new(false);
    let mut gone = Instant::now();
    std::thread::scope(|scope| {
        let days = scope.spawn(|| ordinary_days(&world, &truth, &done));
        let pass = |seconds| {
            std::thread::sleep(Duration::from_secs(seconds));
            assert!(!days.is_finished(), "a client failed");
        };
        pass(12);
        killed.dies();
        pass(2);
        let (status, _) = away.leasewatch().stop();
        assert!(status.success(), "{status}");
        gone = Instant::now();
        world.rotate(1);
        pass(4);
        world.postgres.lock().unwrap().stop();
        pass(10);
        killed.dies();
        world.rotate(2);
        pass(12);
        world.postgres.lock().unwrap().restart();
        pass(12);
        killed.dies();
        pass(6);
        done.store(true, Ordering::SeqCst);
    });
    operator(&world, &truth);
    while gone.elapsed() < absence() {
        std::thread::sleep(Duration::from_millis(200));
    }
    away.leasewatch().restart_on_same_port();

    check::truth_is_one(&world, &truth).unwrap_or_else(|why| panic!("the test itself is wrong:\n{why}"));
    check::everything_happened(&world, &truth).unwrap();
    for watch in &watches {
        eventually(&format!("{:?} knows it all", watch.name), Duration::from_secs(60), || {
            // Each look makes entries in the log that is looked at.
            std::thread::sleep(Duration::from_secs(1));
            let page = watch.leasewatch().try_metrics()?;
            check::settled(&page, &world, &truth, false)?;
            check::causes(&page, &world, &truth)?;
            check::attempts_that_failed(&page, &world)?;
            check::retrying(&page, &world)?;
            check::tokens(&page, &world)?;
            rests_on(&page, ["told", "killed"].contains(&watch.name))
        });
    }
    if until_irrevocable() {
        given_up(&world, &watches);
    }
    for watch in &mut watches {
        let (name, pages) = (watch.name, watch.pages());
        assert!(pages.len() > 40, "{name:?} gave {} pages", pages.len());
        check::on_the_way(&pages, &world, &truth).unwrap_or_else(|why| panic!("{name:?}:\n{why}"));
        if name == "told" || name == "untold" {
            for role in [OWNER, MISSING] {
                let place = Place { namespace: "", mount: "database/", role };
                check::overdue_in_time(&pages, &truth, &place)
                    .unwrap_or_else(|why| panic!("{name:?}: {why}"));
            }
        }
    }
}

/// Every end was seen, and the page says on what the TTLs rest: on the API with a token, else on
/// role writes as far as the log has them in plain, and on what the server's log taught.
fn rests_on(page: &Metrics, is_told: bool) -> Result<(), String> {
    let learnt = if is_told { "role" } else { "learnt" };
    for (role, ttl, source) in [(HEALTHY, 6.0, "role"), (OWNER, 5.0, learnt), (MISSING, 5.0, learnt)] {
        let place = Place { namespace: "", mount: "database/", role };
        let labels: Vec<_> = place.labels().into_iter().chain([("source", source)]).collect();
        let shown = page.value("leasewatch_role_default_ttl_seconds", &labels);
        if shown.is_none_or(|shown: f64| (shown - ttl).abs() > 0.01) {
            let lines = page.lines("leasewatch_role_default_ttl_seconds");
            return Err(format!("default TTL{labels:?} is {shown:?} instead of {ttl}:\n{lines}"));
        }
        let observed = page.value("leasewatch_ledger_observed", &place.labels());
        if observed.is_none_or(|observed| observed < 0.5) {
            return Err(format!("the ends of {place:?} are not observed: {observed:?}"));
        }
    }
    Ok(())
}

/// What an operator does when the day is over: revokes below a prefix, at once and later, and by force.
fn operator(world: &World, truth: &Truth) {
    let all = [
        (Place { namespace: "", mount: "pg/eu-west/", role: STEADY }, "prefix", true, 204),
        (Place { namespace: "team-a", mount: "database/", role: STEADY }, "prefix", false, 202),
        (Place { namespace: "", mount: "pg/eu-west/", role: OWNER }, "force", true, 204),
    ];
    for (place, form, sync, expected) in all {
        let (cause, with_request): (&[&str], &[&str]) = match form {
            "prefix" => (&["prefix"], &["prefix", "requested", "token"]),
            _ => (&["forced"], &["forced", "requested", "token"]),
        };
        truth.all_end(&place, &Record::of(world), cause, with_request);
        let prefix = place.prefix();
        let path = format!("sys/leases/revoke-{form}/{}", prefix.trim_end_matches('/'));
        let reply = world.root_call(place.namespace, "POST", &path).json(&json!({"sync": sync})).send();
        assert_eq!(reply.status, expected, "{path}: {}", reply.text());
        eventually("all of them are gone", Duration::from_secs(60), || match world.listed(&place).len() {
            0 => Ok(()),
            left => Err(format!("{left} are left")),
        });
    }
}

/// Vault gives up what it tried six times; leasewatch says so, too.
fn given_up(world: &World, watches: &[Watch]) {
    for watch in watches {
        eventually(
            &format!("{:?} sees that leases are stuck", watch.name),
            Duration::from_secs(2_400),
            || {
                std::thread::sleep(Duration::from_secs(2));
                let answer = world.root_call("", "GET", "sys/leases?type=irrevocable").send().json();
                let leases = answer["data"]["leases"].as_array().cloned().unwrap_or_default();
                let page = watch.leasewatch().try_metrics()?;
                for place in Place::all().filter(|place| place.namespace.is_empty()) {
                    let listed = leases
                        .iter()
                        .filter(|lease| {
                            crate::truth::belongs(lease["lease_id"].as_str().unwrap_or_default(), &place)
                        })
                        .count();
                    let shown = page.sum("leasewatch_leases_stuck", &place.labels());
                    let out = world.listed(&place).len();
                    let broken = [OWNER, MISSING].contains(&place.role);
                    if (shown - listed as f64).abs() > 0.5 || (broken && listed != out) {
                        return Err(format!("{place:?}: {shown} stuck, {listed} irrevocable, {out} out"));
                    }
                }
                Ok(())
            },
        );
    }
}
