//! The monitor pack: every monitor fires and recovers, evaluated as `OneUptime` does over what a real `serve`
//! pushed. It pushes each second what it would push each minute, and a minute of a window is a second here.

use super::receiver::{HEARTBEAT, Receiver};
use super::stage::{PATIENCE, Stage};
use super::support::{Bao, eventually};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Every monitor by the name of its file.
fn pack() -> BTreeMap<String, Value> {
    let folder = std::fs::read_dir("oneuptime/monitors").unwrap();
    let monitor = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let files = folder.map(|entry| entry.unwrap().path());
    files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), monitor(&path))).collect()
}

fn step(monitor: &Value) -> &Value {
    assert_eq!(monitor["data"]["monitorSteps"]["_type"], "MonitorSteps");
    &monitor["data"]["monitorSteps"]["value"]["monitorStepsInstanceArray"][0]["value"]
}

fn minutes(window: &str) -> u64 {
    match window {
        "Past 1 Minute" => 1,
        "Past 5 Minutes" => 5,
        "Past 10 Minutes" => 10,
        "Past 15 Minutes" => 15,
        "Past 30 Minutes" => 30,
        "Past 1 Hour" => 60,
        other => panic!("{other} is no window of a monitor"),
    }
}

/// What a query has over the window that ends now; `None` without data.
fn query(receiver: &Receiver, metrics: &Value, alias: &str) -> Option<f64> {
    let view = &metrics["metricViewConfig"];
    let is_alias = |config: &&Value| config["metricAliasData"]["metricVariable"] == alias;
    if let Some(formula) = view["formulaConfigs"].as_array().unwrap().iter().find(is_alias) {
        let text = formula["metricFormulaData"]["metricFormula"].as_str().unwrap();
        let (left, right) = text.split_once(" - ").unwrap();
        let part = |alias| query(receiver, metrics, alias);
        return match (part(left), part(right)) {
            (None, None) => None,
            (left, right) => Some(left.unwrap_or(0.0) - right.unwrap_or(0.0)),
        };
    }
    let config = view["queryConfigs"].as_array().unwrap().iter().find(is_alias).expect(alias);
    let filter = &config["metricQueryData"]["filterData"];
    let name = filter["metricName"].as_str().unwrap();
    assert!(leasewatch::contract::all().any(|metric| metric.name == name), "{name} is no metric of ours");
    let attributes = filter["attributes"].as_object().unwrap();
    let window = Duration::from_secs(minutes(metrics["rollingTime"].as_str().unwrap()));
    let world = receiver.world();
    let values = world.points.iter().filter(|point| {
        point.name == name
            && point.received.elapsed() < window
            && attributes
                .iter()
                .all(|(key, value)| point.attributes.get(key).map(String::as_str) == value.as_str())
    });
    let values: Vec<f64> = values.map(|point| point.value).collect();
    let is_gauge = leasewatch::contract::all()
        .any(|metric| metric.name == name && metric.kind == leasewatch::snapshot::Kind::Gauge);
    match filter["aggegationType"].as_str().unwrap() {
        _ if values.is_empty() => None,
        // A sum of gauges depends on how often they are pushed.
        "Sum" if !is_gauge => Some(values.iter().sum()),
        "Max" if is_gauge => values.iter().copied().reduce(f64::max),
        "Min" if is_gauge => values.iter().copied().reduce(f64::min),
        other => panic!("{other} of {name} means nothing"),
    }
}

fn is_met(receiver: &Receiver, step: &Value, filter: &Value) -> bool {
    let limit = filter["value"].as_f64().unwrap();
    let how = filter["filterType"].as_str().unwrap();
    if filter["checkOn"] == "Incoming Request" {
        let world = receiver.world();
        let last =
            world.requests.iter().rev().find(|seen| seen.path.ends_with(HEARTBEAT)).map(|seen| seen.at);
        let is_recent = last.is_some_and(|at| at.elapsed().as_secs_f64() <= limit);
        return match how {
            "Recieved In Minutes" => is_recent,
            "Not Recieved In Minutes" => !is_recent,
            other => panic!("{other}"),
        };
    }
    assert_eq!(filter["checkOn"], "Metric Value");
    let options = &filter["metricMonitorOptions"];
    let value = query(receiver, &step["metricMonitor"], options["metricAlias"].as_str().unwrap());
    let value = match (value, options["onNoDataPolicy"].as_str().unwrap()) {
        (Some(value), _) => value,
        (None, "Treat As Zero") => 0.0,
        (None, "Trigger") => return true,
        (None, "Ignore") => return false,
        (None, other) => panic!("{other}"),
    };
    match how {
        "Greater Than" => value > limit,
        "Less Than" => value < limit,
        "Greater Than Or Equal To" => value >= limit,
        "Less Than Or Equal To" => value <= limit,
        other => panic!("{other}"),
    }
}

