//! Hands the Git revision to the program, for `--version` and `leasewatch_build_info`.
//! Outside a Git checkout, or without Git, it is `unknown`; the build never fails for it.

use std::process::Command;

fn git(arguments: &[&str]) -> Option<String> {
    let output =
        Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned()).filter(|text| !text.is_empty())
}

fn main() {
    // A packager who builds from an archive gives the revision himself.
    println!("cargo::rerun-if-env-changed=LEASEWATCH_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    let given = std::env::var("LEASEWATCH_REVISION").ok().filter(|text| !text.is_empty());
    // A checkout around the sources is another project's, as in a vendored crate.
    let ours = git(&["rev-parse", "--show-prefix"]).is_none();
    let revision = given.or_else(|| if ours { git(&["rev-parse", "--short=12", "HEAD"]) } else { None });
    println!("cargo::rustc-env=LEASEWATCH_REVISION={}", revision.as_deref().unwrap_or("unknown"));
    // HEAD's log changes with every commit and checkout.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]).filter(|_| ours) {
        println!("cargo::rerun-if-changed={log}");
    }
}
