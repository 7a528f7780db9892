//! `analyze --since --until`: the parts of a log add up to all of it, in every form of the report.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod support;

use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::process::Command;
use support::corpus::{analyze_corpus as run, said};

/// Amid the traffic: some leases were issued before and ended after.
const AMID: &str = "2026-11-23T19:43:00Z";

fn analyze(args: &[&str]) -> String {
    said(run(args))
}

fn json(args: &[&str]) -> Json {
    serde_json::from_str(&analyze(&[&["--format", "json"], args].concat())).unwrap()
}

/// Every series of every counter and histogram, with its number.
fn counts(report: &Json) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for (metric, series) in report["metrics"].as_object().unwrap() {
        for series in series.as_array().unwrap() {
            let number = match series.get("counts") {
                Some(counts) => counts.as_array().unwrap().iter().map(|count| count.as_f64().unwrap()).sum(),
                None if metric.ends_with("_total") => series["value"].as_f64().unwrap(),
                None => continue,
            };
            all.insert(format!("{metric} {}", series["labels"]), number);
        }
    }
    all
}

#[test]
fn two_periods_add_up_to_the_whole() {
    let whole = json(&[]);
    assert!(whole.get("period").is_none());
    let (before, after) = (json(&["--until", "2026-11-23T19:42:59.999999999Z"]), json(&["--since", AMID]));
    assert_eq!(after["period"]["since"], AMID);
    assert_eq!(after["period"]["until"], whole["as_of"]);
    assert_eq!(before["as_of"], "2026-11-23T19:42:59.999999999Z");
    let mut sums = counts(&before);
    for (series, number) in counts(&after) {
        *sums.entry(series).or_default() += number;
    }
    for (series, number) in counts(&whole) {
        let sum = sums.get(&series).copied().unwrap_or(0.0);
        assert!((sum - number).abs() < 1e-6, "{series}: {sum} and not {number}");
    }
    // What holds at the end rests on what was before.
    for gauge in ["leasewatch_leases", "leasewatch_leases_stuck", "leasewatch_role_default_ttl_seconds"] {
        assert_eq!(after["metrics"][gauge], whole["metrics"][gauge], "{gauge}");
    }
    let lines = |report: &Json, log: usize| report["sources"][log]["lines"].as_u64().unwrap();
    for log in [0, 1] {
        assert_eq!(lines(&before, log) + lines(&after, log), lines(&whole, log));
    }
    assert_eq!(after["period"]["lines_before"].as_u64(), Some(lines(&before, 0) + lines(&before, 1)));
}

#[test]
fn a_time_back_from_the_end_is_the_moment_that_it_means() {
    let end = json(&[])["as_of"].as_str().unwrap().to_owned();
    let back = json(&["--since", "5m"]);
    let seconds = |text: &str| {
        let clock: Vec<f64> = text[11..text.len() - 1].split(':').map(|part| part.parse().unwrap()).collect();
        clock[0] * 3600.0 + clock[1] * 60.0 + clock[2]
    };
    let since = back["period"]["since"].as_str().unwrap();
    assert!((seconds(&end) - seconds(since) - 300.0).abs() < 1e-6, "{since} to {end}");
    assert_eq!(back, json(&["--since", since]));
}

#[test]
fn every_form_says_which_period_it_is_and_keeps_to_it() {
    let period = ["--since", AMID, "--until", "2026-11-23T19:44:00Z"];
    let report = json(&period);
    let issued: f64 = counts(&report)
        .iter()
        .filter(|(series, _)| series.starts_with("leasewatch_credentials_issued_total"))
        .map(|(_, number)| number)
        .sum();
    // What the clients saw in that minute.
    let app = "leasewatch_credentials_issued_total {\"engine\":\"database\",\"mount\":\"database/\",\"role\":\"app-role\",\"vault_namespace\":\"root\"}";
    assert!((counts(&report)[app] - 1_049.0).abs() < 1e-9);
    let said = "from 2026-11-23T19:43:00Z until 2026-11-23T19:44:00Z; ";
    for form in ["text", "prom", "html"] {
        let text = analyze(&[&period[..], &["--format", form]].concat());
        assert!(text.contains(said), "{form}");
        if form == "prom" {
            let sum: f64 = text
                .lines()
                .filter(|line| line.starts_with("leasewatch_credentials_issued_total{"))
                .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
                .sum();
            assert!((sum - issued).abs() < 1e-9, "{sum} and not {issued}");
        }
        if form == "html" {
            let tile = text.split("<div class=\"tile\"><b>").find(|tile| tile.contains("credentials issued"));
            let digits: String =
                tile.unwrap().chars().take_while(|c| *c != '<').filter(char::is_ascii_digit).collect();
            assert_eq!(digits, format!("{issued}"));
            // The chart begins with the period, not with the log.
            assert!(text.contains("2026-11-23T19:43:00Z to 2026-11-23T19:44:00Z, 60 s."));
        }
    }
}

#[test]
fn only_episodes_of_the_period_are_listed() {
    // The first login of the run is the only one, in its first second.
    let number =
        |args: &[&str]| json(&[&["--min-score", "0"], args].concat())["episodes"].as_array().unwrap().len();
    assert_eq!(number(&["--until", AMID]), 1);
    assert_eq!(number(&["--since", "2026-11-23T19:40:42Z"]), 1);
    assert_eq!(number(&["--since", AMID]), 0);
}

#[test]
fn a_period_that_cannot_be_is_told() {
    for (args, code, told) in [
        (&["--since", "2026-11-23T19:44:00Z", "--until", AMID][..], 2, "Exchange the two"),
        (&["--since", "yesterday"], 2, "write a moment such as"),
        (&["--since", AMID, "--until", AMID, "--at", AMID], 2, "--until"),
        (&["--since", "2027-01-01T00:00:00Z"], 1, "the logs end at 2026-11-23T19:"),
        (&["--until", "2025-01-01T00:00:00Z"], 1, "the logs begin at 2026-11-23T19:40:4"),
    ] {
        let output = run(args);
        let told_instead = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {told_instead}");
        assert!(told_instead.contains(told), "{args:?}: {told_instead}");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_leasewatch"))
        .args(["analyze", "-", "--since", "2h"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("the end of standard input is not known"));
}
