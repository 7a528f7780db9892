//! Torture: audit logs rotated in every way that is in use, while lines keep coming and
//! leasewatch dies again and again. Every line must be counted once, and no scraper may
//! ever see a counter fall.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests may")]

mod support;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::exposition::is_own;
use support::{Leasewatch, Metrics, NeverFalls, analyze, lines};
use tempfile::TempDir;

/// Times that the log is rotated in a run.
fn all_rotations() -> u64 {
    (all_lines() / 4_800).max(5)
}

/// Lines in a run; a soak takes more.
fn all_lines() -> u64 {
    number("TORTURE_LINES", 24_000)
}

/// Lines written per second.
fn lines_per_second() -> u64 {
    number("TORTURE_RATE", 1_000)
}

fn number(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |text| text.parse().expect("a number"))
}

/// How the log is rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rotation {
    /// Renamed; the writer goes on in the old file for this long.
    Rename { reopened_after: Duration },
    /// Copied, then cut to nothing.
    CopyTruncate,
}

/// Two seconds late, as where SIGHUP takes its way through an orchestrator.
const LATE: Rotation = Rotation::Rename { reopened_after: Duration::from_secs(2) };
/// At once, as logrotate's `postrotate` does.
const QUICK: Rotation = Rotation::Rename { reopened_after: Duration::from_millis(50) };

#[test]
fn renamed_and_reopened_late() {
    torture(LATE, None);
}

#[test]
fn renamed_and_reopened_late_killed_every_second() {
    torture(LATE, Some(Duration::from_secs(1)));
}

#[test]
fn renamed_and_reopened_quickly() {
    torture(QUICK, None);
}

#[test]
fn renamed_and_reopened_quickly_killed_every_second() {
    torture(QUICK, Some(Duration::from_secs(1)));
}

#[test]
fn copied_and_truncated() {
    torture(Rotation::CopyTruncate, None);
}

#[test]
fn copied_and_truncated_killed_every_second() {
    torture(Rotation::CopyTruncate, Some(Duration::from_secs(1)));
}

/// Rotations that happen while nobody looks, compression included.
#[test]
fn rotated_and_compressed_while_it_was_down() {
    let place = Place::new();
    let mut log = Log::create(&place.log());
    let mut leasewatch = place.leasewatch();
    let mut never_falls = NeverFalls::default();
    let part = all_lines() / 6;
    log.write_to(part);
    never_falls.page(&leasewatch.metrics_when("the first part is read", |page| counted(page, part)));
    leasewatch.kill9();

    // logrotate with `delaycompress`, twice over: audit.log.2 and older are compressed.
    log.write_to(2 * part);
    log.rename_to(&place.sibling("log.4"));
    log.write_to(3 * part);
    log.rename_to(&place.sibling("log.3"));
    log.write_to(4 * part);
    log.rename_to(&place.sibling("log.2"));
    log.write_to(5 * part);
    log.rename_to(&place.sibling("log.1"));
    log.write_to(6 * part);
    compress(&place.sibling("log.4"), "zst", |text| zstd::encode_all(text, 3).unwrap());
    for name in ["log.3", "log.2"] {
        compress(&place.sibling(name), "gz", |text| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(text).unwrap();
            gzip.finish().unwrap()
        });
    }
    leasewatch.restart();
    let page = leasewatch.metrics_when("all is read", |page| counted(page, 6 * part));
    never_falls.page(&page);
    nothing_amiss(&page);
}

