//! The exposition: the text is what Prometheus expects, whatever the labels hold, and never a page it would reject.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

use leasewatch::contract;
use leasewatch::event::Timestamp;
use leasewatch::exposition::{InvalidSnapshot, render, render_process};
use leasewatch::snapshot::{Family, Histogram, Kind, Metric, Series, Snapshot, Value};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;

static COUNTER: Metric = Metric {
    name: "leasewatch_a_total",
    help: "A counter with a \\ and a\nnewline in its help.",
    kind: Kind::Counter,
    labels: &["mount", "role"],
};
static GAUGE: Metric = Metric { name: "leasewatch_b", help: "A gauge.", kind: Kind::Gauge, labels: &[] };
static HISTOGRAM: Metric =
    Metric { name: "leasewatch_c_seconds", help: "A histogram.", kind: Kind::Histogram, labels: &["mount"] };
static EMPTY: Metric =
    Metric { name: "leasewatch_d", help: "Without series.", kind: Kind::Gauge, labels: &[] };

fn snapshot(families: Vec<Family>) -> Snapshot {
    Snapshot { as_of: Timestamp::default(), families }
}

fn histogram(metric: &'static Metric, counts: Vec<u64>, bounds: &'static [f64]) -> Family {
    let value = Value::Histogram(Histogram { bounds, counts, sum: 2.5 });
    Family { metric, series: vec![Series { labels: vec!["db/".into()], value }] }
}

fn example() -> Snapshot {
    let mut counter = Family::new(&COUNTER);
    counter.count(["ab/", "c"], 9_007_199_254_740_992);
    counter.count(["ab/", "with \"quotes\", \\ and\nnewline"], 1);
    counter.count(["a", "b/c"], 2);
    counter.series.sort_by(|a, b| a.labels.cmp(&b.labels));
    let mut gauge = Family::new(&GAUGE);
    gauge.number(Vec::<Arc<str>>::new(), 0.25);
    snapshot(vec![counter, gauge, histogram(&HISTOGRAM, vec![3, 0, 4], &[0.1, 1.0]), Family::new(&EMPTY)])
}

#[test]
fn the_text_is_what_prometheus_expects() {
    let text = String::from_utf8(render(&example()).unwrap()).unwrap();
    assert_eq!(
        text,
        r#"# HELP leasewatch_a_total A counter with a \\ and a\nnewline in its help.
# TYPE leasewatch_a_total counter
leasewatch_a_total{mount="a",role="b/c"} 2
leasewatch_a_total{mount="ab/",role="c"} 9007199254740992
leasewatch_a_total{mount="ab/",role="with \"quotes\", \\ and\nnewline"} 1
# HELP leasewatch_b A gauge.
# TYPE leasewatch_b gauge
leasewatch_b 0.25
# HELP leasewatch_c_seconds A histogram.
# TYPE leasewatch_c_seconds histogram
leasewatch_c_seconds_bucket{mount="db/",le="0.1"} 3
leasewatch_c_seconds_bucket{mount="db/",le="1"} 3
leasewatch_c_seconds_bucket{mount="db/",le="+Inf"} 7
leasewatch_c_seconds_sum{mount="db/"} 2.5
leasewatch_c_seconds_count{mount="db/"} 7
"#
    );
    assert_eq!(render(&example()).unwrap(), text.as_bytes());
}

#[test]
fn process_metrics_follow_and_are_not_double() {
    let mut text = render(&example()).unwrap();
    render_process(&mut text);
    let text = String::from_utf8(text).unwrap();
    let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(types.contains(&"process_resident_memory_bytes gauge"), "{text}");
    assert_eq!(types.iter().collect::<BTreeSet<_>>().len(), types.len());
}

