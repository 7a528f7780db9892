//! The image: what `scripts/image-root` puts together is all that the program needs. No container engine is asked;
//! the program runs in that folder as its root, as the image's user.

use super::{is_root, shipped, told};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

fn within(root: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("chroot");
        command.arg("--userspec=100:1000");
        command
    } else {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "chroot"]);
        command
    };
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.arg(root).arg("/usr/bin/leasewatch");
    command
}

#[test]
fn the_program_runs_where_there_is_nothing_but_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let mut make = Command::new(shipped("scripts/image-root"));
    let (well, text) = told(make.arg(env!("CARGO_BIN_EXE_leasewatch")).arg(&root));
    assert!(well, "{text}");
    let (well, text) = told(within(&root).arg("--version"));
    assert!(well && text.starts_with("leasewatch "), "{text}");

    fs::create_dir(root.join("logs")).unwrap();
    let log = shipped("tests/corpus/openbao-2.7.2/audit.log.zst");
    fs::copy(log, root.join("logs/audit.log.zst")).unwrap();
    let (well, text) = told(within(&root).args(["analyze", "/logs/audit.log.zst", "--format", "prom"]));
    assert!(well && text.contains("leasewatch_credentials_issued_total{"), "{text}");
    // As an engine puts it there.
    fs::write(root.join("etc/hosts"), "127.0.0.1 localhost\n").unwrap();
    // State folder, certificates and the names of hosts are where `serve` looks for them.
    let serve =
        ["check-config", "--audit-log", "/logs/audit.log", "--vault.address", "https://localhost:8200"];
    let (well, text) = told(within(&root).env("LEASEWATCH_STATE_DIR", "/var/lib/leasewatch").args(serve));
    for line in [
        "ok       state folder /var/lib/leasewatch is writable",
        "ok       node vault: https://localhost:8200",
    ] {
        assert!(well && text.contains(line), "{line} is missing in: {text}");
    }
    let state = fs::metadata(root.join("var/lib/leasewatch")).unwrap();
    assert_eq!(state.mode() & 0o777, 0o700);
    assert!(!is_root() || (state.uid(), state.gid()) == (100, 1000), "the image's user has its state folder");
    for shell in ["bin/sh", "usr/bin/sh", "bin/bash"] {
        assert!(!root.join(shell).exists(), "the image has no shell");
    }
}

#[test]
fn the_dockerfile_copies_what_the_program_is_built_from_and_runs_it_as_vaults_user() {
    let dockerfile = fs::read_to_string(shipped("Dockerfile")).unwrap();
    let last = dockerfile.rsplit("\nFROM ").next().unwrap();
    assert!(last.starts_with("scratch\n") && last.contains("\nUSER 100:1000\n"), "{last}");
    let ignored = fs::read_to_string(shipped(".dockerignore")).unwrap();
    let let_in: Vec<&str> = ignored.lines().filter_map(|line| line.strip_prefix('!')).collect();
    for path in &let_in {
        assert!(shipped(path).exists(), "{path} is let in and does not exist");
    }
    // Cargo reads the manifest's targets, and the sources what they include.
    let manifest = fs::read_to_string(shipped("Cargo.toml")).unwrap();
    for needed in ["Cargo.toml", "Cargo.lock", "build.rs", "src", "scripts/image-root"] {
        assert!(let_in.contains(&needed), "{needed} is not let in");
    }
    assert!(!manifest.contains("[[bench]]") || let_in.contains(&"benches"));
}
