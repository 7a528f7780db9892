//! `analyze --events`: `DuckDB` reads the file, and it is what the clients of the recorded run saw.

use crate::support::corpus::{CORPUS, analyze_corpus, said};
use crate::support::duckdb::query;
use crate::support::leasewatch::run;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A folder with `events.parquet` of the recorded run.
fn events(args: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.parquet");
    said(analyze_corpus(&[&["--events", path.to_str().unwrap()], args].concat()));
    dir
}

fn lines(log: &str) -> impl Iterator<Item = String> {
    let file = std::fs::File::open(format!("{CORPUS}{log}.zst")).unwrap();
    BufReader::new(zstd::Decoder::new(file).unwrap()).lines().map(Result::unwrap)
}

/// Counts by the columns of a query that come before the last one.
fn counts(dir: &TempDir, sql: &str) -> BTreeMap<String, u64> {
    let rows = query(dir.path(), sql).into_iter().map(|mut row| {
        let count = row.pop().unwrap().as_u64().unwrap();
        let key: Vec<_> = row.iter().map(|cell| cell.as_str().unwrap_or("-")).collect();
        (key.join(" "), count)
    });
    rows.collect()
}

/// What the clients saw, by what `key` makes of a call.
fn truth(key: impl Fn(&str, u64, &str, &str) -> Option<String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for line in lines("truth.jsonl") {
        let call: Json = serde_json::from_str(&line).unwrap();
        let text = |name: &str| call[name].as_str().unwrap_or("");
        if let Some(key) = key(text("op"), call["status"].as_u64().unwrap_or(0), text("mount"), text("role"))
        {
            *counts.entry(key).or_default() += 1;
        }
    }
    assert!(!counts.is_empty());
    counts
}

#[test]
fn duckdb_counts_what_the_clients_saw() {
    let dir = events(&[]);
    // Names that an attacker guessed have no place of their own in the truth.
    let found = counts(
        &dir,
        "SELECT mount, CASE WHEN role IN ('app-role', 'analytics-role', 'reporting', 'broken-revoke', 'no-such-role')
                THEN role ELSE '?' END AS name, outcome, count(*)
         FROM 'events.parquet' WHERE event = 'credential' AND engine = 'database' GROUP BY ALL",
    );
    let seen = truth(|op, status, mount, role| {
        let outcome = match (op, status) {
            ("generate", 200) => "ok",
            ("generate", 403) => "denied",
            ("generate" | "bad-token", _) => "failed",
            _ => return None,
        };
        Some(format!("{mount} {role} {outcome}"))
    });
    assert_eq!(found, seen);
    let found = counts(
        &dir,
        "SELECT event, if(outcome = 'ok', 'done', 'not'), count(*) FROM 'events.parquet'
         WHERE event IN ('renewal', 'login') GROUP BY ALL",
    );
    let seen = truth(|op, status, _, _| {
        let event = match op {
            "renew" => "renewal",
            "login" => "login",
            _ => return None,
        };
        Some(format!("{event} {}", if status == 200 { "done" } else { "not" }))
    });
    assert_eq!(found, seen);
    let ended = lines("server.log").filter(|line| line.contains("\"@message\":\"revoked lease\"")).count();
    let found = query(dir.path(), "SELECT count(*) FROM 'events.parquet' WHERE event = 'lease_ended'");
    assert_eq!(found[0][0].as_u64(), Some(ended as u64));
}

#[test]
fn every_query_of_the_page_gives_rows() {
    let dir = events(&[]);
    let page = include_str!("../../docs/events.md");
    let queries: Vec<_> =
        page.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(queries.len() >= 5);
    for sql in queries {
        let rows = query(dir.path(), sql);
        assert!(rows.len() > 1, "{sql}: {rows:?}");
    }
}

