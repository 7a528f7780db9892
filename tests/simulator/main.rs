//! The simulator against the real thing: the form of every line it writes
//! stands in the log of a real server, what `leasewatch` makes of its logs is
//! what truly happened, and its worlds are what scenarios say.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::match_same_arms,
    clippy::collapsible_if,
    reason = "small counts; arms and conditions that are read one by one"
)]
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod numbers;
mod shape;
mod shapes;
mod worlds;
