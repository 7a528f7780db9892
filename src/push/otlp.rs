//! OTLP: a snapshot as the JSON of OTLP/HTTP, in pieces that are put together to requests of bounded size.
//! Counters and histograms are deltas, gauges are as they are.

use super::deltas::Cumulative;
use crate::harmless;
use crate::snapshot::{Family, Kind, Metric, Series, Value};
use serde::Serialize;
use std::borrow::Cow;
use std::io::Write;

/// Aggregation temporality `DELTA`.
const DELTA: u8 = 1;

/// A data point, ready to be sent, and what its acknowledgement means.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) metric: &'static Metric,
    /// Its JSON.
    json: String,
    /// The series, and the value that is acknowledged with it; gauges have none.
    pub(super) acknowledges: Option<(String, Cumulative)>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Attribute<'a> {
    key: &'a str,
    value: Text<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text<'a> {
    string_value: Cow<'a, str>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct DataPoint<'a> {
    attributes: Vec<Attribute<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time_unix_nano: Option<String>,
    time_unix_nano: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_double: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_int: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bucket_counts: Vec<String>,
    #[serde(skip_serializing_if = "<[f64]>::is_empty")]
    explicit_bounds: &'a [f64],
}

/// The name of a series in what is kept of it.
pub(super) fn key(metric: &Metric, series: &Series) -> String {
    let mut parts = vec![metric.name];
    parts.extend(series.labels.iter().map(|label| &**label));
    // Texts alone: there is nothing that JSON cannot say.
    serde_json::to_string(&parts).unwrap_or_default()
}

/// A gauge's point; none where it has no finite value.
pub(super) fn gauge(family: &Family, series: &Series, at: i64) -> Option<Point> {
    let value = series.value.number()?;
    value.is_finite().then(|| {
        let point = DataPoint { as_double: Some(value), ..point(family, series, at) };
        Point { metric: family.metric, json: json(&point), acknowledges: None }
    })
}

/// The point of what came to a counter or histogram since `start`.
pub(super) fn delta(
    family: &Family,
    series: &Series,
    (start, at): (i64, i64),
    change: &Cumulative,
    acknowledges: (String, Cumulative),
) -> Option<Point> {
    let mut point = point(family, series, at);
    point.start_time_unix_nano = Some(start.to_string());
    match change {
        Cumulative::Count(count) => point.as_int = Some(count.to_string()),
        Cumulative::Number(number) => point.as_double = Some(*number),
        Cumulative::Histogram { counts, sum } => {
            point.count = Some(counts.iter().sum::<u64>().to_string());
            point.sum = Some(*sum);
            point.bucket_counts = counts.iter().map(u64::to_string).collect();
            let Value::Histogram(histogram) = &series.value else { return None };
            point.explicit_bounds = histogram.bounds;
        }
    }
    Some(Point { metric: family.metric, json: json(&point), acknowledges: Some(acknowledges) })
}

fn point<'a>(family: &'a Family, series: &'a Series, at: i64) -> DataPoint<'a> {
    let pairs = family.metric.labels.iter().zip(&series.labels);
    // As /metrics shows it: a receiver draws it, and joins it with what Prometheus scraped.
    let attributes =
        pairs.map(|(key, value)| Attribute { key, value: Text { string_value: harmless::label(value) } });
    DataPoint { attributes: attributes.collect(), time_unix_nano: at.to_string(), ..DataPoint::default() }
}

fn json(point: &DataPoint<'_>) -> String {
    serde_json::to_string(point).unwrap_or_default()
}

/// What stands before and behind the points of every request.
#[derive(Debug)]
pub(super) struct Envelope {
    head: String,
}

/// What ends a request.
const TAIL: &str = "]}]}]}";

impl Envelope {
    /// Of an exporter with these resource attributes.
    pub(super) fn new(attributes: &[(String, String)]) -> Self {
        let attributes: Vec<_> = attributes
            .iter()
            .map(|(key, value)| Attribute { key, value: Text { string_value: value.as_str().into() } })
            .collect();
        let attributes = serde_json::to_string(&attributes).unwrap_or_default();
        let head = format!(
            "{{\"resourceMetrics\":[{{\"resource\":{{\"attributes\":{attributes}}},\"scopeMetrics\":[{{\"scope\":\
             {{\"name\":\"leasewatch\",\"version\":\"{}\"}},\"metrics\":[",
            env!("CARGO_PKG_VERSION")
        );
        Self { head }
    }

    /// Points in the order of their metrics, cut into requests of at most so many bytes, where one point
    /// alone has not more.
    pub(super) fn batches(&self, points: Vec<Point>, most: usize) -> Vec<Vec<Point>> {
        let mut batches: Vec<Vec<Point>> = Vec::new();
        let mut size = 0;
        for point in points {
            let last = batches.last().and_then(|batch| batch.last());
            let is_same = last.is_some_and(|last| std::ptr::eq(last.metric, point.metric));
            let (prefix, suffix) = around(point.metric);
            // A comma each, too.
            let more = point.json.len() + 1 + if is_same { 0 } else { prefix.len() + suffix.len() + 1 };
            if last.is_none() || size + more > most {
                size = self.head.len() + TAIL.len() + prefix.len() + suffix.len() + point.json.len() + 2;
                batches.push(vec![point]);
            } else {
                size += more;
                if let Some(batch) = batches.last_mut() {
                    batch.push(point);
                }
            }
        }
        batches
    }

    /// The JSON of a request.
    pub(super) fn render(&self, points: &[Point]) -> Vec<u8> {
        let mut text = self.head.clone();
        for (nth, group) in points.chunk_by(|a, b| std::ptr::eq(a.metric, b.metric)).enumerate() {
            let (prefix, suffix) = around(group[0].metric);
            if nth > 0 {
                text.push(',');
            }
            text.push_str(&prefix);
            for (nth, point) in group.iter().enumerate() {
                if nth > 0 {
                    text.push(',');
                }
                text.push_str(&point.json);
            }
            text.push_str(&suffix);
        }
        text.push_str(TAIL);
        text.into_bytes()
    }
}

/// What stands around the points of a metric.
fn around(metric: &Metric) -> (String, String) {
    let quoted = |text| serde_json::to_string(text).unwrap_or_default();
    let (form, end) = match metric.kind {
        Kind::Gauge => ("gauge", String::new()),
        Kind::Counter => ("sum", format!(",\"aggregationTemporality\":{DELTA},\"isMonotonic\":true")),
        Kind::Histogram => ("histogram", format!(",\"aggregationTemporality\":{DELTA}")),
    };
    let head = format!(
        "{{\"name\":{},\"description\":{},\"{form}\":{{\"dataPoints\":[",
        quoted(metric.name),
        quoted(metric.help)
    );
    (head, format!("]{end}}}}}"))
}

/// Compressed, as receivers take it.
pub(super) fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}
