//! Finished logs: the same comes of them in whatever pieces and form they are, and however many
//! threads read them; what cannot be read is told; who has waited long enough gets what is known.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use support::corpus::{CORPUS, said};
use support::leasewatch::run;
use support::lines;

fn audit() -> Vec<u8> {
    zstd::decode_all(fs::File::open(format!("{CORPUS}audit.log.zst")).unwrap()).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// All that a report of a folder says, but for how much of it came from which file.
fn report(folder: &str, more: &[&str]) -> Value {
    let said = said(run([&["analyze", "--format", "json", folder], more].concat()));
    let mut report: Value = serde_json::from_str(&said.replace(folder, "")).unwrap();
    report.as_object_mut().unwrap().remove("sources").unwrap();
    report
}

#[test]
fn the_same_comes_of_it_whatever_the_threads_the_pieces_and_their_form() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    let audit = audit();
    // A quarter has some of everything.
    let audit = &audit[..audit.len() / 4];
    // Of one name, which a report tells of.
    for sub in ["whole", "packed", "pieces"] {
        fs::create_dir(folder.path().join(sub)).unwrap();
    }
    put("whole/audit.log", audit);
    put("packed/audit.log.gz", &gzip(audit));
    let cut = |at: usize| at + audit[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let (first, second) = (cut(audit.len() / 3), cut(audit.len() / 3 * 2));
    put("pieces/audit.log.2.gz", &gzip(&audit[..first]));
    put("pieces/audit.log.1", &audit[first..second]);
    put("pieces/audit.log", &audit[second..]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let server = format!("{CORPUS}server.log.zst");
    let whole = report(&path("whole"), &["--server-log", &server, "--threads", "1"]);
    assert!(whole["metrics"].as_object().unwrap().len() > 20);
    for (files, threads) in
        [("whole", "2"), ("whole", "5"), ("packed", "3"), ("pieces", "1"), ("pieces", "4")]
    {
        let other = report(&path(files), &["--server-log", &server, "--threads", threads]);
        assert!(other == whole, "{files} with {threads} threads came to something else");
    }
}

#[test]
fn a_broken_archive_is_told_with_its_place_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let audit = audit();
    let packed = gzip(&audit);
    let broken = folder.path().join("broken.log.gz");
    fs::write(&broken, &packed[..packed.len() / 2]).unwrap();
    let whole = folder.path().join("other.log");
    fs::write(&whole, &audit[..1_000_000]).unwrap();
    for threads in ["1", "3"] {
        let (broken, whole) = (broken.to_str().unwrap(), whole.to_str().unwrap());
        let output = run(["analyze", broken, whole, "--threads", threads]);
        assert!(output.status.success());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(broken) && told.contains("byte="), "{told}");
        assert!(!told.contains("byte=0 "), "{told}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("broken_archive 1"), "{text}");
        assert!(text.contains("other.log: "), "{text}");
    }
}

#[test]
fn a_line_that_cannot_be_read_is_told_with_its_file_and_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let good = |number| lines::issued(number, "app");
    let first = format!("{}{}nonsense\n{}", good(1), good(2), good(3));
    let second = format!("{}{}\n{}", good(4), "x".repeat(3_000), good(5));
    fs::write(folder.path().join("audit.log.1"), &first).unwrap();
    fs::write(folder.path().join("audit.log"), &second).unwrap();
    let output =
        run(["analyze", folder.path().to_str().unwrap(), "--max-line-bytes", "2500", "--format", "json"]);
    let told = String::from_utf8(output.stderr).unwrap();
    let places =
        [("audit.log.1", first.find("nonsense"), "not_json"), ("audit.log", second.find("xxx"), "too_long")];
    for (file, byte, reason) in places {
        let path = folder.path().join(file);
        let place = format!("file=\"{}\" byte={} reason=\"{reason}\"", path.display(), byte.unwrap());
        assert!(told.contains(&place), "{place} is not in {told}");
    }
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["sources"][0]["unreadable"], serde_json::json!({"not_json": 1, "too_long": 1}));
    // A log that is nothing but nonsense does not fill the screen.
    fs::write(folder.path().join("audit.log"), "nonsense\n".repeat(5_000)).unwrap();
    let output = run(["analyze", folder.path().join("audit.log").to_str().unwrap(), "--format", "json"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.lines().count(), 11, "{told}");
    assert!(told.contains("only counted"), "{told}");
}

/// Runs `analyze` on lines that never end, and interrupts it in the middle.
fn interrupted(format: &str, more: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_leasewatch"))
        .args(["analyze", "-", "--format", format])
        .args(more)
        .current_dir(folder)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, id) = (child.stdin.take().unwrap(), child.id());
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0.. {
                if number == 30_000 {
                    kill_process(Pid::from_raw(i32::try_from(id).unwrap()).unwrap(), Signal::INT).unwrap();
                }
                // It ends when nobody reads any more.
                if input.write_all(lines::issued(number, "app").as_bytes()).is_err() {
                    break;
                }
            }
        });
        let (mut out, mut err) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        (child.wait().unwrap().code(), out, err)
    })
}

#[test]
fn who_has_waited_long_enough_gets_what_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = interrupted("json", &[], folder.path());
    assert_eq!(code, Some(130), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["interrupted"], true);
    let issued = report["metrics"]["leasewatch_credentials_issued_total"][0]["value"].as_u64().unwrap();
    assert_eq!(report["sources"][0]["lines"].as_u64().unwrap(), issued, "each line that was read counts");
    assert!(issued > 0);
    let (_, out, _) = interrupted("text", &[], folder.path());
    assert!(out.contains("\ninterrupted at "), "{out}");
    let (_, out, _) = interrupted("prom", &[], folder.path());
    assert!(out.starts_with("# interrupted at "), "{out}");
    let (code, out, err) = interrupted("text", &["--since", "2040-01-01T00:00:00Z"], folder.path());
    assert_eq!((code, &*out), (Some(1), ""));
    assert!(err.contains("before the period begins"), "{err}");
}
