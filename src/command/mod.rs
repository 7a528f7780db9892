//! The commands: what a person types, carried out. Errors are `anyhow` here.

pub mod analyze;
pub mod check_config;
mod finished;
pub mod leases;
mod local;
pub mod serve;
