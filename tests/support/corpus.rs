//! The recorded run of a real OpenBao, as `leasewatch analyze` reads it.

use super::leasewatch::run;
use std::process::Output;

/// Where it lies.
pub(crate) const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

/// `leasewatch analyze` of its audit and server log.
pub(crate) fn analyze_corpus(args: &[&str]) -> Output {
    let (audit, server) = (format!("{CORPUS}audit.log.zst"), format!("{CORPUS}server.log.zst"));
    run([&["analyze", &audit, "--server-log", &server], args].concat())
}

/// What a command has said that must have worked.
pub(crate) fn said(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
