//! Rendering: a snapshot to the text that Prometheus reads. Pure but for the process metrics.

use super::check::{InvalidSnapshot, check};
use super::collector::FamilyCollector;
use crate::snapshot::Snapshot;
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{Encoder, TextEncoder};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Content type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text of a snapshot: the same snapshot gives the same bytes.
///
/// # Errors
/// That Prometheus would reject it.
pub fn render(snapshot: &Snapshot) -> Result<Vec<u8>, InvalidSnapshot> {
    check(snapshot)?;
    let mut text = Vec::new();
    // One family at a time: the crate's form of it takes many times the room of ours.
    for family in snapshot.families.iter().filter(|family| !family.series.is_empty()) {
        let invalid = |fault| InvalidSnapshot { metric: family.metric.name.to_owned(), fault };
        let collector =
            FamilyCollector::new(family).map_err(|_| invalid("its name or a label name is not valid"))?;
        TextEncoder.encode(&collector.collect(), &mut text).map_err(|_| invalid("it cannot be encoded"))?;
    }
    Ok(text)
}

/// Appends what the process uses: CPU, memory, files. For `serve` alone, as no two moments are alike.
pub fn render_process(text: &mut Vec<u8>) {
    // The crate adds up CPU time by "now minus before", which two threads at once would get wrong.
    static PROCESS: LazyLock<Mutex<ProcessCollector>> =
        LazyLock::new(|| Mutex::new(ProcessCollector::for_self()));
    let process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    let before = text.len();
    if TextEncoder.encode(&process.collect(), text).is_err() {
        text.truncate(before);
    }
}