#[test]
fn what_prometheus_would_reject_is_refused() {
    fn fault(families: Vec<Family>) -> (String, &'static str) {
        let InvalidSnapshot { metric, fault } = render(&snapshot(families)).unwrap_err();
        (metric, fault)
    }
    let counter = |labels: &[[&str; 2]]| {
        let mut family = Family::new(&COUNTER);
        for pair in labels {
            family.count(*pair, 1);
        }
        family
    };
    let series = (COUNTER.name.to_owned(), "series are double or out of order");
    assert_eq!(fault(vec![counter(&[["a", "b"], ["a", "b"]])]), series);
    assert_eq!(fault(vec![counter(&[["b", "a"], ["a", "b"]])]), series);
    let families = "families are double or out of order";
    assert_eq!(fault(vec![counter(&[]), counter(&[])]), (COUNTER.name.to_owned(), families));
    assert_eq!(fault(vec![Family::new(&GAUGE), counter(&[])]), (COUNTER.name.to_owned(), families));
    let value = "a value does not fit the kind of the metric";
    assert_eq!(
        fault(vec![histogram(&HISTOGRAM, vec![1, 2], &[0.1, 1.0])]),
        (HISTOGRAM.name.to_owned(), value)
    );
    assert_eq!(
        fault(vec![histogram(&HISTOGRAM, vec![1, 2, 3], &[1.0, 1.0])]),
        (HISTOGRAM.name.to_owned(), value)
    );
    let wrong = Series { labels: vec!["a".into(), "b".into()], value: Value::Number(-1.0) };
    assert_eq!(
        fault(vec![Family { metric: &COUNTER, series: vec![wrong] }]),
        (COUNTER.name.to_owned(), value)
    );
    let short = Series { labels: vec!["a".into()], value: Value::Count(1) };
    let labels = "a series has not as many label values as the metric has labels";
    assert_eq!(
        fault(vec![Family { metric: &COUNTER, series: vec![short] }]),
        (COUNTER.name.to_owned(), labels)
    );
    static BAD: Metric =
        Metric { name: "leasewatch_a", help: "Bad.", kind: Kind::Gauge, labels: &["not-a-label"] };
    let mut bad = Family::new(&BAD);
    bad.number(["x"], 1.0);
    assert_eq!(fault(vec![bad]), (BAD.name.to_owned(), "its name or a label name is not valid"));
}

/// The label values of one line, read as Prometheus reads them.
fn parse_labels(line: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut chars = line.split_once('{').unwrap().1.chars().peekable();
    while chars.peek() != Some(&'}') {
        chars.by_ref().find(|c| *c == '"').unwrap();
        let mut value = String::new();
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => value.push(match chars.next().unwrap() {
                    'n' => '\n',
                    c @ ('\\' | '"') => c,
                    c => panic!("unknown escape {c:?}"),
                }),
                c => value.push(c),
            }
        }
        values.push(value);
        if chars.peek() == Some(&',') {
            chars.next();
        }
    }
    values
}

proptest! {
    #[test]
    fn label_values_come_back_as_they_were(
        labels in proptest::collection::btree_set([any_label(), any_label()], 1..20)
    ) {
        let mut family = Family::new(&COUNTER);
        for pair in &labels {
            family.count(pair.iter().map(String::as_str), 7);
        }
        let text = String::from_utf8(render(&snapshot(vec![family])).unwrap()).unwrap();
        let back: Vec<_> = text.split('\n').filter(|line| line.starts_with("leasewatch_")).map(parse_labels).collect();
        let sent: Vec<_> = labels.iter().map(|pair| pair.to_vec()).collect();
        prop_assert_eq!(back, sent);
    }
}

/// Any text, and often one that hurts.
fn any_label() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\\\\\"\n{},= a]{0,8}"]
}

#[test]
fn every_metric_of_the_contract_is_well_named() {
    let mut names = BTreeSet::new();
    for metric in contract::all() {
        let Metric { name, help, kind, labels } = metric;
        assert!(names.insert(*name), "{name} is there twice");
        assert!(name.starts_with("leasewatch_"), "{name}");
        assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
        assert!(help.ends_with('.') && help.len() > 10, "{name}: {help}");
        for label in *labels {
            assert!(!["instance", "job", "namespace", "le", "quantile"].contains(label), "{name}: {label}");
            assert!(label.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}: {label}");
        }
    }
    assert!(names.contains("leasewatch_build_info"));
}
