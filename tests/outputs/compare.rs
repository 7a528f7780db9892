//! `analyze --compare`: the numbers of both periods are those of their own reports, and what is told as a
//! change is one.

use crate::support::corpus::{analyze_corpus, said};
use crate::support::leasewatch::run;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use tempfile::TempDir;

/// Before the attackers, and while they are at it.
const PERIODS: [[&str; 2]; 2] =
    [["2026-11-23T19:41:00Z", "2026-11-23T19:42:00Z"], ["2026-11-23T19:43:40Z", "2026-11-23T19:44:40Z"]];

fn report(args: &[&str]) -> Json {
    serde_json::from_str(&said(analyze_corpus(&[&["--format", "json"], args].concat()))).unwrap()
}

/// Every compared counter of a report, without the type of its mount.
fn counters(report: &Json, metric: &str) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::new();
    for series in report["metrics"][metric].as_array().map_or(&[][..], Vec::as_slice) {
        let mut labels = series["labels"].as_object().unwrap().clone();
        labels.remove("engine");
        labels.remove("auth_method");
        *all.entry(Json::from(labels).to_string()).or_default() += series["value"].as_u64().unwrap();
    }
    all
}

#[test]
fn each_side_is_what_a_report_of_that_period_says() {
    let [before, now] = PERIODS;
    let with = before.join("..");
    let compared = report(&["--since", now[0], "--until", now[1], "--compare", &with]);
    let sides = PERIODS.map(|[since, until]| report(&["--since", since, "--until", until]));
    for (side, report) in ["before", "now"].iter().zip(&sides) {
        assert_eq!(compared[side]["since"], report["period"]["since"]);
        assert_eq!(compared[side]["until"], report["period"]["until"]);
    }
    let changes = compared["changes"].as_array().unwrap();
    let metrics = [
        "leasewatch_credentials_issued_total",
        "leasewatch_credential_failures_total",
        "leasewatch_renewals_total",
        "leasewatch_revocations_total",
        "leasewatch_revocation_requests_total",
        "leasewatch_logins_total",
        "leasewatch_denied_total",
        "leasewatch_privileged_operations_total",
    ];
    for metric in metrics {
        for (side, report) in ["before", "now"].iter().zip(&sides) {
            let of: Vec<_> = changes.iter().filter(|change| change["metric"] == metric).collect();
            let found: BTreeMap<String, u64> = of
                .iter()
                .map(|change| (change["labels"].to_string(), change[side].as_u64().unwrap()))
                .filter(|(_, count)| *count > 0)
                .collect();
            let mut expected = counters(report, metric);
            expected.retain(|_, count| *count > 0);
            assert_eq!(found, expected, "{metric} {side}");
        }
    }
    // Role names that do not exist are guessed in the later period, from an address that is new.
    let guesses = changes.iter().find(|change| {
        change["metric"] == "leasewatch_credential_failures_total"
            && change["labels"]["reason"] == "not_found"
            && change["labels"]["mount"] == "database/"
            && change["now"].as_u64() > Some(100)
    });
    assert_eq!(guesses.expect("the enumeration")["is_clear"], true);
    let new: Vec<_> = compared["new_sources"].as_array().unwrap().iter().map(|new| &new["name"]).collect();
    assert_eq!(new, ["127.9.9.9"]);
    // Longest out are those of the role with the longest TTL.
    let lifetimes = compared["lifetimes"].as_array().unwrap();
    let app = lifetimes.iter().find(|of| of["role"] == "app-role" && of["mount"] == "database/").unwrap();
    let median = app["now_median_seconds"].as_f64().unwrap();
    assert!(app["now_leases"].as_u64() > Some(50) && (0.1..200.0).contains(&median), "{app}");
}

/// A log of one role's credentials: how many in each minute.
fn log(minutes: &[u32]) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let mut text = String::new();
    let mut id = 0;
    for (minute, count) in minutes.iter().enumerate() {
        for place in 0..*count {
            id += 1;
            let second = place * 60 / count;
            writeln!(
                text,
                "{{\"time\":\"2026-01-02T{:02}:{:02}:{second:02}Z\",\"type\":\"response\",\"auth\":{{\"accessor\":\"hmac-sha256:1\",\
                 \"client_token\":\"hmac-sha256:1\",\"display_name\":\"a|b\",\"policies\":[\"app\"]}},\"request\":{{\"id\":\"{id:032x}\",\
                 \"operation\":\"read\",\"mount_point\":\"database/\",\"mount_type\":\"database\",\"namespace\":{{\"id\":\"root\"}},\
                 \"path\":\"database/creds/app\",\"remote_address\":\"10.0.0.1\"}},\
                 \"response\":{{\"secret\":{{\"lease_id\":\"database/creds/app/{id:024}\"}}}}}}",
                3 + minute / 60,
                minute % 60,
            )
            .unwrap();
        }
    }
    std::fs::write(&path, text).unwrap();
    (dir, path)
}

