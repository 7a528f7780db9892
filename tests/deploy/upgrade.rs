//! Upgrade and rollback: the checkpoint of every released version is read on exactly, and one of a later version is
//! kept for it.
//!
//! `tests/data/checkpoints/VERSION.zst` was written by that version amid the recorded run's logs. To add one, start
//! `serve` on the unpacked logs of `tests/corpus/openbao-2.7.2` with `--checkpoint.interval 1s`, and kill it as soon
//! as there is a checkpoint.

use super::shipped;
use super::support::exposition::is_own;
use super::support::{Leasewatch, Metrics, analyze};
use std::fs;
use std::path::Path;

fn unpack(from: &Path, to: &Path) {
    let packed = fs::File::open(from).unwrap();
    fs::write(to, zstd::decode_all(packed).unwrap()).unwrap();
}

/// The recorded logs, and a state folder.
fn stage(folder: &Path) -> Vec<String> {
    for name in ["audit.log", "server.log"] {
        unpack(&shipped(&format!("tests/corpus/openbao-2.7.2/{name}.zst")), &folder.join(name));
    }
    fs::create_dir(folder.join("state")).unwrap();
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let arguments = [("--audit-log", "audit.log"), ("--server-log", "server.log"), ("--state-dir", "state")];
    arguments.into_iter().flat_map(|(flag, name)| [flag.to_owned(), path(name)]).collect()
}

fn all_read(leasewatch: &Leasewatch) -> Metrics {
    leasewatch.metrics_when("all is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[]);
        if read >= 41_694.0 { Ok(()) } else { Err(format!("{read} lines")) }
    })
}

/// What is counted of leases and requests, but for what is about the exporter itself.
fn counts(page: &Metrics) -> Vec<String> {
    let counts = ["_total", "_bucket", "_sum", "_count"];
    let kept = page
        .series
        .iter()
        .filter(|((name, _), _)| counts.iter().any(|end| name.ends_with(end)) && !is_own(name));
    kept.map(|((name, labels), value)| format!("{name}{labels:?} {value}")).collect()
}

#[test]
fn every_released_version_is_read_on_exactly() {
    let released: Vec<_> =
        fs::read_dir(shipped("tests/data/checkpoints")).unwrap().map(Result::unwrap).collect();
    assert!(!released.is_empty());
    for checkpoint in released {
        let version = checkpoint.file_name();
        let folder = tempfile::tempdir().unwrap();
        let arguments = stage(folder.path());
        unpack(&checkpoint.path(), &folder.path().join("state/checkpoint"));
        let mut leasewatch = Leasewatch::start(arguments.clone(), &[]);
        let page = all_read(&leasewatch);
        let offline = analyze([&arguments[1], "--server-log", &arguments[3]]);
        assert_eq!(counts(&page), counts(&offline), "from the checkpoint of {}", version.display());
        // It stands in the lines that were counted before: had it begun anew, nobody would see a difference.
        let log = leasewatch.output();
        assert!(!log.contains("moved aside") && !log.contains(" WARN "), "{}: {log}", version.display());
        assert!(leasewatch.stop().0.success());
    }
}

#[test]
fn a_later_versions_checkpoint_is_kept_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = stage(folder.path());
    let state = folder.path().join("state");
    let later = "{\"version\":4294967295,\"positions\":{}}\n";
    fs::write(state.join("checkpoint"), later).unwrap();
    let mut leasewatch = Leasewatch::start(arguments.clone(), &[]);
    let page = all_read(&leasewatch);
    let offline = analyze([&arguments[1], "--server-log", &arguments[3]]);
    assert_eq!(counts(&page), counts(&offline), "counted anew");
    assert_eq!(fs::read_to_string(state.join("checkpoint.unreadable-1")).unwrap(), later);
    let log = leasewatch.output();
    for part in ["moved aside", "version 4294967295", "bring the matching version back"] {
        assert!(log.contains(part), "{part} is missing in: {log}");
    }
    assert!(leasewatch.stop().0.success());
}
