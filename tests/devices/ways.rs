//! Every way in: each line counts once, however it comes and however often.

use crate::sender::{Sender, post};
use crate::support::http::Request;
use crate::support::{Leasewatch, Metrics, NeverFalls, free_port, lines};
use std::io::Write as _;
use std::time::Duration;

fn issued(page: &Metrics, role: &str) -> f64 {
    page.sum("leasewatch_credentials_issued_total", &[("role", role)])
}

fn dropped(page: &Metrics, reason: &str) -> f64 {
    page.sum("leasewatch_receiver_dropped_total", &[("reason", reason)])
}

/// Waits until so many credentials of a role were issued.
fn until(leasewatch: &Leasewatch, role: &str, times: u64) -> Metrics {
    leasewatch.metrics_when(&format!("{times} of {role}"), |page| {
        let found = issued(page, role);
        if found == times as f64 { Ok(()) } else { Err(format!("{found} of {role} are counted")) }
    })
}

#[test]
fn lines_come_in_by_every_way_and_outlive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (tcp, udp, http) = (free_port(), free_port(), free_port());
    let (unix, unixgram) = (dir.path().join("a.sock"), dir.path().join("b.sock"));
    let mut leasewatch = Leasewatch::start(
        [
            "--state-dir",
            dir.path().join("state").to_str().unwrap(),
            "--audit-log",
            &format!("tcp=tcp://127.0.0.1:{tcp}"),
            "--audit-log",
            &format!("udp=udp://127.0.0.1:{udp}"),
            "--audit-log",
            &format!("http=http://127.0.0.1:{http}/audit"),
            "--audit-log",
            &format!("unix=unix://{}", unix.display()),
            "--audit-log",
            &format!("unixgram=unixgram://{}", unixgram.display()),
        ],
        &[],
    );
    let mut watch = NeverFalls::default();
    for round in 0..2_u64 {
        // Two nodes by one address.
        let (mut node, mut other) = (Sender::tcp(tcp), Sender::tcp(tcp));
        let (mut datagrams, mut stream) = (Sender::udp(udp), Sender::unix(&unix));
        let mut local = Sender::unixgram(&unixgram);
        for number in round * 100..(round + 1) * 100 {
            let line = |way: u64, role: &str| lines::issued(way * 100_000 + number, role);
            // Cut in the middle, by two writes each.
            for (sender, way) in [(&mut node, 1), (&mut other, 2)] {
                let line = line(way, "tcp");
                let (front, back) = line.split_at(usize::try_from(number * 7).unwrap() % line.len());
                sender.send(front).unwrap();
                sender.send(back).unwrap();
            }
            datagrams.send(&line(3, "udp")).unwrap();
            stream.send(&line(4, "unix")).unwrap();
            local.send(&line(5, "unixgram")).unwrap();
            assert_eq!(post(http, "/audit", &line(6, "http"), &[]).unwrap(), 200);
        }
        let all = (round + 1) * 100;
        for role in ["udp", "unix", "unixgram", "http"] {
            watch.page(&until(&leasewatch, role, all));
        }
        let page = until(&leasewatch, "tcp", all * 2);
        watch.page(&page);
        assert_eq!(page.value("leasewatch_receiver_connections", &[("source", "tcp")]), Some(2.0));
        assert!(
            page.value("leasewatch_receiver_last_line_timestamp_seconds", &[("source", "udp")]).is_some()
        );
        assert_eq!(page.sum("leasewatch_receiver_dropped_total", &[]), 0.0);
        let overview = leasewatch.get("/").unwrap().text();
        assert!(overview.contains(&format!("tcp://127.0.0.1:{tcp}")) && overview.contains("connections: 2;"));
        // Each time that nobody received, lines may have been lost, and somebody has to know.
        let gaps = |page: &Metrics| page.value("leasewatch_log_gaps_total", &[("source", "unix")]);
        assert_eq!(gaps(&page), Some(round as f64));
        leasewatch.kill9();
        leasewatch.restart();
        leasewatch.metrics_when("a gap of every receiver", |page| {
            if page.sum("leasewatch_log_gaps_total", &[]) == (round as f64 + 1.0) * 5.0 {
                Ok(())
            } else {
                Err(page.lines("leasewatch_log_gaps_total"))
            }
        });
    }
    watch.page(&until(&leasewatch, "tcp", 400));
    leasewatch.stop();
    assert!(!unix.exists() && !unixgram.exists(), "the sockets go with their process");
}

