//! From another machine: which ports it finds, what is answered to it there, and whose lines are taken. The machines are
//! network namespaces of the test's own, so that every port is free and every address is real.

use crate::support::http::Request;
use crate::support::machines::{
    INSIDE, Machine, OUTSIDE, connect, datagram_ports, send_datagram, two_machines,
};
use crate::support::process::{Process, command};
use crate::support::{Metrics, eventually, lines};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

/// Where `serve` listens unless told.
const PORT: u16 = 9748;

/// Pages that name nobody: whoever reaches the port may have them.
const FOR_ALL: [&str; 4] = ["/metrics", "/ready", "/live", "/docs"];

/// `serve` with nothing but what it has to be told, once it answers on its own machine.
fn serve(folder: &Path, more: &[&str]) -> Process {
    let log = folder.join("audit.log");
    std::fs::write(&log, lines::issued(0, "before")).unwrap();
    let mut command = command(Path::new(env!("CARGO_BIN_EXE_leasewatch")));
    command.arg("serve").arg("--audit-log").arg(log).arg("--state-dir").arg(folder.join("state")).args(more);
    let mut serving = Process::start("leasewatch", &mut command, &folder.join("leasewatch.log"));
    eventually("it is ready", Duration::from_secs(60), || {
        assert!(serving.exited().is_none(), "{}", serving.output());
        let reply = Request::new("GET", "/ready").send(PORT).map_err(|error| error.to_string())?;
        if reply.status == 200 { Ok(()) } else { Err(reply.text()) }
    });
    serving
}

/// Status and body of an answer over HTTP/1.0, between any two addresses.
fn ask(from: &str, to: &str, port: u16, head: &str, body: &str) -> Result<(u16, String), String> {
    let talk = || -> std::io::Result<String> {
        let mut stream = connect(from, to, port)?;
        write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = talk().map_err(|error| error.to_string())?;
    let status = answer.split(' ').nth(1).and_then(|word| word.parse().ok());
    status.map(|status| (status, answer.clone())).ok_or_else(|| format!("no answer: {answer:?}"))
}

/// Paths of all pages there are, by the program's own table.
fn pages() -> Vec<&'static str> {
    let table = include_str!("../../src/exposition/http.rs");
    let routes = table.split(".route(\"").skip(1);
    let found: Vec<_> = routes.map(|route| route.split_once('"').unwrap().0).collect();
    assert!(found.len() >= FOR_ALL.len() && FOR_ALL.iter().all(|path| found.contains(path)), "{found:?}");
    found
}

#[test]
fn another_machine_finds_one_port_and_nobodys_name_behind_it() {
    two_machines("outside::another_machine_finds_one_port_and_nobodys_name_behind_it", |outside| {
        let folder = tempfile::tempdir().unwrap();
        let _serving = serve(folder.path(), &[]);
        for (from, to) in [(OUTSIDE[0], INSIDE[0]), (OUTSIDE[2], INSIDE[1])] {
            assert_eq!(outside.open_ports(from, to), [PORT], "{to}");
        }
        assert!(datagram_ports().is_empty(), "{:?}", datagram_ports());
        let get = |from: &str, to: &str, method: &str, path: &str, headers: &str| {
            let head = format!("{method} {path} HTTP/1.0\r\n{headers}");
            outside.on(|| ask(from, to, PORT, &head, "")).unwrap()
        };
        for (from, to) in [(OUTSIDE[0], INSIDE[0]), (OUTSIDE[2], INSIDE[1])] {
            for path in pages() {
                for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
                    // As itself, and as who says that he is of this machine.
                    for headers in [
                        format!("host: {to}\r\n"),
                        "host: localhost\r\nx-forwarded-for: 127.0.0.1\r\n".to_owned(),
                    ] {
                        let (status, answer) = get(from, to, method, path, &headers);
                        let expected: &[u16] = match (FOR_ALL.contains(&path), method) {
                            (true, "GET" | "HEAD") => &[200],
                            (true, _) => &[405],
                            (false, _) => &[403, 405],
                        };
                        assert!(expected.contains(&status), "{from} {method} {path}: {answer}");
                    }
                }
            }
            for path in ["/api/episodes?all", "/-/reload"] {
                let method = if path.starts_with("/-/") { "POST" } else { "GET" };
                assert_eq!(get(from, to, method, path, "host: 127.0.0.1:9748\r\n").0, 403, "{path}");
            }
            assert_eq!(get(from, to, "GET", "/debug/pprof", "host: localhost\r\n").0, 404);
        }
        let page = Metrics::of(PORT).unwrap();
        assert!(page.sum("leasewatch_http_requests_refused_total", &[("reason", "foreign")]) >= 12.0);
        // What is refused there is shown here.
        for path in ["/", "/api/episodes"] {
            assert_eq!(Request::new("GET", path).send(PORT).unwrap().status, 200, "{path}");
        }
    });
}

