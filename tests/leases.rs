//! `leasewatch leases` as a person meets it: asked of a running instance over its socket, and of logs.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]

mod support;

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use support::{Leasewatch, eventually, lines};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

/// `leasewatch leases` with an environment of its own.
fn leases(arguments: &[&str]) -> (i32, String, String) {
    told(Command::new(env!("CARGO_BIN_EXE_leasewatch")).arg("leases").args(arguments).env_clear())
}

fn told(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// An instance over a log of ten issued credentials, which has read it.
fn serving(dir: &Path, state: &str) -> Leasewatch {
    let log = dir.join("audit.log");
    let text: String = (0..10).map(|number| lines::issued(number, "app")).collect();
    fs::write(&log, text).unwrap();
    let leasewatch = Leasewatch::start(["--audit-log", log.to_str().unwrap(), "--state-dir", state], &[]);
    leasewatch.metrics_when("the log is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[]);
        if read >= 10.0 { Ok(()) } else { Err(format!("{read} lines")) }
    });
    leasewatch
}

fn mode(path: &Path) -> u32 {
    let file = fs::metadata(path).unwrap();
    assert!(file.file_type().is_socket());
    file.permissions().mode() & 0o7777
}

#[test]
fn a_running_instance_answers_over_a_private_socket_which_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    // A folder that others may enter, as a package may have made it.
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    let socket = state.join("leasewatch.sock");
    let state = state.to_str().unwrap();
    let mut leasewatch = serving(dir.path(), state);
    assert_eq!(mode(&socket), 0o600);

    let (code, text, stderr) = leases(&["--state-dir", state]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(text.contains("10 leases as of ") && text.contains("  database/  app "), "{text}");
    let by_variable = told(
        Command::new(env!("CARGO_BIN_EXE_leasewatch"))
            .args(["leases", "--format", "json"])
            .env_clear()
            .env("LEASEWATCH_STATE_DIR", state),
    );
    let document: Value = serde_json::from_str(&by_variable.1).unwrap();
    assert_eq!(document["groups"][0]["leases"], 10);
    assert!(document["notes"].is_array(), "{document}");
    document["as_of"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (code, text, _) = leases(&["--state-dir", state, "--role", "app", "--format", "json"]);
    assert_eq!(code, 0);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["leases"].as_array().unwrap().len(), 10);
    assert_eq!(document["leases"][0]["requester"]["display_name"], "approle");
    assert!(!text.contains("creds/"), "{text}");

    // IDs, for whoever says of which leases; the instance takes a note of that, without them.
    let (code, ids, _) = leases(&["--state-dir", state, "--requester", "approle", "--for-revocation"]);
    assert_eq!(code, 0);
    let mut ids: Vec<_> = ids.lines().map(str::to_owned).collect();
    ids.sort_unstable();
    let issued: Vec<_> = (0..10).map(|number| format!("database/creds/app/{number:024}")).collect();
    assert_eq!(ids, issued);
    let (_, none, _) = leases(&["--state-dir", state, "--role", "other", "--for-revocation"]);
    assert_eq!(none, "");
    let log = leasewatch.output();
    assert!(log.contains("Lease IDs were given") && !log.contains("creds/"), "{log}");

    // A process that was killed leaves its socket behind; nobody listens on it.
    leasewatch.kill9();
    assert!(socket.exists());
    let nobody = format!(
        "leasewatch: no leasewatch serves with the state folder {state}: name its folder by --state-dir, or read logs by --audit-log\n"
    );
    assert_eq!(leases(&["--state-dir", state]), (1, String::new(), nobody.clone()));
    leasewatch.restart();
    eventually("it answers again", Duration::from_secs(300), || {
        let (code, _, stderr) = leases(&["--state-dir", state]);
        if code == 0 { Ok(()) } else { Err(stderr) }
    });
    assert_eq!(mode(&socket), 0o600);

    assert!(leasewatch.stop().0.success());
    assert!(!socket.exists());
    assert_eq!(leases(&["--state-dir", state]), (1, String::new(), nobody));
}

