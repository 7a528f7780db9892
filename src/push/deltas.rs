//! Deltas: what came to every counter since the receiver last acknowledged it. What is kept, in a file of
//! the state folder, is the value that was acknowledged, so that an outage or a restart loses nothing:
//! the next delta holds all of it. What is bounded is therefore known: one value a series.
//!
//! An acknowledgement is written down as soon as it comes. Between a receiver's taking of a request and
//! that line there is one request that a kill makes come again: at least once, and one request at most.

use super::otlp::{self, Point};
use crate::event::Timestamp;
use crate::snapshot::{Kind, Snapshot, Value};
use crate::store::{Journal, Store, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// The file is written anew when what was appended comes to this many bytes, or to as many as it had.
const APPENDED_MOST: u64 = 1 << 20;

/// The value of a counter or histogram, or a change of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Cumulative {
    /// Of a counter that counts things.
    Count(u64),
    /// Of a counter of a continuous quantity.
    Number(f64),
    /// Of a histogram.
    Histogram {
        /// By bucket.
        counts: Vec<u64>,
        /// Of the observations.
        sum: f64,
    },
}

impl Cumulative {
    fn of(value: &Value) -> Self {
        match value {
            Value::Count(count) => Self::Count(*count),
            Value::Number(number) => Self::Number(*number),
            Value::Histogram(histogram) => {
                Self::Histogram { counts: histogram.counts.clone(), sum: histogram.sum }
            }
        }
    }

    /// What came to it since it was `before`; `None` where it has fallen: it began anew.
    fn since(&self, before: Option<&Self>) -> Option<Self> {
        match (self, before) {
            (value, None) => Some(value.clone()),
            (Self::Count(now), Some(Self::Count(before))) => now.checked_sub(*before).map(Self::Count),
            (Self::Number(now), Some(Self::Number(before))) => {
                (now >= before).then(|| Self::Number(now - before))
            }
            (Self::Histogram { counts, sum }, Some(Self::Histogram { counts: before, sum: sum_before }))
                if counts.len() == before.len() =>
            {
                let counts: Option<Vec<_>> =
                    counts.iter().zip(before).map(|(now, before)| now.checked_sub(*before)).collect();
                Some(Self::Histogram { counts: counts?, sum: (sum - sum_before).max(0.0) })
            }
            _ => None,
        }
    }
}

/// What a series was acknowledged at, and until when.
#[derive(Clone, Debug)]
struct Acknowledged {
    value: Cumulative,
    until: i64,
}

/// A line of the file: values acknowledged until then, of some series, of all there are, or all unchanged.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Line {
    until: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<BTreeMap<String, Cumulative>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    some: BTreeMap<String, Cumulative>,
}

/// What was acknowledged of every series.
#[derive(Debug)]
pub(super) struct Deltas {
    journal: Journal,
    /// `None` before the first push: what was counted before is nobody's delta.
    acknowledged: Option<HashMap<String, Acknowledged>>,
    /// All series, the unchanged ones too, were acknowledged until then.
    until: i64,
    /// Size of the file when it was last written anew.
    written: u64,
}

