//! Logs made line by line, and the counts they come to.

use leasewatch::anomaly::Settings;
use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress, Stats};
use leasewatch::snapshot::{Family, Value};
use leasewatch::source::{LineSource, Position, Status, Step};
use leasewatch::state::Limits;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::time::Instant;

/// Lines in memory, from a place on.
pub struct Memory {
    lines: Vec<String>,
    next: usize,
}

impl Memory {
    pub fn from(lines: &[String], next: usize) -> Self {
        Self { lines: lines.to_vec(), next }
    }
}

impl LineSource for Memory {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        let Some(text) = self.lines.get(self.next) else { return Step::End };
        self.next += 1;
        line.clear();
        line.extend_from_slice(text.as_bytes());
        Step::Line
    }
    fn position(&self) -> Position {
        Position::default()
    }
    fn next_position(&self) -> Position {
        Position::default()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

pub const LIMITS: Limits = Limits { label_sets: 100, leases: 10_000, anomaly: Settings::OFF };
const END: Timestamp = Timestamp::from_nanos(i64::MAX);

/// A pipeline over audit logs.
pub fn audit(logs: &[&[String]]) -> Pipeline {
    let inputs = logs.iter().enumerate().map(|(number, lines)| {
        Input::new(format!("audit-{number}"), Lines::Log(LogKind::Audit), Box::new(Memory::from(lines, 0)))
    });
    Pipeline::new(LIMITS, inputs.collect())
}

/// Runs a pipeline to its end.
pub fn finish(pipeline: &mut Pipeline) {
    while pipeline.run(Instant::now(), Timestamp::MIN, END, 7) != Progress::Done {}
}

/// What one audit log comes to.
pub fn families(lines: &[String]) -> Vec<Family> {
    let mut pipeline = audit(&[lines]);
    finish(&mut pipeline);
    pipeline.families(pipeline.front())
}

/// What is counted of the log itself.
pub fn stats(lines: &[String]) -> Stats {
    let mut pipeline = audit(&[lines]);
    finish(&mut pipeline);
    pipeline.inputs()[0].stats().clone()
}

/// The counts of a metric that are not 0, as `label,label,… = count`.
pub fn counts(families: &[Family], metric: &str) -> Vec<String> {
    let Some(family) = families.iter().find(|family| family.metric.name == metric) else { return Vec::new() };
    let series = family.series.iter().filter_map(|series| match &series.value {
        Value::Count(0) => None,
        Value::Count(count) => Some(format!("{} = {count}", series.labels.join(","))),
        Value::Number(number) => Some(format!("{} = {number}", series.labels.join(","))),
        Value::Histogram(h) => {
            Some(format!("{} = {}", series.labels.join(","), h.counts.iter().sum::<u64>()))
        }
    });
    series.collect()
}

/// How many series there are in all.
pub fn series(families: &[Family]) -> usize {
    families.iter().map(|family| family.series.len()).sum()
}

/// A log in the making; every line a second after the one before.
#[derive(Default)]
pub struct Log {
    pub lines: Vec<String>,
    ids: u64,
}

impl Log {
    pub fn time(&self) -> String {
        let second = self.lines.len();
        format!("2026-01-02T{:02}:{:02}:{:02}.5Z", 3 + second / 3600, second / 60 % 60, second % 60)
    }

    /// Both entries of one exchange. `change` makes the response out of the request.
    pub fn exchange(&mut self, request: Json, change: impl Fn(&mut Json)) {
        let id = self.new_id();
        self.request(&id, request.clone());
        self.response(&id, request, change);
    }

    pub fn new_id(&mut self) -> String {
        self.ids += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.ids)
    }

    pub fn request(&mut self, id: &str, request: Json) {
        let mut entry = self.entry("request", id, request);
        entry.as_object_mut().unwrap().remove("response");
        self.lines.push(entry.to_string());
    }

    pub fn response(&mut self, id: &str, request: Json, change: impl Fn(&mut Json)) {
        let mut entry = self.entry("response", id, request);
        change(&mut entry);
        self.lines.push(entry.to_string());
    }

    fn entry(&self, kind: &str, id: &str, mut request: Json) -> Json {
        request["id"] = json!(id);
        json!({
            "time": self.time(),
            "type": kind,
            "auth": {"display_name": "app", "policies": ["app"], "accessor": "hmac-sha256:aa", "entity_id": "e"},
            "request": request,
            "response": {},
        })
    }
}

/// A request of Vault 1.14 and later, which names its mount.
pub fn read(mount: &str, engine: &str, path: &str) -> Json {
    json!({"operation": "read", "mount_point": mount, "mount_type": engine, "path": path, "namespace": {"id": "root"}})
}

/// The same with another operation.
pub fn ask(operation: &str, mount: &str, engine: &str, path: &str) -> Json {
    let mut request = read(mount, engine, path);
    request["operation"] = json!(operation);
    request
}

/// Makes the response one with a lease.
pub fn leased(entry: &mut Json) {
    let path = entry["request"]["path"].as_str().unwrap().to_owned();
    entry["response"]["secret"] = json!({"lease_id": format!("{path}/AbCdEfGhIjKlMnOpQrStUvWx")});
    entry["response"]["data"] = json!({"username": "hmac-sha256:00", "password": "hmac-sha256:00"});
}

/// Makes the response a failure that is told to the caller only.
pub fn refused(entry: &mut Json) {
    entry["response"]["data"] = json!({"error": "hmac-sha256:0123"});
}

/// Makes the response a failure with this text.
pub fn failed(text: &'static str) -> impl Fn(&mut Json) {
    move |entry| entry["error"] = json!(format!("1 error occurred:\n\t* {text}\n\n"))
}

/// Leaves the response as it is.
pub fn ok(_: &mut Json) {}

pub const ISSUED: &str = "leasewatch_credentials_issued_total";
pub const FAILURES: &str = "leasewatch_credential_failures_total";
pub const REQUESTS: &str = "leasewatch_requests_total";
pub const LOGINS: &str = "leasewatch_logins_total";
pub const PRIVILEGED: &str = "leasewatch_privileged_operations_total";

/// All values by series, to compare two runs.
pub fn all(families: &[Family]) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for family in families {
        for series in &family.series {
            values
                .insert(format!("{}{:?}", family.metric.name, series.labels), format!("{:?}", series.value));
        }
    }
    values
}
