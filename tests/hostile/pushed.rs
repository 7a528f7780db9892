//! What is pushed: OTLP, security events and incidents of logs with hostile fields arrive as valid documents, and none of
//! their texts has what a terminal, a reader of lines or a page of the receiver's would obey.

use super::receiver::{API_KEY, HEARTBEAT, PROJECT, Receiver, SEVERITY, TOKEN};
use super::strings::{harmless, logs};
use super::support::{Leasewatch, eventually, lines};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::fs;
use std::io::Read as _;
use std::time::Duration;

/// What a client may call itself: of every kind of letter that somebody obeys, and Markdown with a link.
const NAME: &str =
    "x\u{1b}[31m\u{9b}\u{202e}\r\n# forged <script>alert(1)</script>[a](http://evil.example)`'\"\u{0}";

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, item)| {
            found.push(key.clone());
            texts(item, found);
        }),
        _ => {}
    }
}

/// A privileged operation and a client who has never been seen, as he calls himself.
fn strange(number: u64, path: &str) -> String {
    let entry = json!({
        "time": jiff::Timestamp::now().to_string(),
        "type": "response",
        "auth": {
            "client_token": "hmac-sha256:9c5b73518178b5a3463dff3c25e30c452213793b895a16af2a33b11167cf2bdd",
            "accessor": "hmac-sha256:25fd8f6873d3e450a25ed87bf0861f923221117ff7584432270612023852aa97",
            "display_name": NAME, "policies": ["root"], "token_policies": ["root"], "entity_id": NAME,
            "token_type": "service"
        },
        "request": {
            "id": format!("{number:08x}-bbbb-bbbb-cccc-121212121212"), "operation": "update",
            "mount_point": "sys/", "mount_type": "system", "namespace": {"id": "root"},
            "path": format!("{path}{NAME}"), "remote_address": "203.0.113.77"
        },
        "response": {"mount_type": "system"}
    });
    format!("{entry}\n")
}

#[test]
fn what_is_pushed_of_hostile_logs_is_valid_and_harmless() {
    let folder = tempfile::tempdir().unwrap();
    let (audit, server) = logs(folder.path());
    let state = folder.path().join("state").to_str().unwrap().to_owned();
    let receiver = Receiver::start();
    let url = receiver.url();
    let otlp = format!("{url}/collector");
    let leasewatch = Leasewatch::start(
        [
            ["--audit-log", &audit],
            ["--server-log", &server],
            ["--state-dir", &state],
            ["--push.interval", "1s"],
            ["--push.privacy", "full"],
            ["--push.oneuptime.incidents", "notice"],
            ["--push.oneuptime.project-id", PROJECT],
            ["--push.oneuptime.incident-severity-id", SEVERITY],
        ]
        .concat(),
        &[
            ("LEASEWATCH_ONEUPTIME_URL", url.as_str()),
            ("LEASEWATCH_ONEUPTIME_TOKEN", TOKEN),
            ("LEASEWATCH_ONEUPTIME_HEARTBEAT_KEY", HEARTBEAT),
            ("LEASEWATCH_ONEUPTIME_API_KEY", API_KEY),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp.as_str()),
        ],
    );
    let all = fs::read_to_string(&audit).unwrap().lines().count();
    leasewatch.metrics_when("all is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[("source", "audit")]);
        if read >= all as f64 { Ok(()) } else { Err(format!("{read} of {all} lines")) }
    });
    let mut more = String::new();
    for (number, path) in
        ["sys/policies/acl/", "sys/audit/", "sys/raw/", "sys/generate-root/"].into_iter().enumerate()
    {
        more += &strange(number as u64, path);
        more += &lines::issued(number as u64, "app");
    }
    let mut log = fs::OpenOptions::new().append(true).open(&audit).unwrap();
    std::io::Write::write_all(&mut log, more.as_bytes()).unwrap();
    // Something that a client chose is in each kind of what came.
    eventually("metrics and events with hostile names", Duration::from_secs(120), || {
        let world = receiver.world();
        let of =
            |texts: &mut dyn Iterator<Item = String>| texts.filter(|text| text.contains("alert(1)")).count();
        let points = of(&mut world.points.iter().flat_map(|point| point.attributes.values().cloned()));
        let events = of(&mut world.events.iter().map(Value::to_string));
        let incidents = of(&mut world.incidents.iter().map(Value::to_string));
        if points > 0 && events >= 4 && incidents > 0 {
            Ok(())
        } else {
            Err(format!(
                "{points} attributes, {events} events of {}, {incidents} incidents of {}",
                world.events.len(),
                world.incidents.len()
            ))
        }
    });
    receiver.was_treated_well();
    let world = receiver.world();
    for seen in &world.requests {
        let mut body = Vec::new();
        if seen.headers.get("content-encoding").is_some_and(|value| value == "gzip") {
            GzDecoder::new(seen.body.as_slice()).read_to_end(&mut body).unwrap();
        } else {
            body.clone_from(&seen.body);
        }
        if body.is_empty() {
            continue;
        }
        // As it came, and what it says.
        let raw = String::from_utf8(body.clone()).unwrap();
        raw.split(['{', ',']).for_each(|piece| harmless(&seen.path, piece.as_bytes(), false));
        let document: Value =
            serde_json::from_slice(&body).unwrap_or_else(|why| panic!("{}: {why}", seen.path));
        let mut found = Vec::new();
        texts(&document, &mut found);
        let is_otlp = seen.path.ends_with("/v1/metrics");
        let is_incident = seen.path.starts_with("/api/incident");
        for text in found {
            let what = format!("a text in {}", seen.path);
            // An attribute is what the label on /metrics is, ends of lines too; a description has lines of its own.
            let text = if is_otlp { text.replace('\n', "\\n") } else { text };
            assert!(is_incident || !text.contains('\n'), "{what}: {text:?}");
            harmless(&what, text.as_bytes(), false);
            // A receiver draws descriptions as Markdown: what somebody chose stands in a code span.
            if is_incident && text.contains("alert(1)") {
                let first = text.lines().next().unwrap();
                assert!(first.starts_with('`') && first.ends_with('`'), "{first:?}");
                assert!(!text.contains("\n# forged"), "{text:?}");
            }
        }
    }
}
