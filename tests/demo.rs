//! The demo as a newcomer meets it: one command, and within moments there is something to see;
//! and when it ends, nothing is left of it.
//!
//! A short past is enough here: a debug build writes and reads some ten thousand lines a second.

#![allow(clippy::unwrap_used, reason = "a test panics to fail")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]
#![allow(dead_code, reason = "other tests use the rest of the support")]

mod support;

use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use support::http::Request;
use support::process::{Process, command};
use support::{Metrics, eventually, leasewatch};
use tempfile::TempDir;

/// Against hanging; debug builds on busy machines are slow.
const LIMIT: Duration = Duration::from_secs(180);

/// A running demo, whose temporary folders lie in a folder of the test's.
struct Demo {
    process: Process,
    temporary: TempDir,
    /// Holds what it printed.
    _log: TempDir,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let (temporary, log) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut command = command(Path::new(env!("CARGO_BIN_EXE_leasewatch")));
        command.arg("demo").args(arguments).env("TMPDIR", temporary.path());
        let process = Process::start("leasewatch demo", &mut command, &log.path().join("printed"));
        Self { process, temporary, _log: log }
    }

    /// What it printed after this word, once it is there.
    fn printed(&mut self, word: &str) -> String {
        eventually(word, LIMIT, || {
            let text = self.process.output();
            let line = text.lines().find_map(|line| line.strip_prefix(word).map(str::trim));
            let ended = self.process.exited();
            assert!(ended.is_none() || line.is_some(), "it ended with {ended:?}:\n{text}");
            line.map(str::to_owned).ok_or(text.clone())
        })
    }

    fn port(&mut self) -> u16 {
        let url = self.printed("Page ");
        url.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Ends it; there must be nothing left in its temporary folder.
    fn stop(mut self, signal: Signal) {
        self.process.signal(signal);
        let status = self.process.wait(Duration::from_secs(30));
        assert!(status.success(), "{status}: {}", self.process.output());
        assert_eq!(entries(self.temporary.path()), Vec::<PathBuf>::new());
    }
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

fn page(port: u16, path: &str) -> Result<String, String> {
    let reply = Request::new("GET", path).send(port).map_err(|why| why.to_string())?;
    if reply.status == 200 {
        Ok(reply.text())
    } else {
        Err(format!("HTTP {}: {}", reply.status, reply.text()))
    }
}

/// The metrics, as soon as they are as `expected`; no log may tell of the future meanwhile.
fn metrics_when(port: u16, what: &str, expected: impl Fn(&Metrics) -> bool) -> Metrics {
    eventually(what, LIMIT, || {
        let metrics = Metrics::parse(&page(port, "/metrics")?);
        let now = now();
        for (labels, last) in metrics.matching("leasewatch_log_last_entry_timestamp_seconds", &[]) {
            assert!(last <= now, "{labels:?} is {} s ahead", last - now);
        }
        if expected(&metrics) { Ok(metrics) } else { Err(metrics.lines("leasewatch_leases")) }
    })
}

#[test]
fn a_newcomer_sees_leases_a_failing_revocation_and_an_attack() {
    let mut demo = Demo::start(&["--weeks", "0.4", "--web.listen-address", "127.0.0.1:0"]);
    let port = demo.port();
    let metrics = metrics_when(port, "leases, rates and revocations that fail", |metrics| {
        metrics.sum("leasewatch_leases", &[]) > 0.0
            && metrics.sum("leasewatch_credentials_issue_rate", &[("window", "5m")]) > 0.0
            && metrics.sum("leasewatch_leases_retrying_by_cause", &[("reason", "object_dependency")])
                + metrics.sum("leasewatch_leases_stuck", &[])
                > 0.0
    });
    // It is the real thing: the API answers, its own requests are found, nothing is misread.
    assert_eq!(metrics.value("leasewatch_vault_up", &[]), Some(1.0));
    assert_eq!(metrics.sum("leasewatch_log_unreadable_total", &[]), 0.0);
    assert_eq!(metrics.sum("leasewatch_log_late_total", &[]), 0.0);
    assert_eq!(metrics.sum("leasewatch_log_gaps_total", &[]), 0.0);
    assert!(metrics.matching("leasewatch_scrape_success", &[]).all(|(_, success)| success > 0.0));
    assert!(metrics.sum("leasewatch_role_default_ttl_seconds", &[("source", "role")]) > 0.0);
    metrics_when(port, "its own requests in the log", |metrics| {
        metrics.sum("leasewatch_audit_canary_success_timestamp_seconds", &[]) > now() - 60.0
    });
    let lines = |metrics: &Metrics| metrics.sum("leasewatch_log_lines_total", &[("source", "audit")]);
    let before = lines(&metrics);
    metrics_when(port, "life goes on", |metrics| lines(metrics) > before);

    let attack = eventually("an attack with its explanation", LIMIT, || {
        let document: Value = serde_json::from_str(&page(port, "/api/episodes")?).unwrap();
        let episodes = document["episodes"].as_array().unwrap();
        // Of the past there are some too, which are over.
        let is_attack = |episode: &&Value| {
            episode["class"] == "security" && episode["severity"] != "info" && episode["closed_at"].is_null()
        };
        let found = episodes.iter().find(is_attack).cloned();
        found.ok_or_else(|| format!("{} episodes: {document:#}", episodes.len()))
    });
    let component = &attack["components"][0];
    assert!(component["text"].as_str().is_some_and(|text| text.len() > 20), "{attack:#}");
    assert!(component["observed"].is_number() && component["expected"].is_number(), "{attack:#}");
    let shown = page(port, "/").unwrap();
    for part in ["Leases by role", "to be revoked", "audit.log", attack["id"].as_str().unwrap()] {
        assert!(shown.contains(part), "{part} is not on the page:\n{shown}");
    }

    // What it prints can be typed.
    let asked = demo.printed("Leases ");
    let (_, state) = asked.split_once("--state-dir ").unwrap();
    let listed = leasewatch::run(["leases", "--state-dir", state]);
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    demo.stop(Signal::TERM);
}

#[test]
fn an_occupied_port_is_told_at_once_with_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut demo = Demo::start(&["--web.listen-address", &address]);
    let status = demo.process.wait(Duration::from_secs(60));
    let said = demo.process.output();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains(&address) && said.contains("--web.listen-address"), "{said}");
    assert_eq!(entries(demo.temporary.path()), Vec::<PathBuf>::new());
}

