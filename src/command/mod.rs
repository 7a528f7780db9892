//! The commands, one a file.

pub mod check_config;
