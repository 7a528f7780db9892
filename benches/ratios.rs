//! Ratios: how fast and how small leasewatch is, against its peers on the same input and in
//! the same run, so that the machine cancels out. Run it by `scripts/bench`, which brings the peers.

#![allow(clippy::unwrap_used, reason = "a benchmark may panic as a test may")]

#[path = "../tests/support/mod.rs"]
mod support;

use leasewatch::config::LogKind;
use leasewatch::event::Timestamp;
use leasewatch::pipeline::{Input, Lines, Pipeline, Progress};
use leasewatch::source::{self, Archive};
use leasewatch::state::Limits;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use support::{Leasewatch, eventually, lines};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");
/// Copies of the corpus in the big file: 750,000 lines, a gigabyte.
const COPIES: u32 = 22;
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
    let own = || {
        let mut command = on_one_core(Path::new(env!("CARGO_BIN_EXE_leasewatch")));
        command.args(["analyze", "--threads", "1", "--format", "prom"]).arg(&big);
        command
    };
    version(env!("CARGO_BIN_EXE_leasewatch").as_ref());
    if let Some(peer) = peer("VAULT_AUDIT", "vault-audit") {
        let mut command = on_one_core(&peer);
        command.arg("token-analysis").arg(&big);
        table.compare("vault-audit token-analysis", own(), command, count, RUNS, 2.5);
    }
    if let Some(peer) = peer("MTAIL", "mtail") {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/four-counters.mtail");
        let mut command = on_one_core(&peer);
        command.args(["--one_shot", "--logtostderr", "--progs", program, "--logs"]).arg(&big);
        table.compare("mtail, four counters", own(), command, count, 1, 30.0);
    }
    if let Some(peer) = variable("LIMIT") {
        let mut command = on_one_core(&peer);
        command.arg(&big);
        let name = "a typed decode of the same fields by sonic-rs, and nothing else";
        table.compare(name, own(), command, count, RUNS, 0.6);
    }
    let alone = processor_time_of(&mut own());
    threads(&mut table, place.path(), &big);
    checkpoint(&mut table, &audit);
    backlog(&mut table, place.path(), &big, count, alone);
    std::fs::remove_file(&big).unwrap();
    memory_and_idling(&mut table, place.path(), &audit, &server, None);
    // A port that was free a moment ago: nobody answers there.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    memory_and_idling(&mut table, place.path(), &audit, &server, Some(&format!("http://{dead}")));
    page(&mut table, place.path());
    std::process::exit(table.print());
}

/// More threads against one, and compressed input against plain; by the clock, since that is the point.
fn threads(table: &mut Table, place: &Path, big: &Path) {
    let by_clock = |threads: &str, log: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasewatch"));
        command.args(["analyze", "--format", "prom", "--threads", threads]).arg(log);
        let began = Instant::now();
        let output = command.output().unwrap();
        assert!(output.status.success());
        (began.elapsed(), output.stdout)
    };
    let packed = place.join("big.log.zst");
    zstd::stream::copy_encode(File::open(big).unwrap(), File::create(&packed).unwrap(), 3).unwrap();
    let mut ratios = Vec::new();
    let mut packed_ratios = Vec::new();
    let mut peer_ratios = Vec::new();
    let peer = duckdb();
    for _ in 0..RUNS {
        let (one, expected) = by_clock("1", big);
        let (two, got) = by_clock("2", big);
        assert!(got == expected, "two threads came to something else than one");
        let (packed_two, got) = by_clock("2", &packed);
        assert!(got == expected, "compressed lines came to something else than plain ones");
        let began = Instant::now();
        let unpacked =
            Command::new("zstd").args(["-dqc"]).arg(&packed).stdout(std::process::Stdio::null()).status();
        assert!(unpacked.unwrap().success());
        let slowest = two.max(began.elapsed());
        ratios.push(one.as_secs_f64() / two.as_secs_f64());
        packed_ratios.push(slowest.as_secs_f64() / packed_two.as_secs_f64());
        if let Some(python) = &peer {
            let began = Instant::now();
            assert!(again(python).arg(DUCKDB).arg(big).output().unwrap().status.success());
            peer_ratios.push(began.elapsed().as_secs_f64() / two.as_secs_f64());
        }
    }
    table.at_least(&format!("times as fast on two threads as on one, median of {RUNS}"), median(ratios), 1.8);
    table.at_least(
        &format!(
            "of the rate of plain input on two threads, or of zstd -d, with .zst input, median of {RUNS}"
        ),
        median(packed_ratios),
        0.85,
    );
    if peer.is_some() {
        table.at_least(
            &format!(
                "times as fast on two threads as DuckDB counting by path and outcome on two, median of {RUNS}"
            ),
            median(peer_ratios),
            1.0,
        );
    }
    let script = r#"TIMEFORMAT=; /usr/bin/env time -f %M "$@" 2>&1 >/dev/null | tail -1"#;
    let mut command = Command::new("bash");
    command
        .args(["-c", script, "bash", env!("CARGO_BIN_EXE_leasewatch"), "analyze", "--threads", "2"])
        .arg(&packed);
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    table.at_most(
        "MB of memory at most, for a gigabyte of .zst on two threads",
        said.trim().parse::<f64>().unwrap() / 1e3,
        300.0,
    );
    std::fs::remove_file(&packed).unwrap();
}

