//! Of a backfill: what of each family is written, where, and that none of it is missing.

use super::*;
use crate::contract::{credentials, leases};
use crate::snapshot::{Histogram, Series, Value};

fn labels() -> Labels {
    let pairs = [("job", "leasewatch"), ("instance", "127.0.0.1:9748")];
    Labels::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()).unwrap()
}

fn text(backfill: &mut Backfill) -> String {
    let mut out = Vec::new();
    backfill.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_histogram_has_its_buckets_and_those_of_nothing_too() {
    let mut took = Family::new(&credentials::ISSUE_DURATION);
    let names = ["root", "db/", "database"].map(Arc::from).to_vec();
    let histogram = Histogram { bounds: &[0.5, 1.0], counts: vec![0, 2, 1], sum: 3.5 };
    took.series.push(Series { labels: names, value: Value::Histogram(histogram) });
    let mut backfill = Backfill::new(labels());
    backfill.add(Timestamp::from_secs(1_000), &[took]).unwrap();
    let text = text(&mut backfill);
    let plain = text.replace("job=\"leasewatch\",instance=\"127.0.0.1:9748\",vault_namespace=\"root\",", "");
    let lines: Vec<_> = plain.lines().skip(1).collect();
    let name = "leasewatch_credential_issue_duration_seconds";
    let expected = [
        format!("# TYPE {name} histogram"),
        format!("{name}_bucket{{mount=\"db/\",engine=\"database\",le=\"0.5\"}} 0 1000"),
        format!("{name}_bucket{{mount=\"db/\",engine=\"database\",le=\"1\"}} 2 1000"),
        format!("{name}_bucket{{mount=\"db/\",engine=\"database\",le=\"+Inf\"}} 3 1000"),
        format!("{name}_sum{{mount=\"db/\",engine=\"database\"}} 3.5 1000"),
        format!("{name}_count{{mount=\"db/\",engine=\"database\"}} 3 1000"),
        "# EOF".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_series_stands_together_and_what_is_gone_has_no_sample() {
    let mut backfill = Backfill::new(labels());
    // A series, or none, of each moment.
    let stuck = [Some(0.0), Some(0.0), None, None, Some(2.0)];
    for (moment, stuck) in (0u32..).zip(stuck) {
        let mut ended = Family::new(&leases::REVOCATIONS);
        ended.count(["root", "db/", "database", "a\"b\\", "expired"], u64::from(moment / 3));
        let mut family = Family::new(&leases::STUCK);
        if let Some(value) = stuck {
            family.number(["root", "db/", "database", "x"], value);
        }
        let at = Timestamp::from_secs(1_000).plus_secs(i64::from(moment) * 60);
        backfill.add(at, &[ended, family]).unwrap();
    }
    // Prometheus has no room for a moment within the same millisecond.
    backfill.add(Timestamp::from_secs(1_240), &[]).unwrap();
    let whole = text(&mut backfill);
    let series = |lines: &str, name: &str| -> Vec<String> {
        let of = lines.lines().filter(|line| line.starts_with(name));
        of.map(|line| line.rsplit_once("} ").unwrap().1.to_owned()).collect()
    };
    assert_eq!(
        series(&whole, "leasewatch_revocations_total{"),
        ["0 1000", "0 1060", "0 1120", "1 1180", "1 1240"]
    );
    assert_eq!(series(&whole, "leasewatch_leases_stuck{"), ["0 1000", "0 1060", "2 1240"]);
    assert!(whole.contains(r#"role="a\"b\\","#), "{whole}");
    assert!(whole.contains("# TYPE leasewatch_revocations counter\n"), "{whole}");
    // However little is held at once, it comes to the same.
    backfill.at_once = 1;
    assert_eq!(text(&mut backfill), whole);
}

#[test]
fn zeros_can_be_left_out() {
    let mut backfill = Backfill::new(Labels::default()).leaving_out_zeros();
    for (moment, forced) in [(1_000, 0), (1_060, 0), (1_120, 3)] {
        let mut ended = Family::new(&leases::REVOCATIONS);
        ended.count(["root", "db/", "database", "x", "expired"], 0);
        ended.count(["root", "db/", "database", "x", "forced"], forced);
        let mut stuck = Family::new(&leases::STUCK);
        stuck.number(["root", "db/", "database", "x"], 0.0);
        // An empty bucket is none of them.
        let mut took = Family::new(&credentials::ISSUE_DURATION);
        let labels = ["root", "db/", "database"].map(Arc::from).to_vec();
        let histogram = Histogram { bounds: &[0.5], counts: vec![0, 1], sum: 2.0 };
        took.series.push(Series { labels, value: Value::Histogram(histogram) });
        backfill.add(Timestamp::from_secs(moment), &[took, ended, stuck]).unwrap();
    }
    let text = text(&mut backfill);
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let (forced, buckets): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| line.contains("forced"));
    assert!(forced.len() == 3 && buckets.len() == 12, "{text}");
    assert!(buckets.iter().all(|line| line.starts_with("leasewatch_credential_issue_duration")), "{text}");
}

#[test]
fn a_moment_is_never_before_what_it_tells() {
    let mut backfill = Backfill::new(Labels::default());
    let mut stuck = Family::new(&leases::STUCK);
    stuck.number(["root", "db/", "database", "x"], f64::INFINITY);
    backfill.add(Timestamp::from_nanos(1_500_000_001), &[stuck]).unwrap();
    assert!(text(&mut backfill).contains("role=\"x\"} +Inf 1.501\n"));
}

#[test]
fn labels_that_cannot_be_are_told() {
    let of = |pairs: &[(&str, &str)]| {
        Labels::new(pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    };
    for (pairs, why) in [
        (&[("1st", "x")][..], "no name of a label"),
        (&[("", "x")], "no name of a label"),
        (&[("a-b", "x")], "no name of a label"),
        (&[("__name__", "x")], "two underscores"),
        (&[("role", "x")], "is a label of leasewatch_"),
        (&[("le", "1")], "bucket"),
        (&[("job", "")], "an empty label is none"),
        (&[("job", "a"), ("job", "b")], "comes twice"),
    ] {
        let (problem, _) = of(pairs).unwrap_err();
        assert!(problem.contains(why), "{pairs:?}: {problem}");
    }
    assert!(of(&[("job", "a"), ("instance", "b"), ("cluster", "c")]).unwrap().join());
    assert!(!of(&[("job", "a")]).unwrap().join());
}
