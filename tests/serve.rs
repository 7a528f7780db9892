//! `serve` as a process, over logs that were there before it: killed on the
//! way, fed by standard input or by a glob, it comes to what `analyze` comes to.

#![allow(clippy::unwrap_used, reason = "a test panics to fail")]
#![allow(clippy::float_cmp, reason = "counts are whole numbers")]
#![allow(dead_code, reason = "other tests use the rest of the support")]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;
use support::exposition::is_own;
use support::{Leasewatch, Metrics, NeverFalls, analyze, lines};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

fn unpack(name: &str, into: &Path) -> String {
    let path = into.join(name);
    let mut text = Vec::new();
    let packed = File::open(format!("{CORPUS}{name}.zst")).unwrap();
    zstd::Decoder::new(packed).unwrap().read_to_end(&mut text).unwrap();
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// All counters and histograms that are not about the exporter itself. Rates are about
/// a moment, and the moments of two runs differ.
fn comparable(page: &Metrics) -> BTreeMap<String, String> {
    let kept = page.series.iter().filter(|((name, _), _)| {
        let counts = ["_total", "_bucket", "_sum", "_count", "_timestamp_seconds"];
        counts.iter().any(|end| name.ends_with(end)) && !is_own(name)
    });
    kept.map(|((name, labels), value)| (format!("{name}{labels:?}"), value.to_string())).collect()
}

#[test]
fn killed_ten_times_on_the_way_it_comes_to_what_analyze_comes_to() {
    let dir = tempfile::tempdir().unwrap();
    let (audit, server) = (unpack("audit.log", dir.path()), unpack("server.log", dir.path()));
    let state = dir.path().join("state").to_str().unwrap().to_owned();
    let arguments = [
        "--audit-log",
        &audit,
        "--server-log",
        &server,
        "--state-dir",
        &state,
        "--checkpoint.interval",
        "1s",
    ];
    let mut leasewatch = Leasewatch::start(arguments, &[]);
    let mut never = NeverFalls::default();
    for kill in 0..10u64 {
        // At another moment each time: before, while and after the first pages are answered.
        for _ in 0..kill % 4 {
            if let Ok(page) = leasewatch.try_metrics() {
                never.page(&page);
            }
            std::thread::sleep(Duration::from_millis(37 * kill));
        }
        leasewatch.kill9();
        leasewatch.restart();
    }
    let page = leasewatch.metrics_when("all is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[]);
        if read >= 41_694.0 { Ok(()) } else { Err(format!("{read} lines")) }
    });
    never.page(&page);
    assert_eq!(page.sum("leasewatch_log_lines_total", &[("source", "audit")]), 34_055.0);
    let offline = analyze([audit.as_str(), "--server-log", &server]);
    assert_eq!(comparable(&page), comparable(&offline));
}

#[test]
fn a_glob_finds_the_log_of_a_new_node_and_knows_it_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = |node: &str| dir.path().join("logs").join(node).join("audit.log");
    let write = |node: &str, numbers: std::ops::Range<u64>| {
        fs::create_dir_all(log(node).parent().unwrap()).unwrap();
        let mut file = File::options().append(true).create(true).open(log(node)).unwrap();
        for number in numbers {
            write!(file, "{}", lines::issued(number, "app")).unwrap();
        }
    };
    write("node-b", 0..10);
    let pattern = log("*").to_str().unwrap().to_owned();
    let state = dir.path().join("state").to_str().unwrap().to_owned();
    let mut leasewatch = Leasewatch::start(["--audit-log", &pattern, "--state-dir", &state], &[]);
    let read = |leasewatch: &Leasewatch, source: &str, lines: f64| {
        leasewatch.metrics_when(source, |page| {
            let read = page.value("leasewatch_log_lines_total", &[("source", source)]);
            if read == Some(lines) { Ok(()) } else { Err(format!("{read:?} lines of {source}")) }
        })
    };
    read(&leasewatch, "audit-node-b", 10.0);
    // One that sorts before it must not take its name.
    write("node-a", 10..15);
    read(&leasewatch, "audit-node-a", 5.0);
    assert!(leasewatch.stop().0.success());
    // Its volume is mounted late: what was read of it must not be read again.
    fs::rename(log("node-a").parent().unwrap(), dir.path().join("away")).unwrap();
    leasewatch.restart();
    read(&leasewatch, "audit-node-b", 10.0);
    assert!(leasewatch.stop().0.success());
    leasewatch.restart();
    fs::rename(dir.path().join("away"), log("node-a").parent().unwrap()).unwrap();
    write("node-a", 15..17);
    let page = read(&leasewatch, "audit-node-a", 7.0);
    assert_eq!(page.sum("leasewatch_credentials_issued_total", &[]), 17.0);
}

