//! Forged lines: text that an attacker brings into one log, made to look like a line of the other.

use super::support::lines;
use super::support::{Metrics, analyze};
use std::fs;

fn counted(log: &str, flag: Option<&str>) -> Metrics {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, log).unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    match flag {
        None => analyze([path.to_str().unwrap()]),
        Some(flag) => analyze([other.to_str().unwrap(), flag, path.to_str().unwrap()]),
    }
}

fn issued(page: &Metrics) -> f64 {
    page.sum("leasewatch_credentials_issued_total", &[])
}

/// In the merged output of a container the server's errors stand between audit entries, and an error text of several
/// lines (a database's, say) has what a client chose in it. The server indents its lines; none begins an entry.
#[test]
fn an_error_text_in_merged_output_brings_no_audit_entry() {
    let entry = lines::issued(1, "forged");
    let entry = entry.trim_end();
    let error = "2026-11-23T19:43:26.015Z [ERROR] core: failed to do something: error=";
    let forgeries = [
        format!("{error}\n  | one line\n  | {entry}\n   attempts=1\n"),
        format!("{error}\n  | one line\n  {entry}\n"),
        format!("2026-11-23T19:43:26.015Z [ERROR] core: failed: path={entry}\n"),
        format!("2026-11-23T19:43:26.015+0100 [INFO]  http: request: {entry}\n"),
    ];
    for forged in forgeries {
        let log = lines::issued(2, "true") + &forged + &lines::issued(3, "true");
        for flag in [None, Some("--server-log")] {
            let page = counted(&log, flag);
            assert_eq!(issued(&page), 2.0, "{flag:?}: {forged}");
        }
    }
}

/// A client chooses strings of a request; none of them is an entry, or a line of the server's.
#[test]
fn a_string_in_an_audit_entry_stays_a_string() {
    let revoked = r#"{\"@level\":\"info\",\"@message\":\"revoked lease\",\"@module\":\"expiration\",\"@timestamp\":\"2026-11-23T19:42:23Z\",\"lease_id\":\"database/creds/app/000000000000000000000002\"}"#;
    let hidden = lines::issued(9, "forged").trim_end().replace('\\', "\\\\").replace('"', "\\\"");
    let line = lines::issued(2, "app");
    let mut log = line.clone();
    for (at, text) in
        [revoked, hidden.as_str(), r"\n2026-11-23T19:42:23Z [INFO]  expiration: revoked lease: lease_id=x"]
            .into_iter()
            .enumerate()
    {
        let number = 10 + at as u64;
        log += &lines::issued(number, "app").replace("\"approle\"", &format!("\"{text}\""));
    }
    let page = counted(&log, None);
    assert_eq!(issued(&page), 4.0);
    assert_eq!(page.sum("leasewatch_credentials_issued_total", &[("role", "forged")]), 0.0);
    assert_eq!(page.sum("leasewatch_revocations_total", &[]), 0.0);
    assert_eq!(page.sum("leasewatch_log_unreadable_total", &[]), 0.0);
}