#[test]
fn what_is_sent_again_or_stands_in_a_file_too_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let (tcp, file) = (free_port(), dir.path().join("audit.log"));
    let leasewatch = Leasewatch::start(
        [
            "--state-dir",
            dir.path().join("state").to_str().unwrap(),
            "--audit-log",
            &format!("tcp=tcp://127.0.0.1:{tcp}"),
            "--audit-log",
            file.to_str().unwrap(),
        ],
        &[],
    );
    let mut file = std::fs::File::create(file).unwrap();
    for number in 0..50 {
        let line = lines::issued(number, "app");
        file.write_all(line.as_bytes()).unwrap();
        // As a device does whose connection breaks while it writes: the whole again over another one.
        Sender::tcp(tcp).send(&line[..900]).unwrap();
        let mut sender = Sender::tcp(tcp);
        sender.send(&line).unwrap();
        sender.send(&line).unwrap();
    }
    // The last line of a connection may be without its end.
    Sender::tcp(tcp).send(lines::issued(50, "app").trim_end()).unwrap();
    let page = until(&leasewatch, "app", 51);
    assert_eq!(dropped(&page, "cut"), 50.0);
    let page = leasewatch.metrics_when("all lines", |page| {
        let read = page.value("leasewatch_log_lines_total", &[("source", "tcp")]);
        if read == Some(101.0) { Ok(()) } else { Err(format!("{read:?}")) }
    });
    assert_eq!(issued(&page, "app"), 51.0);
    assert_eq!(page.sum("leasewatch_log_unreadable_total", &[]), 0.0);
}

#[test]
fn syslog_is_read_in_each_of_its_forms() {
    let dir = tempfile::tempdir().unwrap();
    let (tcp, udp) = (free_port(), free_port());
    let leasewatch = Leasewatch::start(
        [
            "--state-dir",
            dir.path().join("state").to_str().unwrap(),
            "--audit-log",
            &format!("tcp=tcp://127.0.0.1:{tcp}"),
            "--audit-log",
            &format!("udp=udp://127.0.0.1:{udp}"),
        ],
        &[],
    );
    let (mut stream, mut datagrams) = (Sender::tcp(tcp), Sender::udp(udp));
    // Nobody but leasewatch can say that lines were lost.
    stream.send("\u{1e}\u{1e}lost\n").unwrap();
    for number in 0..20 {
        let line = |way: u64| lines::issued(way * 1000 + number, "app");
        let rfc3164 = |way| format!("<38>Dec  1 02:03:04 host vault[7]: {}", line(way));
        let rfc5424 = |way| {
            format!(
                "<38>1 2026-12-01T02:03:04.000001Z host vault 7 - [meta@1 a=\"{{\"] {}",
                line(way).trim_end()
            )
        };
        datagrams.send(&rfc3164(1)).unwrap();
        datagrams.send(&rfc5424(2)).unwrap();
        stream.send(&rfc3164(3)).unwrap();
        let counted = rfc5424(4);
        stream.send(&format!("{} {counted}", counted.len())).unwrap();
    }
    let page = until(&leasewatch, "app", 80);
    assert_eq!(page.sum("leasewatch_log_unreadable_total", &[]), 1.0);
    assert_eq!(page.sum("leasewatch_log_gaps_total", &[]), 0.0);
}

#[test]
fn what_was_acknowledged_outlives_every_kill() {
    let dir = tempfile::tempdir().unwrap();
    let http = free_port();
    let mut leasewatch = Leasewatch::start(
        [
            "--state-dir",
            dir.path().to_str().unwrap(),
            "--checkpoint.interval",
            "1s",
            "--audit-log",
            &format!("http://127.0.0.1:{http}/"),
        ],
        &[],
    );
    for number in 0..300 {
        let line = lines::issued(number, "app");
        if number % 60 == 59 {
            leasewatch.kill9();
            leasewatch.restart();
        }
        assert_eq!(post(http, "/", &line, &[]).unwrap(), 200);
        if number % 100 == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    leasewatch.kill9();
    leasewatch.restart();
    until(&leasewatch, "app", 300);
}

#[test]
fn a_reload_lets_go_of_no_connection_and_loses_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let (port, other) = (free_port(), free_port());
    let file = dir.path().join("leasewatch.toml");
    let configure = |port: u16, more: &str| {
        let state = dir.path().join("state");
        let text = format!("state_dir = {state:?}\naudit_log = [\"tcp=tcp://127.0.0.1:{port}\"]\n{more}");
        std::fs::write(&file, text).unwrap();
    };
    configure(port, "");
    let leasewatch = Leasewatch::start(["--config.file", file.to_str().unwrap()], &[]);
    let reload = || {
        let reply = Request::new("POST", "/-/reload").send(leasewatch.port()).unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    };
    let mut sender = Sender::tcp(port);
    let mut send = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            sender.send(&lines::issued(number, "app")).unwrap();
        }
    };
    send(0..50);
    let before = until(&leasewatch, "app", 50);
    configure(port, "[labels]\nbudget = 900\n");
    reload();
    send(50..100);
    let page = until(&leasewatch, "app", 100);
    assert_eq!(page.value("leasewatch_receiver_connections", &[("source", "tcp")]), Some(1.0));
    for metric in ["leasewatch_log_gaps_total", "leasewatch_receiver_dropped_total"] {
        assert_eq!(page.sum(metric, &[]), before.sum(metric, &[]), "{metric}");
    }
    // Another address: there, and no more at the one before.
    configure(other, "");
    reload();
    Sender::tcp(other).send(&lines::issued(200, "app")).unwrap();
    until(&leasewatch, "app", 101);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
