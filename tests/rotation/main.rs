//! Rotation: every line once and in order, whatever happens to the files.
//!
//! `model` lets chance choose what happens, `speed` rotates under a writer that does not wait,
//! `cases` names each thing that can happen.

// Helpers count as tests here, though clippy only knows functions marked so.
#![allow(clippy::unwrap_used)]

mod cases;
mod model;
mod speed;
mod world;
