//! `analyze --format openmetrics`: a real Prometheus takes it, and has at every moment what `--format prom`
//! says of that moment.

use crate::support::corpus::{CORPUS, analyze_corpus, said};
use crate::support::exposition::Labels;
use crate::support::leasewatch::run;
use crate::support::process::command;
use crate::support::{Leasewatch, Metrics, Prometheus, analyze};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

const LABELS: [&str; 6] =
    ["--label", "job=leasewatch", "--label", "instance=vault-1:9748", "--label", "cluster=a\"b\\c"];

fn samples(args: &[&str]) -> String {
    said(analyze_corpus(&[&["--format", "openmetrics"], &LABELS[..], args].concat()))
}

/// What Prometheus was given at a moment: every series with its value.
fn there(prometheus: &Prometheus, at: &str) -> BTreeMap<(String, Labels), f64> {
    // The samples themselves: the text has no word for a series that is gone, which is shown for five minutes.
    let data = prometheus.api("query", &[("query", "{job=\"leasewatch\"}[1s]"), ("time", at)]).unwrap();
    let series = data["result"].as_array().unwrap().iter().map(|series| {
        let mut labels: Labels = serde_json::from_value(series["metric"].clone()).unwrap();
        let name = labels.remove("__name__").unwrap();
        ((name, labels), series["values"][0][1].as_str().unwrap().parse().unwrap())
    });
    series.collect()
}

/// What `--format prom` says of a moment, with the labels that a scrape adds.
fn expected(at: &str, args: &[&str]) -> BTreeMap<(String, Labels), f64> {
    let (audit, server) = (format!("{CORPUS}audit.log.zst"), format!("{CORPUS}server.log.zst"));
    let metrics = analyze([&[audit.as_str(), "--server-log", &server, "--at", at], args].concat());
    let added = [("job", "leasewatch"), ("instance", "vault-1:9748"), ("cluster", "a\"b\\c")];
    let series = metrics.series.into_iter().map(|((name, mut labels), value)| {
        labels.extend(added.map(|(name, value)| (name.to_owned(), value.to_owned())));
        ((name, labels), value)
    });
    series.collect()
}

fn assert_same(prometheus: &Prometheus, at: &str, args: &[&str]) {
    let (there, expected) = (there(prometheus, at), expected(at, args));
    assert!(expected.len() > 100, "{at}: {}", expected.len());
    for (series, value) in &expected {
        let found = there.get(series).unwrap_or_else(|| panic!("{at}: {series:?} is missing"));
        assert!((found - value).abs() <= value.abs() * 1e-12, "{at}: {series:?}: {found} and not {value}");
    }
    let too_much: Vec<_> = there.keys().filter(|series| !expected.contains_key(*series)).collect();
    assert!(too_much.is_empty(), "{at}: {too_much:?}");
}

#[test]
fn prometheus_has_at_every_moment_what_was_counted_then() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("past.om");
    std::fs::write(&file, samples(&["--step", "15s"])).unwrap();
    let prometheus = Prometheus::with_past("", &[&file]);
    for at in ["2026-11-23T19:42:00Z", "2026-11-23T19:44:30Z", "2026-11-23T19:50:15Z"] {
        assert_same(&prometheus, at, &[]);
    }
    // The last sample is of the end of the logs, and Prometheus' own arithmetic works on all of it.
    let end = said(analyze_corpus(&["--format", "json"]));
    let end: Json = serde_json::from_str(&end).unwrap();
    let issued = "sum(leasewatch_credentials_issued_total{instance=\"vault-1:9748\"})";
    let data = prometheus.api("query", &[("query", issued), ("time", "2026-11-23T19:55:00Z")]).unwrap();
    let all = end["metrics"]["leasewatch_credentials_issued_total"].as_array().unwrap();
    let all: f64 = all.iter().map(|series| series["value"].as_f64().unwrap()).sum();
    let shown: f64 = data["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
    assert!((shown - all).abs() < 0.5, "{shown} and not {all}");
}

/// Every sample line with its time.
fn lines(text: &str) -> Vec<(&str, f64)> {
    assert!(text.ends_with("# EOF\n"));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| (line, line.rsplit_once(' ').unwrap().1.parse().unwrap())).collect()
}

