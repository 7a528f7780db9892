//! End to end: a real `PostgreSQL`, a real `OpenBao` and a real Prometheus around the real
//! binary, with clients that note down what they saw. What `/metrics` says must be that.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

mod client;
mod cluster;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod truth;

use client::{Client, Identity, revoke_below};
use serde_json::json;
use stage::Stage;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use support::{Leasewatch, NeverFalls, Prometheus};
use truth::Truth;

/// Rounds of traffic that each client makes in a phase.
const ROUNDS: usize = 24;

/// How long the ordinary days go on, at least; a soak asks for more.
fn soak() -> Duration {
    let seconds = std::env::var("E2E_SECONDS").map(|text| text.parse().expect("E2E_SECONDS is a number"));
    Duration::from_secs(seconds.unwrap_or(0))
}

/// Login failures are the auth method's business: whether they are denials is not the
/// clients' to say.
fn unknown_to_clients(labels: &std::collections::BTreeMap<String, String>) -> bool {
    labels.contains_key("kind") && labels.get("mount").is_some_and(|mount| mount.starts_with("auth/"))
}

#[test]
fn what_the_clients_saw_is_what_the_page_says() {
    let began = unix_time();
    let mut stage = Stage::new();
    let truth = Truth::default();
    let mut leasewatch = stage.leasewatch();
    let prometheus = Prometheus::start(leasewatch.port());
    let mut never_falls = NeverFalls::default();

    // Ordinary days, with rotations and sudden deaths in them.
    let started = Instant::now();
    let mut days = 0;
    while days < 3 || started.elapsed() < soak() {
        traffic(&stage, &truth, &leasewatch, &mut never_falls);
        leasewatch.kill9();
        if days % 2 == 1 {
            stage.rotate(days);
        }
        traffic_unwatched(&stage, &truth);
        leasewatch.restart_on_same_port();
        days += 1;
    }
    operator(&stage, &truth);

    // The database is gone, and comes back.
    stage.postgres.stop();
    traffic(&stage, &truth, &leasewatch, &mut never_falls);
    stage.postgres.restart();
    stage.rotate(days);
    traffic(&stage, &truth, &leasewatch, &mut never_falls);

    let page = leasewatch.metrics_when("the page says what the clients saw", |page| {
        never_falls.page(page);
        truth.hold(page, unknown_to_clients)
    });
    assert!(never_falls.pages() > 10, "only {} pages were looked at", never_falls.pages());
    everything_happened(&truth);
    support::prometheus::promtool_check(&page.text);
    let shown = page.sum("leasewatch_requests_total", &[]);
    let sent = stage.bao().audited_calls();
    assert!(
        (shown - sent as f64).abs() < 0.5,
        "{shown} requests shown, {sent} sent by others than leasewatch:\n{}",
        page.lines("leasewatch_requests_total")
    );

    // A real Prometheus has the same numbers.
    for mount in ["database/", "pg/eu-west/"] {
        let labels = [("vault_namespace", "root"), ("mount", mount), ("role", "app-role")];
        let query = format!(
            "leasewatch_credentials_issued_total{{vault_namespace=\"root\",mount=\"{mount}\",role=\"app-role\"}}"
        );
        prometheus.expect(&query, truth.total("leasewatch_credentials_issued_total", &labels) as f64);
    }

    privileged(&page, began);
    failed_revocations(&stage, &leasewatch);
    availability(&stage, &leasewatch, began);
    shuts_down_beside_a_half_sent_request(&mut leasewatch);

    // What it knew survives its orderly end, too.
    leasewatch.restart_on_same_port();
    let page = leasewatch.metrics();
    never_falls.page(&page);
    truth.hold(&page, unknown_to_clients).unwrap();
}

