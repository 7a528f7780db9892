//! A snapshot: all numbers at one moment, as families of labelled series.
//! Types only. `state`, `vault` and the exporter's own gauges make families;
//! `exposition`, `report` and `push` show them.

use crate::event::Timestamp;
use std::sync::Arc;

/// All families of one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Event time up to which everything is counted.
    pub as_of: Timestamp,
    /// Sorted by metric name; each metric at most once.
    pub families: Vec<Family>,
}

/// One metric with its series.
#[derive(Clone, Debug)]
pub struct Family {
    /// What is measured.
    pub metric: &'static Metric,
    /// Sorted by labels; no two alike.
    pub series: Vec<Series>,
}

/// The definition of a metric: a row of the metrics contract.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Full name, `leasewatch_…`.
    pub name: &'static str,
    /// One sentence, shown as HELP.
    pub help: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// Label names, in the order in which series give their values.
    pub labels: &'static [&'static str],
}

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever rises; ends in `_total`.
    Counter,
    /// Any value.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

/// One series: label values in the order of its metric's label names.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// As many as the metric has labels.
    pub labels: Vec<Arc<str>>,
    /// Its value.
    pub value: Value,
}

/// The value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a counter that counts things.
    Count(u64),
    /// Of a gauge, or of a counter of a continuous quantity.
    Number(f64),
    /// Of a histogram.
    Histogram(Histogram),
}

/// A histogram's value; not cumulative, sums in nanounits so that they add up exactly.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Upper bounds of the buckets, rising, without the infinite one.
    pub bounds: &'static [f64],
    /// Observations per bucket; one longer than `bounds`.
    pub counts: Vec<u64>,
    /// Sum of the observations.
    pub sum: f64,
}

impl Value {
    /// Of a gauge or a counter; a histogram is more than a number.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Count(count) => Some(*count as f64),
            Self::Number(number) => Some(*number),
            Self::Histogram(_) => None,
        }
    }
}

impl Family {
    /// A family without series yet.
    pub fn new(metric: &'static Metric) -> Self {
        Self { metric, series: Vec::new() }
    }

    /// Adds a gauge's (or a continuous counter's) series.
    pub fn number<L: Into<Arc<str>>>(&mut self, labels: impl IntoIterator<Item = L>, value: f64) {
        self.push(labels, Value::Number(value));
    }

    /// Adds a counter's series.
    pub fn count<L: Into<Arc<str>>>(&mut self, labels: impl IntoIterator<Item = L>, value: u64) {
        self.push(labels, Value::Count(value));
    }

    fn push<L: Into<Arc<str>>>(&mut self, labels: impl IntoIterator<Item = L>, value: Value) {
        let labels: Vec<Arc<str>> = labels.into_iter().map(Into::into).collect();
        debug_assert_eq!(labels.len(), self.metric.labels.len(), "{}", self.metric.name);
        self.series.push(Series { labels, value });
    }
}
