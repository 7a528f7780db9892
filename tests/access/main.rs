//! Who may see what over HTTP: the web configuration file against real clients, and a configuration that changes
//! while `serve` runs.

#![allow(clippy::unwrap_used, reason = "a test panics to fail")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

#[path = "../support/mod.rs"]
mod support;

mod client;
mod gate;
mod names;
mod outside;
mod pki;
mod reload;
mod scraper;
