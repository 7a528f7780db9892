//! promtool, on a copy of the pack that a test may change.

use super::support::program;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// What promtool says, and whether all is well.
pub(crate) fn promtool(args: &[&str], folder: &Path) -> (bool, String) {
    let path = program("promtool", &["/usr/bin/promtool".into()]);
    // It lives for a second: clearing its memory up less often saves a tenth to a fifth of that.
    let output = Command::new(path).args(args).current_dir(folder).env("GOGC", "800").output().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.success(), said.concat())
}

/// A copy of the rules in a folder of its own, as `rules/`, beside which tests lie as in the pack.
pub(crate) fn copy(rules: &[(String, String)]) -> TempDir {
    let dir = tempfile::Builder::new().prefix("leasewatch-rules-").tempdir().unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    std::fs::create_dir(dir.path().join("tests")).unwrap();
    for (name, text) in rules {
        std::fs::write(dir.path().join("rules").join(format!("{name}.yml")), text).unwrap();
    }
    dir
}
