//! The ledger against what is known to be true: the corpus second by second,
//! its sources withheld and in disorder, and random worlds. What is true is
//! computed here on its own, from what clients saw and from the server's words.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]
#![allow(clippy::float_cmp, reason = "whole numbers, which are exact")]

mod causes;
mod corpus;
mod disorder;
mod hclog;
mod lives;
mod play;
mod property;
mod render;
mod seconds;
mod watch;
mod withheld;
mod world;
