//! The stage: a log that grows, a `serve` that reads it, and what it is told about its receiver.

use super::receiver::{HEARTBEAT, Receiver, TOKEN};
use super::support::{Leasewatch, Metrics, lines};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until the page of metrics is so; the page.
pub fn when(serving: &Leasewatch, what: &str, is_so: impl Fn(&Metrics) -> bool) -> Metrics {
    serving.metrics_when(what, |page| if is_so(page) { Ok(()) } else { Err("it is not so".to_owned()) })
}

pub struct Stage {
    pub dir: TempDir,
    pub log: PathBuf,
    next: u64,
}

impl Stage {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-push-").tempdir().unwrap();
        let log = dir.path().join("audit.log");
        let mut stage = Self { dir, log, next: 1 };
        stage.issue("app", 3);
        stage
    }

    /// `serve` with these arguments too, pushing every second.
    pub fn serve(&self, further: &[&str], variables: &[(&str, &str)]) -> Leasewatch {
        let state = self.dir.path().join("state");
        let log = self.log.to_str().unwrap();
        let mut arguments = vec!["--audit-log", log, "--state-dir", state.to_str().unwrap()];
        arguments.extend(["--push.interval", "1s", "--checkpoint.interval", "1s"]);
        arguments.extend(further);
        Leasewatch::start(arguments, variables)
    }

    /// The same with a receiver and its keys.
    pub fn serve_to(&self, receiver: &Receiver, further: &[&str], variables: &[(&str, &str)]) -> Leasewatch {
        let url = receiver.url();
        let mut all = vec![
            ("LEASEWATCH_ONEUPTIME_URL", url.as_str()),
            ("LEASEWATCH_ONEUPTIME_TOKEN", TOKEN),
            ("LEASEWATCH_ONEUPTIME_HEARTBEAT_KEY", HEARTBEAT),
        ];
        all.extend(variables);
        self.serve(further, &all)
    }

    /// Somebody takes so many credentials.
    pub fn issue(&mut self, role: &str, times: u64) {
        for _ in 0..times {
            let line = lines::issued(self.next, role);
            self.next += 1;
            self.write(&line);
        }
    }

    /// Somebody does something else, as an audit device logs it.
    pub fn act(&mut self, operation: &str, path: &str, policies: &[&str]) {
        let line = self.entry(operation, path, policies);
        self.write(&format!("{line}\n"));
    }

    /// Somebody vouches for an episode.
    pub fn vouch(&self, id: &str) {
        let vouched = Command::new(env!("CARGO_BIN_EXE_leasewatch"))
            .args(["episodes", "ack", id, "--author", "mira", "--reason", "a drill", "--expires", "7d"])
            .arg("--state-dir")
            .arg(self.dir.path().join("state"))
            .output()
            .unwrap();
        assert!(vouched.status.success(), "{}", String::from_utf8_lossy(&vouched.stderr));
    }

    /// The same without success.
    pub fn fail(&mut self, path: &str) {
        let mut line = self.entry("read", path, &["admin"]);
        line["error"] = json!("1 error occurred:\n\t* internal error\n\n");
        self.write(&format!("{line}\n"));
    }

    fn entry(&mut self, operation: &str, path: &str, policies: &[&str]) -> Value {
        self.next += 1;
        let mount = path.split('/').next().unwrap();
        json!({
            "time": jiff::Timestamp::now().to_string(),
            "type": "response",
            "auth": {
                "client_token": "hmac-sha256:9c5b73518178b5a3463dff3c25e30c452213793b895a16af2a33b11167cf2bdd",
                "accessor": "hmac-sha256:25fd8f6873d3e450a25ed87bf0861f923221117ff7584432270612023852aa97",
                "display_name": "userpass-mallory",
                "policies": policies,
                "token_policies": policies,
                "entity_id": "7d1e0b5c-1111-2222-3333-444455556666",
                "token_type": "service"
            },
            "request": {
                "id": format!("{:08x}-aaaa-bbbb-cccc-121212121212", self.next),
                "operation": operation,
                "mount_point": format!("{mount}/"),
                "mount_type": if mount == "sys" { "system" } else { mount },
                "namespace": {"id": "root"},
                "path": path,
                "remote_address": "203.0.113.77"
            },
            "response": {"mount_type": "system"}
        })
    }

    fn write(&self, line: &str) {
        let mut log = OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        log.write_all(line.as_bytes()).unwrap();
    }
}