#[test]
fn interrupted_while_it_writes_the_past_it_leaves_nothing() {
    let demo = Demo::start(&["--weeks", "100", "--web.listen-address", "127.0.0.1:0"]);
    eventually("a folder of logs", LIMIT, || {
        let folders = entries(demo.temporary.path());
        let folder = folders.first().ok_or("no folder")?;
        if entries(folder).is_empty() { Err("no logs") } else { Ok(()) }.map_err(str::to_owned)
    });
    demo.stop(Signal::INT);
}

#[test]
fn a_named_folder_stays_and_its_logs_can_be_analyzed() {
    let dir = tempfile::tempdir().unwrap();
    let kept = dir.path().join("kept");
    let path = kept.to_str().unwrap();
    let history = dir.path().join("past.om");
    let mut demo = Demo::start(&[
        "--weeks",
        "0.02",
        "--dir",
        path,
        "--openmetrics",
        history.to_str().unwrap(),
        "--run-for",
        "1s",
        "--web.listen-address",
        "127.0.0.1:0",
    ]);
    assert!(demo.process.wait(LIMIT).success(), "{}", demo.process.output());
    assert_eq!(entries(demo.temporary.path()), Vec::<PathBuf>::new());

    let logs = |name: &str| -> Vec<_> {
        let is_of_log = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(name);
        entries(&kept).into_iter().filter(is_of_log).collect()
    };
    assert_eq!((logs("audit.log").len(), logs("server.log").len()), (2, 2));
    let mut arguments: Vec<PathBuf> = logs("audit.log");
    for log in logs("server.log") {
        arguments.extend(["--server-log".into(), log]);
    }
    let metrics = support::analyze(arguments);
    assert!(metrics.sum("leasewatch_credentials_issued_total", &[]) > 0.0);
    assert_eq!(metrics.sum("leasewatch_log_unreadable_total", &[]), 0.0);

    // Prometheus takes it: a sample every five minutes, of a series that says whom it is scraped from.
    let text = fs::read_to_string(history).unwrap();
    let samples = text.lines().filter(|line| line.starts_with("leasewatch_leases{job=\"leasewatch\","));
    assert!(samples.count() >= 30 && text.ends_with("# EOF\n"), "{text}");

    // It is nobody's to overwrite.
    let mut again = Demo::start(&["--dir", path, "--web.listen-address", "127.0.0.1:0"]);
    assert_eq!(again.process.wait(LIMIT).code(), Some(1));
    assert!(again.process.output().contains("--dir"), "{}", again.process.output());
}
