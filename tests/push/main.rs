//! Pushing, against a receiver of ours that enforces what `OneUptime` and OTLP receivers ask for.
#![allow(
    clippy::unwrap_used,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    reason = "a test panics to fail, and these numbers are whole"
)]

#[path = "../support/mod.rs"]
mod support;

mod events;
mod heartbeat;
mod incidents;
mod metrics;
mod online;
mod pack;
mod receiver;
mod sigma;
mod stage;
