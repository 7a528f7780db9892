//! What `analyze` hands on to other programs, read by them: samples by a real Prometheus.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod backfill;

#[path = "../support/mod.rs"]
mod support;
