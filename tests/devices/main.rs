//! Audit devices other than files: what they send is received, kept and counted once, and whatever
//! becomes of leasewatch, its disk or other senders, whoever sends is not held up.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "the tests of access use more of it")]
#[path = "../access/client.rs"]
mod client;
#[allow(dead_code, reason = "the tests of access use more of it")]
#[path = "../access/pki.rs"]
mod pki;

mod doors;
mod openbao;
mod peers;
mod sender;
mod stall;
mod ways;
