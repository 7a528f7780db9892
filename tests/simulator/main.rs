//! The simulator against the real thing: the form of every line it writes
//! stands in the log of a real server, what `leasewatch` makes of its logs is
//! what truly happened, and its worlds are what scenarios say.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod numbers;
mod shape;
mod shapes;
mod worlds;
