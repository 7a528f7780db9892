//! The program as a person meets it: output and exit codes of the built binary.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The program in a folder of its own, with an environment of its own.
fn leasewatch(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasewatch"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn output(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = leasewatch(folder.path()).args(arguments).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn version_names_the_revision() {
    let (code, stdout, _) = output(&folder(), &["--version"]);
    assert_eq!(code, 0);
    let revision =
        stdout.strip_prefix(concat!("leasewatch ", env!("CARGO_PKG_VERSION"), " (revision ")).unwrap();
    let revision = revision.strip_suffix(")\n").unwrap();
    assert!(
        revision == "unknown" || revision.chars().all(|c| c.is_ascii_hexdigit()) && revision.len() >= 7,
        "{revision}"
    );
}

#[test]
fn help_teaches_by_examples_and_names_the_exit_codes() {
    let (code, stdout, _) = output(&folder(), &["--help"]);
    assert_eq!(code, 0);
    for part in ["demo", "serve", "analyze", "leases", "episodes", "check-config", "Exit codes:"] {
        assert!(stdout.contains(part), "{part} is missing in:\n{stdout}");
    }
    for command in ["demo", "serve", "analyze", "leases", "episodes", "check-config"] {
        let (code, stdout, _) = output(&folder(), &[command, "--help"]);
        assert_eq!(code, 0);
        assert!(stdout.contains("Exit codes: 0"), "{stdout}");
    }
    let (_, stdout, _) = output(&folder(), &["serve", "--help"]);
    assert!(stdout.contains("leasewatch serve --audit-log /var/log/vault/audit.log"), "{stdout}");
    assert!(stdout.contains("[env: BAO_ADDR, VAULT_ADDR]"), "{stdout}");
    assert!(stdout.contains("VAULT_TOKEN (BAO_TOKEN)"), "{stdout}");
    let (_, stdout, _) = output(&folder(), &["leases", "--help"]);
    for client in ["vault", "bao"] {
        let pipe = format!("--for-revocation | xargs -n1 {client} lease revoke");
        assert!(stdout.contains(&pipe), "{stdout}");
    }
}

