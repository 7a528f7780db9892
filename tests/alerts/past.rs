//! Every alert evaluated by a real Prometheus, at its time, over a past: the series of promtool's
//! tests as blocks, recording rules filled in behind them, and each expression asked for over
//! the whole of it.

use super::pack::{Alert, alerts, files, units};
use super::promtool::promtool;
use super::story::{Story, open_metrics, seconds};
use super::support::Prometheus;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// The recording rules on which expressions rest, by how many others each waits for, as files of rules.
fn levels(mut expressions: String) -> Vec<String> {
    let mut others: Vec<(String, String)> = Vec::new();
    for (_, text) in files("rules") {
        for rule in text.split("\n      - record: ").skip(1) {
            let rule = rule.split("\n      - ").next().unwrap().split("\n      #").next().unwrap();
            others.push((rule.lines().next().unwrap().to_owned(), rule.to_owned()));
        }
    }
    let mut rules: Vec<(String, String)> = Vec::new();
    while let Some(place) = others.iter().position(|(name, _)| expressions.contains(name.as_str())) {
        let (name, rule) = others.swap_remove(place);
        expressions += rule.split_once('\n').unwrap().1;
        rules.push((name, rule));
    }
    let mut levels = Vec::new();
    while !rules.is_empty() {
        let waits = |rule: &str| {
            let body = rule.split_once('\n').unwrap().1;
            rules.iter().any(|(name, _)| body.contains(name.as_str()))
        };
        let (later, now): (Vec<_>, Vec<_>) = rules.iter().cloned().partition(|(_, rule)| waits(rule));
        assert!(!now.is_empty(), "rules wait for each other: {later:?}");
        let mut text = "groups:\n  - name: level\n    rules:\n".to_owned();
        for (_, rule) in now {
            writeln!(text, "      - record: {rule}").unwrap();
        }
        levels.push(text);
        rules = later;
    }
    levels
}

/// How many series of an alert have been there for as long as it takes, in each story, at each step.
fn fired(
    prometheus: &Prometheus,
    expression: &str,
    (begin, end, step): (i64, i64, i64),
    lasts: i64,
) -> BTreeMap<(String, i64), usize> {
    let (from, to) = (begin.to_string(), end.to_string());
    let parameters = [("query", expression), ("start", &from), ("end", &to), ("step", &step.to_string())];
    let data = prometheus.api("query_range", &parameters).unwrap_or_else(|why| panic!("{expression}: {why}"));
    let mut all = BTreeMap::new();
    for series in data["result"].as_array().unwrap() {
        let cluster =
            series["metric"]["cluster"].as_str().unwrap_or_else(|| panic!("{expression}: {series}"));
        let cluster = cluster[.."story-000".len()].to_owned();
        let times: BTreeSet<i64> =
            series["values"].as_array().unwrap().iter().map(|value| value[0].as_i64().unwrap()).collect();
        for at in &times {
            if (0..=lasts / step).all(|before| times.contains(&(at - before * step))) {
                *all.entry((cluster.clone(), *at)).or_insert(0) += 1;
            }
        }
    }
    all
}

#[test]
fn a_real_prometheus_finds_over_the_past_what_the_tests_say() {
    let all = alerts();
    let mut seen = BTreeSet::new();
    // Rules are looked at once a minute, each level at a second of its own: some minutes late in all.
    const LATE: i64 = 240;
    let mut of_step: BTreeMap<i64, Vec<Story>> = BTreeMap::new();
    let stories = units().into_iter().enumerate().filter_map(|(number, unit)| Story::of(number, &unit));
    for story in stories {
        of_step.entry(story.step).or_default().push(story);
    }
    for (step, stories) in of_step {
        let span = stories.iter().map(Story::end).max().unwrap() + LATE + 60;
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let begin = (now - span - 3 * 3_600) / 7_200 * 7_200;
        let dir = tempfile::tempdir().unwrap();
        let past = dir.path().join("past.om");
        std::fs::write(&past, open_metrics(&stories, begin)).unwrap();
        let mut prometheus = Prometheus::with_past("  []\n", &[&past]);
        let told = |alert: &&Alert| {
            stories.iter().any(|story| story.name.split([' ', ',']).any(|word| word == alert.name))
        };
        let expressions: String =
            all.iter().filter(told).flat_map(|alert| [alert.expression.as_str(), "\n"]).collect();
        for rules in levels(expressions) {
            std::fs::write(dir.path().join("level.yml"), rules).unwrap();
            let (data, url) = (prometheus.data().display().to_string(), prometheus.url());
            let (begin, end) = (format!("--start={begin}"), format!("--end={}", begin + span));
            let (is_done, said) = promtool(
                &[
                    "tsdb",
                    "create-blocks-from",
                    "rules",
                    "--eval-interval=60s",
                    &begin,
                    &end,
                    &format!("--url={url}"),
                    &format!("--output-dir={data}"),
                    "level.yml",
                ],
                dir.path(),
            );
            assert!(is_done, "{said}");
            prometheus.restart();
        }
        for alert in all.iter().filter(told) {
            // Nothing is told apart by its cluster there.
            if alert.name == "LeasewatchThresholdsMissing" {
                continue;
            }
            let lasts = alert.field("for: ").map_or(0, seconds);
            let expression = alert.expression.trim_start_matches(">-").trim();
            // Where samples are half an hour apart they are seen for five minutes: looked at right after.
            let phase = if step > 60 { 120 } else { 0 };
            let found = fired(&prometheus, expression, (begin + phase, begin + span, step), lasts);
            for story in
                stories.iter().filter(|story| story.name.split([' ', ',']).any(|word| word == alert.name))
            {
                for (at, expected) in &story.expected {
                    let expected = expected.get(&alert.name).copied().unwrap_or(0);
                    let at = |late: i64| (story.cluster.clone(), begin + phase + at + late);
                    // And so a little later than it is said: what holds from a moment on is seen a step before.
                    let counts: Vec<_> = if step > 60 {
                        vec![0, -step]
                    } else {
                        (0..=LATE / 60).map(|minutes| 60 * minutes).collect()
                    }
                    .into_iter()
                    .map(|late| found.get(&at(late)).copied().unwrap_or(0))
                    .collect();
                    assert!(
                        counts.contains(&expected),
                        "{}: {counts:?} of {} fire after {} s, not {expected}",
                        story.name,
                        alert.name,
                        at(0).1 - begin - phase
                    );
                    if expected > 0 {
                        seen.insert(alert.name.clone());
                    }
                }
            }
        }
    }
    let names: BTreeSet<_> = all.into_iter().map(|alert| alert.name).collect();
    let unseen: Vec<_> = names.difference(&seen).map(String::as_str).collect();
    // Its story is one of series that end, and one without thresholds.
    assert_eq!(unseen, ["LeasewatchDown", "LeasewatchThresholdsMissing"]);
}
