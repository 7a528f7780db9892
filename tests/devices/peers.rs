//! Slow and hostile peers: each costs itself alone.

use crate::sender::{Sender, post};
use crate::support::leasewatch::run;
use crate::support::{Leasewatch, free_port, lines};

#[test]
fn hostile_peers_cost_themselves_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (tcp, http) = (free_port(), free_port());
    let leasewatch = Leasewatch::start(
        [
            "--state-dir",
            dir.path().join("state").to_str().unwrap(),
            "--max-line-bytes",
            "8192",
            "--audit-log",
            &format!("tcp=tcp://127.0.0.1:{tcp}"),
            "--audit-log",
            &format!("http=http://127.0.0.1:{http}/"),
        ],
        &[],
    );
    let mut good = Sender::tcp(tcp);
    good.send(&lines::issued(0, "app")).unwrap();
    // No end of a line, ever; and a line that is too long, with a good one behind.
    let mut endless = Sender::tcp(tcp);
    endless.send(&"x".repeat(1 << 20)).unwrap();
    let mut long = Sender::tcp(tcp);
    long.send(&format!("{}\n{}", "y".repeat(20_000), lines::issued(1, "app"))).unwrap();
    // A page in a browser can be made to send a form anywhere; its body may be an entry.
    let forged = lines::issued(2, "forged");
    assert!(post(tcp, "/", &forged, &[]).is_err());
    assert_eq!(post(http, "/", &forged, &[("Origin", "http://evil.example")]).unwrap(), 403);
    assert_eq!(post(http, "/other", &forged, &[]).unwrap(), 404);
    // The answer may be lost, as the connection ends before the body is sent.
    assert!(post(http, "/", &"z".repeat(20_000), &[]).map_or(true, |status| status == 413));
    // More connections than there is room for: the ones that were there stay.
    let crowd: Vec<_> = (0..200).map(|_| Sender::tcp(tcp)).collect();
    good.send(&lines::issued(3, "app")).unwrap();
    let page = leasewatch.metrics_when("all that is good", |page| {
        let issued = page.sum("leasewatch_credentials_issued_total", &[("role", "app")]);
        let refused =
            page.sum("leasewatch_receiver_dropped_total", &[("source", "tcp"), ("reason", "refused")]);
        if issued == 3.0 && refused == 75.0 + 1.0 {
            Ok(())
        } else {
            Err(format!("{issued} issued, {refused} refused"))
        }
    });
    assert_eq!(page.value("leasewatch_receiver_connections", &[("source", "tcp")]), Some(128.0));
    assert_eq!(
        page.sum("leasewatch_receiver_dropped_total", &[("source", "tcp"), ("reason", "too_long")]),
        2.0
    );
    assert_eq!(
        page.sum("leasewatch_receiver_dropped_total", &[("source", "http"), ("reason", "too_long")]),
        1.0
    );
    assert_eq!(page.sum("leasewatch_credentials_issued_total", &[("role", "forged")]), 0.0);
    drop(crowd);
}

#[test]
fn an_address_of_all_needs_a_list_of_those_who_may() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().to_str().unwrap();
    let check = |more: &[&str]| {
        let mut arguments = vec!["check-config", "--state-dir", state];
        arguments.extend(more);
        let output = run(arguments);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, text) = check(&["--audit-log", "tcp://0.0.0.0:0"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("receive.allow"), "{text}");
    let (code, text) = check(&["--audit-log", "tcp://0.0.0.0:0", "--receive.allow", "10.0.0.0/8"]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("can forge this log") && text.contains("allow = [\"10.0.0.0/8\"]"), "{text}");
    let (code, text) = check(&["--audit-log", "unix:///nowhere/audit.sock"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("Make the folder of the socket"), "{text}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, text) = check(&["--audit-log", &format!("tcp://{}", taken.local_addr().unwrap())]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("is taken"), "{text}");
}
