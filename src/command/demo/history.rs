//! A history: the past as samples for Prometheus, which by itself sees the present alone. In
//! the `OpenMetrics` text that `promtool tsdb create-blocks-from openmetrics` takes, so that
//! dashboards show weeks at once.

use crate::anomaly::Settings;
use crate::command::pieces;
use crate::config::LogKind;
use crate::contract::leases;
use crate::event::Timestamp;
use crate::pipeline::{Pipeline, Progress};
use crate::snapshot::{Family, Kind, Metric, Value};
use crate::state::Limits;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

/// Between two samples, in seconds: Prometheus takes a series for gone after five minutes.
const STEP: i64 = 300;
/// Lines between two looks.
const BATCH: usize = 10_000;
/// A longer line is not in these logs.
const MAX_LINE_BYTES: usize = 1 << 20;
/// What changes seldom: not worth its place.
const LEFT_OUT: &[&Metric] = &[&leases::OBSERVED, &leases::ROLE_DEFAULT_TTL, &leases::ROLE_MAX_TTL];

/// Which logs, and of which time.
pub(super) struct History<'a> {
    /// The files of the audit log.
    pub(super) audit: &'a [String],
    /// The files of the server log.
    pub(super) server: &'a [String],
    /// The first moment.
    pub(super) from: Timestamp,
    /// The last one; the logs must reach so far.
    pub(super) to: Timestamp,
    /// What Prometheus scrapes: its label `instance`.
    pub(super) instance: &'a str,
}

/// All samples, by metric and labels.
#[derive(Default)]
struct Samples {
    families: BTreeMap<&'static str, (&'static Metric, AllSeries)>,
    /// Of the histograms' buckets.
    bounds: BTreeMap<&'static str, &'static [f64]>,
}

/// By their labels and part, the number of each step and the value then.
type AllSeries = BTreeMap<(Vec<Arc<str>>, Part), Vec<(u32, f64)>>;

/// What of its metric a series is; of a histogram there are several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Whole,
    /// By its number; beyond the bounds, the infinite one.
    Bucket(usize),
    Sum,
    Count,
}

impl History<'_> {
    /// Reads the logs once more, from step to step, and writes what was at each; `each` is
    /// called with the time, and says whether to go on.
    ///
    /// # Errors
    /// A log that cannot be read, and those of writing.
    pub(super) fn write(
        &self,
        out: &mut impl Write,
        mut each: impl FnMut(Timestamp) -> bool,
    ) -> anyhow::Result<()> {
        let (ahead, read) = (Arc::default(), Arc::default());
        let mut inputs = pieces::open(LogKind::Server, self.server, MAX_LINE_BYTES, &ahead, &read)?;
        inputs.extend(pieces::open(LogKind::Audit, self.audit, MAX_LINE_BYTES, &ahead, &read)?);
        let limits = Limits { label_sets: 2_000, leases: 1_000_000, anomaly: Settings::DEFAULT };
        let mut pipeline = Pipeline::new(limits, inputs);
        let mut samples = Samples::default();
        for step in 0..=self.steps() {
            let at = self.at(step);
            if !each(at) {
                return Ok(());
            }
            while pipeline.run(Instant::now(), Timestamp::MIN, at, BATCH) != Progress::Done {}
            pipeline.advance(at);
            for family in pipeline.families(at) {
                samples.add(step, &family);
            }
        }
        self.print(&samples, out)?;
        Ok(())
    }

    /// How many steps there are room for.
    fn steps(&self) -> u32 {
        let seconds = self.to.nanos_since(self.from).max(0) / 1_000_000_000;
        u32::try_from(seconds / STEP).unwrap_or(u32::MAX)
    }

    /// The moment of a step. The last one is the end: what is scraped from then on continues it.
    fn at(&self, step: u32) -> Timestamp {
        self.to.plus_secs((i64::from(step) - i64::from(self.steps())) * STEP)
    }

    fn print(&self, Samples { families, bounds }: &Samples, out: &mut impl Write) -> io::Result<()> {
        for (name, (metric, series)) in families {
            // A series that never was anything but zero says nothing, but for a bucket.
            let tells = |samples: &[(u32, f64)]| samples.iter().any(|(_, value)| *value != 0.0);
            let is_histogram = metric.kind == Kind::Histogram;
            let mut told = series.iter().filter(|(_, samples)| is_histogram || tells(samples)).peekable();
            if told.peek().is_none() {
                continue;
            }
            let (family, kind) = match metric.kind {
                Kind::Counter => (name.trim_end_matches("_total"), "counter"),
                Kind::Gauge => (*name, "gauge"),
                Kind::Histogram => (*name, "histogram"),
            };
            writeln!(out, "# HELP {family} {}\n# TYPE {family} {kind}", metric.help)?;
            for ((values, part), samples) in told {
                let mut labels = format!("job=\"leasewatch\",instance=\"{}\"", self.instance);
                for (label, value) in metric.labels.iter().zip(values) {
                    // Writing to a String cannot fail.
                    let _ = write!(labels, ",{label}=\"{}\"", escaped(value));
                }
                let suffix = match part {
                    Part::Whole => "",
                    Part::Sum => "_sum",
                    Part::Count => "_count",
                    Part::Bucket(number) => {
                        let bound = bounds[name].get(*number);
                        let bound = bound.map_or_else(|| "+Inf".to_owned(), ToString::to_string);
                        let _ = write!(labels, ",le=\"{bound}\"");
                        "_bucket"
                    }
                };
                for (step, value) in samples {
                    let at = self.at(*step).as_secs_f64();
                    writeln!(out, "{name}{suffix}{{{labels}}} {value} {at}")?;
                }
            }
        }
        writeln!(out, "# EOF")?;
        out.flush()
    }
}

