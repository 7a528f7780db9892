//! Playing logs held in memory through the pipeline, and looking at what it shows.

use leasewatch::anomaly::Settings;
use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress, Saved};
use leasewatch::snapshot::{Family, Value};
use leasewatch::source::{LineSource, Notice, Position, Status, Step};
use leasewatch::state::Limits;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

pub const LIMITS: Limits = Limits { label_sets: 1000, leases: 100_000, anomaly: Settings::OFF };
pub const SECOND: i64 = 1_000_000_000;

/// What a source gives.
#[derive(Clone, Debug)]
pub enum Piece {
    Line(Arc<str>),
    /// Lines were lost here, and the source knows it.
    Gap,
}

/// One log.
#[derive(Clone)]
pub struct Log {
    kind: Lines,
    pieces: Arc<Vec<Piece>>,
}

impl Log {
    pub fn new(kind: LogKind, pieces: Vec<Piece>) -> Self {
        Self { kind: Lines::Log(kind), pieces: Arc::new(pieces) }
    }

    /// The same kind of log with other pieces.
    pub fn changed(&self, change: impl Fn(&[Piece]) -> Vec<Piece>) -> Self {
        Self { kind: self.kind, pieces: Arc::new(change(&self.pieces)) }
    }

    pub fn observations(pieces: Vec<Piece>) -> Self {
        Self { kind: Lines::Observations, pieces: Arc::new(pieces) }
    }

    pub fn audit(lines: &[Arc<str>]) -> Self {
        Self::new(LogKind::Audit, lines.iter().cloned().map(Piece::Line).collect())
    }

    pub fn server(lines: &[Arc<str>]) -> Self {
        Self::new(LogKind::Server, lines.iter().cloned().map(Piece::Line).collect())
    }
}

struct Memory {
    pieces: Arc<Vec<Piece>>,
    next: usize,
}

impl LineSource for Memory {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        let Some(piece) = self.pieces.get(self.next) else { return Step::End };
        self.next += 1;
        match piece {
            Piece::Line(text) => {
                line.clear();
                line.extend_from_slice(text.as_bytes());
                Step::Line
            }
            Piece::Gap => Step::Notice(Notice::Gap),
        }
    }
    fn position(&self) -> Position {
        Position::default()
    }
    fn next_position(&self) -> Position {
        Position::default()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

/// A pipeline over logs, and the way back to them after a restart.
pub struct Play {
    pub pipeline: Pipeline,
    logs: Vec<Log>,
}

impl Play {
    pub fn new(logs: &[Log]) -> Self {
        let inputs = logs.iter().enumerate().map(|(at, log)| input(at, log, 0)).collect();
        Self { pipeline: Pipeline::new(LIMITS, inputs), logs: logs.to_vec() }
    }

    /// Saves, forgets and goes on from what was saved, as after a restart.
    pub fn restart(self) -> Self {
        let saved: Saved = Saved::read(&self.pipeline.save().unwrap().bytes()).unwrap();
        let mut inputs = Vec::new();
        for (at, log) in self.logs.iter().enumerate() {
            let source = &saved.sources[&name(at)];
            let next = usize::try_from(source.stats.lines + source.stats.gaps).unwrap();
            inputs.push(input(at, log, next).resumed(source.stats.clone(), source.floor));
        }
        let pipeline = Pipeline::resume(saved.applied, saved.front, saved.state, LIMITS, inputs);
        Self { pipeline, logs: self.logs }
    }

    /// Applies all up to `until`, in nanoseconds, and lets time pass until then.
    pub fn to(&mut self, until: i64) -> View {
        self.apply_to(until);
        self.pipeline.advance(Timestamp::from_nanos(until));
        self.view()
    }

    /// Applies all up to `until`, in nanoseconds.
    pub fn apply_to(&mut self, until: i64) {
        let until = Timestamp::from_nanos(until);
        while self.pipeline.run(Instant::now(), Timestamp::MIN, until, 10_000) != Progress::Done {}
    }

    /// Applies so many steps.
    pub fn steps(&mut self, steps: usize) -> Progress {
        self.pipeline.run(Instant::now(), Timestamp::MIN, Timestamp::from_nanos(i64::MAX), steps)
    }

    /// Applies everything, and has every decision made that waits for another line or for time.
    pub fn finish(&mut self) -> View {
        while self.steps(10_000) != Progress::Done {}
        for input in self.pipeline.inputs() {
            assert!(input.stats().unreadable.is_empty(), "{:?}", input.stats());
        }
        let settled = self.pipeline.front().plus_secs(10);
        self.pipeline.advance(settled);
        self.pipeline.close();
        self.view()
    }

    pub fn view(&self) -> View {
        View(self.pipeline.families(self.pipeline.front()))
    }
}

fn name(at: usize) -> String {
    format!("log-{at}")
}

fn input(at: usize, log: &Log, next: usize) -> Input {
    let source = Memory { pieces: Arc::clone(&log.pieces), next };
    Input::new(name(at), log.kind, Box::new(source))
}

/// What is shown at one moment.
pub struct View(pub Vec<Family>);

/// Numbers by the values of some labels.
pub type Numbers = BTreeMap<Vec<String>, f64>;

impl View {
    /// The values of a metric, added up by the labels `keys`; empty if nothing is shown.
    pub fn by(&self, metric: &str, keys: &[&str]) -> Numbers {
        let mut numbers = Numbers::new();
        let Some(family) = self.0.iter().find(|family| family.metric.name == metric) else { return numbers };
        for series in &family.series {
            let label = |key: &&str| {
                let at = family.metric.labels.iter().position(|label| label == key);
                series.labels[at.unwrap_or_else(|| panic!("{metric} has no label {key}"))].to_string()
            };
            let value = match &series.value {
                Value::Count(count) => *count as f64,
                Value::Number(number) => *number,
                Value::Histogram(histogram) => histogram.counts.iter().sum::<u64>() as f64,
            };
            assert!(value.is_finite() && value >= 0.0, "{metric}{:?} = {value}", series.labels);
            *numbers.entry(keys.iter().map(label).collect()).or_default() += value;
        }
        numbers
    }

    /// The same without zeros.
    pub fn some(&self, metric: &str, keys: &[&str]) -> Numbers {
        let mut numbers = self.by(metric, keys);
        numbers.retain(|_, value| *value != 0.0);
        numbers
    }

    /// The sum of all series.
    pub fn total(&self, metric: &str) -> f64 {
        self.by(metric, &[]).values().sum()
    }

    /// The value of a metric with one series at most.
    pub fn only(&self, metric: &str) -> Option<f64> {
        self.by(metric, &[]).get(&Vec::new()).copied()
    }

    /// Every series as text, to compare two runs; what is about the logs themselves left out.
    pub fn all(&self) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for family in &self.0 {
            for series in &family.series {
                let key = format!("{}{:?}", family.metric.name, series.labels);
                all.insert(key, format!("{:?}", series.value));
            }
        }
        all
    }
}