#[test]
fn bad_usage_ends_with_2() {
    for arguments in [
        &[][..],
        &["nonsense"],
        &["serve", "--nonsense"],
        &["analyze"],
        &["analyze", "f", "--at", "noon"],
        &["analyze", "f", "--log.level", "loud"],
        &["analyze", "f", "--min-score", "much"],
        &["episodes", "show"],
        &["episodes", "show", "7"],
        &["episodes", "ack", "0123456789abcdef", "--author", "a", "--reason", " ", "--expires", "7d"],
        &["episodes", "ack", "0123456789abcdef", "--author", "a", "--reason", "b", "--expires", "soon"],
    ] {
        let (code, stdout, stderr) = output(&folder(), arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && !stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_bad_configuration_ends_with_2_and_says_where_and_what_to_do() {
    let folder = folder();
    std::fs::write(folder.path().join("lw.toml"), "audit_log = [\"a.log\"]\n[vault]\ntimeout = \"soon\"\n")
        .unwrap();
    for command in ["serve", "check-config"] {
        let (code, stdout, stderr) = output(&folder, &[command, "--config.file", "lw.toml"]);
        assert_eq!(code, 2);
        assert_eq!(stdout, "");
        assert_eq!(
            stderr,
            "leasewatch: lw.toml:3: vault.timeout: \"soon\" is no duration. \
             Write a number and a unit, such as 500ms, 30s, 5m or 1h.\n"
        );
    }
}

#[test]
fn serve_refuses_to_watch_nothing() {
    let (code, _, stderr) = output(&folder(), &["serve"]);
    assert_eq!(code, 2);
    assert_eq!(
        stderr,
        "leasewatch: configuration: there is neither a log to read nor a Vault to ask. \
         Give --audit-log PATH, and VAULT_ADDR for the API.\n"
    );
}

#[test]
fn check_config_shows_the_configuration_and_hides_secrets() {
    let folder = folder();
    std::fs::write(folder.path().join("audit.log"), "").unwrap();
    let output = leasewatch(folder.path())
        .args(["check-config", "--audit-log", "vault=audit.log", "--state-dir", "."])
        .env("VAULT_TOKEN", "hvs.do-not-show")
        .env("VAULT_ADDR", "http://127.0.0.1:8200/")
        .output()
        .unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert!(!stdout.contains("do-not-show"), "{stdout}");
    for line in [
        "audit_log = [\"vault=audit.log\"]",
        "address = \"http://127.0.0.1:8200\"",
        "# token from the environment (hidden)",
        "ok       log vault: audit.log is readable",
        "ok       state folder . is writable",
        "ok       node vault: http://127.0.0.1:8200 is valid (not asked)",
        "warning  no server log: leases that end by themselves are estimated, not seen; give --server-log",
        "errors: 0, warnings: 1",
    ] {
        assert!(stdout.lines().any(|shown| shown == line), "{line:?} is missing in:\n{stdout}");
    }
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["audit.log"], "the check left something behind");
}

#[test]
fn check_config_finds_what_stands_in_the_way() {
    let folder = folder();
    for (name, content) in
        [("ca.pem", "no certificate"), ("key.pem", "no key"), ("cert.pem", "none"), ("plain", "")]
    {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let (code, stdout, _) = output(
        &folder,
        &[
            "check-config",
            "--audit-log=.",
            "--audit-log=/dev/null",
            "--server-log=later/*.log",
            "--state-dir=plain/state",
            "--vault.address=http://192.0.2.1:8200",
            "--vault.token-file=token",
            "--vault.tls.ca-cert=ca.pem",
            "--vault.tls.client-cert=cert.pem",
            "--vault.tls.client-key=key.pem",
            "--vault.tls.skip-verify",
            "--anomaly.baseline=plain",
        ],
    );
    assert_eq!(code, 2);
    for line in [
        "error    log audit: . is a folder; name the file in it",
        "error    log audit-2: /dev/null is no ordinary file; give - and connect it to standard input",
        "warning  log server: later/*.log does not exist yet; it is read once it does",
        "error    vault.tls.ca_cert ca.pem holds no PEM certificate",
        "error    client certificate cert.pem and key key.pem are no PEM pair. The key must not be encrypted",
        "error    the baseline plain cannot be used: it is no baseline: EOF while parsing a value at line 1 column 0",
        "warning  vault.tls.skip_verify: Vault's certificate is not checked; give vault.tls.ca_cert instead",
        "warning  token file token does not exist yet; leasewatch waits for it",
        "warning  node vault: the token goes over the network in clear text; use https",
    ] {
        assert!(stdout.lines().any(|shown| shown == line), "{line:?} is missing in:\n{stdout}");
    }
    assert!(stdout.contains("error    state folder plain/state cannot be written"), "{stdout}");
}

#[test]
fn logs_that_may_not_be_read_are_told_with_their_remedy() {
    let folder = folder();
    let (log, closed) = (folder.path().join("audit.log"), folder.path().join("closed"));
    std::fs::write(&log, "").unwrap();
    std::fs::create_dir(&closed).unwrap();
    for (path, mode) in [(log.as_path(), 0o000), (&closed, 0o000), (folder.path(), 0o755)] {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let arguments =
        ["check-config", "--audit-log=audit.log", "--server-log=closed/server.log", "--state-dir=."];
    let output = if std::fs::File::open(&log).is_err() {
        leasewatch(folder.path()).args(arguments).output().unwrap()
    } else {
        // Root may read everything: become nobody. The build folder may be root's alone.
        let program = folder.path().join("leasewatch");
        std::fs::copy(env!("CARGO_BIN_EXE_leasewatch"), &program).unwrap();
        let mut command = Command::new(program);
        command.current_dir(folder.path()).env_clear().uid(65534).gid(65534).args(arguments).output().unwrap()
    };
    std::fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stdout}");
    for wanted in [
        "error    log audit: audit.log may not be read. Vault writes it with mode 0600: set `mode = \"0640\"` on the audit device",
        "error    log server: the folder closed may not be entered. Let leasewatch's group in: chgrp and chmod g+rx",
    ] {
        assert!(stdout.contains(wanted), "{wanted:?} is missing in:\n{stdout}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder();
    // The pipe's reading end is closed before the program writes.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        leasewatch(folder.path()).args(["check-config", "--audit-log=a"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty());
}
