//! A million leases: how much memory they take, how long a checkpoint of them stops the
//! reading, what it costs in all, and how long a page takes. Run it by `scripts/bench`.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic as a test may")]

use leasewatch::anomaly::Settings;
use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress, Saved};
use leasewatch::source::{LineSource, Position, Status, Step};
use leasewatch::state::Limits;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Leases that are out at the end.
const LEASES: u32 = 1_000_000;
/// Roles, and service tokens, that they are of.
const ROLES: u32 = 500;
const TOKENS: u32 = 100_000;
/// Issued per second of event time.
const PER_SECOND: u32 = 500;
/// Seconds between two checkpoints: the default of `checkpoint.interval`.
const INTERVAL: f64 = 10.0;

/// An audit log that is made while it is read: responses with a lease, nothing else.
struct Issues {
    next: u32,
    end: u32,
}

impl LineSource for Issues {
    fn next(&mut self, _: Instant, line: &mut Vec<u8>) -> Step {
        if self.next == self.end {
            return Step::End;
        }
        let number = self.next;
        self.next += 1;
        let at = Timestamp::from_secs(1_800_000_000 + i64::from(number / PER_SECOND));
        let (role, token) = (number % ROLES, number.wrapping_mul(2_654_435_761) % TOKENS);
        let mut text = String::new();
        write!(
            text,
            r#"{{"time":"{at}","type":"response","auth":{{"accessor":"hmac-sha256:{token:064x}","display_name":"kubernetes-team-{role}","policies":["default"],"entity_id":"00000000-0000-0000-0000-{role:012}","token_type":"service"}},"request":{{"id":"{number:032x}","operation":"read","mount_point":"database/","mount_type":"database","namespace":{{"id":"root"}},"path":"database/creds/role-{role}"}},"response":{{"mount_type":"database","secret":{{"lease_id":"database/creds/role-{role}/{number:024}"}},"data":{{"username":"x"}}}}}}"#
        )
        .unwrap();
        line.clear();
        line.extend_from_slice(text.as_bytes());
        Step::Line
    }
    fn position(&self) -> Position {
        Position::default()
    }
    fn next_position(&self) -> Position {
        Position::default()
    }
    fn status(&self) -> Status {
        Status::default()
    }
}

fn main() {
    let before = resident();
    let limits = Limits { label_sets: 2_000, leases: LEASES as usize, anomaly: Settings::OFF };
    let source = Box::new(Issues { next: 0, end: LEASES });
    let mut pipeline = Pipeline::new(limits, vec![Input::new("audit", Lines::Log(LogKind::Audit), source)]);
    let end = Timestamp::from_nanos(i64::MAX);
    let (began, mut stops, mut costs) = (Instant::now(), Vec::new(), Vec::new());
    let place = tempfile::Builder::new().tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut steps = 0;
    loop {
        let progress = pipeline.run(Instant::now(), Timestamp::MIN, end, 100_000);
        steps += 1;
        let done = progress == Progress::Done;
        if done || steps % 3 == 0 {
            let (stop, cost) = checkpoint(&pipeline, place.path());
            stops.push(stop);
            costs.push(cost);
        }
        if done {
            break;
        }
    }
    let took = began.elapsed().saturating_sub(costs.iter().sum::<Duration>());
    let after = resident();
    let began = Instant::now();
    let families = pipeline.families(pipeline.front());
    let page = began.elapsed();
    let (series, peak) = (families.iter().map(|family| family.series.len()).sum::<usize>(), peak());
    let saved = std::fs::read(place.path().join("checkpoint")).unwrap();
    let began = Instant::now();
    Saved::read(&saved).unwrap();
    let load = began.elapsed();

    let (stop, cost) = (stops.iter().max().unwrap(), costs.iter().max().unwrap());
    let share = 100.0 * cost.as_secs_f64() / INTERVAL;
    println!(
        "{LEASES} leases of {ROLES} roles and {TOKENS} tokens, {:.0} lines/s",
        f64::from(LEASES) / took.as_secs_f64()
    );
    let rows = [
        ("resident, MB", (after - before) / 1e6, 150.0),
        ("a checkpoint stops the reading, ms", stop.as_secs_f64() * 1e3, 50.0),
        ("a checkpoint every ten seconds, % of the time", share, 2.0),
    ];
    let mut missed = 0;
    for (what, value, bound) in rows {
        let verdict = if value <= bound { "ok" } else { "MISSED" };
        missed += i32::from(value > bound);
        println!("{what:50} {value:8.1}   at most {bound:5.0}   {verdict}");
    }
    println!(
        "checkpoint {} MB; peak {:.0} MB; page of {series} series {:.0} ms; start from it {:.0} ms",
        saved.len() / 1_000_000,
        (peak - before) / 1e6,
        page.as_secs_f64() * 1e3,
        load.as_secs_f64() * 1e3
    );
    std::process::exit(missed);
}

/// For how long the reading stops, and how long it takes in all.
fn checkpoint(pipeline: &Pipeline, place: &std::path::Path) -> (Duration, Duration) {
    let began = Instant::now();
    let saving = pipeline.save().unwrap();
    let stop = began.elapsed();
    let mut file = File::create(place.join("checkpoint")).unwrap();
    for piece in saving.pieces() {
        file.write_all(&piece).unwrap();
    }
    file.sync_all().unwrap();
    (stop, began.elapsed())
}

/// Resident memory of this process, in bytes.
fn resident() -> f64 {
    status("VmRSS:")
}

/// The most that it ever was.
fn peak() -> f64 {
    status("VmHWM:")
}

fn status(key: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0
}
