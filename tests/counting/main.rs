//! Counting: hand-made logs through decoding, merging and state, of the
//! versions, engines and oddities that the corpus does not have.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod cluster;
mod engines;
mod hostile;
mod merge;
mod outstanding;
mod register;
mod support;
mod time;
mod versions;
