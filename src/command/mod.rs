//! The commands: what a person types, carried out. Errors are `anyhow` here.

pub mod analyze;
mod backfill;
pub mod check_config;
mod compare;
mod crew;
pub mod demo;
pub mod episodes;
mod events;
mod finished;
mod folder;
mod interrupt;
pub mod leases;
mod local;
mod meter;
mod period;
mod pieces;
mod scores;
pub mod serve;
mod story;
mod terminal;
