//! A backfill: the past as samples for Prometheus, which by itself sees the present alone. In the
//! `OpenMetrics` text that `promtool tsdb create-blocks-from openmetrics` takes. `OpenMetrics` wants the
//! samples of a series to stand together, and they come moment by moment: until then they are in
//! [`Changes`]. Who reads the logs, and at which moments, is left to others.

mod changes;
mod labels;
mod sample;

pub use labels::Labels;

use crate::event::Timestamp;
use crate::snapshot::{Family, Kind, Metric};
use changes::{Changes, SeriesId};
use sample::{Part, escaped, number, seconds};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;

/// Changes that are turned from moments into series at once: 64 MB of memory.
const AT_ONCE: usize = 4 << 20;

/// What was at every moment so far.
pub struct Backfill {
    labels: Labels,
    /// In milliseconds since the Unix epoch, as Prometheus keeps them; rising.
    moments: Vec<i64>,
    families: BTreeMap<&'static str, OneFamily>,
    changes: Changes,
    at_once: usize,
    leaves_out_zeros: bool,
}

/// One metric, and the numbers of its series.
struct OneFamily {
    metric: &'static Metric,
    /// Of a histogram's buckets.
    bounds: &'static [f64],
    /// By their labels: of a histogram several, in the order of their parts.
    series: HashMap<Vec<Arc<str>>, Vec<SeriesId>>,
}

/// A series in the order in which it is written.
struct Told<'b> {
    family: &'b OneFamily,
    labels: &'b [Arc<str>],
    part: Part,
    id: SeriesId,
}

impl Backfill {
    /// Samples that get these labels beside those of their metric.
    pub fn new(labels: Labels) -> Self {
        let (moments, families) = (Vec::new(), BTreeMap::new());
        Self { labels, moments, families, changes: Changes::new(), at_once: AT_ONCE, leaves_out_zeros: false }
    }

    /// Leaves out what never is anything but zero, but for a histogram's buckets: less than half is left.
    #[must_use]
    pub fn leaving_out_zeros(mut self) -> Self {
        self.leaves_out_zeros = true;
        self
    }

    /// The numbers at a moment later than the last one. Prometheus keeps milliseconds: a moment
    /// between two is that of the later one.
    ///
    /// # Errors
    /// Those of writing to a temporary file.
    pub fn add(&mut self, at: Timestamp, families: &[Family]) -> io::Result<()> {
        let millis = at.as_nanos().div_euclid(1_000_000) + i64::from(at.as_nanos().rem_euclid(1_000_000) > 0);
        if self.moments.last().is_some_and(|last| *last >= millis) {
            return Ok(());
        }
        self.changes.moment();
        self.moments.push(millis);
        for family in families {
            let one = self.families.entry(family.metric.name).or_insert_with(|| OneFamily {
                metric: family.metric,
                bounds: &[],
                series: HashMap::new(),
            });
            for series in &family.series {
                one.bounds = sample::bounds(&series.value).unwrap_or(one.bounds);
                let values = sample::values(&series.value);
                let ids = if let Some(ids) = one.series.get(&series.labels[..]) {
                    ids
                } else {
                    let ids = values.iter().map(|_| self.changes.series()).collect();
                    one.series.entry(series.labels.clone()).or_insert(ids)
                };
                for (id, value) in ids.iter().zip(values) {
                    self.changes.add(*id, value)?;
                }
            }
        }
        self.changes.end_of_moment()
    }

    /// Writes all of it: series by series, those of a metric together.
    ///
    /// # Errors
    /// Those of the temporary file and of writing.
    pub fn write(&mut self, out: &mut impl Write) -> io::Result<()> {
        let Self { labels, moments, families, changes, at_once, leaves_out_zeros } = self;
        let mut told: Vec<Told<'_>> = Vec::new();
        for family in families.values() {
            let first = told.len();
            let leaves_out = *leaves_out_zeros && family.metric.kind != Kind::Histogram;
            let series = family.series.iter().flat_map(|(labels, ids)| {
                let parts = sample::parts(family.metric.kind, ids.len());
                parts.zip(ids).map(move |(part, id)| Told { family, labels, part, id: *id })
            });
            told.extend(series.filter(|series| !leaves_out || !changes.is_always_zero(series.id)));
            told[first..].sort_by_key(|series| (series.labels, series.part));
        }
        let mut last: Option<&Metric> = None;
        let mut rest = &told[..];
        while !rest.is_empty() {
            let mut held = 0;
            let few = rest.iter().take_while(|series| {
                let before = held;
                held += changes.count(series.id);
                before == 0 || held <= *at_once
            });
            let (now, later) = rest.split_at(few.count());
            let mut runs = changes.of(&now.iter().map(|series| series.id).collect::<Vec<_>>())?;
            for series in now {
                let metric = series.family.metric;
                if last != Some(metric) {
                    head(metric, out)?;
                    last = Some(metric);
                }
                let name = series.name(labels);
                for (moments, value) in runs.remove(&series.id).unwrap_or_default().over(moments) {
                    let value = number(value);
                    for millis in moments {
                        writeln!(out, "{name} {value} {}", seconds(*millis))?;
                    }
                }
            }
            rest = later;
        }
        writeln!(out, "# EOF")?;
        out.flush()
    }
}

/// What stands before the samples of a metric.
fn head(metric: &Metric, out: &mut impl Write) -> io::Result<()> {
    let (family, kind) = match metric.kind {
        Kind::Counter => (metric.name.trim_end_matches("_total"), "counter"),
        Kind::Gauge => (metric.name, "gauge"),
        Kind::Histogram => (metric.name, "histogram"),
    };
    writeln!(out, "# HELP {family} {}\n# TYPE {family} {kind}", escaped(metric.help))
}

impl Told<'_> {
    /// It as it stands before each of its samples.
    fn name(&self, more: &Labels) -> String {
        let mut pairs: Vec<_> =
            more.0.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        for (label, value) in self.family.metric.labels.iter().zip(self.labels) {
            pairs.push(format!("{label}=\"{}\"", escaped(value)));
        }
        if let Part::Bucket(place) = self.part {
            let bound = self.family.bounds.get(place).copied().unwrap_or(f64::INFINITY);
            pairs.push(format!("le=\"{}\"", number(bound)));
        }
        let mut name = format!("{}{}", self.family.metric.name, self.part.suffix());
        if !pairs.is_empty() {
            // Writing to a String cannot fail.
            let _ = write!(name, "{{{}}}", pairs.join(","));
        }
        name
    }
}

#[cfg(test)]
mod tests;
