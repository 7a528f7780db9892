//! Every audit device that `OpenBao` offers beside files, from a real server; and what it does
//! while nobody takes what it sends.

use crate::support::{Bao, BaoOptions, Leasewatch, Metrics, analyze, free_port};
use rustix::process::Signal;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Requests that each test makes.
const REQUESTS: usize = 40;

/// A device, where leasewatch receives what it sends, and the server's stanza.
struct Device {
    address: String,
    stanza: String,
    run: Option<PathBuf>,
    dir: TempDir,
}

impl Device {
    fn new(name: &'static str) -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-device-").tempdir().unwrap();
        let port = free_port();
        let socket = dir.path().join("s");
        let path = socket.display();
        let (address, kind, options) = match name {
            "tcp" => {
                let options =
                    format!(r#"address = "127.0.0.1:{port}", socket_type = "tcp", write_timeout = "200ms""#);
                (format!("tcp://127.0.0.1:{port}"), "socket", options)
            }
            "udp" => {
                let options =
                    format!(r#"address = "127.0.0.1:{port}", socket_type = "udp", write_timeout = "200ms""#);
                (format!("udp://127.0.0.1:{port}"), "socket", options)
            }
            "unix" => (
                format!("unix://{path}"),
                "socket",
                format!(r#"address = "{path}", socket_type = "unix", write_timeout = "200ms""#),
            ),
            "unixgram" => (
                format!("unixgram://{path}"),
                "socket",
                format!(r#"address = "{path}", socket_type = "unixgram", write_timeout = "200ms""#),
            ),
            "http" => {
                (format!("http://127.0.0.1:{port}/"), "http", format!(r#"uri = "http://127.0.0.1:{port}/""#))
            }
            "syslog" => {
                let run = dir.path().join("run");
                std::fs::create_dir(&run).unwrap();
                (
                    format!("unixgram://{}", run.join("syslog").display()),
                    "syslog",
                    r#"tag = "bao""#.to_owned(),
                )
            }
            other => panic!("{other} is no device"),
        };
        let stanza = format!(
            "audit \"{kind}\" \"received\" {{\n  options = {{ {options}, skip_test = \"true\" }}\n}}\n"
        );
        let run = (name == "syslog").then(|| dir.path().join("run"));
        Self { address, stanza, run, dir }
    }

    fn leasewatch(&self) -> Leasewatch {
        let state = self.dir.path().join("state");
        let log = format!("received={}", self.address);
        Leasewatch::start(["--state-dir", state.to_str().unwrap(), "--audit-log", &log], &[])
    }

    fn bao(&self) -> Bao {
        Bao::start_with(&BaoOptions {
            extra: self.stanza.clone(),
            run: self.run.clone(),
            ..BaoOptions::default()
        })
    }
}

/// The longest of so many requests, each of which has to succeed.
fn ask(bao: &Bao, times: usize) -> Duration {
    let mut longest = Duration::ZERO;
    for _ in 0..times {
        let began = Instant::now();
        let reply = bao.root_call("GET", "sys/mounts").send();
        assert_eq!(reply.status, 200, "{}", reply.text());
        longest = longest.max(began.elapsed());
    }
    longest
}

fn requests(page: &Metrics) -> f64 {
    page.sum("leasewatch_requests_total", &[])
}

/// The device gives what the file gives.
fn tells_all(name: &'static str) {
    let device = Device::new(name);
    let leasewatch = device.leasewatch();
    let bao = device.bao();
    let longest = ask(&bao, REQUESTS);
    println!("{name}: the longest of {REQUESTS} requests took {longest:?}");
    let all = requests(&analyze([bao.audit_log()]));
    assert!(all >= REQUESTS as f64);
    let page = leasewatch.metrics_when("every request of the file", |page| {
        if requests(page) == all { Ok(()) } else { Err(format!("{} of {all}", requests(page))) }
    });
    assert_eq!(page.sum("leasewatch_receiver_dropped_total", &[]), 0.0);
    assert_eq!(page.sum("leasewatch_log_unreadable_total", &[]), 0.0);
}

#[test]
fn the_socket_device_over_tcp_tells_all() {
    tells_all("tcp");
}

#[test]
fn the_socket_device_over_udp_tells_all() {
    tells_all("udp");
}

#[test]
fn the_socket_device_over_a_unix_stream_tells_all() {
    tells_all("unix");
}

#[test]
fn the_socket_device_over_unix_datagrams_tells_all() {
    tells_all("unixgram");
}

#[test]
fn the_http_device_tells_all() {
    tells_all("http");
}

#[test]
fn the_syslog_device_tells_all_to_a_socket_in_place_of_the_daemon() {
    tells_all("syslog");
}

/// leasewatch is killed, away, and back.
fn comes_back(name: &'static str, may_lose: f64) {
    let device = Device::new(name);
    let mut leasewatch = device.leasewatch();
    let bao = device.bao();
    ask(&bao, REQUESTS);
    let before = requests(&analyze([bao.audit_log()]));
    leasewatch.metrics_when("every request so far", |page| {
        if requests(page) == before { Ok(()) } else { Err(format!("{} of {before}", requests(page))) }
    });
    leasewatch.kill9();
    let away = ask(&bao, REQUESTS);
    leasewatch.restart();
    let back = ask(&bao, REQUESTS);
    println!("{name}: longest request while leasewatch is gone {away:?}, after it came back {back:?}");
    // What was sent to nobody is lost; what came before and after counts.
    let expected = before + REQUESTS as f64 - may_lose;
    leasewatch.metrics_when("what came before and after", |page| {
        let found = requests(page);
        if (expected..=expected + may_lose + 1.0).contains(&found) {
            Ok(())
        } else {
            Err(format!("{found}, not {expected} to {}", expected + may_lose + 1.0))
        }
    });
}

#[test]
fn the_socket_device_over_tcp_comes_back() {
    comes_back("tcp", 1.0);
}

#[test]
fn the_socket_device_over_a_unix_stream_comes_back() {
    comes_back("unix", 0.0);
}

#[test]
fn the_http_device_comes_back() {
    comes_back("http", 0.0);
}

#[test]
fn the_syslog_device_comes_back() {
    comes_back("syslog", 0.0);
}

/// leasewatch stands still, as when the machine is out of memory or somebody debugs it: the server goes
/// on, with the file beside, and waits no longer than its device may.
fn stands_still(name: &'static str, times: usize) {
    let device = Device::new(name);
    let mut leasewatch = device.leasewatch();
    let bao = device.bao();
    ask(&bao, 5);
    leasewatch.signal(Signal::STOP);
    let began = Instant::now();
    let longest = ask(&bao, times);
    println!(
        "{name}: {times} requests while leasewatch is stopped: longest {longest:?}, all {:?}",
        began.elapsed()
    );
    leasewatch.signal(Signal::CONT);
    ask(&bao, 5);
    leasewatch.metrics_when("the first and the last requests", |page| {
        if requests(page) >= 10.0 { Ok(()) } else { Err(format!("{}", requests(page))) }
    });
}

#[test]
fn the_server_goes_on_while_what_it_sends_over_tcp_is_not_read() {
    stands_still("tcp", 1_500);
}

#[test]
fn the_server_goes_on_while_what_it_sends_over_a_unix_stream_is_not_read() {
    stands_still("unix", 400);
}

#[test]
fn the_server_goes_on_while_what_it_sends_to_syslog_is_not_read() {
    stands_still("syslog", 400);
}

#[test]
fn the_http_device_alone_waits_for_as_long_as_leasewatch_stands_still() {
    let device = Device::new("http");
    let mut leasewatch = device.leasewatch();
    let bao = device.bao();
    ask(&bao, 5);
    leasewatch.signal(Signal::STOP);
    // As docs/devices.md warns: this device has no limit of its own.
    let asked = bao.root_call("GET", "sys/mounts").timeout(Duration::from_secs(5)).try_send();
    println!("http: while leasewatch is stopped, after 5 s: {asked:?}");
    leasewatch.signal(Signal::CONT);
    assert!(asked.is_err(), "OpenBao does better than documented: change docs/devices.md");
    ask(&bao, 5);
}
