//! Pitfalls of anomaly scores, one test each: what has made others page for nothing, miss a theft, or
//! learn it as normal. Everything goes through the binary, on logs made here, and nothing here knows
//! how the models work.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

mod attacks;
mod calm;
mod identity;
mod learning;
mod live;
mod places;
mod story;
#[path = "../support/mod.rs"]
mod support;
mod time;
mod told;
mod town;
