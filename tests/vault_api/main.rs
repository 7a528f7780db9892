//! The scraper against a Vault that is made up: every state and every trouble
//! that an operator's cluster can be in.

#![allow(clippy::unwrap_used, reason = "what is not as it should be is a failed test")]

mod fake;
mod gauges;
mod leases;
mod login;
mod monitor;
mod tls;
mod trouble;
mod watch;
