//! What `analyze` hands on to other programs, read by them: samples by a real Prometheus, events by
//! `DuckDB`.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod backfill;
mod compare;
mod events;

#[path = "../support/mod.rs"]
mod support;
