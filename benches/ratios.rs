//! Ratios: how fast and how small leasewatch is, against its peers on the same input and in
//! the same run, so that the machine cancels out. Run it by `scripts/bench`, which brings the peers.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic as a test may")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Leasewatch, eventually, lines};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");
/// Copies of the corpus in the big file: 340,000 lines.
const COPIES: u32 = 10;
/// Runs of the closest race.
const RUNS: usize = 5;
/// Series on the page whose time is taken.
const SERIES: usize = 20_000;

fn main() {
    let place = tempfile::Builder::new().tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let audit = unpack("audit.log.zst", &place.path().join("audit.log"));
    let server = unpack("server.log.zst", &place.path().join("server.log"));
    let big = place.path().join("big.log");
    let count = multiply(&audit, &big);
    println!(
        "{count} lines, {} MB; one core, processor time\n",
        std::fs::metadata(&big).unwrap().len() / 1_000_000
    );

    let mut table = Table::default();
    let mut own_command = on_one_core(Path::new(env!("CARGO_BIN_EXE_leasewatch")));
    own_command.args(["analyze", "--format", "prom"]).arg(&big);
    let mut own = processor_time_of(&mut own_command);
    if let Some(peer) = peer("VAULT_AUDIT", "vault-audit") {
        let mut command = on_one_core(&peer);
        command.arg("token-analysis").arg(&big);
        let mut took = processor_time_of(&mut command);
        // In turns, and the best of each: a busy moment of the machine then falls on both.
        for _ in 1..RUNS {
            own = own.min(processor_time_of(&mut own_command));
            took = took.min(processor_time_of(&mut command));
        }
        table.rate("vault-audit token-analysis", count, took);
        table.at_least("times as fast as vault-audit", took.as_secs_f64() / own.as_secs_f64(), 1.5);
    }
    table.rate("leasewatch analyze", count, own);
    if let Some(peer) = peer("MTAIL", "mtail") {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/four-counters.mtail");
        let mut command = on_one_core(&peer);
        command.args(["--one_shot", "--logtostderr", "--progs", program, "--logs"]).arg(&big);
        let took = processor_time_of(&mut command);
        table.rate("mtail, four counters", count, took);
        table.at_least("times as fast as mtail", took.as_secs_f64() / own.as_secs_f64(), 20.0);
    }
    std::fs::remove_file(&big).unwrap();
    memory_and_idling(&mut table, place.path(), &audit, &server);
    page(&mut table, place.path());
    std::process::exit(table.print());
}

/// Resident memory with the corpus read, and processor time with nothing to read.
fn memory_and_idling(table: &mut Table, place: &Path, audit: &Path, server: &Path) {
    let lines = u32::try_from(BufReader::new(File::open(audit).unwrap()).lines().count()).unwrap();
    let state = place.join("state");
    let arguments = ["--audit-log", text(audit), "--server-log", text(server), "--state-dir", text(&state)];
    let leasewatch = Leasewatch::start(arguments, &[]);
    leasewatch.metrics_when("the corpus is read", |page| {
        let read = page.sum("leasewatch_log_lines_total", &[]);
        if read >= f64::from(lines) { Ok(()) } else { Err(format!("{read} of {lines} lines")) }
    });
    std::thread::sleep(Duration::from_secs(5));
    let status = std::fs::read_to_string(format!("/proc/{}/status", leasewatch.id())).unwrap();
    let kilobytes = |name: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    table.at_most("MB resident with the corpus read", kilobytes("VmRSS:") / 1_000.0, 40.0);
    table.note("MB resident at most", kilobytes("VmHWM:") / 1_000.0);
    let (before, since) = (processor_time(leasewatch.id()), Instant::now());
    std::thread::sleep(Duration::from_secs(30));
    let used = processor_time(leasewatch.id()).checked_sub(before).unwrap();
    let share = used.as_secs_f64() / since.elapsed().as_secs_f64();
    table.at_most("% of a core when idle, over 30 s", 100.0 * share, 0.5);
}

/// Time of a page with many series.
fn page(table: &mut Table, place: &Path) {
    // How many series a role brings is the exporter's affair: measured first.
    let (few, _) = roles(place, 50);
    let (more, _) = roles(place, 150);
    let enough = 50 + (SERIES.saturating_sub(few) * 100).div_ceil(more - few);
    let (series, took) = roles(place, enough);
    table.note("series on the page", f64::from(u32::try_from(series).unwrap()));
    table.at_most("ms for that page, median of 20", took.as_secs_f64() * 1e3, 60.0);
}

/// A run with that many roles: series on the page, and the time that it takes.
fn roles(place: &Path, number: usize) -> (usize, Duration) {
    let log = place.join(format!("roles-{number}.log"));
    let mut file = BufWriter::new(File::create(&log).unwrap());
    for role in 0..number {
        file.write_all(lines::issued(role as u64, &format!("role-{role}")).as_bytes()).unwrap();
    }
    file.flush().unwrap();
    let state = place.join(format!("state-{number}"));
    let leasewatch = Leasewatch::start(["--audit-log", text(&log), "--state-dir", text(&state)], &[]);
    let page = leasewatch.metrics_when("all roles are there", |page| {
        let issued = page.sum("leasewatch_credentials_issued_total", &[]);
        if issued >= number as f64 { Ok(()) } else { Err(format!("{issued} of {number}")) }
    });
    let mut times: Vec<_> = (0..20)
        .map(|_| {
            let asked = Instant::now();
            assert_eq!(leasewatch.get("/metrics").unwrap().status, 200);
            asked.elapsed()
        })
        .collect();
    times.sort();
    (page.series.len(), times[times.len() / 2])
}

