//! The unit of systemd, before its own tools: they find no fault, and little that it leaves open.

use super::{shipped, told};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// `systemd-analyze security` in tenths: a service without any hardening has 96, what talks TCP at least 9.
const EXPOSED_MOST: &str = "--threshold=16";

/// The unit in a folder of its own, with a program that exists here.
fn unit() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leasewatch.service");
    let text = fs::read_to_string(shipped("deploy/systemd/leasewatch.service")).unwrap();
    let program = "/usr/local/bin/leasewatch";
    assert!(text.contains(program));
    fs::write(&path, text.replace(program, env!("CARGO_BIN_EXE_leasewatch"))).unwrap();
    (folder, path)
}

#[test]
fn systemd_understands_every_line() {
    let (_folder, unit) = unit();
    let (well, text) = told(Command::new("systemd-analyze").arg("verify").arg(&unit));
    let about_it: Vec<&str> = text.lines().filter(|line| line.contains("leasewatch")).collect();
    assert!(well && about_it.is_empty(), "{text}");
    let text = fs::read_to_string(&unit).unwrap().replace("ProtectSystem=strict", "ProtectSistem=strict");
    fs::write(&unit, text).unwrap();
    let (_, text) = told(Command::new("systemd-analyze").arg("verify").arg(&unit));
    assert!(text.contains("ProtectSistem"), "a misspelt line is told: {text}");
}

#[test]
fn little_is_left_open() {
    let (_folder, unit) = unit();
    let mut command = Command::new("systemd-analyze");
    command.args(["security", "--offline=yes", "--no-pager", EXPOSED_MOST]).arg(&unit);
    let (well, text) = told(&mut command);
    assert!(well, "{text}");
}

#[test]
fn its_settings_and_its_command_are_the_programs() {
    let unit = fs::read_to_string(shipped("deploy/systemd/leasewatch.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let words: Vec<&str> = start.split_whitespace().collect();
    assert_eq!(words[1..3], ["serve", "--config.file"]);
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasewatch"));
    command.env_clear().env("STATE_DIRECTORY", folder.path());
    command.args(["check-config", "--config.file"]).arg(shipped("deploy/systemd/leasewatch.toml"));
    let (_, text) = told(&mut command);
    for part in ["# Checks", "is writable", "/var/log/vault/audit.log"] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert!(text.contains(&folder.path().display().to_string()), "the state folder is systemd's: {text}");
}
