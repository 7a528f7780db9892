//! A history: the past as samples for Prometheus, which by itself sees the present alone. In
//! the `OpenMetrics` text that `promtool tsdb create-blocks-from openmetrics` takes, so that
//! dashboards show weeks at once.

use crate::anomaly::Settings;
use crate::command::finished;
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
/// What changes seldom, or means little in the past: not worth its place.
const LEFT_OUT: &[&Metric] = &[
    &leases::EXPIRING,
    &leases::OLDEST,
    &leases::OBSERVED,
    &leases::ROLE_DEFAULT_TTL,
    &leases::ROLE_MAX_TTL,
];

/// Which logs, and of which time.
pub(super) struct History<'a> {
    /// The files of the audit log.
    pub(super) audit: &'a [String],
    /// The files of the server log.
    pub(super) server: &'a [String],
    /// The first moment.
    pub(super) from: Timestamp,
    /// The last one.
    pub(super) to: Timestamp,
    /// What Prometheus scrapes: its label `instance`.
    pub(super) instance: &'a str,
}

/// All samples, by metric and labels.
#[derive(Default)]
struct Samples(BTreeMap<&'static str, (&'static Metric, AllSeries)>);

/// By their labels, the number of each step and the value then.
type AllSeries = BTreeMap<Vec<Arc<str>>, Vec<(u32, f64)>>;

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
        let mut inputs = finished::open(LogKind::Server, self.server, MAX_LINE_BYTES)?;
        inputs.extend(finished::open(LogKind::Audit, self.audit, MAX_LINE_BYTES)?);
        let limits = Limits { label_sets: 2_000, leases: 1_000_000, anomaly: Settings::DEFAULT };
        let mut pipeline = Pipeline::new(limits, inputs);
        let mut samples = Samples::default();
        for step in 0.. {
            let at = self.from.plus_secs(i64::from(step) * STEP);
            if at > self.to {
                break;
            }
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

    fn print(&self, Samples(families): &Samples, out: &mut impl Write) -> io::Result<()> {
        for (name, (metric, series)) in families {
            // A series that never was anything but zero says nothing.
            let mut told =
                series.iter().filter(|(_, samples)| samples.iter().any(|(_, v)| *v != 0.0)).peekable();
            if told.peek().is_none() {
                continue;
            }
            let (family, kind) = match metric.kind {
                Kind::Counter => (name.trim_end_matches("_total"), "counter"),
                Kind::Gauge | Kind::Histogram => (*name, "gauge"),
            };
            writeln!(out, "# HELP {family} {}\n# TYPE {family} {kind}", metric.help)?;
            for (values, samples) in told {
                let mut labels = format!("job=\"leasewatch\",instance=\"{}\"", self.instance);
                for (label, value) in metric.labels.iter().zip(values) {
                    // Writing to a String cannot fail.
                    let _ = write!(labels, ",{label}=\"{}\"", escaped(value));
                }
                for (step, value) in samples {
                    let at = self.from.plus_secs(i64::from(*step) * STEP).as_secs_f64();
                    writeln!(out, "{name}{{{labels}}} {value} {at}")?;
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
        let (_, all) = self.0.entry(family.metric.name).or_insert_with(|| (family.metric, BTreeMap::new()));
        for series in &family.series {
            let value = match series.value {
                Value::Count(count) => count as f64,
                Value::Number(number) => number,
                Value::Histogram(_) => continue,
            };
            match all.get_mut(&series.labels) {
                Some(samples) => samples.push((step, value)),
                None => drop(all.insert(series.labels.clone(), vec![(step, value)])),
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

    #[test]
    fn samples_of_a_family_stand_together_and_zeros_are_left_out() {
        let from = Timestamp::from_secs(1_000);
        let history = History { audit: &[], server: &[], from, to: from, instance: "127.0.0.1:9748" };
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