/// The program of the peer: who asked for what and whether it worked, of every answer.
const DUCKDB: &str = "
import duckdb, sys
db = duckdb.connect(config={'threads': 2})
db.sql(\"\"\"
    select request.mount_point, request.path, error is null as ok, count(*)
    from read_ndjson(?, columns={type: 'VARCHAR', error: 'VARCHAR',
        request: 'STRUCT(mount_point VARCHAR, path VARCHAR)'}, maximum_object_size=33554432)
    where type = 'response' group by all\"\"\", params=[sys.argv[1]]).fetchall()
";

/// Python with the folder of `DuckDB`, by environment variable; it is said when there is none.
fn duckdb() -> Option<Command> {
    let folder = variable("DUCKDB")?;
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", folder).arg("-c");
    let output = again(&python).arg("import duckdb; print('DuckDB', duckdb.__version__)").output().ok()?;
    print!("{}", String::from_utf8_lossy(&output.stdout));
    output.status.success().then_some(python)
}

/// The same command once more.
fn again(command: &Command) -> Command {
    let mut again = Command::new(command.get_program());
    again.args(command.get_args());
    again.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    again
}

/// How long the reading stops for a checkpoint: the time that it takes to write the state as JSON.
fn checkpoint(table: &mut Table, audit: &Path) {
    let archive = Archive::new(vec![source::Input::File(audit.to_owned())], 32 << 20).unwrap();
    let input = Input::new("audit", Lines::Log(LogKind::Audit), Box::new(archive));
    let mut pipeline = Pipeline::new(Limits { label_sets: 10_000, ..Limits::default() }, vec![input]);
    let end = Timestamp::from_nanos(i64::MAX);
    while pipeline.run(Instant::now(), Timestamp::MIN, end, 10_000) != Progress::Done {}
    let mut times = Vec::new();
    let mut size = 0;
    for _ in 0..20 {
        let began = Instant::now();
        size = pipeline.save().unwrap().bytes().len();
        times.push(began.elapsed());
    }
    table.note("kB of checkpoint with the corpus read", size as f64 / 1e3);
    table.note("ms that the reading stops for it, median of 20", median(times).as_secs_f64() * 1e3);
}

/// Time of a page while a backlog is read.
fn backlog(table: &mut Table, place: &Path, big: &Path, count: u32, analyze: Duration) {
    let state = place.join("state-backlog");
    let leasewatch = Leasewatch::start(["--audit-log", text(big), "--state-dir", text(&state)], &[]);
    let mut times = Vec::new();
    let began = Instant::now();
    loop {
        let asked = Instant::now();
        let page = leasewatch.get("/metrics").unwrap();
        let took = asked.elapsed();
        assert_eq!(page.status, 200);
        let page = support::Metrics::parse(&page.text());
        if page.sum("leasewatch_log_lines_total", &[]) >= f64::from(count) {
            break;
        }
        assert!(page.sum("leasewatch_catching_up", &[]) > 0.0);
        times.push(took);
        std::thread::sleep(Duration::from_millis(20));
    }
    let rate = analyze.as_secs_f64() / began.elapsed().as_secs_f64();
    table.at_least(
        "of the rate of analyze on one thread, for a backlog of serve with pages asked for all the while",
        rate,
        0.6,
    );
    table.note("pages asked for while the backlog was read", times.len() as f64);
    let longest = times.iter().max().copied().unwrap();
    table.at_most("ms for the slowest of them", longest.as_secs_f64() * 1e3, 100.0);
    table.note("ms for one of them, median", median(times).as_secs_f64() * 1e3);
}

/// Resident memory with the corpus read, and processor time with nothing to read;
/// with or without a Vault to scrape.
fn memory_and_idling(table: &mut Table, place: &Path, audit: &Path, server: &Path, vault: Option<&str>) {
    let lines = u32::try_from(BufReader::new(File::open(audit).unwrap()).lines().count()).unwrap();
    let state = place.join(if vault.is_some() { "state-vault" } else { "state" });
    let mut arguments =
        vec!["--audit-log", text(audit), "--server-log", text(server), "--state-dir", text(&state)];
    arguments.extend(vault.iter().flat_map(|address| ["--vault.address", address]));
    let with = if vault.is_some() { ", a Vault that does not answer" } else { "" };
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
    table.at_most(&format!("MB resident with the corpus read{with}"), kilobytes("VmRSS:") / 1_000.0, 40.0);
    table.note("MB resident at most", kilobytes("VmHWM:") / 1_000.0);
    let (before, since) = (processor_time(leasewatch.id()), Instant::now());
    std::thread::sleep(Duration::from_secs(60));
    let used = processor_time(leasewatch.id()).checked_sub(before).unwrap();
    let share = used.as_secs_f64() / since.elapsed().as_secs_f64();
    table.at_most(&format!("% of a core when idle, over 60 s{with}"), 100.0 * share, 0.5);
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
    let times: Vec<_> = (0..20)
        .map(|_| {
            let asked = Instant::now();
            assert_eq!(leasewatch.get("/metrics").unwrap().status, 200);
            asked.elapsed()
        })
        .collect();
    (page.series.len(), median(times))
}

/// The results, each with the bound that it has to keep.
#[derive(Default)]
struct Table {
    text: String,
    missed: u32,
}

impl Table {
    /// Runs both in turn, so often; how many times as fast we are is the median over the pairs.
    fn compare(
        &mut self,
        name: &str,
        mut own: Command,
        mut peer: Command,
        lines: u32,
        runs: usize,
        bound: f64,
    ) {
        processor_time_of(&mut own);
        let pairs: Vec<_> =
            (0..runs).map(|_| (processor_time_of(&mut own), processor_time_of(&mut peer))).collect();
        let ratios: Vec<_> = pairs.iter().map(|(own, peer)| peer.as_secs_f64() / own.as_secs_f64()).collect();
        let ratio = median(ratios);
        let (own, peer): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        for (name, took) in [("leasewatch analyze", median(own)), (name, median(peer))] {
            let rate = f64::from(lines) / took.as_secs_f64();
            writeln!(self.text, "{rate:>12.0}  lines/s, {name} ({:.2} s)", took.as_secs_f64()).unwrap();
        }
        self.at_least(&format!("times as fast as {name}, median of {runs}"), ratio, bound);
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

/// Copies of a log one after the other, each an hour later and with requests and leases of its own,
/// the last of them in the hours just gone by; how many lines.
fn multiply(log: &Path, to: &Path) -> u32 {
    let first = BufReader::new(File::open(log).unwrap()).lines().next().unwrap().unwrap();
    let began: jiff::Timestamp = first.split('"').nth(3).unwrap().parse().unwrap();
    // It lasts less than an hour.
    let before = jiff::Timestamp::now().duration_since(began).as_hours() - i64::from(COPIES) - 1;
    let mut out = BufWriter::new(File::create(to).unwrap());
    let mut count = 0;
    for copy in 0..COPIES {
        for line in BufReader::new(File::open(log).unwrap()).lines() {
            let line = line.unwrap();
            out.write_all(shift(&line, copy, before + i64::from(copy)).as_bytes()).unwrap();
            out.write_all(b"\n").unwrap();
            count += 1;
        }
    }
    out.flush().unwrap();
    count
}

/// A line of copy number `copy`: moved by `hours`, another request, another lease, of the same length.
fn shift(line: &str, copy: u32, hours: i64) -> String {
    let mut line = line.to_string();
    let digits = format!("{copy:04x}");
    if let Some(at) = line.find("\"time\":\"").map(|at| at + 8) {
        let end = at + line[at..].find('"').unwrap();
        let time: jiff::Timestamp = line[at..end].parse().unwrap();
        let later = time + jiff::SignedDuration::from_hours(hours);
        line.replace_range(at..end, &later.to_string());
    }
    // The request's ID begins and the lease's own part of a lease ID begins with the number.
    // A hash of a lease stays what it is.
    for (key, own_part) in [("\"request\":{\"id\":\"", false), ("\"secret\":{\"lease_id\":\"", true)] {
        let Some(start) = line.find(key).map(|at| at + key.len()) else { continue };
        let end = start + line[start..].find('"').unwrap();
        let from = line[start..end].rfind('/').filter(|_| own_part).map_or(start, |slash| start + slash + 1);
        if end - from > digits.len() {
            line.replace_range(from..from + digits.len(), &digits);
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

/// The middle one; of an even number the upper.
fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values[values.len() / 2]
}

/// Prints what a program says of its version.
fn version(program: &Path) {
    let output = Command::new(program).arg("--version").output().unwrap();
    println!("{}", String::from_utf8_lossy(&output.stdout).trim());
}

/// A program by environment variable; it is said when it is not there.
fn variable(name: &str) -> Option<PathBuf> {
    let program = std::env::var_os(name).map(PathBuf::from);
    if program.is_none() {
        println!("{name} is not set, and what it names not compared with: run scripts/bench");
    }
    program
}

/// A peer, by environment variable or in PATH; it is said when it is not there.
fn peer(variable: &str, name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::var_os(variable)
        .map(PathBuf::from)
        .or_else(|| std::env::split_paths(&path).map(|dir| dir.join(name)).find(|path| path.is_file()));
    if let Some(program) = &found {
        version(program);
    } else {
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