#[test]
fn leases_are_told_apart_without_their_ids_and_nothing_secret_is_in_it() {
    let dir = events(&[]);
    let path = dir.path().join("events.parquet");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // Every credential that has a lease in the log is another one.
    let sql = "SELECT count(lease), count(DISTINCT lease) FROM 'events.parquet' WHERE event = 'credential'";
    let issued = lines("audit.log")
        .filter(|line| line.contains("\"type\":\"response\"") && line.contains("\"lease_id\":\""))
        .filter(|line| !line.contains("\"path\":\"sys/"))
        .count();
    let row = &query(dir.path(), sql)[0];
    assert!(issued > 6_000 && row[0] == row[1] && row[0].as_u64() == Some(issued as u64), "{issued} {row:?}");
    let columns: Vec<String> = query(dir.path(), "DESCRIBE FROM 'events.parquet'")
        .into_iter()
        .filter(|row| row[1] == "VARCHAR")
        .map(|row| row[0].as_str().unwrap().to_owned())
        .collect();
    assert!(columns.len() > 10, "{columns:?}");
    for column in columns {
        let secrets = r"/creds/[^/]+/\w{20,}|hvs\.|hmac-sha256:\w{33,}|\bv-approle-";
        let sql =
            format!("SELECT {column} FROM 'events.parquet' WHERE regexp_matches({column}, '{secrets}')");
        let rows = query(dir.path(), &sql);
        assert!(rows.is_empty(), "{sql}: {rows:?}");
    }
}

#[test]
fn a_part_is_its_rows_and_a_second_device_adds_none() {
    let part = ["--since", "2026-11-23T19:43:00Z", "--until", "2026-11-23T19:44:00Z", "--mount", "orders-db"];
    let (whole, part) = (events(&[]), events(&part));
    let all = "SELECT * FROM 'events.parquet'";
    let inside =
        "WHERE time >= '2026-11-23 19:43:00Z' AND time <= '2026-11-23 19:44:00Z' AND mount = 'orders-db/'";
    let rows = query(part.path(), all);
    assert!(rows.len() > 300 && rows == query(whole.path(), &format!("{all} {inside}")), "{}", rows.len());
    // The same log by two devices, one of them on standard input.
    let dir = tempfile::tempdir().unwrap();
    let mut log = Vec::new();
    let file = std::fs::File::open(format!("{CORPUS}audit.log.zst")).unwrap();
    zstd::Decoder::new(file).unwrap().take(4 << 20).read_to_end(&mut log).unwrap();
    for name in ["one.log", "two.log"] {
        std::fs::write(dir.path().join(name), &log).unwrap();
    }
    let count = |logs: &[&str]| {
        let logs = logs.iter().map(|name| dir.path().join(name).to_str().unwrap().to_owned());
        let file = dir.path().join("events.parquet");
        let args = ["--events".to_owned(), file.to_str().unwrap().to_owned()];
        said(run(["analyze".to_owned()].into_iter().chain(logs).chain(args)));
        query(dir.path(), "SELECT count(*), count(DISTINCT request) FROM 'events.parquet'")
    };
    let one = count(&["one.log"]);
    assert!(one[0][0].as_u64() > Some(1_000) && one[0][0] == one[0][1], "{one:?}");
    assert_eq!(count(&["one.log", "two.log"]), one);
}

#[test]
fn a_file_that_cannot_be_is_told_and_no_half_of_one_stays() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for (args, code, told) in [
        (&["--events", &path("no/such/events.parquet")][..], 1, "name a file in a folder with room"),
        (&["--events", &path("e.parquet"), "--lease", "database/creds/app-role/x"], 2, "--lease"),
        (&["--events", &path("e.parquet"), "--format", "openmetrics"], 2, "samples are written alone"),
        (&["--events", &path("e.parquet"), "--since", "2027-01-01T00:00:00Z"], 1, "the logs end at"),
    ] {
        let output = analyze_corpus(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && stderr.contains(told), "{args:?}: {stderr}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{args:?}");
    }
}
