//! Strings: what a terminal, a browser or a reader of lines would obey, in every string field of both logs. No
//! output passes it on as it is.

use super::support::leasewatch::run;
use super::support::{Leasewatch, corpus::CORPUS};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Colours, a title and a link of a terminal, its one-byte escapes, a line of its own for a metric and for a log,
/// a tag, and letters that turn the direction of reading.
const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;x\u{7}\u{9b}2J\r\nleasewatch_forged_total 1\n2026-01-02T03:04:05Z ERROR forged\n\
                       <script>alert(1)</script>'\"&`|\u{202e}\u{2066}\u{0}\u{7f}";

/// Lines of each kind that get a hostile field.
const LINES_A_FIELD: usize = 4;

fn recorded(name: &str) -> Vec<String> {
    let packed = fs::File::open(format!("{CORPUS}{name}.zst")).unwrap();
    let text = String::from_utf8(zstd::decode_all(packed).unwrap()).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Makes every string under `value` hostile whose place is `place`; all, where there is none.
fn poison(value: &mut Value, here: &str, place: Option<&str>) -> bool {
    match value {
        Value::String(text) if place.is_none_or(|place| place == here) => {
            *text = if here.rsplit('.').next().is_some_and(|field| ["path", "lease_id"].contains(&field)) {
                // The front of a path says what is asked for; behind it comes what the client chose.
                let front = text.rfind('/').map_or("", |at| &text[..=at]).to_owned();
                front + HOSTILE
            } else {
                text.clone() + HOSTILE
            };
            true
        }
        Value::Array(items) => {
            let mut found = false;
            for item in items {
                found |= poison(item, &format!("{here}[]"), place);
            }
            found
        }
        Value::Object(fields) => {
            let mut found = false;
            for (key, item) in fields {
                found |= poison(item, &format!("{here}.{key}"), place);
            }
            found
        }
        _ => false,
    }
}

fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(here.to_owned()),
        Value::Array(items) => items.iter().for_each(|item| places(item, &format!("{here}[]"), found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(key, item)| places(item, &format!("{here}.{key}"), found));
        }
        _ => {}
    }
}

/// The log up to `take` lines, and behind it lines of which one field is hostile, for every field; then all fields.
fn poisoned(lines: &[String], take: usize) -> String {
    let mut text = lines[..take].join("\n") + "\n";
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut late = Vec::new();
    for line in lines {
        // A banner at the server's start is no JSON.
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        let mut fields = Vec::new();
        places(&value, "", &mut fields);
        // Each request path tells other things.
        let kind = value["request"]["mount_type"].as_str().unwrap_or_default().to_owned()
            + value["type"].as_str().unwrap_or_default()
            + value["request"]["operation"].as_str().unwrap_or_default()
            + value["@message"].as_str().map_or("", |message| &message[..message.len().min(12)]);
        for place in fields {
            let count = seen.entry(format!("{kind}{place}")).or_default();
            if *count < LINES_A_FIELD {
                *count += 1;
                let mut value = value.clone();
                assert!(poison(&mut value, "", Some(&place)), "{place}");
                // An ID of its own, or it would be taken for the request that it was.
                if place != ".request.id" && value["request"]["id"].is_string() {
                    value["request"]["id"] = format!("hostile-{}-{place}", late.len()).into();
                }
                late.push((value["time"].as_str().unwrap_or_default().to_owned(), value.to_string()));
            }
        }
    }
    assert!(late.len() > 100, "{} lines are hostile", late.len());
    for (_, line) in late {
        text += &line;
        text.push('\n');
    }
    let mut all: Value = serde_json::from_str(&lines[take]).unwrap();
    poison(&mut all, "", None);
    text + &all.to_string() + "\n"
}

/// What must not be in an output, and what was found of it.
fn obeyed(text: &str, is_page: bool) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let control = line.chars().find(|c| c.is_control() && *c != '\t');
        let turned = line.chars().find(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
        if let Some(letter) = control.or(turned) {
            found.push(format!("line {}: {letter:?} in {line:?}", number + 1));
        }
        if line.starts_with("leasewatch_forged") || line.starts_with("2026-01-02T03:04:05Z ERROR forged") {
            found.push(format!("line {}: a line of its own: {line:?}", number + 1));
        }
        if is_page && line.to_lowercase().contains("<script") {
            found.push(format!("line {}: a tag: {line:?}", number + 1));
        }
    }
    found
}

pub(super) fn harmless(what: &str, bytes: &[u8], is_page: bool) {
    let text = std::str::from_utf8(bytes).unwrap_or_else(|why| panic!("{what}: {why}"));
    let found = obeyed(text, is_page);
    assert!(found.is_empty(), "{what}: {} places, first {:?}", found.len(), &found[..found.len().min(3)]);
}