impl Deltas {
    /// Reads the file of this name.
    pub(super) fn open(store: &Store, name: &str) -> Result<Self, StoreError> {
        let (journal, lines) = Journal::open(store, name)?;
        let mut deltas = Self { journal, acknowledged: None, until: i64::MIN, written: 0 };
        for line in lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            let taken = |(key, value)| (key, Acknowledged { value, until: line.until });
            if let Some(all) = line.all {
                deltas.acknowledged = Some(all.into_iter().map(taken).collect());
                deltas.until = line.until;
            } else if !line.some.is_empty() {
                deltas.acknowledged.get_or_insert_default().extend(line.some.into_iter().map(taken));
            } else {
                deltas.until = line.until;
            }
        }
        Ok(deltas)
    }

    /// Nothing was pushed before.
    pub(super) fn is_new(&self) -> bool {
        self.acknowledged.is_none()
    }

    /// The points of a snapshot that is taken now. Before the first push there are only gauges.
    pub(super) fn points(&mut self, snapshot: &Snapshot, now: Timestamp) -> Vec<Point> {
        let at = now.as_nanos();
        let Some(acknowledged) = &mut self.acknowledged else {
            let gauges = snapshot.families.iter().filter(|family| family.metric.kind == Kind::Gauge);
            let all = gauges.flat_map(|family| family.series.iter().map(move |series| (family, series)));
            return all.filter_map(|(family, series)| otlp::gauge(family, series, at)).collect();
        };
        let mut points = Vec::new();
        for family in &snapshot.families {
            for series in &family.series {
                if family.metric.kind == Kind::Gauge {
                    points.extend(otlp::gauge(family, series, at));
                    continue;
                }
                let (key, value) = (otlp::key(family.metric, series), Cumulative::of(&series.value));
                let before = acknowledged.get(&key);
                let start = before.map_or(self.until, |before| before.until.max(self.until));
                // A clock that was set back makes no interval of negative length.
                let start = start.min(at);
                match value.since(before.map(|before| &before.value)) {
                    Some(change) => {
                        points.extend(otlp::delta(family, series, (start, at), &change, (key, value)));
                    }
                    // It began anew: what it has come to since cannot be told from what was sent.
                    None => {
                        acknowledged.insert(key, Acknowledged { value, until: at });
                    }
                }
            }
        }
        points
    }

    /// The receiver has taken these points of a snapshot taken at `at`.
    pub(super) fn acknowledge(&mut self, points: &[Point], at: Timestamp) -> std::io::Result<()> {
        let until = at.as_nanos();
        let mut some = BTreeMap::new();
        for (key, value) in points.iter().filter_map(|point| point.acknowledges.as_ref()) {
            let acknowledged = self.acknowledged.get_or_insert_default();
            let before = acknowledged.insert(key.clone(), Acknowledged { value: value.clone(), until });
            if before.is_none_or(|before| before.value != *value) {
                some.insert(key.clone(), value.clone());
            }
        }
        if some.is_empty() {
            return Ok(());
        }
        self.append(&Line { until, some, all: None })
    }

    /// All of a snapshot was taken, or it was the first one.
    pub(super) fn finish(&mut self, snapshot: &Snapshot, at: Timestamp) -> std::io::Result<()> {
        let until = at.as_nanos();
        let is_first = self.acknowledged.is_none();
        let counted = snapshot.families.iter().filter(|family| family.metric.kind != Kind::Gauge);
        let keys = counted.flat_map(|family| family.series.iter().map(|series| (family.metric, series)));
        let mut before = self.acknowledged.take().unwrap_or_default();
        // Series that are gone are not kept.
        let kept = keys.filter_map(|(metric, series)| {
            let key = otlp::key(metric, series);
            let known = before.remove(&key);
            let value = match known {
                Some(known) => known.value,
                None if is_first => Cumulative::of(&series.value),
                None => return None,
            };
            Some((key, Acknowledged { value, until }))
        });
        self.acknowledged = Some(kept.collect());
        self.until = until;
        let is_large = self.journal.size() > self.written + APPENDED_MOST.min(self.written.max(64 << 10));
        if is_first || is_large {
            return self.rewrite();
        }
        self.append(&Line { until, ..Line::default() })
    }

    fn rewrite(&mut self) -> std::io::Result<()> {
        let all = self.acknowledged.iter().flatten().map(|(key, kept)| (key.clone(), kept.value.clone()));
        let line = Line { until: self.until, all: Some(all.collect()), some: BTreeMap::new() };
        self.journal.rewrite(std::iter::once(serde_json::to_string(&line)?))?;
        self.written = self.journal.size();
        Ok(())
    }

    fn append(&mut self, line: &Line) -> std::io::Result<()> {
        self.journal.append(&serde_json::to_string(line)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::credentials::{ISSUE_DURATION, ISSUED};
    use crate::snapshot::{Family, Histogram, Series};
    use std::sync::Arc;

    fn snapshot(issued: u64) -> Snapshot {
        let mut family = Family::new(&ISSUED);
        family.count(["root", "database/", "database", "app"], issued);
        Snapshot { families: vec![family], ..Snapshot::default() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    /// What is sent of the one series, as it stands in the point.
    fn sent(points: &[Point]) -> Option<u64> {
        let text = String::from_utf8(otlp::Envelope::new(&[]).render(points)).unwrap();
        let (_, rest) = text.split_once("\"asInt\":\"")?;
        rest.split('"').next()?.parse().ok()
    }

    #[test]
    fn a_delta_is_what_came_since_it_was_acknowledged_restarts_and_outages_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let open = || Deltas::open(&store, "push-otlp").unwrap();
        let mut deltas = open();
        assert!(deltas.points(&snapshot(100), at(1)).is_empty(), "the past is nobody's delta");
        deltas.finish(&snapshot(100), at(1)).unwrap();
        let points = deltas.points(&snapshot(107), at(2));
        assert_eq!(sent(&points), Some(7));
        // No answer, and a restart: it is all in the next one.
        let mut deltas = open();
        let points = deltas.points(&snapshot(110), at(3));
        assert_eq!(sent(&points), Some(10));
        deltas.acknowledge(&points, at(3)).unwrap();
        // Killed before the rest of the requests went: that one is not sent again.
        let mut deltas = open();
        assert_eq!(sent(&deltas.points(&snapshot(110), at(4))), Some(0));
        assert_eq!(sent(&deltas.points(&snapshot(111), at(4))), Some(1));
        // It began anew, at less than was acknowledged.
        assert_eq!(sent(&deltas.points(&snapshot(5), at(5))), None);
        assert_eq!(sent(&deltas.points(&snapshot(6), at(6))), Some(1));
    }

    #[test]
    fn a_histogram_is_a_delta_bucket_by_bucket() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut deltas = Deltas::open(&store, "push-otlp").unwrap();
        let snapshot = |counts: [u64; 3], sum| {
            let value = Value::Histogram(Histogram { bounds: &[0.1, 1.0], counts: counts.to_vec(), sum });
            let labels = ["root", "database/", "database"].map(Arc::from).to_vec();
            let family = Family { metric: &ISSUE_DURATION, series: vec![Series { labels, value }] };
            Snapshot { families: vec![family], ..Snapshot::default() }
        };
        deltas.finish(&snapshot([4, 1, 0], 1.5), at(1)).unwrap();
        let points = deltas.points(&snapshot([6, 1, 1], 4.0), at(9));
        let text = otlp::Envelope::new(&[]).render(&points);
        let document: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let metric = &document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
        assert_eq!(metric["name"], ISSUE_DURATION.name);
        assert_eq!(metric["histogram"]["aggregationTemporality"], 1);
        let point = &metric["histogram"]["dataPoints"][0];
        assert_eq!(point["bucketCounts"], serde_json::json!(["2", "0", "1"]));
        assert_eq!(point["explicitBounds"], serde_json::json!([0.1, 1.0]));
        assert_eq!((&point["count"], &point["sum"]), (&"3".into(), &2.5.into()));
        assert_eq!(point["startTimeUnixNano"], "1000000000");
        assert_eq!(point["timeUnixNano"], "9000000000");
        assert_eq!(point["attributes"][1]["value"]["stringValue"], "database/");
    }

    #[test]
    fn a_series_that_is_new_begins_at_nothing_and_one_that_is_gone_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let mut deltas = Deltas::open(&store, "push-otlp").unwrap();
        deltas.finish(&Snapshot::default(), at(1)).unwrap();
        let mut deltas = Deltas::open(&store, "push-otlp").unwrap();
        let points = deltas.points(&snapshot(3), at(2));
        assert_eq!(sent(&points), Some(3), "the first failure counts");
        deltas.acknowledge(&points, at(2)).unwrap();
        deltas.finish(&snapshot(3), at(2)).unwrap();
        for second in 3..10_000 {
            deltas.finish(&Snapshot::default(), at(second)).unwrap();
        }
        assert!(deltas.acknowledged.as_ref().unwrap().is_empty());
        assert!(deltas.journal.size() < 200 << 10, "{}", deltas.journal.size());
    }
}
