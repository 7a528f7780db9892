//! `analyze --format markdown`: whole tables, the numbers of the other forms, and nothing that a
//! name out of a log could do.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

use serde_json::Value as Json;
use std::process::Command;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

fn analyze(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_leasewatch")).arg("analyze").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn corpus(args: &[&str]) -> String {
    let (audit, server) = (format!("{CORPUS}audit.log.zst"), format!("{CORPUS}server.log.zst"));
    analyze(&[&[audit.as_str(), "--server-log", &server], args].concat())
}

/// The cells of a row: what stands between bars that are not escaped.
fn cells(row: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut letters = row.trim().trim_start_matches('|').chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                let last = cells.last_mut().unwrap();
                last.push('\\');
                last.extend(letters.next());
            }
            '|' => cells.push(String::new()),
            letter => cells.last_mut().unwrap().push(letter),
        }
    }
    cells.pop();
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Every table below a heading: its rows, all as wide as its head.
fn table(page: &str, title: &str) -> Vec<Vec<String>> {
    let part =
        page.split("\n## ").find(|part| part.starts_with(title)).unwrap_or_else(|| panic!("{title}: {page}"));
    let rows: Vec<_> = part.lines().filter(|line| line.starts_with('|')).map(cells).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{rows:?}");
    assert!(rows[1].iter().all(|cell| cell.trim_matches(':') == "---"), "{:?}", rows[1]);
    rows
}

#[test]
fn a_report_has_the_numbers_of_the_other_forms() {
    let page = corpus(&["--format", "markdown", "--min-score", "0"]);
    let json: Json = serde_json::from_str(&corpus(&["--format", "json"])).unwrap();
    let rows = table(&page, "Credentials by role");
    let place = rows[0].iter().position(|heading| heading == "issued").unwrap();
    let shown: u64 = rows[2..].iter().map(|row| row[place].parse::<u64>().unwrap()).sum();
    let issued = json["metrics"]["leasewatch_credentials_issued_total"].as_array().unwrap();
    assert_eq!(shown, issued.iter().map(|series| series["value"].as_u64().unwrap()).sum::<u64>());
    assert!(rows.iter().any(|row| row[1] == "`database/`" && row[2] == "`app-role`"), "{rows:?}");
    for title in ["Logs", "Requests to revoke", "Logins", "Denied", "Privileged operations", "Anomalies"] {
        assert!(table(&page, title).len() > 2, "{title}");
    }
    let part = corpus(&["--format", "markdown", "--mount", "orders-db", "--since", "2026-11-23T19:44:00Z"]);
    assert!(
        part.contains("- counted from 2026-11-23T19:44:00Z until ")
            && part.contains("- of the mount orders-db/")
    );
}

#[test]
fn a_story_and_candidates_are_tables_too() {
    let lease = "database/creds/app-role/EceTb1TVi5qkRJtNQPVyjMif";
    let page = corpus(&["--format", "markdown", "--lease", lease]);
    let rows = table(&page, "What happened");
    let what: Vec<_> = rows[2..].iter().map(|row| row[1].as_str()).collect();
    assert_eq!(what[..2], ["`logged in at auth/approle/`", "`credential of database/app-role issued`"]);
    assert_eq!(rows[3][4], format!("`{lease}`"));
    assert_eq!(rows[3][5], "`38f3f43a-cddb-3522-1ec7-a2800eadd60b`");
    assert!(table(&page, "Leases")[2][8].contains("revoked on request"));
    let page =
        corpus(&["--format", "markdown", "--db-user", "v-approle-broken-r-s3auWkmQl0V43EEcSLYF-1795463135"]);
    assert!(page.contains(
        "| `app-7, display name approle, entity 481c3b1d-038e-ec61-a530-19f9f5c1e787` | 127.0.1.8 |"
    ));
}

#[test]
fn names_out_of_a_log_stay_in_their_cells() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.log");
    let hostile = "a`|b|<img src=x> @all [x](http://x)\\n| c \\u001b[31m``` *d*";
    let entry = format!(
        "{{\"time\":\"2026-01-02T03:04:05Z\",\"type\":\"response\",\"auth\":{{\"client_token\":\"hmac-sha256:1\",\"display_name\":\"{hostile}\",\"policies\":[\"root\"],\"token_policies\":[\"root\"]}},\"request\":{{\"id\":\"1\",\"operation\":\"read\",\"mount_point\":\"database/\",\"mount_type\":\"database\",\"namespace\":{{\"id\":\"root\"}},\"path\":\"database/creds/{hostile}\",\"remote_address\":\"10.0.0.1\"}},\"response\":{{\"secret\":{{\"lease_id\":\"database/creds/{hostile}/x\"}}}}}}\n"
    );
    std::fs::write(&log, entry).unwrap();
    let log = log.to_str().unwrap();
    let report = analyze(&[log, "--format", "markdown", "--min-score", "0"]);
    let story = analyze(&[log, "--format", "markdown", "--lease", "database/creds/x/y"]);
    assert!(story.contains("## What happened"));
    let all = analyze(&[log, "--format", "markdown", "--entity", "root"]) + &report;
    for (page, title) in [(&report, "Credentials by role"), (&report, "Privileged operations")] {
        assert!(table(page, title).len() > 2);
    }
    assert!(!all.contains('\u{1b}'));
    let role = table(&report, "Credentials by role")[2][2].clone();
    assert!(role.starts_with("```` a`\\|b\\|<img") && role.ends_with(" ````"), "{role}");
}
