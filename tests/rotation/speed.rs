//! Rotation under a writer that does not wait: 24,000 lines, five rotations, and a reader that is
//! ended and begun anew all the time.

use leasewatch::source::{LineSource, LogPath, Position, Step, Tail, TailOptions};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const LINES: usize = 24_000;
const ROTATIONS: usize = 5;

#[derive(Clone, Copy)]
enum How {
    /// The writer goes on in the renamed file for a while.
    LateReopen,
    QuickReopen,
    /// logrotate's `create`: there is a new file before the writer opens it.
    Create,
    CopyTruncate,
}

fn open(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

fn shift(path: &Path) {
    for number in (1..=ROTATIONS).rev() {
        let from = format!("{}.{number}", path.display());
        if fs::exists(&from).unwrap() {
            fs::rename(from, format!("{}.{}", path.display(), number + 1)).unwrap();
        }
    }
}

fn write(path: &Path, how: How) {
    let mut file = open(path);
    let mut reopen_at = None;
    for number in 0..LINES {
        if number % (LINES / (ROTATIONS + 1)) == 0 && number > 0 {
            shift(path);
            let first = format!("{}.1", path.display());
            match how {
                How::CopyTruncate => {
                    fs::copy(path, first).unwrap();
                    file.set_len(0).unwrap();
                }
                How::LateReopen => {
                    fs::rename(path, first).unwrap();
                    reopen_at = Some(number + 500);
                }
                How::QuickReopen => {
                    fs::rename(path, first).unwrap();
                    reopen_at = Some(number);
                }
                How::Create => {
                    fs::rename(path, first).unwrap();
                    File::create(path).unwrap();
                    reopen_at = Some(number + 50);
                }
            }
        }
        if reopen_at == Some(number) {
            drop(file);
            file = open(path);
        }
        let line = format!("{{\"number\":{number},\"fill\":\"{}\"}}\n", "x".repeat(number % 200));
        file.write_all(line.as_bytes()).unwrap();
    }
}

fn number(line: &[u8]) -> usize {
    let text = std::str::from_utf8(line).unwrap();
    let text = text.strip_prefix("{\"number\":").unwrap();
    text.split(',').next().unwrap().parse().unwrap()
}

fn run(how: How) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.log");
    let log = LogPath::plain(&path);
    let new = |from| Tail::new(log.clone(), TailOptions::default(), from);
    let mut tail = new(None);
    let mut line = Vec::new();
    // The first start, before there is a file.
    assert_eq!(tail.next(Instant::now(), &mut line), Step::Idle);
    let mut numbers: Vec<usize> = Vec::new();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(&path, how));
        let begun = Instant::now();
        let mut restarts = 0;
        while numbers.len() < LINES || !writer.is_finished() {
            let now = Instant::now();
            assert!(
                now - begun < Duration::from_secs(120),
                "only {} of {LINES} lines came; {:?}",
                numbers.len(),
                tail.status()
            );
            match tail.next(now, &mut line) {
                Step::Line => numbers.push(number(&line)),
                Step::Idle => std::thread::yield_now(),
                Step::Notice(_) => {}
                Step::End => panic!("a live log has no end"),
            }
            if numbers.len() > restarts * 777 {
                restarts += 1;
                let last = restarts % 2 == 0;
                let position = if last {
                    numbers.pop();
                    tail.position()
                } else {
                    tail.next_position()
                };
                let json = serde_json::to_vec(&position).unwrap();
                tail = new(Some(serde_json::from_slice::<Position>(&json).unwrap()));
            }
        }
        writer.join().unwrap();
    });
    let more = tail.next(Instant::now(), &mut line);
    let wrong = numbers.iter().zip(0..).find(|(number, wanted)| **number != *wanted);
    assert_eq!(wrong, None, "the number, and what it should be");
    assert_eq!(more, Step::Idle, "{}", String::from_utf8_lossy(&line));
}

#[test]
fn rename_with_a_late_reopen() {
    run(How::LateReopen);
}

#[test]
fn rename_with_a_quick_reopen() {
    run(How::QuickReopen);
}

#[test]
fn rename_and_create() {
    run(How::Create);
}

#[test]
fn copy_and_truncate() {
    run(How::CopyTruncate);
}
