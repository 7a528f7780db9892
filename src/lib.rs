//! leasewatch: the dynamic secrets of Vault and `OpenBao`, watched.
//!
//! ```text
//!  audit log    ─► source ─► audit      ─┐
//!  server log   ─► source ─► serverlog  ─┼─► Event ─► State ─► Snapshot ─► exposition  /metrics
//!  observations ─► source ─► observed   ─┘  merged    (pure, event time)   report     text, JSON
//!       ▲
//!       └─ vault: API scrapes
//! ```
//!
//! Data flows one way, each stage is a folder that hands on one plain type.
//! ARCHITECTURE.md has the picture at length, and the invariants.
#![forbid(unsafe_code)]

pub mod anomaly;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod command;
pub mod config;
pub mod contract;
pub mod digest;
pub mod engine;
pub mod event;
pub mod exposition;
pub mod harmless;
pub mod html;
pub mod observed;
pub mod pipeline;
pub mod push;
pub mod receive;
pub mod report;
pub mod serverlog;
pub mod simulator;
pub mod snapshot;
pub mod source;
pub mod stamp;
pub mod state;
pub mod store;
pub mod story;
pub mod vault;
pub mod web;

/// Version of this crate.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Git revision that it was built from, or `unknown`.
pub const REVISION: &str = env!("LEASEWATCH_REVISION");