/// Lines that are gone for good are said to be, and do not hold up the page, however busy the log is.
#[test]
fn lost_while_it_was_down() {
    let place = Place::new();
    let mut log = Log::create(&place.log());
    let mut leasewatch = place.leasewatch_with(&["--checkpoint.interval", "5s"]);
    log.write_to(1_000);
    let read = leasewatch.metrics_when("the first lines are read", |page| counted(page, 1_000));
    let saved = |page: &Metrics| page.sum("leasewatch_checkpoint_last_success_timestamp_seconds", &[]);
    leasewatch.metrics_when("they are in the checkpoint", |page| {
        if saved(page) > saved(&read) { Ok(()) } else { Err("no new checkpoint".into()) }
    });
    // Shown, but not yet in a checkpoint: these cannot be counted again.
    log.write_to(1_500);
    leasewatch.metrics_when("more lines are read", |page| counted(page, 1_500));
    leasewatch.kill9();
    // Written, rotated and deleted while nobody looked.
    log.write_to(2_000);
    std::fs::remove_file(place.log()).unwrap();
    log.reopen();
    log.write_to(2_001);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                log.write_to(log.written + 2);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        leasewatch.restart();
        let answered = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            leasewatch.metrics_when("the page says that lines are gone", |page| {
                let gaps = page.sum("leasewatch_log_gaps_total", &[]);
                if gaps > 0.5 { Ok(()) } else { Err(format!("{gaps} gaps")) }
            })
        }));
        stop.store(true, Ordering::SeqCst);
        if let Err(why) = answered {
            std::panic::resume_unwind(why);
        }
    });
}

/// One run: a writer, a rotation, and perhaps a death every so often.
fn torture(rotation: Rotation, killed_every: Option<Duration>) {
    let place = Place::new();
    let mut log = Log::create(&place.log());
    let mut leasewatch = place.leasewatch();
    let mut never_falls = NeverFalls::default();
    let writer = std::thread::spawn({
        let place = place.path();
        move || write_and_rotate(&mut log, &place, rotation)
    });
    let mut born = Instant::now();
    let mut deaths = 0;
    while !writer.is_finished() {
        // A page may not be there yet: the replay after a death takes its time.
        if let Ok(page) = leasewatch.try_metrics() {
            never_falls.page(&page);
        }
        std::thread::sleep(Duration::from_millis(100));
        if killed_every.is_some_and(|every| born.elapsed() >= every) {
            leasewatch.kill9();
            deaths += 1;
            leasewatch.restart();
            born = Instant::now();
        }
    }
    writer.join().unwrap();
    let page = leasewatch.metrics_when("every line is counted", |page| {
        never_falls.page(page);
        counted(page, all_lines())
    });
    nothing_amiss(&page);
    let rotations = page.sum("leasewatch_log_rotations_total", &[]);
    assert!(
        (rotations - all_rotations() as f64).abs() < 0.5,
        "{rotations} rotations counted, not {}",
        all_rotations()
    );
    assert!(killed_every.is_none() || deaths > 3, "it died {deaths} times only");
    same_as_analyze(&place, &page);

    // Nothing comes later, either: what was counted once is not found again elsewhere.
    leasewatch.kill9();
    leasewatch.restart();
    let page = leasewatch.metrics();
    never_falls.page(&page);
    counted(&page, all_lines()).unwrap();
}

/// Writes all lines at the set rate and rotates between them.
fn write_and_rotate(log: &mut Log, dir: &Path, rotation: Rotation) {
    let began = Instant::now();
    let per_rotation = all_lines() / (all_rotations() + 1);
    let mut reopen_at: Option<Instant> = None;
    let mut rotations = 0;
    while log.written < all_lines() {
        if reopen_at.is_some_and(|at| at <= Instant::now()) {
            log.reopen();
            reopen_at = None;
        }
        if reopen_at.is_none() && rotations < all_rotations() && log.written >= (rotations + 1) * per_rotation
        {
            rotations += 1;
            let aside = dir.join(format!("audit.log.{}", all_rotations() + 1 - rotations));
            match rotation {
                Rotation::Rename { reopened_after } => {
                    std::fs::rename(&log.path, aside).unwrap();
                    reopen_at = Some(Instant::now() + reopened_after);
                }
                Rotation::CopyTruncate => {
                    std::fs::copy(&log.path, aside).unwrap();
                    File::options().write(true).open(&log.path).unwrap().set_len(0).unwrap();
                }
            }
        }
        let elapsed = u64::try_from(began.elapsed().as_millis()).unwrap();
        let due = elapsed * lines_per_second() / 1_000;
        log.write_to(due.clamp(log.written, all_lines()));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(rotations, all_rotations());
}

/// A folder with the log and the state.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-torture-").tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        Self { dir }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("logs")
    }

    fn log(&self) -> PathBuf {
        self.path().join("audit.log")
    }

    fn sibling(&self, extension: &str) -> PathBuf {
        self.log().with_extension(extension)
    }

    fn leasewatch(&self) -> Leasewatch {
        self.leasewatch_with(&[])
    }

    fn leasewatch_with(&self, more: &[&str]) -> Leasewatch {
        let (log, state) = (self.log(), self.dir.path().join("state"));
        let arguments = ["--audit-log", log.to_str().unwrap(), "--state-dir", state.to_str().unwrap()];
        Leasewatch::start(arguments.iter().chain(more).copied(), &[])
    }
}