fn issued(minutes: &[u32], args: &[&str]) -> Json {
    let (_dir, path) = log(minutes);
    let output = run([&["analyze", path.to_str().unwrap(), "--format", "json"], args].concat());
    let report: Json = serde_json::from_str(&said(output)).unwrap();
    let mut changes = report["changes"].as_array().unwrap().iter();
    changes.find(|change| change["metric"] == "leasewatch_credentials_issued_total").unwrap().clone()
}

#[test]
fn what_chance_brings_about_is_no_change_and_twice_as_much_is() {
    // The log goes on behind the period.
    let hours = |first: u32, second: u32| [vec![first; 60], vec![second; 60], vec![0, 1]].concat();
    let args =
        ["--since", "2026-01-02T04:00:00Z", "--until", "2026-01-02T05:00:00Z", "--compare", "previous"];
    let same = issued(&hours(5, 5), &args);
    assert_eq!((&same["before"], &same["now"], &same["is_clear"]), (&300.into(), &300.into(), &false.into()));
    let twice = issued(&hours(5, 10), &args);
    assert!((twice["ratio"].as_f64().unwrap() - 2.0).abs() < 1e-6 && twice["is_clear"] == true, "{twice}");
    let least = twice["ratio_least"].as_f64().unwrap();
    assert!((1.5..2.0).contains(&least), "{twice}");
    // As many, but all at once: one that asked for a batch.
    let mut burst = vec![0; 122];
    burst[121] = 1;
    burst[..60].fill(1);
    burst[80] = 120;
    assert_eq!(issued(&burst, &args)["is_clear"], false);
    // The same rate in a quarter of the time.
    let quarter = ["--since", "2026-01-02T04:45:00Z", "--until", "2026-01-02T05:00:00Z"];
    let with = ["--compare", "2026-01-02T03:00:00Z..2026-01-02T03:59:59Z"];
    let part = issued(&hours(8, 8), &[&quarter[..], &with].concat());
    assert_eq!((&part["before"], &part["now"], &part["is_clear"]), (&480.into(), &120.into(), &false.into()));
}

#[test]
fn people_read_it_too_and_a_name_stays_in_its_cell() {
    let (_dir, path) = log(&[vec![0; 60], vec![20; 60]].concat());
    let path = path.to_str().unwrap();
    let (_other, early) = log(&[1, 1]);
    // Something has to be there before.
    let logs = ["analyze", early.to_str().unwrap(), path];
    let args = ["--since", "2026-01-02T04:00:00Z", "--compare", "previous"];
    let text = said(run([&logs[..], &args].concat()));
    assert!(text.contains("Changes: 1 of 1 numbers"), "{text}");
    let row = text.lines().find(|line| line.contains("credentials issued")).unwrap();
    assert!(row.contains("database/") && row.contains("app") && row.contains(", surely ×"), "{row}");
    let markdown = said(run([&logs[..], &args, &["--format", "markdown"]].concat()));
    assert!(
        markdown.contains("| credentials issued | `root` | `database/` | `app` | 1 | 1200 |"),
        "{markdown}"
    );
    let last = said(run([
        &logs[..],
        &["--since", "2026-01-02T04:30:00Z", "--compare", "90m", "--format", "markdown"],
    ]
    .concat()));
    assert!(last.contains("before: 2026-01-02T03:00:00Z"), "{last}");
}

#[test]
fn a_comparison_that_cannot_be_is_told() {
    let [before, now] = PERIODS;
    let with = before.join("..");
    for (args, code, told) in [
        (&["--compare", "previous"][..], 2, "--since"),
        (&["--since", "2m", "--compare", "last"], 2, "write previous, how long ago"),
        (&["--since", "2m", "--compare", "1m"], 2, "Write a period that ends before"),
        (
            &["--since", before[0], "--until", before[1], "--compare", &now.join("..")],
            2,
            "Write a period that ends before",
        ),
        (&["--since", now[0], "--compare", &with, "--format", "html"], 2, "as text, JSON or Markdown"),
        (&["--since", now[0], "--compare", "7d"], 1, "the logs begin at 2026-11-23T19:40:4"),
        (&["--since", "2027-01-01T00:00:00Z", "--compare", "previous"], 1, "the logs end at"),
        (&["--since", now[0], "--compare", &with, "--backtest"], 2, "--backtest"),
    ] {
        let output = analyze_corpus(args);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && stderr.contains(told), "{args:?}: {stderr}");
    }
}