#[test]
fn what_is_for_this_machine_is_not_to_be_found_from_another() {
    two_machines("outside::what_is_for_this_machine_is_not_to_be_found_from_another", |outside| {
        let folder = tempfile::tempdir().unwrap();
        let receivers = ["tcp=tcp://127.0.0.1:9749", "http=http://127.0.0.1:9750/", "six=tcp://[::1]:9751"];
        let mut more = vec!["--web.listen-address", "127.0.0.1:9748"];
        more.extend(receivers.iter().flat_map(|receiver| ["--audit-log", receiver]));
        let _serving = serve(folder.path(), &more);
        for port in [9749, 9750] {
            connect("127.0.0.1", "127.0.0.1", port).unwrap();
        }
        for (from, to) in [(OUTSIDE[0], INSIDE[0]), (OUTSIDE[2], INSIDE[1])] {
            assert_eq!(outside.open_ports(from, to), [0_u16; 0], "{to}");
        }
    });
}

/// Sends a line by each way from an address of that machine; whether the POST was answered by 200.
fn send_all(outside: &Machine, from: &str, to: &str, first: u64, role: &str) -> bool {
    outside.on(|| {
        // A connection that is refused may break while it is written to.
        let _ = connect(from, to, 9749).unwrap().write_all(lines::issued(first, role).as_bytes());
        send_datagram(from, to, 9750, &lines::issued(first + 1, role));
        let head = format!("POST /audit HTTP/1.0\r\nhost: {to}\r\n");
        ask(from, to, 9751, &head, &lines::issued(first + 2, role)).is_ok_and(|(status, _)| status == 200)
    })
}

#[test]
fn lines_are_taken_from_listed_machines_alone() {
    two_machines("outside::lines_are_taken_from_listed_machines_alone", |outside| {
        let folder = tempfile::tempdir().unwrap();
        let _serving = serve(
            folder.path(),
            &[
                "--audit-log",
                "tcp=tcp://[::]:9749",
                "--audit-log",
                "udp=udp://[::]:9750",
                "--audit-log",
                "http=http://[::]:9751/audit",
                "--receive.allow",
                "192.0.2.2",
                "--receive.allow",
                "2001:db8::2/128",
            ],
        );
        // From addresses of the list, of whose connections none is refused.
        for (from, to) in [(OUTSIDE[0], INSIDE[0]), (OUTSIDE[2], INSIDE[1])] {
            assert_eq!(outside.open_ports(from, to), [PORT, 9749, 9751], "{to}");
        }
        assert_eq!(datagram_ports(), [9750]);
        for (stranger, to, first) in [(OUTSIDE[1], INSIDE[0], 100), (OUTSIDE[3], INSIDE[1], 200)] {
            assert!(!send_all(outside, stranger, to, first, "forged"), "{stranger}");
        }
        for (known, to, first) in [(OUTSIDE[0], INSIDE[0], 300), (OUTSIDE[2], INSIDE[1], 400)] {
            assert!(send_all(outside, known, to, first, "app"), "{known}");
        }
        let page = eventually("what is taken and what is not", Duration::from_secs(60), || {
            let page = Metrics::of(PORT)?;
            let issued = page.sum("leasewatch_credentials_issued_total", &[("role", "app")]);
            let refused = ["tcp", "udp", "http"].map(|source| {
                page.sum("leasewatch_receiver_dropped_total", &[("source", source), ("reason", "refused")])
            });
            let all = (issued, refused);
            if all == (6.0, [2.0; 3]) {
                Ok(page)
            } else {
                Err(format!("{all:?}; {}", page.lines("leasewatch_receiver")))
            }
        });
        assert_eq!(page.sum("leasewatch_credentials_issued_total", &[("role", "forged")]), 0.0);
        assert_eq!(page.sum("leasewatch_credentials_issued_total", &[("role", "(unknown)")]), 0.0);
    });
}