/// The log, as its writer has it open.
struct Log {
    path: PathBuf,
    file: File,
    written: u64,
}

impl Log {
    fn create(path: &Path) -> Self {
        Self { path: path.into(), file: open(path), written: 0 }
    }

    /// Writes lines until there are `number` in all; each by one write, as Vault does.
    fn write_to(&mut self, number: u64) {
        while self.written < number {
            self.file.write_all(lines::issued(self.written, "app-role").as_bytes()).unwrap();
            self.written += 1;
        }
    }

    fn reopen(&mut self) {
        self.file = open(&self.path);
    }

    fn rename_to(&mut self, aside: &Path) {
        std::fs::rename(&self.path, aside).unwrap();
        self.reopen();
    }
}

fn open(path: &Path) -> File {
    File::options().create(true).append(true).open(path).unwrap()
}

/// Replaces a file by its compressed self, as gzip does: same time, other name.
fn compress(path: &Path, extension: &str, packed: impl Fn(&[u8]) -> Vec<u8>) {
    let modified = std::fs::metadata(path).unwrap().modified().unwrap();
    let mut name = path.as_os_str().to_os_string();
    name.push(".");
    name.push(extension);
    let mut file = File::create(&name).unwrap();
    file.write_all(&packed(&std::fs::read(path).unwrap())).unwrap();
    file.set_modified(modified).unwrap();
    std::fs::remove_file(path).unwrap();
}

/// Whether exactly so many lines were read, and each said that a credential was issued.
fn counted(page: &Metrics, expected: u64) -> Result<(), String> {
    let lines = page.sum("leasewatch_log_lines_total", &[]);
    let issued = page.sum("leasewatch_credentials_issued_total", &[("role", "app-role")]);
    if (lines - expected as f64).abs() < 0.5 && (issued - expected as f64).abs() < 0.5 {
        Ok(())
    } else {
        Err(format!(
            "{lines} lines and {issued} issued credentials instead of {expected}\n{}",
            page.lines("leasewatch_log_")
        ))
    }
}

/// No line was lost, late or unreadable.
fn nothing_amiss(page: &Metrics) {
    for name in ["leasewatch_log_gaps_total", "leasewatch_log_unreadable_total", "leasewatch_log_late_total"]
    {
        assert!(page.sum(name, &[]) < 0.5, "{}", page.lines(name));
    }
}

/// What is not about the exporter itself is what `analyze` finds in the same files.
fn same_as_analyze(place: &Place, page: &Metrics) {
    let files = (1..=all_rotations())
        .rev()
        .map(|number| place.sibling(&format!("log.{number}")))
        .chain([place.log()]);
    let offline = analyze(files);
    let told = |page: &Metrics| {
        let counters = page.counters().map(|(key, value)| (key.clone(), value));
        counters.filter(|(key, _)| key.0.starts_with("leasewatch_") && !is_own(&key.0)).collect::<Vec<_>>()
    };
    assert!(!told(page).is_empty());
    assert_eq!(told(page), told(&offline));
}
