//! Hostile input: what whoever writes into a log, or stands between leasewatch and Vault, can choose. It ends no
//! process, opens no door in an output, grows no series, and passes for nothing that it is not.

// Helpers count as tests here, though clippy only knows functions marked so.
#![allow(clippy::unwrap_used)]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

#[path = "../support/mod.rs"]
mod support;

mod flood;
mod forged;
mod fuzz;
mod mutate;
mod pushed;
#[allow(dead_code, reason = "the tests of pushing use more of it")]
#[path = "../push/receiver.rs"]
mod receiver;
mod strings;
mod targets;
