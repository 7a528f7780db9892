//! The past of a log that nobody scraped, filled in by `analyze`: the dashboards show it.

use crate::model::all;
use crate::queries::queries;
use crate::support::Prometheus;
use crate::support::corpus::{analyze_corpus, said};
use crate::variables::Choice;
use std::collections::BTreeSet;

/// The end of the recorded run.
const END: u64 = 1_795_463_433;

/// Queries of what never happened in the recorded run: dashboard, title, letters.
const NOT_IN_IT: &[(&str, &str, &str)] = &[
    // Nothing in it was rare enough to be scored, and no lease was given up before it ended.
    ("anomalies", "Scores, by mount", "A"),
    ("overview", "Anomaly scores, by mount", "A"),
    ("overview", "Roles in trouble", "C"),
    ("revocation", "Roles with leases that cannot be revoked", "BE"),
    ("revocation", "Stuck and irrevocable, by mount", "A"),
    // It is shorter than a day.
    ("leases", "Against a day and a week ago", "BC"),
];

/// The metrics that an expression names.
fn metrics(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("leasewatch_"))
}

#[test]
fn every_query_of_what_logs_tell_gives_data_of_the_past() {
    let dir = tempfile::tempdir().unwrap();
    let past = dir.path().join("past.om");
    let labels = ["--label", "job=leasewatch", "--label", "instance=vault-1:9748", "--label", "cluster=past"];
    let samples = said(analyze_corpus(&[&["--format", "openmetrics"], &labels[..]].concat()));
    let known: BTreeSet<&str> =
        samples.lines().filter_map(|line| line.split_once('{')).map(|(name, _)| name).collect();
    std::fs::write(&past, &samples).unwrap();
    let prometheus = Prometheus::with_past("", &[&past]);
    let boards = all();
    let (mut asked, mut empty) = (0, Vec::new());
    for query in queries(&boards) {
        let is_known = |metric| known.contains(metric);
        if metrics(query.expression).next().is_none() || !metrics(query.expression).all(is_known) {
            continue;
        }
        asked += 1;
        if query.ask_at(&prometheus, &Choice::default(), END) == 0 {
            empty.push(query.place);
        }
    }
    let excused = |place: &String| {
        let listed = |(of, title, ids): &(&str, &str, &str)| {
            ids.chars().any(|id| *place == format!("{of}, {title:?}, {id}"))
        };
        NOT_IN_IT.iter().any(listed)
    };
    empty.retain(|place| !excused(place));
    assert!(asked > 100 && empty.is_empty(), "of {asked}, these are empty: {empty:#?}");
}