#[test]
fn another_user_is_refused_and_told_why() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let state = dir.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, Permissions::from_mode(0o755)).unwrap();
    let _leasewatch = serving(dir.path(), state.to_str().unwrap());
    let arguments = ["leases", "--state-dir", state.to_str().unwrap()];
    let is_root = rustix::process::geteuid().is_root();
    let (code, stdout, stderr) = if is_root {
        // Root may ask everybody: become nobody. The build folder may be root's alone.
        let program = dir.path().join("leasewatch");
        fs::copy(env!("CARGO_BIN_EXE_leasewatch"), &program).unwrap();
        told(Command::new(program).args(arguments).env_clear().uid(65534).gid(65534))
    } else {
        fs::set_permissions(state.join("leasewatch.sock"), Permissions::from_mode(0o000)).unwrap();
        leases(&arguments[1..])
    };
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.starts_with("leasewatch: only the user that leasewatch runs as may ask it"), "{stderr}");
}

/// `leases --format json` of the corpus.
fn of_corpus(arguments: &[&str]) -> Value {
    let (audit, server) = (format!("{CORPUS}audit.log.zst"), format!("{CORPUS}server.log.zst"));
    let logs = ["--audit-log", &audit, "--server-log", &server, "--format", "json"];
    let (code, text, stderr) = leases(&[&logs, arguments].concat());
    assert_eq!((code, stderr.as_str()), (0, ""));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn logs_read_to_their_end_leave_what_vault_itself_listed() {
    let groups = of_corpus(&[]);
    let left: BTreeSet<String> = groups["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| {
            format!(
                "{} {} {}",
                group["mount"].as_str().unwrap(),
                group["role"].as_str().unwrap(),
                group["leases"]
            )
        })
        .collect();
    let listed = fs::read_to_string(format!("{CORPUS}leases-listed.txt")).unwrap();
    let listed: BTreeSet<_> =
        listed.lines().filter(|line| !line.ends_with(" 0")).map(str::to_owned).collect();
    assert_eq!(left, listed);
    for group in groups["groups"].as_array().unwrap() {
        // Their role cannot revoke; Vault tries on, or has given up.
        assert_eq!(
            group["leases"].as_u64().unwrap(),
            ["retrying", "stuck"].iter().map(|key| group[key].as_u64().unwrap()).sum::<u64>()
        );
    }
}

#[test]
fn logs_are_read_up_to_a_moment() {
    let at = "2026-11-23T19:42:00Z";
    let groups = of_corpus(&["--at", at]);
    assert_eq!(groups["as_of"], at);
    let list = of_corpus(&["--at", at, "--list"]);
    let listed = list["leases"].as_array().unwrap();
    assert!(listed.len() > 100, "{}", listed.len());
    assert!(listed.iter().all(|lease| lease.get("id").is_none()));
    // Both are of the same leases.
    let sum = |key: &str| -> u64 {
        groups["groups"].as_array().unwrap().iter().map(|group| group[key].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("leases"), listed.len() as u64);
    for condition in ["overdue", "retrying", "stuck"] {
        let are = listed.iter().filter(|lease| lease["condition"] == *condition).count();
        assert_eq!(sum(condition), are as u64, "{condition}");
    }
    assert!(sum("retrying") > 0);
    let retrying = of_corpus(&["--at", at, "--condition", "retrying", "--list"]);
    let retrying = retrying["leases"].as_array().unwrap();
    // The most urgent come first, so these are the first of all.
    assert_eq!(retrying[..], listed[..retrying.len()]);
    assert!(retrying.iter().all(|lease| lease["failed_attempts"].is_u64() && lease["cause"].is_string()));
}

#[test]
fn ids_are_not_given_without_saying_of_which_leases() {
    let audit = format!("{CORPUS}audit.log.zst");
    for arguments in [
        &["--for-revocation"][..],
        &["--audit-log", &audit, "--for-revocation"],
        &["--for-revocation", "--role", "app", "--format", "json"],
        &["--for-revocation", "--role", "app", "--list"],
        &["--at", "2026-11-23T19:45:00Z"],
        &["--audit-log", &audit, "--state-dir", "."],
        &["--list", "--by", "requester"],
        &["--condition", "odd"],
    ] {
        let (code, stdout, stderr) = leases(arguments);
        assert_eq!(code, 2, "{arguments:?}: {stderr}");
        assert!(stdout.is_empty() && !stderr.is_empty(), "{arguments:?}");
    }
    let (code, _, stderr) = leases(&["--audit-log", "no-such.log"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("no-such.log"), "{stderr}");
}
