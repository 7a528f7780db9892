//! A story: the series of one of promtool's tests, as samples for a real Prometheus, and what
//! it expects to fire when.

use super::pack::Unit;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Values by their place in steps.
type Samples = Vec<(i64, f64)>;

/// One test, told to a real Prometheus.
pub(crate) struct Story {
    pub(crate) name: String,
    /// What the label `cluster` of its series begins with.
    pub(crate) cluster: String,
    /// Between two samples, in seconds.
    pub(crate) step: i64,
    /// Samples by metric and labels, each with its place in steps.
    series: BTreeMap<String, Vec<(String, Samples)>>,
    /// When, in seconds, which alerts fire, and how many of each.
    pub(crate) expected: Vec<(i64, BTreeMap<String, usize>)>,
}

impl Story {
    /// Of a test; nothing of one with markers of staleness or pauses, which a past cannot have.
    pub(crate) fn of(number: usize, unit: &Unit) -> Option<Self> {
        const FIRING: &str = "{expr: 'count by (alertname) (ALERTS{alertstate=\"firing\"})', eval_time: ";
        let cluster = format!("story-{number:03}");
        let mut story = Self {
            name: unit.name.clone(),
            cluster: cluster.clone(),
            step: seconds(unit.text.split("interval: ").nth(1)?.lines().next()?),
            series: BTreeMap::new(),
            expected: Vec::new(),
        };
        for line in unit.text.lines().map(str::trim) {
            if let Some(series) = line.strip_prefix("- {series: ") {
                let (series, values) = series.split_once(", values: ").unwrap();
                let samples = expand(values.trim_end_matches('}').trim_matches('\''))?;
                let (metric, labels) = series.trim_matches('\'').split_once('{').unwrap_or((series, "}"));
                story.add(metric, labels.trim_end_matches('}'), samples);
            } else if let Some(expected) = line.strip_prefix("- ").and_then(|line| line.strip_prefix(FIRING))
            {
                let (at, samples) = expected.split_once([',', '}']).unwrap();
                let alerts = samples.split("alertname=\"").skip(1).map(|alert| {
                    let (name, rest) = alert.split_once('"').unwrap();
                    let count = rest.split("value: ").nth(1).unwrap().split('}').next().unwrap();
                    (name.to_owned(), count.parse().unwrap())
                });
                story.expected.push((seconds(at), alerts.collect()));
            }
        }
        Some(story)
    }

    /// Tells it apart from the others by its cluster, and its targets from theirs.
    fn add(&mut self, metric: &str, labels: &str, samples: Samples) {
        let mut own = format!("cluster=\"{}", self.cluster);
        let mut rest = String::new();
        for label in labels.split(", ").filter(|label| !label.is_empty()) {
            let (name, value) = label.split_once('=').unwrap();
            match name {
                "cluster" => write!(own, "-{}", value.trim_matches('"')).unwrap(),
                "instance" => write!(rest, ",instance=\"{}-{}", self.cluster, &value[1..]).unwrap(),
                _ => write!(rest, ",{label}").unwrap(),
            }
        }
        let labels = format!("{own}\"{rest}");
        self.series.entry(metric.to_owned()).or_default().push((labels, samples));
    }

    /// The last moment that it speaks of, in seconds.
    pub(crate) fn end(&self) -> i64 {
        self.expected.iter().map(|(at, _)| *at).max().unwrap_or(0)
    }
}

/// All samples of stories that begin at the same time, as `OpenMetrics` text.
pub(crate) fn open_metrics(stories: &[Story], begin: i64) -> String {
    let mut text = String::new();
    let metrics: std::collections::BTreeSet<_> =
        stories.iter().flat_map(|story| story.series.keys()).collect();
    for metric in metrics {
        writeln!(text, "# TYPE {metric} unknown").unwrap();
        for story in stories {
            for (labels, samples) in story.series.get(metric).into_iter().flatten() {
                for (place, value) in samples {
                    // Times of the test are those of the story, and counted from its beginning.
                    let value =
                        if metric.contains("_timestamp_seconds") { value + begin as f64 } else { *value };
                    writeln!(text, "{metric}{{{labels}}} {value} {}", begin + place * story.step).unwrap();
                }
            }
        }
    }
    text + "# EOF\n"
}

/// `5m`, `2d` in seconds.
pub(crate) fn seconds(length: &str) -> i64 {
    let (number, unit) = length.trim().split_at(length.trim().len() - 1);
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        unit => panic!("{length}: {unit}"),
    };
    number.parse::<i64>().unwrap() * unit
}

/// promtool's short form of samples; nothing where there are gaps.
fn expand(values: &str) -> Option<Samples> {
    let mut samples = Vec::new();
    for token in values.split(' ') {
        if token.starts_with(['_', 's']) {
            return None;
        }
        let (first, times) =
            token.split_once('x').map_or((token, 0), |(first, n)| (first, n.parse().unwrap()));
        let sign = first[1..].find(['+', '-']).map(|at| at + 1);
        let (start, rise): (f64, f64) = match sign {
            Some(at) => (first[..at].parse().unwrap(), first[at..].parse().unwrap()),
            None => (first.parse().unwrap(), 0.0),
        };
        for number in 0..=times {
            let place = i64::try_from(samples.len()).unwrap();
            samples.push((place, rise.mul_add(f64::from(number), start)));
        }
    }
    Some(samples)
}
