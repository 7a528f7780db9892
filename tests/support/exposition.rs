//! The text that `/metrics` answers, read back: series by name and labels, and the check
//! that no counter falls from one page to the next.

use super::http::Request;
use std::collections::{BTreeMap, BTreeSet};

/// Label names with their values.
pub(crate) type Labels = BTreeMap<String, String>;

/// Whether a metric is about the exporter itself, and not about what it watches.
pub(crate) fn is_own(name: &str) -> bool {
    let own =
        ["leasewatch_log_", "leasewatch_config_", "leasewatch_checkpoint_", "leasewatch_http_", "process_"];
    own.iter().any(|start| name.starts_with(start))
}

/// All series of one page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    /// Value by metric name (of histograms: with `_bucket`, `_sum`, `_count`) and labels.
    pub(crate) series: BTreeMap<(String, Labels), f64>,
    /// Metric name to its TYPE.
    pub(crate) kinds: BTreeMap<String, String>,
    /// Metric names that have HELP.
    pub(crate) helped: BTreeSet<String>,
    /// The page as it came.
    pub(crate) text: String,
}

impl Metrics {
    /// Reads a page; a line that is no line of the format, or a series that comes twice, fails the test.
    pub(crate) fn parse(text: &str) -> Self {
        let mut metrics = Self { text: text.to_string(), ..Self::default() };
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("TYPE has a kind");
                let before = metrics.kinds.insert(name.into(), kind.into());
                assert_eq!(before, None, "two TYPE lines for {name}");
            } else if let Some(rest) = line.strip_prefix("# HELP ") {
                metrics.helped.insert(rest.split(' ').next().unwrap().into());
            } else if !line.starts_with('#') {
                let (name, labels, value) = sample(line).unwrap_or_else(|| panic!("not a sample: {line:?}"));
                let twice = metrics.series.insert((name, labels), value);
                assert!(twice.is_none(), "a series comes twice: {line:?}");
            }
        }
        metrics
    }

    /// The page of whoever listens at this port of this machine.
    ///
    /// # Errors
    /// What came instead.
    pub(crate) fn of(port: u16) -> Result<Self, String> {
        let reply = Request::new("GET", "/metrics").send(port).map_err(|why| why.to_string())?;
        if reply.status == 200 {
            Ok(Self::parse(&reply.text()))
        } else {
            Err(format!("HTTP {}: {}", reply.status, reply.text()))
        }
    }

    /// All series of a metric whose labels include these.
    pub(crate) fn matching<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = (&'a Labels, f64)> + 'a {
        self.series.iter().filter_map(move |((found, own), value)| {
            let fits = found == name
                && labels.iter().all(|(key, value)| own.get(*key).is_some_and(|own| own == value));
            fits.then_some((own, *value))
        })
    }

    /// Sum over all series of a metric whose labels include these; 0 without any.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.matching(name, labels).map(|(_, value)| value).sum()
    }

    /// The value of the one series of a metric whose labels include these, if there is one.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let mut found = self.matching(name, labels);
        let first = found.next()?;
        assert!(found.next().is_none(), "more than one series of {name} has {labels:?}");
        Some(first.1)
    }

    /// The lines of the page that name this, for the messages of failed assertions.
    pub(crate) fn lines(&self, name: &str) -> String {
        let lines: Vec<_> = self.text.lines().filter(|line| line.starts_with(name)).collect();
        lines.join("\n")
    }

    /// The series that only rise: counters, and the parts of histograms.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (&(String, Labels), f64)> {
        self.series.iter().filter_map(|(key, value)| {
            let kind = |name: &str| self.kinds.get(name).map(String::as_str);
            let histogram = ["_bucket", "_count", "_sum"]
                .iter()
                .any(|end| key.0.strip_suffix(end).and_then(kind) == Some("histogram"));
            (histogram || kind(&key.0) == Some("counter")).then_some((key, *value))
        })
    }
}

/// Holds page after page against the one before: no counter of ours may fall or vanish,
/// whatever happened to the process between them.
#[derive(Debug, Default)]
pub(crate) struct NeverFalls {
    last: BTreeMap<(String, Labels), f64>,
    pages: usize,
}

impl NeverFalls {
    /// Takes the next page; fails the test where a counter fell or is gone.
    pub(crate) fn page(&mut self, metrics: &Metrics) {
        self.pages += 1;
        // `process_…` is about the process itself and starts anew with it.
        let now: BTreeMap<_, _> = metrics
            .counters()
            .filter(|(key, _)| key.0.starts_with("leasewatch_"))
            .map(|(key, value)| (key.clone(), value))
            .collect();
        for (key, before) in &self.last {
            match now.get(key) {
                None => panic!("page {}: {key:?} is gone; it stood at {before}", self.pages),
                Some(value) => {
                    assert!(value >= before, "page {}: {key:?} fell from {before} to {value}", self.pages);
                }
            }
        }
        self.last = now;
    }

    /// How many pages it has seen.
    pub(crate) fn pages(&self) -> usize {
        self.pages
    }
}

fn sample(line: &str) -> Option<(String, Labels, f64)> {
    let at = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(at);
    let mut labels = Labels::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while let Some(quote) = rest.find("=\"") {
            let label = rest[..quote].to_string();
            let mut value = String::new();
            let mut chars = rest[quote + 2..].char_indices();
            let after = loop {
                match chars.next()? {
                    (_, '\\') => match chars.next()?.1 {
                        'n' => value.push('\n'),
                        other => value.push(other),
                    },
                    (at, '"') => break quote + 2 + at + 1,
                    (_, other) => value.push(other),
                }
            };
            if labels.insert(label, value).is_some() {
                return None;
            }
            rest = &rest[after..];
            if let Some(next) = rest.strip_prefix(',') {
                rest = next;
            } else {
                break;
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = match rest.trim() {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some((name.to_string(), labels, value))
}
