//! Snapshot to `/metrics`, and the pages a person reads.
//!
//! `check` refuses a snapshot that Prometheus would reject, `collector` turns its
//! families into those of the `prometheus` crate, `render` writes the text,
//! `http` answers with it, behind the `guard` and over the connections of `server`, `seats` and `stream`; `access` says
//! who may see more than numbers. What the pages show comes through the trait [`Site`].

mod access;
mod check;
mod collector;
pub mod episodes;
mod guard;
pub mod http;
pub mod overview;
mod page;
mod render;
pub mod roles;
mod seats;
mod server;
mod site;
mod stream;

pub use check::InvalidSnapshot;
pub use collector::FamilyCollector;
pub use render::{CONTENT_TYPE, render, render_process};
pub use site::{Site, Unavailable, Waiting};
