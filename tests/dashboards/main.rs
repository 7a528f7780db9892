//! The dashboards, held to their word: they are what their generator makes, Grafana's importer
//! would find nothing strange in them, and every query of theirs gives data from a real
//! Prometheus. Grafana itself is not here: `variables` says what it would put into a query.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]
#![allow(dead_code, reason = "other tests use the rest of the support")]

mod backfill;
mod exporters;
mod expressions;
mod lint;
mod model;
mod queries;
mod recorded;
mod variables;
mod world;

#[path = "../support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn they_are_what_their_generator_makes() {
    let script = repository("scripts/dashboards");
    let output =
        Command::new("python3").arg(script).arg("--check").output().expect("python3: run scripts/setup");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
