//! The audit log: one line to one event. Pure; the only place that knows the
//! format of Vault's and OpenBao's audit devices.
//!
//! What an engine's own paths mean is not known here (see `engine`): that
//! takes the mount, which older versions do not log.

mod classify;
mod decode;
mod duration;
mod error_text;
mod hashed;
mod json;
mod loose;
mod token;
mod truncated;
mod view;

pub use decode::{Unreadable, decode};
pub use truncated::beginning;
