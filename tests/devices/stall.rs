//! A disk that is full: whoever sends is not held up, what there is no room for is counted, and
//! what had room counts once there is space again.

use crate::sender::{Sender, WRITE_TIMEOUT, post};
use crate::support::{Leasewatch, free_port, lines};
use std::time::Instant;

/// More than the buffer in memory takes, in lines of 1.9 KB.
const LINES: u64 = 24_000;

#[test]
fn a_full_disk_holds_up_nobody_and_every_line_is_counted_or_dropped() {
    let (tcp, http) = (free_port(), free_port());
    let leasewatch = Leasewatch::start_on_small_disk([
        "--max-line-bytes",
        "8192",
        "--audit-log",
        &format!("tcp=tcp://127.0.0.1:{tcp}"),
        "--audit-log",
        &format!("http=http://127.0.0.1:{http}/"),
    ]);
    let mut sender = Sender::tcp(tcp);
    sender.send(&lines::issued(0, "app")).unwrap();
    let issued = |page: &crate::support::Metrics| page.sum("leasewatch_credentials_issued_total", &[]);
    let first = leasewatch.metrics_when("the first line", |page| {
        if issued(page) == 1.0 { Ok(()) } else { Err(format!("{}", issued(page))) }
    });
    assert_eq!(first.sum("leasewatch_receiver_dropped_total", &[]), 0.0);

    let ballast = leasewatch.on_small_disk("ballast");
    // As much as there is room for; the rest is refused.
    let full = std::fs::write(&ballast, vec![0; 80 << 20]).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);

    for number in 1..LINES {
        sender.send(&lines::issued(number, "app")).unwrap();
    }
    println!("longest write of {LINES} lines to a full disk: {:?}", sender.longest);
    assert!(sender.longest < WRITE_TIMEOUT, "a write took {:?}", sender.longest);
    // The server is told, after a bounded wait, that this is not written.
    let began = Instant::now();
    assert_eq!(post(http, "/", &lines::issued(LINES, "app"), &[]).unwrap(), 503);
    println!("a POST to a full disk was answered after {:?}", began.elapsed());
    assert!(leasewatch.get("/").unwrap().text().contains("make room in the state folder"));

    std::fs::remove_file(&ballast).unwrap();
    let page = leasewatch.metrics_when("each line is counted or dropped", |page| {
        let dropped = page.sum("leasewatch_receiver_dropped_total", &[("reason", "unwritable")]);
        let issued = issued(page);
        if issued + dropped == LINES as f64 + 1.0 { Ok(()) } else { Err(format!("{issued} and {dropped}")) }
    });
    let dropped = page.sum("leasewatch_receiver_dropped_total", &[]);
    println!("dropped: {dropped} of {LINES}");
    assert!(page.sum("leasewatch_log_gaps_total", &[("source", "tcp")]) >= 1.0);
    assert!(dropped > 0.0 && dropped < LINES as f64 / 2.0);
    assert!(!leasewatch.get("/").unwrap().text().contains("make room in the state folder"));
}
