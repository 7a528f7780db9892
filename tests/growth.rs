//! Growth: under a load that stays the same, with rotations and scrapes, and idle afterwards, a running `serve`
//! comes to no more memory, descriptors or series than it had. `scripts/soak` takes hours for it.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

mod support;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use support::{Leasewatch, lines};

/// Seconds under load; a quarter as much is idle.
fn seconds() -> u64 {
    std::env::var("GROWTH_SECONDS").map_or(16, |text| text.parse().expect("a number"))
}

/// Credentials issued in a second, and how long their leases last.
const RATE: u64 = 400;
const LASTS: Duration = Duration::from_secs(2);
/// Files that the audit log comes to.
const ROTATIONS: u32 = 8;

/// What it has at a moment.
#[derive(Clone, Copy, Debug)]
struct Has {
    kilobytes: u64,
    descriptors: usize,
    series: usize,
}

impl Has {
    fn look(leasewatch: &Leasewatch) -> Self {
        let series = leasewatch.metrics().series.len();
        let process = format!("/proc/{}", leasewatch.id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let resident = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        Self {
            kilobytes: resident.split_whitespace().nth(1).unwrap().parse().unwrap(),
            descriptors: fs::read_dir(format!("{process}/fd")).unwrap().count(),
            series,
        }
    }

    /// It has come to no more than `before`, but for what a connection or an allocator takes now and then.
    fn has_not_grown(&self, before: &Self, when: &str) {
        assert!(self.descriptors <= before.descriptors + 3, "{when}: {before:?}, then {self:?}");
        assert!(self.series <= before.series, "{when}: {before:?}, then {self:?}");
        let most = before.kilobytes + before.kilobytes / 5 + 8_192;
        assert!(self.kilobytes <= most, "{when}: {before:?}, then {self:?}");
    }
}

fn appending(path: &Path) -> File {
    File::options().create(true).append(true).open(path).unwrap()
}

#[test]
fn nothing_grows_under_a_load_that_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let (mut audit, mut server) = (appending(&path("audit.log")), appending(&path("server.log")));
    let leasewatch = Leasewatch::start(
        [
            "--audit-log",
            &text("audit.log"),
            "--server-log",
            &text("server.log"),
            "--state-dir",
            &text("state"),
        ],
        &[],
    );
    let whole = Duration::from_secs(seconds());
    let began = Instant::now();
    let mut out: VecDeque<(Instant, u64)> = VecDeque::new();
    let (mut number, mut rotations) = (0, 0);
    let mut course = String::from("second,kilobytes,descriptors,series\n");
    let (mut next_look, mut at_half) = (Duration::ZERO, None);
    while began.elapsed() < whole {
        let due = u64::try_from(began.elapsed().as_millis()).unwrap() * RATE / 1_000;
        while number < due {
            audit.write_all(lines::issued(number, role(number)).as_bytes()).unwrap();
            out.push_back((Instant::now(), number));
            number += 1;
        }
        while out.front().is_some_and(|(issued, _)| issued.elapsed() >= LASTS) {
            let (_, ended) = out.pop_front().unwrap();
            server.write_all(revoked(ended).as_bytes()).unwrap();
        }
        if began.elapsed() > whole / ROTATIONS * (rotations + 1) {
            rotations += 1;
            // The higher the number, the older the file, as logrotate has it.
            fs::rename(path("audit.log"), path(&format!("audit.log.{}", 100 - rotations))).unwrap();
            audit = appending(&path("audit.log"));
        }
        if began.elapsed() >= next_look {
            let has = Has::look(&leasewatch);
            let Has { kilobytes, descriptors, series } = has;
            writeln!(course, "{},{kilobytes},{descriptors},{series}", began.elapsed().as_secs()).unwrap();
            if began.elapsed() > whole / 2 {
                at_half.get_or_insert(has);
            }
            next_look += whole / 100;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    for (_, ended) in out {
        server.write_all(revoked(ended).as_bytes()).unwrap();
    }
    let at_half = at_half.unwrap();
    leasewatch.metrics_when("all is counted, and nothing is left", |page| {
        let issued = page.sum("leasewatch_credentials_issued_total", &[]);
        let ended = page.sum("leasewatch_revocations_total", &[]);
        if (issued, ended) == (number as f64, number as f64) {
            Ok(())
        } else {
            Err(format!("{issued} issued and {ended} ended of {number}"))
        }
    });
    let loaded = Has::look(&leasewatch);
    loaded.has_not_grown(&at_half, "under load");
    std::thread::sleep(whole / 4);
    let idle = Has::look(&leasewatch);
    idle.has_not_grown(&loaded, "idle");
    if let Ok(file) = std::env::var("GROWTH_COURSE") {
        fs::write(file, course).unwrap();
    }
    println!("half way {at_half:?}, at the end {loaded:?}, idle {idle:?}");
}

/// The role of the `number`th lease.
fn role(number: u64) -> &'static str {
    ["app", "reporting", "batch"][usize::try_from(number % 3).unwrap()]
}

/// The line of the server log that says that the `number`th lease has ended.
fn revoked(number: u64) -> String {
    let (role, now) = (role(number), jiff::Timestamp::now());
    format!(
        "{{\"@level\":\"info\",\"@message\":\"revoked lease\",\"@module\":\"expiration\",\"@timestamp\":\"{now}\",\
         \"lease_id\":\"database/creds/{role}/{number:024}\"}}\n"
    )
}
