//! The collector: one family of a snapshot, as the `prometheus` crate wants it.
//!
//! Series are made from the snapshot at every scrape, never kept in the crate's
//! `MetricVec`: that tells series apart by a hash over their joined label values,
//! so that ("ab", "c") and ("a", "bc") become one, and clients choose those values.

use crate::harmless;
use crate::snapshot::{Family, Histogram, Kind, Series, Value};
use prometheus::core::{Collector, Desc};
use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram as HistogramProto, LabelPair, Metric, MetricFamily, MetricType,
};
use std::collections::HashMap;

/// Shows one family.
pub struct FamilyCollector<'a> {
    family: &'a Family,
    desc: Desc,
}

impl<'a> FamilyCollector<'a> {
    /// A collector of `family`.
    ///
    /// # Errors
    /// That the name or a label name is not one that Prometheus takes.
    pub fn new(family: &'a Family) -> prometheus::Result<Self> {
        let labels = family.metric.labels.iter().map(|&label| label.to_owned()).collect();
        let metric = family.metric;
        let desc = Desc::new(metric.name.to_owned(), metric.help.to_owned(), labels, HashMap::new())?;
        Ok(Self { family, desc })
    }

    fn series(&self, series: &Series) -> Metric {
        let pairs = self.family.metric.labels.iter().zip(&series.labels).map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value(harmless::label(value).into_owned());
            pair
        });
        let mut metric = Metric::from_label(pairs.collect());
        match &series.value {
            Value::Histogram(histogram) => metric.set_histogram(cumulative(histogram)),
            value => {
                let number = match value {
                    // Exact up to 2^53; Prometheus itself keeps nothing else.
                    Value::Count(count) => *count as f64,
                    Value::Number(number) => *number,
                    Value::Histogram(_) => f64::NAN,
                };
                if self.family.metric.kind == Kind::Counter {
                    let mut counter = Counter::default();
                    counter.set_value(number);
                    metric.set_counter(counter);
                } else {
                    let mut gauge = Gauge::default();
                    gauge.set_value(number);
                    metric.set_gauge(gauge);
                }
            }
        }
        metric
    }
}

impl Collector for FamilyCollector<'_> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut family = MetricFamily::default();
        family.set_name(self.family.metric.name.to_owned());
        family.set_help(self.family.metric.help.to_owned());
        family.set_field_type(match self.family.metric.kind {
            Kind::Counter => MetricType::COUNTER,
            Kind::Gauge => MetricType::GAUGE,
            Kind::Histogram => MetricType::HISTOGRAM,
        });
        family.set_metric(self.family.series.iter().map(|series| self.series(series)).collect());
        vec![family]
    }
}

/// Buckets that each hold all below them, as the text wants them; the encoder adds the infinite one.
fn cumulative(histogram: &Histogram) -> HistogramProto {
    let mut sum = 0;
    let buckets = histogram.bounds.iter().zip(&histogram.counts).map(|(bound, count)| {
        sum += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(sum);
        bucket
    });
    let mut proto = HistogramProto::default();
    proto.set_bucket(buckets.collect());
    proto.set_sample_sum(histogram.sum);
    proto.set_sample_count(histogram.counts.iter().sum());
    proto
}
