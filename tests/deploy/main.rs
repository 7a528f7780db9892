//! Deployment: that what `deploy/` and the Dockerfile ship works with the program as it is, that a version's state
//! is read by those after it, and that it lives on where disk, files or the kernel's watches run out.

// Helpers count as tests here, though clippy only knows functions marked so.
#![allow(clippy::unwrap_used)]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod guest;
mod image;
mod kubernetes;
mod life;
mod pod_logs;
mod systemd;
mod upgrade;
mod volume;

use std::path::PathBuf;
use std::process::Command;

/// A file of the repository.
fn shipped(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether this runs as root, who may become other users.
fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// Runs it; what it said on both outputs, and whether it ended well.
fn told(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|why| panic!("{command:?}: {why}: run scripts/setup"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
