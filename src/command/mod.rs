//! The commands: what a person types, carried out. Errors are `anyhow` here.

pub mod analyze;
pub mod check_config;
pub mod demo;
pub mod episodes;
mod finished;
mod folder;
pub mod leases;
mod local;
mod meter;
mod period;
mod pieces;
mod scores;
pub mod serve;
mod story;
mod terminal;
