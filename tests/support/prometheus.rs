//! A real Prometheus that scrapes, and has a past where it is given one; and promtool.

use super::http::Request;
use super::process::{Process, command, on_free_port};
use super::{eventually, program};
use rustix::process::Signal;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

/// A running Prometheus.
pub(crate) struct Prometheus {
    process: Process,
    port: u16,
    dir: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes this loopback port each second, as job `leasewatch`.
    pub(crate) fn start(target_port: u16) -> Self {
        let jobs =
            format!("- job_name: leasewatch\n  static_configs:\n  - targets: ['127.0.0.1:{target_port}']\n");
        Self::with_past(&jobs, &[])
    }

    /// Starts one with these `scrape_configs`, scraped each second, and with a past: files of
    /// `OpenMetrics` text with times.
    pub(crate) fn with_past(jobs: &str, past: &[&Path]) -> Self {
        Self::launch(jobs, past, "")
    }

    /// Starts one that scrapes a loopback port each second under a cluster's name, evaluates the rules
    /// of a folder as often, and tells an Alertmanager.
    pub(crate) fn with_rules(target_port: u16, rules: &Path, alertmanager_port: u16) -> Self {
        let jobs = format!(
            "- job_name: leasewatch\n  static_configs:\n  - targets: ['127.0.0.1:{target_port}']\n    labels: {{cluster: test}}\n"
        );
        let more = format!(
            "rule_files: ['{}/*.yml']\nalerting:\n  alertmanagers:\n  - static_configs:\n    - targets: ['127.0.0.1:{alertmanager_port}']\n",
            rules.display()
        );
        Self::launch(&jobs, &[], &more)
    }

    fn launch(jobs: &str, past: &[&Path], more: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-prom-").tempdir().unwrap();
        let data = dir.path().join("data");
        for file in past {
            let made = command(&program("promtool", &["/usr/bin/promtool".into()]))
                .args(["tsdb", "create-blocks-from", "--max-block-duration=768h", "openmetrics"])
                .args([*file, &data])
                .output()
                .unwrap();
            assert!(made.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&made.stderr));
        }
        let text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n{more}scrape_configs:\n{jobs}"
        );
        std::fs::write(dir.path().join("prometheus.yml"), text).unwrap();
        let (process, port) = serve(dir.path());
        Self { process, port, dir }
    }

    /// Ends it and starts it anew, so that it finds what was put into its folder of data meanwhile.
    pub(crate) fn restart(&mut self) {
        self.process.signal(Signal::TERM);
        self.process.wait(Duration::from_secs(60));
        (self.process, self.port) = serve(self.dir.path());
    }

    /// The folder with its blocks.
    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What a path of the API answers to these parameters: its `data`, or the error.
    pub(crate) fn api(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let mut query = String::new();
        for (name, value) in parameters {
            write!(query, "{}{name}={}", if query.is_empty() { '?' } else { '&' }, encoded(value)).unwrap();
        }
        let reply = Request::new("GET", &format!("/api/v1/{path}{query}"))
            .send(self.port)
            .expect("Prometheus answers");
        let mut json = reply.json();
        if reply.status == 200 { Ok(json["data"].take()) } else { Err(reply.text()) }
    }

    /// The value of an expression that gives one sample; none when it gives nothing yet.
    pub(crate) fn query(&self, expression: &str) -> Option<f64> {
        let data =
            self.api("query", &[("query", expression)]).unwrap_or_else(|why| panic!("{expression}: {why}"));
        let result = data["result"].as_array().expect("a vector");
        assert!(result.len() < 2, "more than one sample for {expression}: {result:?}");
        result.first().map(|sample| sample["value"][1].as_str().unwrap().parse().unwrap())
    }

    /// Waits until an expression gives this value.
    pub(crate) fn expect(&self, expression: &str, value: f64) {
        eventually(expression, Duration::from_secs(300), || {
            let now = self.query(expression);
            if now == Some(value) { Ok(()) } else { Err(format!("{now:?} instead of {value}")) }
        });
    }
}

/// Text as it may stand in an address.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    })
}

/// Starts the server of a folder with `prometheus.yml`, on a free port.
fn serve(dir: &Path) -> (Process, u16) {
    let start = |port: u16| {
        let mut command = command(&program("Prometheus", &["/usr/bin/prometheus".into()]));
        command
            .arg(format!("--config.file={}", dir.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
            .arg("--storage.tsdb.retention.time=90d")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(dir);
        Process::start("prometheus", &mut command, &dir.join("prometheus.log"))
    };
    let ready = |port| match Request::new("GET", "/-/ready").send(port) {
        Ok(reply) if reply.status == 200 => Ok(()),
        Ok(reply) => Err(format!("HTTP {}", reply.status)),
        Err(why) => Err(why.to_string()),
    };
    on_free_port(start, ready)
}

/// Holds a page against promtool's linter; its complaints fail the test.
pub(crate) fn promtool_check(page: &str) {
    let path: PathBuf = program("promtool", &["/usr/bin/promtool".into()]);
    let mut child = command(&path)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "promtool check metrics: {said}");
}