/// Clients at work, while the page is looked at again and again.
fn traffic(stage: &Stage, truth: &Truth, leasewatch: &Leasewatch, never_falls: &mut NeverFalls) {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            traffic_unwatched(stage, truth);
            done.store(true, Ordering::SeqCst);
        });
        while !worker.is_finished() {
            if let Ok(page) = leasewatch.try_metrics() {
                never_falls.page(&page);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    assert!(done.load(Ordering::SeqCst));
    never_falls.page(&leasewatch.metrics());
}

/// Clients at work.
fn traffic_unwatched(stage: &Stage, truth: &Truth) {
    std::thread::scope(|scope| {
        let mut workers = Vec::new();
        for number in 1..=6 {
            workers.push(scope.spawn(move || {
                let mut client = match number {
                    1 | 2 => Client::kubernetes(stage, truth, number),
                    3 => Client::app_role(stage, truth, number, "", "app", "batch"),
                    4 => Client::app_role(stage, truth, number, "team-a", "app", "service"),
                    _ => Client::app_role(stage, truth, number, "", "app", "service"),
                };
                work(&mut client, number, number != 3);
            }));
        }
        workers.push(scope.spawn(move || {
            let client = Client::app_role(stage, truth, 7, "", "narrow", "service");
            denied_work(&client);
        }));
        for worker in workers {
            worker.join().expect("a client failed");
        }
    });
}

/// The rounds of an ordinary client. `service`: its token can be given back.
fn work(client: &mut Client, number: u8, service: bool) {
    let mounts: &[&str] = if number == 4 { &["database/"] } else { &["database/", "pg/eu-west/"] };
    let roles = ["app-role", "eu.reports", "app-role", "broken-revoke"];
    let mut leases = Vec::new();
    for round in 0..ROUNDS {
        let turn = round + usize::from(number);
        let mount = mounts[turn / roles.len() % mounts.len()];
        leases.extend(client.generate(mount, roles[turn % roles.len()]));
        match round % 12 {
            0 | 6 => client.generate_wrapped(mount, "app-role", round % 12 == 0),
            1 => client.read_kv(),
            2 | 8 => {
                if let Some(lease) = leases.last_mut() {
                    client.renew(lease, 0);
                    client.renew(lease, 86_400);
                }
            }
            3 => {
                if let Some(lease) = leases.pop() {
                    client.revoke(&lease);
                    // A dead lease can be revoked, but not renewed.
                    client.revoke(&lease);
                    client.renew(&mut lease.clone(), 0);
                }
            }
            4 => {
                if let Some(lease) = leases.pop() {
                    client.revoke_by_path(&lease);
                }
            }
            5 | 11 => {
                client.generate(mount, &format!("invented-{round}"));
            }
            7 => {
                client.generate(mount, "forbidden");
            }
            9 => {
                if let Some(mut lease) = leases.pop() {
                    client.renew(&mut lease, 0);
                    client.revoke(&lease);
                }
            }
            _ if service => {
                client.revoke_self();
                client.generate(mount, "app-role");
                client.renew_something();
                client.login();
                leases.clear();
            }
            _ => {}
        }
    }
}

/// The rounds of a client that may do next to nothing.
fn denied_work(client: &Client) {
    for round in 0..ROUNDS {
        let lease = client.generate("pg/eu-west/", "app-role");
        client.generate("database/", "app-role");
        client.generate("pg/eu-west/", "eu.reports");
        if let Some(lease) = lease.filter(|_| round % 2 == 0) {
            client.revoke(&lease);
            client.revoke_by_path(&lease);
        }
        client.login_as(&Identity::Kubernetes { account: "intruder" });
        client.login_as(&Identity::AppRole { role_id: "none".into(), secret_id: "none".into() });
    }
}

/// What an operator does with the root token.
fn operator(stage: &Stage, truth: &Truth) {
    revoke_below(stage.bao(), truth, "prefix", "pg/eu-west/", "app-role");
    revoke_below(stage.bao(), truth, "prefix", "pg/eu-west/", "eu.reports");
    revoke_below(stage.bao(), truth, "force", "database/", "broken-revoke");
    stage.bao().write("database/rotate-root/pg", &json!({}));
}

/// The run was not so lucky that some trap was never set.
fn everything_happened(truth: &Truth) {
    let happened = |metric: &str, labels: &[(&'static str, &str)]| {
        assert!(truth.total(metric, labels) > 0, "nobody saw {metric}{labels:?}");
    };
    for namespace in ["root", "team-a"] {
        happened("leasewatch_credentials_issued_total", &[("vault_namespace", namespace)]);
    }
    for reason in ["denied", "invalid_token", "not_allowed", "backend"] {
        happened("leasewatch_credential_failures_total", &[("reason", reason)]);
    }
    happened("leasewatch_credential_failures_total", &[("role", "(unknown)")]);
    for outcome in ["ok", "capped", "failed"] {
        happened("leasewatch_renewals_total", &[("outcome", outcome)]);
    }
    for outcome in ["ok", "queued", "denied", "failed"] {
        happened("leasewatch_revocation_requests_total", &[("outcome", outcome)]);
    }
    for form in ["lease", "prefix", "force", "token"] {
        happened("leasewatch_revocation_requests_total", &[("form", form)]);
    }
    for method in ["approle", "kubernetes"] {
        for outcome in ["ok", "failed"] {
            happened("leasewatch_logins_total", &[("auth_method", method), ("outcome", outcome)]);
        }
    }
    for kind in ["policy", "invalid_token"] {
        happened("leasewatch_denied_total", &[("kind", kind)]);
    }
}

/// The operator's doings are on the page.
fn privileged(page: &support::Metrics, began: f64) {
    for (operation, times) in [("rotate_root", 1.0), ("revoke_force", 1.0), ("revoke_prefix", 2.0)] {
        let shown = page.sum("leasewatch_privileged_operations_total", &[("operation", operation)]);
        assert!(
            (shown - times).abs() < 0.5,
            "{operation}: {shown} instead of {times}\n{}",
            page.lines("leasewatch_privileged_operations_total")
        );
    }
    let labels = [("vault_namespace", "root"), ("mount", "database/"), ("connection", "pg")];
    let rotated = page.value("leasewatch_root_rotation_last_success_timestamp_seconds", &labels);
    assert!(rotated.is_some_and(|at| at >= began && at <= unix_time()), "rotated at {rotated:?}");
}

/// Attempts that failed are those that stand in the server's own log, by role and cause.
fn failed_revocations(stage: &Stage, leasewatch: &Leasewatch) {
    let logged = || {
        let log = std::fs::read_to_string(stage.bao().server_log()).unwrap();
        let failed = |line: &&str| {
            let lease = line.split("\"lease_id\":\"database/creds/broken-revoke/").nth(1);
            // Behind a point would follow the namespace, where it is not root.
            let in_root = lease.and_then(|rest| rest.split('"').next()).is_some_and(|id| !id.contains('.'));
            in_root && line.contains("\"failed to revoke lease\"")
        };
        log.lines().filter(failed).count()
    };
    let page = leasewatch.metrics_when("failed attempts as in the server log", |page| {
        let labels = [("vault_namespace", "root"), ("mount", "database/"), ("role", "broken-revoke")];
        let shown = page.sum("leasewatch_revocation_failures_total", &labels);
        let logged = logged();
        if logged > 0 && (shown - logged as f64).abs() < 0.5 {
            Ok(())
        } else {
            Err(format!("{shown} shown, {logged} logged"))
        }
    });
    let dependency = [("role", "broken-revoke"), ("reason", "object_dependency")];
    assert!(page.sum("leasewatch_revocation_failures_total", &dependency) > 0.0);
}

/// What the API says: up, unsealed, then sealed; and that the audit log is alive.
fn availability(stage: &Stage, leasewatch: &Leasewatch, began: f64) {
    let is = |page: &support::Metrics, name: &str, expected: f64| {
        let found: Vec<f64> = page.matching(name, &[]).map(|(_, value)| value).collect();
        if found.len() == 1 && (found[0] - expected).abs() < 0.5 {
            Ok(())
        } else {
            Err(format!("{name} is {found:?} instead of {expected}"))
        }
    };
    let page = leasewatch.metrics_when("the API is scraped", |page| {
        is(page, "leasewatch_vault_up", 1.0)?;
        is(page, "leasewatch_vault_initialized", 1.0)?;
        is(page, "leasewatch_vault_sealed", 0.0)?;
        is(page, "leasewatch_vault_active", 1.0)?;
        let counted = stage.bao().root_call("GET", "sys/leases/count?type=irrevocable").send().json();
        let irrevocable = counted["data"]["lease_count"].as_f64().unwrap_or(0.0);
        let shown = page.sum("leasewatch_leases_irrevocable", &[]);
        // Six attempts over a quarter of an hour come first; a shorter run has none.
        if soak() > Duration::from_secs(1_200) && irrevocable < 0.5 {
            return Err("no lease is irrevocable yet".into());
        }
        if (shown - irrevocable).abs() > 0.5 {
            return Err(format!("{shown} irrevocable leases shown, the API says {irrevocable}"));
        }
        Ok(())
    });
    let canary = page.value("leasewatch_audit_canary_success_timestamp_seconds", &[]);
    assert!(
        canary.is_some_and(|at| at > began && at <= unix_time()),
        "the canary was seen at {canary:?}, the test began at {began}"
    );
    stage.bao().seal();
    leasewatch.metrics_when("it is seen that Vault is sealed", |page| {
        is(page, "leasewatch_vault_up", 1.0)?;
        is(page, "leasewatch_vault_sealed", 1.0)
    });
}

/// A client that never finishes its request does not hold up the end.
fn shuts_down_beside_a_half_sent_request(leasewatch: &mut Leasewatch) {
    let mut half = std::net::TcpStream::connect(("127.0.0.1", leasewatch.port())).unwrap();
    half.write_all(b"GET /metrics HTTP/1.1\r\nhost: half").unwrap();
    // An answered request proves that the half-sent one has been accepted before it.
    leasewatch.metrics();
    let (status, took) = leasewatch.stop();
    assert!(status.success(), "{status}:\n{}", leasewatch.output());
    // The limit is the product's promise; it leaves the kernel a second to spare.
    assert!(took < Duration::from_secs(6), "it took {took:?} to end");
}

fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
