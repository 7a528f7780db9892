//! The figures of the evaluation command (`cargo bench --bench anomaly`) on made-up alarms, and
//! the baselines that it compares with on made-up entries.
#![allow(dead_code, unused_imports, reason = "the evaluation uses the rest")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are small")]

#[path = "../benches/anomaly/measure/mod.rs"]
mod measure;

#[path = "../benches/anomaly/baseline/mod.rs"]
mod baseline;
