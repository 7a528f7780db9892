//! How commands set the scores up: settings, and the baseline to begin with.

use crate::anomaly::{Baseline, Mode, Settings};
use crate::config::{AnomalyConfig, AnomalyMode};
use anyhow::Context;
use std::path::Path;

/// The settings of the configuration, as the scores know them.
pub(super) fn settings(config: &AnomalyConfig) -> Settings {
    Settings {
        alarm_budget: config.alarm_budget,
        mode: match config.mode {
            AnomalyMode::On => Mode::On,
            AnomalyMode::Shadow => Mode::Shadow,
            AnomalyMode::Off => Mode::Off,
        },
        subjects: config.subjects,
        episodes: config.episodes,
    }
}

/// Reads what `analyze --learn` wrote.
///
/// # Errors
/// Why it cannot be read, and what to do.
pub(super) fn baseline(path: &Path) -> anyhow::Result<Baseline> {
    let bytes = std::fs::read(path).with_context(|| {
        format!("the baseline {} cannot be read: look at anomaly.baseline", path.display())
    })?;
    Baseline::read(&bytes).with_context(|| format!("the baseline {} cannot be used", path.display()))
}