#[test]
fn a_part_has_the_samples_that_the_whole_has_then() {
    let whole = samples(&["--step", "15s"]);
    // 19:43:00 to 19:44:00, both on the grid.
    let (from, until) = (1_795_462_980.0, 1_795_463_040.0);
    let period = ["--step", "15s", "--since", "2026-11-23T19:43:00Z", "--until", "2026-11-23T19:44:00Z"];
    let inside = |(_, at): &(&str, f64)| (from..=until).contains(at);
    let expected: Vec<_> = lines(&whole).into_iter().filter(inside).collect();
    let part = samples(&period);
    assert!(expected.len() > 1_000 && lines(&part) == expected, "{} and {}", part.len(), expected.len());
    let mount = samples(&[&period[..], &["--mount", "orders-db", "--namespace", "root"]].concat());
    let expected: Vec<_> = expected
        .into_iter()
        .filter(|(line, _)| line.contains("vault_namespace=\"root\",mount=\"orders-db/\""))
        .collect();
    assert!(expected.len() > 100 && lines(&mount) == expected, "{mount}");
}

#[test]
fn standard_input_may_be_compressed_and_is_read_once() {
    let audit = format!("{CORPUS}audit.log.zst");
    let args = ["--format", "openmetrics", "--until", "2026-11-23T19:42:00Z", "--label", "job=a"];
    let file = run([&["analyze", &audit][..], &args].concat());
    // It may not join the live series, and says so.
    assert!(String::from_utf8_lossy(&file.stderr).contains("job and instance"));
    let piped = command(Path::new(env!("CARGO_BIN_EXE_leasewatch")))
        .args(["analyze", "-"])
        .args(args)
        .stdin(Stdio::from(std::fs::File::open(&audit).unwrap()))
        .output()
        .unwrap();
    assert!(piped.status.success() && lines(&said(file)) == lines(&said(piped)));
}

#[test]
fn an_exporter_that_reads_the_same_logs_goes_on_where_the_samples_end() {
    let dir = tempfile::tempdir().unwrap();
    for log in ["audit.log", "server.log"] {
        let file = std::fs::File::open(format!("{CORPUS}{log}.zst")).unwrap();
        std::fs::write(dir.path().join(log), zstd::decode_all(file).unwrap()).unwrap();
    }
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (audit, server, state) = (path("audit.log"), path("server.log"), path("state"));
    let args = ["--audit-log", &audit, "--server-log", &server, "--state-dir", &state];
    let leasewatch = Leasewatch::start(args, &[]);
    let live = leasewatch.metrics_when("all is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[("source", "audit")]);
        if read >= 34_055.0 { Ok(()) } else { Err(page.lines("leasewatch_log_lines_total")) }
    });
    // The last sample of every series, as a page.
    let all = samples(&[]);
    let last: BTreeMap<_, _> = lines(&all)
        .into_iter()
        .map(|(line, _)| line.rsplit_once(' ').unwrap().0.rsplit_once(' ').unwrap())
        .collect();
    let page = last.iter().fold(String::new(), |page, (series, value)| page + series + " " + value + "\n");
    let mut compared = 0;
    for ((name, mut labels), before) in Metrics::parse(&page).series {
        labels.retain(|name, _| !["job", "instance", "cluster"].contains(&name.as_str()));
        let key = (name, labels);
        let Some((_, value)) = live.counters().find(|(series, _)| **series == key) else { continue };
        compared += 1;
        // A counter that falls would be taken for one that began anew.
        assert!(value >= before, "{key:?}: {before}, then {value}");
        let more = if key.0 == "leasewatch_revocations_total" { 20.0 } else { 1e-9 };
        assert!(value - before < more, "{key:?}: {before}, then {value}");
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn what_cannot_be_samples_is_told() {
    for (args, told) in [
        (&["--label", "job"][..], "write NAME=VALUE"),
        (&["--label", "role=x"], "--label: role is a label of leasewatch_"),
        (&["--label", "a-b=x"], "is no name of a label"),
        (&["--label", "job=a", "--label", "job=b"], "comes twice"),
        (&["--step", "0s"], "write a time from 1s to 1d"),
        (&["--at", "2026-11-23T19:43:00Z"], "Write --until"),
        (&["--backtest"], "Leave out --learn and --backtest"),
        (&["--lease", "database/creds/app-role/x"], "a story is told as text"),
        (&["--format", "prom", "--step", "15s"], "Add --format openmetrics"),
        (&["--format", "json", "--label", "job=a"], "Add --format openmetrics"),
    ] {
        let format = if args[0] == "--format" { &[][..] } else { &["--format", "openmetrics"] };
        let output = analyze_corpus(&[format, args].concat());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && stderr.contains(told), "{args:?}: {stderr}");
        assert!(output.stdout.is_empty());
    }
}
