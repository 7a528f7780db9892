//! Support: the real servers that the tests run against, and the hands to use them.
//! Each server lives in a temporary folder on a free port and goes when its value is dropped.
//!
//! A test binary says `mod support;`. Nothing here knows what is to be asserted.
//! A server that is not installed is a failed test with the remedy, never a skipped one.

#![allow(dead_code, reason = "each test binary includes the whole folder and uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a helper of tests may panic as a test may")]

pub(crate) mod alertmanager;
pub(crate) mod bao;
pub(crate) mod corpus;
pub(crate) mod duckdb;
pub(crate) mod exposition;
pub(crate) mod http;
pub(crate) mod leasewatch;
pub(crate) mod lines;
pub(crate) mod machines;
pub(crate) mod namespace;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod token_review;

#[allow(unused_imports, reason = "not every test binary needs every server")]
pub(crate) use {
    bao::{Bao, BaoCluster, BaoOptions, Call},
    exposition::{Metrics, NeverFalls},
    http::Reply,
    leasewatch::{Leasewatch, analyze},
    postgres::Postgres,
    prometheus::Prometheus,
    token_review::TokenReview,
};

use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A TCP port that nobody listens on. Another process may take it before its user
/// does; whoever starts a server on it tries again with another one (`process::on_free_port`).
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind a loopback port");
    listener.local_addr().unwrap().port()
}

/// Looks every 50 ms until `look` gives something, and panics with `what` and the last
/// refusal when `limit` has passed. The limit is there against hanging, not to measure speed.
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + limit;
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) if Instant::now() >= end => panic!("{what}: not after {limit:?}: {why}"),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// The folder into which `scripts/setup` installs what Debian does not have.
pub(crate) fn tools_dir() -> PathBuf {
    if let Some(dir) = std::env::var_os("LEASEWATCH_TOOLS") {
        return dir.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache"),
        PathBuf::from,
    );
    cache.join("leasewatch/tools")
}

/// The first of these programs that exists; a failed test that names the remedy otherwise.
pub(crate) fn program(what: &str, candidates: &[PathBuf]) -> PathBuf {
    candidates
        .iter()
        .find(|path| path.is_file())
        .cloned()
        .unwrap_or_else(|| panic!("{what} is not installed (looked for {candidates:?}): run scripts/setup"))
}