/// Both logs with hostile fields, in `folder`.
pub(super) fn logs(folder: &Path) -> (String, String) {
    let write = |name: &str, take| {
        let path = folder.join(name).to_str().unwrap().to_owned();
        fs::write(&path, poisoned(&recorded(name), take)).unwrap();
        path
    };
    (write("audit.log", 3_000), write("server.log", 300))
}

#[test]
fn the_check_itself_sees_what_it_is_for() {
    for text in ["a\u{1b}[0m", "\u{9b}", "a\rb", "\u{202e}", "\nleasewatch_forged_total 1", "\u{0}"] {
        assert!(!obeyed(text, false).is_empty(), "{text:?}");
    }
    assert!(!obeyed("<SCRIPT>", true).is_empty());
    assert!(obeyed("a\tb\n\\u001b &lt;script&gt;", true).is_empty());
}

#[test]
fn finished_logs_give_harmless_reports_and_stories() {
    let folder = tempfile::tempdir().unwrap();
    let (audit, server) = logs(folder.path());
    let lease = recorded("audit.log").iter().find_map(|line| {
        let value: Value = serde_json::from_str(line).unwrap();
        Some(value["response"]["secret"]["lease_id"].as_str()?.to_owned())
    });
    let lease = lease.unwrap();
    // No argument can have a zero byte.
    let typed = HOSTILE.replace('\0', "");
    let hostile_role = format!("database/{typed}");
    let hostile_lease = format!("database/creds/app-role/{typed}");
    let reports: &[&[&str]] = &[
        &[],
        &["--since", "10m"],
        &["--mount", "database/"],
        &["--only-role", &hostile_role],
        &["--since", "10m", "--compare", "previous"],
        &["--lease", &lease],
        &["--lease", &hostile_lease],
        &["--entity", "approle"],
        &["--entity", &typed],
        &["--role", "database/app-role"],
        &["--role", &hostile_role],
        &["--db-user", "v-approle-app-role-h2JxFQmAMRYQ6zZLjyNu-1795462996"],
    ];
    for more in reports {
        for format in ["text", "markdown", "json", "html", "prom", "openmetrics"] {
            let fixed = ["analyze", &audit, "--server-log", &server, "--format", format];
            let score: &[&str] = if more.is_empty() { &["--min-score", "0"] } else { &[] };
            let output = run([&fixed[..], more, score].concat());
            let what = format!("analyze --format {format} {more:?}");
            harmless(&what, &output.stdout, format == "html");
            harmless(&format!("standard error of {what}"), &output.stderr, false);
        }
    }
    for more in [&["--by", "requester"][..], &["--list"], &["--format", "json"], &["--role", &typed]] {
        let fixed = ["leases", "--audit-log", &audit, "--server-log", &server];
        let output = run([&fixed[..], more].concat());
        harmless(&format!("leases {more:?}"), &[output.stdout, output.stderr].concat(), false);
    }
}

#[test]
fn a_running_server_gives_harmless_pages_and_logs() {
    let folder = tempfile::tempdir().unwrap();
    let (audit, server) = logs(folder.path());
    let state = folder.path().join("state").to_str().unwrap().to_owned();
    let lines = fs::read_to_string(&audit).unwrap().lines().count();
    for form in ["text", "json"] {
        let arguments = [
            ["--audit-log", &audit],
            ["--server-log", &server],
            ["--state-dir", &state],
            ["--log.format", form],
            ["--log.level", "debug"],
        ];
        let mut leasewatch = Leasewatch::start(arguments.concat(), &[]);
        leasewatch.metrics_when("all is read", |page| {
            let read = page.sum("leasewatch_log_lines_total", &[("source", "audit")]);
            if read >= lines as f64 { Ok(()) } else { Err(format!("{read} of {lines} lines")) }
        });
        for (page, is_page) in [
            ("/metrics", false),
            ("/", true),
            ("/api/episodes", false),
            ("/ready", false),
            ("/nothing", false),
        ] {
            let reply = leasewatch.get(page).unwrap();
            harmless(page, reply.text().as_bytes(), is_page);
        }
        for command in
            [&["leases"][..], &["leases", "--list"], &["leases", "--by", "requester"], &["episodes"]]
        {
            let output = run([command, &["--state-dir", &state]].concat());
            assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            harmless(&format!("{command:?}"), &[output.stdout, output.stderr].concat(), false);
        }
        harmless(&format!("its log as {form}"), leasewatch.output().as_bytes(), false);
        assert!(leasewatch.stop().0.success());
    }
}