impl Samples {
    fn add(&mut self, step: u32, family: &Family) {
        if LEFT_OUT.contains(&family.metric) {
            return;
        }
        let name = family.metric.name;
        let (_, all) = self.families.entry(name).or_insert_with(|| (family.metric, BTreeMap::new()));
        let mut put = |labels: &[Arc<str>], part, value| {
            all.entry((labels.to_vec(), part)).or_default().push((step, value));
        };
        for series in &family.series {
            match &series.value {
                Value::Count(count) => put(&series.labels, Part::Whole, *count as f64),
                Value::Number(number) => put(&series.labels, Part::Whole, *number),
                Value::Histogram(histogram) => {
                    self.bounds.insert(name, histogram.bounds);
                    let mut so_far = 0;
                    for (number, count) in histogram.counts.iter().enumerate() {
                        so_far += count;
                        put(&series.labels, Part::Bucket(number), so_far as f64);
                    }
                    put(&series.labels, Part::Sum, histogram.sum);
                    put(&series.labels, Part::Count, so_far as f64);
                }
            }
        }
    }
}

/// A label's value as the text has it.
fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

/// What makes blocks of a history, and what shows them.
pub(super) fn how_to_use(file: &str) -> String {
    format!(
        "\
History      promtool tsdb create-blocks-from --max-block-duration=768h openmetrics {file} DATA_DIR
             prometheus --storage.tsdb.path=DATA_DIR --storage.tsdb.retention.time=90d …
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::credentials;
    use crate::snapshot::{Histogram, Series};

    #[test]
    fn a_histogram_has_its_buckets_and_those_of_nothing_too() {
        let from = Timestamp::from_secs(1_000);
        let history = History { audit: &[], server: &[], from, to: from, instance: "x" };
        let mut took = Family::new(&credentials::ISSUE_DURATION);
        let labels = ["root", "db/", "database"].map(Arc::from).to_vec();
        let histogram = Histogram { bounds: &[0.5, 1.0], counts: vec![0, 2, 1], sum: 3.5 };
        took.series.push(Series { labels, value: Value::Histogram(histogram) });
        let mut samples = Samples::default();
        samples.add(0, &took);
        let mut out = Vec::new();
        history.print(&samples, &mut out).expect("a Vec takes it");
        let text = String::from_utf8(out).expect("UTF-8");
        let plain = text.replace("job=\"leasewatch\",instance=\"x\",vault_namespace=\"root\",", "");
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
    fn samples_of_a_family_stand_together_and_zeros_are_left_out() {
        let from = Timestamp::from_secs(1_000);
        let to = from.plus_secs(STEP);
        let history = History { audit: &[], server: &[], from, to, instance: "127.0.0.1:9748" };
        let mut samples = Samples::default();
        for step in 0..2 {
            let mut ended = Family::new(&leases::REVOCATIONS);
            ended.count(["root", "db/", "database", "a\"b", "expired"], u64::from(step) + 1);
            ended.count(["root", "db/", "database", "a\"b", "forced"], 0);
            samples.add(step, &ended);
            let mut stuck = Family::new(&leases::STUCK);
            stuck.number(["root", "db/", "database", "a\"b"], 0.0);
            samples.add(step, &stuck);
        }
        let mut out = Vec::new();
        history.print(&samples, &mut out).expect("a Vec takes it");
        let text = String::from_utf8(out).expect("UTF-8");
        let labels = "job=\"leasewatch\",instance=\"127.0.0.1:9748\",vault_namespace=\"root\",mount=\"db/\",\
            engine=\"database\",role=\"a\\\"b\",cause=\"expired\"";
        let lines: Vec<_> = text.lines().skip(1).collect();
        let expected = [
            "# TYPE leasewatch_revocations counter".to_owned(),
            format!("leasewatch_revocations_total{{{labels}}} 1 1000"),
            format!("leasewatch_revocations_total{{{labels}}} 2 1300"),
            "# EOF".to_owned(),
        ];
        assert_eq!(lines, expected);
    }
}