/// The results, each with the bound that it has to keep.
#[derive(Default)]
struct Table {
    text: String,
    missed: u32,
}

impl Table {
    fn rate(&mut self, name: &str, lines: u32, took: Duration) {
        let rate = f64::from(lines) / took.as_secs_f64();
        writeln!(self.text, "{rate:>12.0}  lines/s  {name} ({:.2} s)", took.as_secs_f64()).unwrap();
    }

    fn note(&mut self, name: &str, value: f64) {
        writeln!(self.text, "{value:>12.2}  {name}").unwrap();
    }

    fn at_least(&mut self, name: &str, value: f64, bound: f64) {
        self.bound(name, value, value >= bound, &format!("at least {bound}"));
    }

    fn at_most(&mut self, name: &str, value: f64, bound: f64) {
        self.bound(name, value, value <= bound, &format!("at most {bound}"));
    }

    fn bound(&mut self, name: &str, value: f64, kept: bool, bound: &str) {
        let verdict = if kept { "kept" } else { "MISSED" };
        self.missed += u32::from(!kept);
        writeln!(self.text, "{value:>12.2}  {name}: {bound}, {verdict}").unwrap();
    }

    /// Prints it; the exit status says how many bounds were missed.
    fn print(&self) -> i32 {
        println!("{}", self.text);
        i32::try_from(self.missed).unwrap()
    }
}

/// The corpus' file, unpacked.
fn unpack(name: &str, to: &Path) -> PathBuf {
    let packed = File::open(Path::new(CORPUS).join(name)).unwrap();
    zstd::stream::copy_decode(packed, File::create(to).unwrap()).unwrap();
    to.to_path_buf()
}

/// Copies of a log one after the other, each later and with requests and leases of its own; how many lines.
fn multiply(log: &Path, to: &Path) -> u32 {
    let mut out = BufWriter::new(File::create(to).unwrap());
    let mut count = 0;
    for copy in 0..COPIES {
        for line in BufReader::new(File::open(log).unwrap()).lines() {
            let line = line.unwrap();
            out.write_all(shift(&line, copy).as_bytes()).unwrap();
            out.write_all(b"\n").unwrap();
            count += 1;
        }
    }
    out.flush().unwrap();
    count
}

/// A line of copy number `copy`: an hour later each, other request, other lease, same length.
fn shift(line: &str, copy: u32) -> String {
    let mut line = line.to_string();
    let digits = format!("{copy:04x}");
    if let Some(at) = line.find("\"time\":\"").map(|at| at + 8) {
        let end = at + line[at..].find('"').unwrap();
        let time: jiff::Timestamp = line[at..end].parse().unwrap();
        let later = time + jiff::SignedDuration::from_hours(i64::from(copy));
        line.replace_range(at..end, &later.to_string());
    }
    for (key, from) in [("\"request\":{\"id\":\"", 0), ("\"lease_id\":\"", 4)] {
        let Some(at) = line.find(key).map(|at| at + key.len()) else { continue };
        let end = at + line[at..].find('"').unwrap();
        // Hashes of leases are what they are; the plain ones end in letters of their own.
        if !line[at..end].starts_with("hmac") && end - at > 8 {
            let at = if from == 0 { at } else { end - from };
            line.replace_range(at..at + 4, &digits);
        }
    }
    line
}

/// A program that runs on the first core alone, and says at the end on standard error how many
/// seconds of processor time it took: other work on the machine is not to change the ratios.
fn on_one_core(program: &Path) -> Command {
    let mut command = Command::new("bash");
    let script = r#"TIMEFORMAT='%U %S'; time "$@" >/dev/null 2>/dev/null"#;
    command.args(["-c", script, "bash", "taskset", "-c", "0"]).arg(program);
    command
}

/// Processor time of one run of such a command.
fn processor_time_of(command: &mut Command) -> Duration {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    let said = String::from_utf8(output.stderr).unwrap();
    said.split_whitespace().map(|part| Duration::from_secs_f64(part.parse().unwrap())).sum()
}

/// A peer, by environment variable or in PATH; it is said when it is not there.
fn peer(variable: &str, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::var_os(variable)
        .map(PathBuf::from)
        .or_else(|| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file()));
    if found.is_none() {
        println!("{name} is not here and not compared with: run scripts/bench, or set {variable}");
    }
    found
}

/// Processor time that a process has used.
fn processor_time(id: u32) -> Duration {
    eventually("the process is there", Duration::from_secs(1), || {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).map_err(|why| why.to_string())?;
        // After the name in parentheses: utime and stime are the 12th and 13th, in hundredths of a second.
        let (_, fields) = stat.rsplit_once(") ").ok_or("no name")?;
        let ticks: u64 = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
        Ok(Duration::from_millis(10 * ticks))
    })
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
