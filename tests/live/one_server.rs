//! One server, and leasewatch in five situations beside it: with a token for the API and
//! without, killed again and again, away for a minute and a half while the log is rotated, and
//! without the server's own log.

use crate::check;
use crate::days::ordinary_days;
use crate::support::{Metrics, eventually};
use crate::truth::{Record, Truth, belongs};
use crate::watch::{Page, Watch};
use crate::world::{HEALTHY, MISSING, OWNER, Place, STEADY, World};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// For how long leasewatch is away, in seconds; a soak asks for more.
fn absence() -> Duration {
    let seconds =
        std::env::var("LIVE_AWAY_SECONDS").map(|text| text.parse().expect("LIVE_AWAY_SECONDS is a number"));
    Duration::from_secs(seconds.unwrap_or(90))
}

/// Whether to wait until Vault gives leases up, which takes a quarter of an hour.
fn until_irrevocable() -> bool {
    std::env::var_os("LIVE_IRREVOCABLE").is_some()
}

#[test]
fn the_ledger_is_what_the_server_lists() {
    let world = World::single();
    let truth = Truth::default();
    let mut watches = [
        Watch::over("told", world.leasewatch("told", true, true)),
        Watch::over("untold", world.leasewatch("untold", false, true)),
        Watch::over("killed", world.leasewatch("killed", true, true)),
        Watch::over("away", world.leasewatch("away", false, true)),
        Watch::over("blind", world.leasewatch("blind", true, false)),
    ];
    let [_, _, killed, away, _] = &watches;
    let done = AtomicBool::new(false);
    let mut gone = Instant::now();
    std::thread::scope(|scope| {
        let days = scope.spawn(|| ordinary_days(&world, &truth, &done));
        let pass = |seconds| {
            std::thread::sleep(Duration::from_secs(seconds));
            assert!(!days.is_finished(), "a client failed");
        };
        pass(8);
        killed.dies();
        pass(2);
        let (status, _) = away.leasewatch().stop();
        assert!(status.success(), "{status}");
        gone = Instant::now();
        world.rotate();
        pass(4);
        world.postgres.lock().unwrap().stop();
        pass(10);
        killed.dies();
        world.rotate();
        pass(12);
        world.postgres.lock().unwrap().restart();
        pass(12);
        killed.dies();
        pass(16);
        done.store(true, Ordering::SeqCst);
    });
    operator(&world, &truth);
    while gone.elapsed() < absence() {
        std::thread::sleep(Duration::from_millis(200));
    }
    away.leasewatch().restart_on_same_port();

    check::truth_is_one(&world, &truth).unwrap_or_else(|why| panic!("the test itself is wrong:\n{why}"));
    check::everything_happened(&world, &truth).unwrap();
    let mut found: Vec<_> = watches[..4].iter().map(|watch| knows_it_all(watch, &world, &truth)).collect();
    if until_irrevocable() {
        found.extend(watches[..4].iter().map(|watch| sees_what_is_given_up(watch, &world)));
    }
    for (number, watch) in watches.iter_mut().enumerate() {
        let pages = watch.pages();
        let named = |result: Result<(), String>| result.map_err(|why| format!("{}:\n{why}", watch.name));
        assert!(pages.len() > 20, "{} gave {} pages", watch.name, pages.len());
        if watch.name == "blind" {
            found.push(named(never_observed(&pages)));
            continue;
        }
        found.push(named(check::on_the_way(&pages, &world, &truth)));
        // The other two were not there all the time.
        for role in [OWNER, MISSING].into_iter().filter(|_| number < 2) {
            let place = Place { namespace: "", mount: "database/", role };
            found.push(named(check::overdue_in_time(&pages, &truth, &place)));
        }
    }
    check::all_well(found);
}

/// In the end it has the server's leases, and every end with its cause.
fn knows_it_all(watch: &Watch, world: &World, truth: &Truth) -> Result<(), String> {
    check::in_time(watch.name, Duration::from_secs(45), || {
        let page = watch.leasewatch().try_metrics()?;
        check::settled(&page, world, truth, false)?;
        check::causes(&page, world, truth)?;
        check::attempts_that_failed(&page, world)?;
        check::retrying(&page, world)?;
        check::tokens(&page, world)?;
        rests_on(&page, ["told", "killed"].contains(&watch.name))
    })
}

/// Without the server's log no end is seen, and none is missed.
fn never_observed(pages: &[Page]) -> Result<(), String> {
    for page in pages {
        for metric in ["leasewatch_ledger_observed", "leasewatch_leases_overdue"] {
            let shown = page.metrics.sum(metric, &[]);
            if shown > 0.5 {
                return Err(format!("{metric} is {shown} at {:.1}", page.at));
            }
        }
    }
    Ok(())
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
        eventually("all of them are gone", Duration::from_secs(300), || match world.listed(&place).len() {
            0 => Ok(()),
            left => Err(format!("{left} are left")),
        });
    }
}

/// Vault gives up what it tried six times; leasewatch says so, too.
fn sees_what_is_given_up(watch: &Watch, world: &World) -> Result<(), String> {
    check::in_time(watch.name, Duration::from_secs(2_400), || {
        let answer = world.root_call("", "GET", "sys/leases?type=irrevocable").send().json();
        let leases = answer["data"]["leases"].as_array().cloned().unwrap_or_default();
        let ids: Vec<_> = leases.iter().filter_map(|lease| lease["lease_id"].as_str()).collect();
        let page = watch.leasewatch().try_metrics()?;
        for place in Place::all().filter(|place| place.namespace.is_empty()) {
            let irrevocable = ids.iter().filter(|id| belongs(id, &place)).count();
            let shown = page.sum("leasewatch_leases_stuck", &place.labels());
            let out = world.listed(&place).len();
            let is_broken = [OWNER, MISSING].contains(&place.role);
            if (shown - irrevocable as f64).abs() > 0.5 || (is_broken && irrevocable != out) {
                return Err(format!("{place:?}: {shown} stuck, {irrevocable} irrevocable, {out} out"));
            }
        }
        Ok(())
    })
}
