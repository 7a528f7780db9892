//! A log that leasewatch may not read, and what `check-config` makes of it, as another user than the log's.

use super::{is_root, told};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

/// Users and groups that need not exist.
const VAULT_GROUP: u32 = 54_301;
const LEASEWATCH: &str = "54302";

fn check(program: &Path, folder: &Path, groups: Option<u32>) -> (bool, String) {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", LEASEWATCH, "--regid", LEASEWATCH]);
        match groups {
            Some(group) => command.args(["--groups", &group.to_string()]),
            None => command.arg("--clear-groups"),
        };
        command.arg("--").arg(program);
        command
    } else {
        Command::new(program)
    };
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    let log = folder.join("audit.log");
    told(command.arg("check-config").arg("--audit-log").arg(log).arg("--state-dir").arg(folder.join("state")))
}

#[test]
fn a_log_of_vaults_alone_is_told_with_the_way_out_which_works() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (log, state, program) = (folder.join("audit.log"), folder.join("state"), folder.join("leasewatch"));
    fs::write(&log, "").unwrap();
    fs::create_dir(&state).unwrap();
    // The build's folder may be closed to other users.
    fs::copy(env!("CARGO_BIN_EXE_leasewatch"), &program).unwrap();
    // Whoever is not root stands outside by having no right at all to his own file.
    let (closed, open) = if is_root() { (0o600, 0o640) } else { (0o000, 0o400) };
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&log, Permissions::from_mode(closed)).unwrap();
    if is_root() {
        chown(&log, None, Some(VAULT_GROUP)).unwrap();
        let user = LEASEWATCH.parse().unwrap();
        chown(&state, Some(user), Some(user)).unwrap();
    }

    let (well, text) = check(&program, folder, Some(VAULT_GROUP));
    assert!(!well, "{text}");
    let line =
        text.lines().find(|line| line.starts_with("error    log audit:")).expect("an error for the log");
    for part in ["may not be read", "mode = \"0640\"", "group", "An ACL does not last"] {
        assert!(line.contains(part), "{part} is missing in: {line}");
    }

    fs::set_permissions(&log, Permissions::from_mode(open)).unwrap();
    let (well, text) = check(&program, folder, Some(VAULT_GROUP));
    assert!(well && text.contains("audit.log is readable"), "{text}");
    if is_root() {
        let (well, text) = check(&program, folder, None);
        assert!(!well && text.contains("mode = \"0640\""), "without the group: {text}");
    }
}
