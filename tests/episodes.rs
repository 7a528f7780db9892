//! Episodes of anomalies as a person meets them: over the socket, on the pages, in the log, in reports.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    reason = "a test panics to fail, and these numbers are exact"
)]

mod support;

use leasewatch::simulator::{Attacks, Log, Scenario, Size, World};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use support::http::Request;
use support::{Leasewatch, eventually, lines};

/// `leasewatch` with an environment of its own.
fn leasewatch(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasewatch"));
    let Output { status, stdout, stderr } = command.args(arguments).env_clear().output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A log of a few credentials, the last taken with a token of the root policy.
fn log_with_root(dir: &Path) -> String {
    let mut text: String = (0..10).map(|number| lines::issued(number, "app")).collect();
    let root =
        lines::issued(10, "app").replace(r#""policies":["app-cli","default"]"#, r#""policies":["root"]"#);
    assert!(root.contains(r#"["root"]"#));
    text += &root;
    let log = dir.join("audit.log");
    fs::write(&log, text).unwrap();
    log.to_str().unwrap().to_owned()
}

fn episodes(state: &str, arguments: &[&str]) -> Value {
    let mut all = vec!["episodes", "--format", "json", "--state-dir", state];
    all.extend(arguments);
    let (code, stdout, stderr) = leasewatch(&all);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn first(state: &str) -> Value {
    eventually("there is an episode", Duration::from_secs(300), || {
        let document = episodes(state, &[]);
        document["episodes"].get(0).cloned().ok_or_else(|| document.to_string())
    })
}

#[test]
fn an_episode_is_told_shown_acknowledged_and_survives() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_with_root(dir.path());
    let state = dir.path().join("state");
    let state = state.to_str().unwrap();
    let mut serving = Leasewatch::start(["--audit-log", &log, "--state-dir", state], &[]);
    let episode = first(state);
    let id = episode["id"].as_str().unwrap().to_owned();
    assert_eq!(episode["severity"], "notice");
    assert_eq!(episode["subject"]["entity_id"], "63d5afda-00b7-d9b3-91d3-aeb5e3107633");
    assert_eq!(episode["components"][0]["name"], "privileged");

    let (code, text, _) = leasewatch(&["episodes", "--state-dir", state]);
    assert_eq!(code, 0);
    assert!(text.starts_with("1 episode as of ") && text.contains(&id), "{text}");
    assert!(text.contains("used a token with the root policy"), "{text}");
    let (code, text, _) = leasewatch(&["episodes", "show", &id, "--state-dir", state]);
    assert_eq!(code, 0);
    assert!(
        text.contains("63d5afda-00b7-d9b3-91d3-aeb5e3107633") && text.contains("0000000a-992e"),
        "{text}"
    );
    let (code, _, stderr) = leasewatch(&["episodes", "show", "00000000000000ff", "--state-dir", state]);
    assert_eq!((code, stderr.contains("there is no episode 00000000000000ff")), (1, true), "{stderr}");

    // The same by HTTP, for this machine; the log says it once, and names nobody.
    let reply = Request::new("GET", "/api/episodes").send(serving.port()).unwrap();
    assert_eq!(reply.status, 200);
    let document: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(document["episodes"][0]["id"], id);
    let told = serving.output();
    assert_eq!(told.matches(&id).count(), 1, "{told}");
    for name in ["63d5afda", "approle", "0000000a-992e", "127.0.1.3"] {
        assert!(!told.contains(name), "{name} is in {told}");
    }
    let open = |page: &support::exposition::Metrics, severity: &str| {
        page.sum("leasewatch_anomaly_open_episodes", &[("severity", severity), ("component", "privileged")])
    };
    let page = serving.metrics();
    assert_eq!(open(&page, "notice"), 1.0);
    assert_eq!(page.sum("leasewatch_anomaly_episodes_total", &[("severity", "notice")]), 1.0);
    assert!(page.sum("leasewatch_anomaly_threshold", &[("severity", "page")]) > 42.0);

    // Whoever vouches for it must say who, why and until when; by no other way than this socket.
    let (code, _, stderr) = leasewatch(&["episodes", "ack", &id, "--author", "mira", "--state-dir", state]);
    assert_eq!(code, 2, "{stderr}");
    let ack = |id: &str, expires: &str| {
        let reason = "the drill of today";
        leasewatch(&[
            "episodes",
            "ack",
            id,
            "--author",
            "mira",
            "--reason",
            reason,
            "--expires",
            expires,
            "--state-dir",
            state,
        ])
    };
    let (code, _, stderr) = ack(&id, "2026-01-01T00:00:00Z");
    assert!(code == 1 && stderr.contains("which is past"), "{stderr}");
    let (code, _, stderr) = ack("00000000000000ff", "7d");
    assert!(code == 1 && stderr.contains("there is no episode"), "{stderr}");
    for path in ["/episodes/acknowledge", "/api/episodes", "/api/episodes/acknowledge"] {
        let status = Request::new("POST", path).send(serving.port()).unwrap().status;
        assert!(matches!(status, 404 | 405), "{path}: {status}");
    }
    let (code, text, stderr) = ack(&id, "7d");
    assert_eq!(code, 0, "{stderr}");
    assert!(text.contains("is acknowledged until"), "{text}");
    let said = || {
        eventually("it is acknowledged", Duration::from_secs(300), || {
            let episode = first(state);
            if episode["acknowledged"]["author"] == "mira" { Ok(episode) } else { Err(episode.to_string()) }
        })
    };
    let before = said();
    assert_eq!(before["acknowledged"]["reason"], "the drill of today");
    assert_eq!(open(&serving.metrics(), "notice"), 0.0);

    // It is the same after a crash, and no news.
    serving.kill9();
    serving.restart();
    let after = said();
    assert_eq!(before, after);
    assert_eq!(serving.metrics().sum("leasewatch_anomaly_episodes_total", &[("severity", "notice")]), 1.0);
    assert_eq!(serving.output().matches("An anomaly: ").count(), 1, "{}", serving.output());
    assert!(serving.stop().0.success());

    // And offline it is the same episode, without what was said since.
    let (code, text, _) = leasewatch(&["analyze", &log, "--format", "json"]);
    assert_eq!(code, 0);
    let report: Value = serde_json::from_str(&text).unwrap();
    let mut offline = report["episodes"][0].clone();
    offline["acknowledged"] = after["acknowledged"].clone();
    assert_eq!(offline, after);
}

#[test]
fn the_configuration_can_vouch_for_one_too() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_with_root(dir.path());
    let (_, text, _) = leasewatch(&["analyze", &log, "--format", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let id = report["episodes"][0]["id"].as_str().unwrap();
    let state = dir.path().join("state");
    let file = dir.path().join("leasewatch.toml");
    let configured = format!(
        "[[anomaly.acknowledged]]\nepisode = \"{id}\"\nauthor = \"jo\"\nreason = \"migration\"\nexpires = \"2099-01-01T00:00:00Z\"\n"
    );
    fs::write(&file, configured).unwrap();
    let arguments = [
        "--audit-log",
        &log,
        "--state-dir",
        state.to_str().unwrap(),
        "--config.file",
        file.to_str().unwrap(),
    ];
    let mut serving = Leasewatch::start(arguments, &[]);
    let wait = || {
        eventually("it is acknowledged", Duration::from_secs(300), || {
            let episode = first(state.to_str().unwrap());
            if episode["acknowledged"]["author"] == "jo" { Ok(()) } else { Err(episode.to_string()) }
        });
    };
    wait();
    assert!(serving.stop().0.success());
    // It is written down once, not at every start.
    serving.restart();
    wait();
    assert!(serving.stop().0.success());
    let written: usize = fs::read_dir(&state)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("observations"))
        .map(|path| fs::read_to_string(path).unwrap().matches("\"acknowledged\"").count())
        .sum();
    assert_eq!(written, 1);
}

#[test]
fn names_are_on_no_page_where_the_setting_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_with_root(dir.path());
    let state = dir.path().join("state");
    let state = state.to_str().unwrap();
    let serving =
        Leasewatch::start(["--audit-log", &log, "--state-dir", state, "--web.identities", "nobody"], &[]);
    first(state);
    let reply = serving.get("/api/episodes").unwrap();
    assert_eq!(reply.status, 403);
    assert!(reply.text().contains("web.identities"), "{}", reply.text());
    let page = serving.get("/").unwrap().text();
    assert!(page.contains("privileged at database/") && !page.contains("The client"), "{page}");
}

#[test]
fn what_was_learnt_is_kept_for_its_owner_and_begun_with() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_with_root(dir.path());
    let baseline = dir.path().join("baseline.json");
    let (code, _, stderr) = leasewatch(&["analyze", &log, "--learn", baseline.to_str().unwrap()]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(fs::metadata(&baseline).unwrap().permissions().mode() & 0o777, 0o600);
    let state = dir.path().join("state");
    let arguments = [
        "--audit-log",
        &log,
        "--state-dir",
        state.to_str().unwrap(),
        "--anomaly.baseline",
        baseline.to_str().unwrap(),
    ];
    let mut serving = Leasewatch::start(arguments, &[]);
    serving.metrics_when("the log is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[]);
        if read >= 11.0 { Ok(()) } else { Err(format!("{read} lines")) }
    });
    assert!(serving.output().contains("Scoring begins with what was learnt before"), "{}", serving.output());
    assert_eq!(serving.metrics().sum("leasewatch_anomaly_subjects", &[]), 1.0);
    // What it was learnt from is not scored again.
    assert_eq!(
        episodes(state.to_str().unwrap(), &["--min-score", "0"])["episodes"],
        Value::Array(Vec::new())
    );
    assert!(serving.stop().0.success());
    // With a state of its own it has learnt more since.
    serving.restart();
    serving.metrics();
    assert_eq!(serving.output().matches("Scoring begins").count(), 1);
    assert!(serving.stop().0.success());

    fs::write(&baseline, "{\"version\":99}").unwrap();
    let (code, _, stderr) = leasewatch(&["analyze", &log, "--anomaly.baseline", baseline.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(stderr.contains("version 99") && stderr.contains("analyze --learn"), "{stderr}");
    let (code, _, stderr) = leasewatch(&["analyze", &log, "--learn", "/nowhere/baseline.json"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("/nowhere/baseline.json cannot be written"), "{stderr}");
}

#[test]
fn a_report_has_the_episodes_and_says_what_a_budget_would_have_cost() {
    let dir = tempfile::tempdir().unwrap();
    let log = log_with_root(dir.path());
    let (code, text, _) = leasewatch(&["analyze", &log, "--backtest"]);
    assert_eq!(code, 0);
    assert!(text.contains("\nAnomalies\n") && text.contains("used a token with the root policy"), "{text}");
    assert!(
        text.contains("\nBacktest\n") && text.contains("at a budget of 1 a week, I would have paged 0 times"),
        "{text}"
    );
    let (_, text, _) = leasewatch(&["analyze", &log, "--backtest", "--format", "json", "--min-score", "99"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["episodes"], Value::Array(Vec::new()));
    assert_eq!(report["backtest"]["alarm_budget"], 1.0);
    for wrong in [["--min-score", "101"], ["--anomaly.alarm-budget", "0"]] {
        let (code, _, stderr) = leasewatch(&["analyze", &log, wrong[0], wrong[1]]);
        assert_eq!(code, 2, "{stderr}");
    }
}

/// Two weeks of a small cluster with attacks: its audit log as lines.
fn simulated() -> Vec<String> {
    let scenario = Scenario::weeks(11, 2).size(Size::small()).attacks(Attacks::PerWeek(5.0));
    let mut world = World::new(&scenario);
    let (mut line, mut lines) = (String::new(), Vec::new());
    while let Some((_, log)) = world.next_line(&mut line) {
        if log == Log::Audit {
            lines.push(format!("{line}\n"));
        }
    }
    lines
}

#[test]
fn live_offline_and_with_a_crash_in_between_the_episodes_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let lines = simulated();
    let (log, state) = (dir.path().join("audit.log"), dir.path().join("state"));
    let (log, state) = (log.to_str().unwrap(), state.to_str().unwrap());
    let arguments = ["--audit-log", log, "--state-dir", state, "--checkpoint.interval", "1s"];
    let add = |lines: &[String]| {
        use std::io::Write as _;
        let mut file = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        file.write_all(lines.concat().as_bytes()).unwrap();
    };
    let read = |serving: &Leasewatch, count: usize| {
        serving.metrics_when("the log is read", |page| {
            let read = page.sum("leasewatch_log_lines_total", &[("source", "audit")]);
            if read >= count as f64 { Ok(()) } else { Err(format!("{read} lines")) }
        });
    };
    let (first, second) = (lines.len() / 3, lines.len() * 2 / 3);
    add(&lines[..first]);
    let mut serving = Leasewatch::start(arguments, &[]);
    read(&serving, first / 2);
    serving.kill9();
    add(&lines[first..second]);
    serving.restart();
    read(&serving, second);
    serving.kill9();
    serving.restart();
    add(&lines[second..]);
    read(&serving, lines.len());
    // Time goes on to where nothing is open any more: half a year lies between the log and the clock.
    let live = eventually("everything is over", Duration::from_secs(300), || {
        let live = episodes(state, &["--min-score", "0"]);
        let all = live["episodes"].as_array().unwrap();
        let is_over = all.iter().all(|episode| !episode["closed_at"].is_null());
        if is_over && !all.is_empty() { Ok(live.clone()) } else { Err(live["as_of"].to_string()) }
    });
    assert!(serving.stop().0.success());
    let as_of = live["as_of"].as_str().unwrap();
    let (code, text, stderr) =
        leasewatch(&["analyze", log, "--format", "json", "--min-score", "0", "--at", as_of]);
    assert_eq!(code, 0, "{stderr}");
    let offline: Value = serde_json::from_str(&text).unwrap();
    assert!(live["episodes"].as_array().unwrap().len() > 3, "{live}");
    assert_eq!(live["episodes"], offline["episodes"]);
}