/// Whether a monitor fires now, has recovered, or neither: the first criterion that is met says so.
fn fires(receiver: &Receiver, monitor: &Value) -> Option<bool> {
    let step = step(monitor);
    let criteria = step["monitorCriteria"]["value"]["monitorCriteriaInstanceArray"].as_array().unwrap();
    let met = criteria.iter().map(|criterion| &criterion["value"]).find(|criterion| {
        let filters = criterion["filters"].as_array().unwrap();
        filters.iter().any(|filter| is_met(receiver, step, filter))
    })?;
    match met["monitorStatusId"].as_str().unwrap() {
        "OFFLINE_STATUS_ID" => Some(true),
        "ONLINE_STATUS_ID" => Some(false),
        other => panic!("{other}"),
    }
}

#[test]
fn every_monitor_fires_and_recovers() {
    let (mut stage, receiver, pack) = (Stage::new(), Receiver::start(), pack());
    let mut bao = Bao::start();
    let server = stage.dir.path().join("server.log");
    std::fs::write(&server, "").unwrap();
    let arguments = ["--server-log", server.to_str().unwrap(), "--vault.scrape-interval", "1s"];
    let address = bao.address();
    let mut serving = stage.serve_to(&receiver, &arguments, &[("VAULT_ADDR", &address)]);

    let becomes = |name: &str, wanted: bool| {
        eventually(&format!("{name} is {wanted}"), PATIENCE, || match fires(&receiver, &pack[name]) {
            Some(state) if state == wanted => Ok(()),
            other => Err(format!("{other:?}")),
        });
    };
    let only = |names: &[&str]| {
        let firing: Vec<_> =
            pack.iter().filter(|(_, monitor)| fires(&receiver, monitor) == Some(true)).collect();
        let others: Vec<_> = firing.iter().filter(|(name, _)| !names.contains(&name.as_str())).collect();
        assert!(others.is_empty(), "beside {names:?}: {others:?}");
    };
    let page = std::fs::read_to_string("docs/oneuptime.md").unwrap();
    for name in pack.keys() {
        assert!(page.contains(&format!("| `{name}` |")), "{name} is not in docs/oneuptime.md");
        becomes(name, false);
    }

    // A handful of failures is none yet; more are.
    let fail = |stage: &mut Stage, times| (0..times).for_each(|_| stage.fail("database/creds/app"));
    fail(&mut stage, 4);
    std::thread::sleep(Duration::from_secs(3));
    only(&[]);
    std::thread::sleep(Duration::from_secs(6));
    fail(&mut stage, 9);
    becomes("failed-issuing", true);
    only(&["failed-issuing"]);
    becomes("failed-issuing", false);

    stage.issue("app", 400);
    std::thread::sleep(Duration::from_secs(3));
    only(&[]);
    stage.issue("app", 200);
    becomes("lease-trend", true);
    only(&["lease-trend"]);

    let lease = "database/creds/app/000000000000000000000002";
    let line = |text: &str| {
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
        let mut log = std::fs::OpenOptions::new().append(true).open(&server).unwrap();
        log.write_all(format!("{now} {text}\n").as_bytes()).unwrap();
    };
    line(&format!(
        "[ERROR] expiration: failed to revoke lease: lease_id={lease} error=\"failed to revoke entry: resp: \
         (*logical.Response)(nil) err: ERROR: role \\\"v-x\\\" cannot be dropped because some objects depend on it \
         (SQLSTATE 2BP01)\" attempts=1 next_attempt=18.6s"
    ));
    becomes("unfinished-revocation", true);
    only(&["unfinished-revocation", "lease-trend"]);
    line(&format!("[INFO]  expiration: revoked lease: lease_id={lease}"));
    becomes("unfinished-revocation", false);
    becomes("lease-trend", false);

    // A notice is none; what pages is.
    stage.act("read", "secret/data/x", &["root"]);
    std::thread::sleep(Duration::from_secs(3));
    only(&[]);
    stage.act("update", "sys/audit/file2", &["admin"]);
    becomes("anomaly", true);
    only(&["anomaly"]);
    becomes("anomaly", false);

    bao.kill9();
    becomes("availability", true);
    only(&["availability"]);
    bao.restart();
    becomes("availability", false);

    serving.kill9();
    becomes("dead-man", true);
    // Nobody tells anything now.
    only(&["dead-man", "availability"]);
    serving.restart();
    becomes("dead-man", false);
    receiver.was_treated_well();
}
