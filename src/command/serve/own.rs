//! The exporter's own series: its logs, its files, its state.

use super::shared::Shared;
use crate::clock::wall;
use crate::contract::own as metric;
use crate::pipeline::{Pipeline, REASONS};
use crate::snapshot::Family;
use std::sync::PoisonError;

/// All of them.
pub(super) fn families(pipeline: &Pipeline, shared: &Shared) -> Vec<Family> {
    let mut made = Vec::new();
    let one = |metric, value| {
        let mut family = Family::new(metric);
        family.number::<&str>([], value);
        family
    };
    let mut build = Family::new(&metric::BUILD_INFO);
    build.number([env!("CARGO_PKG_VERSION"), env!("LEASEWATCH_REVISION")], 1.0);
    made.push(build);
    made.push(one(&metric::CATCHING_UP, f64::from(u8::from(shared.is_catching_up(pipeline.front())))));
    let in_force = shared.config_trouble().is_none();
    made.push(one(&metric::CONFIG_LAST_RELOAD_SUCCESSFUL, f64::from(u8::from(in_force))));
    made.push(one(&metric::CONFIG_LAST_RELOAD_SUCCESS, shared.reloads.since().as_secs_f64()));
    if let Some(saved) = *shared.saved.lock().unwrap_or_else(PoisonError::into_inner) {
        made.push(one(&metric::CHECKPOINT_LAST_SUCCESS, saved.as_secs_f64()));
    }

    let mut lines = Family::new(&metric::LOG_LINES);
    let mut bytes = Family::new(&metric::LOG_BYTES);
    let mut unreadable = Family::new(&metric::LOG_UNREADABLE);
    let mut late = Family::new(&metric::LOG_LATE);
    let mut lag_bytes = Family::new(&metric::LOG_LAG_BYTES);
    let mut lag_seconds = Family::new(&metric::LOG_LAG_SECONDS);
    let mut last_entry = Family::new(&metric::LOG_LAST_ENTRY);
    let mut rotations = Family::new(&metric::LOG_ROTATIONS);
    let mut gaps = Family::new(&metric::LOG_GAPS);
    let mut readable = Family::new(&metric::LOG_SOURCE_READABLE);
    let now = wall();
    for (input, noticed) in pipeline.inputs().iter().zip(shared.notices()) {
        let (name, stats, status) = (input.name.as_str(), input.stats(), input.status());
        lines.count([name], stats.lines);
        bytes.count([name], stats.bytes);
        for reason in REASONS {
            unreadable.count([name, reason], stats.unreadable.get(reason).copied().unwrap_or(0));
        }
        late.count([name], stats.late);
        lag_bytes.number([name], status.lag_bytes as f64);
        if let Some(last) = stats.last_entry {
            let age = now.nanos_since(last).max(0) as f64 / 1e9;
            lag_seconds.number([name], if status.lag_bytes > 0 { age } else { 0.0 });
            last_entry.number([name], last.as_secs_f64());
        }
        for kind in ["renamed", "truncated"] {
            rotations.count([name, kind], noticed.rotations.get(kind).copied().unwrap_or(0));
        }
        gaps.count([name], noticed.gaps);
        readable.number([name], f64::from(u8::from(status.trouble.is_none())));
    }
    if let Some(times) = pipeline.state().stream_gaps() {
        gaps.count(["monitor"], times);
    }
    made.extend([
        lines,
        bytes,
        unreadable,
        late,
        lag_bytes,
        lag_seconds,
        last_entry,
        rotations,
        gaps,
        readable,
    ]);
    for family in &mut made {
        family.series.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    made
}
