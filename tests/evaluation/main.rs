//! The figures of the evaluation command (`cargo bench --bench anomaly`) on made-up alarms, and
//! the baselines that it compares with on made-up requests: what judges others is tested too.
#![allow(dead_code, unused_imports, reason = "the evaluation uses the rest")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are small")]
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

#[path = "../../benches/anomaly/baseline/mod.rs"]
mod baseline;
#[path = "../../benches/anomaly/measure/mod.rs"]
mod measure;

mod alarm;
mod baselines;
mod figures;
mod interval;
mod matching;
