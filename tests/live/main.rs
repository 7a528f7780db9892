//! The ledger of leases beside real servers: `PostgreSQL` and `OpenBao` around the real binary.
//! What clients did and what the servers list and wrote down is the truth; what the pages say,
//! at the end and twice a second on the way, is held against it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

mod check;
mod client;
mod days;
mod failover;
mod one_server;
mod proxy;
mod streamed;
#[path = "../support/mod.rs"]
mod support;
mod truth;
mod watch;
mod world;