/// Its name after the rotation is none that the glob matches.
#[test]
fn a_new_log_of_a_glob_is_known_again_after_a_sudden_death_and_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("node-a").join("audit.log");
    let pattern = dir.path().join("*").join("audit.log").to_str().unwrap().to_owned();
    let state = dir.path().join("state").to_str().unwrap().to_owned();
    let arguments = ["--audit-log", &pattern, "--state-dir", &state, "--checkpoint.interval", "1h"];
    let mut leasewatch = Leasewatch::start(arguments, &[]);
    leasewatch.metrics();
    fs::create_dir(log.parent().unwrap()).unwrap();
    let append = |numbers: std::ops::Range<u64>| {
        let mut file = File::options().append(true).create(true).open(&log).unwrap();
        for number in numbers {
            file.write_all(lines::issued(number, "app").as_bytes()).unwrap();
        }
    };
    let issued = |leasewatch: &Leasewatch, wanted: f64| {
        leasewatch.metrics_when("all is counted", |page| {
            let issued = page.sum("leasewatch_credentials_issued_total", &[]);
            if issued == wanted { Ok(()) } else { Err(format!("{issued} of {wanted}")) }
        });
    };
    append(0..10);
    issued(&leasewatch, 10.0);
    leasewatch.kill9();
    append(10..15);
    fs::rename(&log, log.with_file_name("audit.log.1")).unwrap();
    append(15..17);
    leasewatch.restart();
    issued(&leasewatch, 17.0);
}

/// The moment up to which a file of the state folder says that all is counted.
fn front(state: &Path, name: &str) -> i64 {
    let text = fs::read(state.join(name)).unwrap();
    let first = text.split(|byte| *byte == b'\n').next().unwrap();
    serde_json::from_slice::<serde_json::Value>(first).unwrap()["front"].as_i64().unwrap()
}

/// Else the process after it has to wait until it has come there again, and answers nobody meanwhile.
#[test]
fn what_was_shown_last_is_saved_at_the_end_also_where_only_time_has_passed() {
    let dir = tempfile::tempdir().unwrap();
    let (log, state) = (dir.path().join("audit.log"), dir.path().join("state"));
    fs::write(&log, lines::issued(1, "app")).unwrap();
    let arguments = ["--audit-log", log.to_str().unwrap(), "--state-dir", state.to_str().unwrap()];
    let mut leasewatch = Leasewatch::start(arguments, &[]);
    leasewatch.metrics_when("all is counted", |page| {
        let issued = page.sum("leasewatch_credentials_issued_total", &[]);
        if issued == 1.0 { Ok(()) } else { Err(format!("{issued}")) }
    });
    assert!(leasewatch.stop().0.success());
    leasewatch.restart();
    support::eventually("time passes in a quiet log", Duration::from_secs(300), || {
        leasewatch.metrics();
        // The first checkpoint stands by then.
        let (saved, shown) = (front(&state, "checkpoint"), front(&state, "served"));
        if shown > saved + 1_000_000_000 { Ok(()) } else { Err(format!("{shown} and {saved}")) }
    });
    assert!(leasewatch.stop().0.success());
    assert!(front(&state, "checkpoint") >= front(&state, "served"));
}
