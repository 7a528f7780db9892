//! A sample: one number of a series at one moment, and how `OpenMetrics` writes it. A histogram is several.

use crate::harmless;
use crate::snapshot::{Kind, Value};

/// What of its metric a series is; of a histogram there are several. In the order in which they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Whole,
    /// By its place; behind the bounds, the infinite one.
    Bucket(usize),
    Sum,
    Count,
}

impl Part {
    /// What stands behind the metric's name.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Bucket(_) => "_bucket",
            Self::Sum => "_sum",
            Self::Count => "_count",
        }
    }
}

/// What the series of a metric with the same labels are: as many as it has numbers.
pub(super) fn parts(kind: Kind, numbers: usize) -> impl Iterator<Item = Part> {
    let buckets = if kind == Kind::Histogram { numbers - 2 } else { 0 };
    let rest: &[Part] = if kind == Kind::Histogram { &[Part::Sum, Part::Count] } else { &[Part::Whole] };
    (0..buckets).map(Part::Bucket).chain(rest.iter().copied())
}

/// The numbers of a value, in the order of its parts.
pub(super) fn values(value: &Value) -> Vec<f64> {
    match value {
        // Exact up to 2^53; Prometheus itself keeps nothing else.
        Value::Count(count) => vec![*count as f64],
        Value::Number(number) => vec![*number],
        Value::Histogram(histogram) => {
            let mut so_far = 0;
            let mut values: Vec<_> = histogram
                .counts
                .iter()
                .map(|count| {
                    so_far += count;
                    so_far as f64
                })
                .collect();
            values.extend([histogram.sum, so_far as f64]);
            values
        }
    }
}

/// The bounds of a histogram's buckets.
pub(super) fn bounds(value: &Value) -> Option<&'static [f64]> {
    match value {
        Value::Histogram(histogram) => Some(histogram.bounds),
        _ => None,
    }
}

/// A number as the text has it.
pub(super) fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    value.to_string()
}

/// Milliseconds since the Unix epoch as the text has them, which is seconds.
pub(super) fn seconds(millis: i64) -> String {
    match millis.rem_euclid(1_000) {
        0 => (millis / 1_000).to_string(),
        rest => format!("{}.{rest:03}", millis.div_euclid(1_000)),
    }
}

/// A label's value, or a help, as the text has it; of a label the same as on `/metrics`.
pub(super) fn escaped(value: &str) -> String {
    harmless::label(value).replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
