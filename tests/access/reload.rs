//! A configuration that changes while `serve` runs: followed as a whole or not at all, without a line lost or counted
//! twice.

use crate::pki::Folder;
use crate::support::http::Request;
use crate::support::process::{Process, command};
use crate::support::{Bao, Leasewatch, Metrics, NeverFalls, eventually, free_port, lines};
use rustix::process::Signal;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// A config file, and `serve` that goes by it.
fn start(folder: &Folder, text: &str) -> Leasewatch {
    write(folder, text);
    Leasewatch::start(["--config.file", &folder.text("leasewatch.toml")], &[])
}

fn write(folder: &Folder, text: &str) {
    let head =
        format!("state_dir = {:?}\naudit_log = [{:?}]\n", folder.text("state"), folder.text("audit.log"));
    folder.write("leasewatch.toml", &format!("{head}{text}"));
}

fn reload(serving: &Leasewatch) -> (u16, String) {
    let reply = Request::new("POST", "/-/reload").send(serving.port()).unwrap();
    (reply.status, reply.text())
}

fn append(folder: &Folder, numbers: std::ops::Range<u64>) {
    let mut file = File::options().append(true).create(true).open(folder.path("audit.log")).unwrap();
    for number in numbers {
        file.write_all(lines::issued(number, "app").as_bytes()).unwrap();
    }
}

fn until_issued(serving: &Leasewatch, wanted: f64) {
    serving.metrics_when("all is counted", |page| {
        let issued = page.sum("leasewatch_credentials_issued_total", &[]);
        if issued == wanted { Ok(()) } else { Err(format!("{issued} of {wanted}")) }
    });
}

#[test]
fn nothing_is_lost_or_counted_twice_over_many_reloads() {
    let folder = Folder::new();
    append(&folder, 0..100);
    let mut serving = start(&folder, "[checkpoint]\ninterval = \"1h\"\n");
    let mut never = NeverFalls::default();
    let mut written = 100;
    until_issued(&serving, 100.0);
    for round in 0..12u64 {
        append(&folder, written..written + 300);
        written += 300;
        if round == 5 {
            // A rotation between two of them.
            fs::rename(folder.path("audit.log"), folder.path("audit.log.1")).unwrap();
            append(&folder, written..written + 50);
            written += 50;
        }
        write(
            &folder,
            &format!("[checkpoint]\ninterval = \"{}h\"\n[labels]\nbudget = {}\n", round + 1, 100 + round),
        );
        if round % 3 == 0 {
            serving.signal(Signal::HUP);
        } else {
            assert_eq!(reload(&serving), (200, "the configuration was reloaded\n".to_owned()));
        }
        // A page that is asked for right after, or meanwhile, is answered.
        never.page(&serving.try_metrics().unwrap_or_else(|why| panic!("{why}{}", serving.output())));
    }
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    let wanted = written as f64;
    until_issued(&serving, wanted);
    let page = serving.metrics();
    never.page(&page);
    assert_eq!(page.sum("leasewatch_log_lines_total", &[("source", "audit")]), wanted);
    assert_eq!(page.sum("leasewatch_log_gaps_total", &[]), 0.0);
    assert!(serving.stop().0.success());
}

#[test]
fn what_is_new_is_followed() {
    let folder = Folder::new();
    append(&folder, 0..10);
    let serving = start(&folder, "");
    until_issued(&serving, 10.0);
    let since = serving.metrics().sum("leasewatch_config_last_reload_success_timestamp_seconds", &[]);
    // Another log, another level, nobody's names.
    fs::write(folder.path("second.log"), lines::issued(77, "late")).unwrap();
    let head = format!(
        "state_dir = {:?}\naudit_log = [{:?}, {:?}]\n",
        folder.text("state"),
        folder.text("audit.log"),
        folder.text("second.log")
    );
    folder.write(
        "leasewatch.toml",
        &format!("{head}[web]\nidentities = \"nobody\"\n[log]\nlevel = \"error\"\n"),
    );
    assert_eq!(serving.get("/api/episodes").unwrap().status, 200);
    assert_eq!(reload(&serving).0, 200);
    until_issued(&serving, 11.0);
    assert_eq!(serving.get("/api/episodes").unwrap().status, 403);
    assert!(serving.metrics().sum("leasewatch_config_last_reload_success_timestamp_seconds", &[]) > since);
    // At the new level nothing is said of it.
    assert!(!serving.output().contains("was reloaded"), "{}", serving.output());
    // The socket of local commands is there again.
    assert!(folder.path("state").join("leasewatch.sock").exists());
    write(&folder, "");
    assert_eq!(reload(&serving).0, 200);
    assert!(serving.output().contains("The configuration was reloaded"), "{}", serving.output());
}

#[test]
fn a_bad_file_is_not_followed_and_says_so() {
    let folder = Folder::new();
    append(&folder, 0..10);
    let mut serving = start(&folder, "");
    until_issued(&serving, 10.0);
    let state = folder.text("state");
    let successful = "leasewatch_config_last_reload_successful";
    let other = folder.text("other-state");
    for (text, told) in [
        ("[vault]\ntimeout = \"soon\"\n", "leasewatch.toml:4: vault.timeout"),
        ("nonsense = 1\n", "leasewatch.toml:3: nonsense"),
        ("[log]\nformat = \"json\"\n", "log.format changed, which takes a restart"),
        ("[web]\nconfig.file = \"/nowhere/web.yml\"\n", "/nowhere/web.yml: it cannot be read"),
        (
            "[push]\nca_cert = \"/nowhere/ca.pem\"\n[push.otlp]\nendpoint = \"https://127.0.0.1:1\"\n",
            "/nowhere/ca.pem",
        ),
    ] {
        write(&folder, text);
        let (status, said) = reload(&serving);
        assert_eq!(status, 500, "{text}: {said}");
        assert!(said.contains(told), "{told} is not in {said}");
        let page = serving.metrics();
        assert_eq!(page.value(successful, &[]), Some(0.0), "{text}");
        assert_eq!(page.sum("leasewatch_credentials_issued_total", &[]), 10.0);
        let shown = serving.get("/").unwrap().text();
        assert!(shown.contains("The configuration was not reloaded"), "{shown}");
        assert!(serving.output().contains("the one before it is in force"), "{}", serving.output());
        write(&folder, "");
        assert_eq!(reload(&serving).0, 200);
        assert_eq!(serving.metrics().value(successful, &[]), Some(1.0));
        assert!(!serving.get("/").unwrap().text().contains("was not reloaded"));
    }
    folder.write(
        "leasewatch.toml",
        &format!("state_dir = {other:?}\naudit_log = [{:?}]\n", folder.text("audit.log")),
    );
    let (status, said) = reload(&serving);
    assert!(status == 500 && said.contains("state_dir changed"), "{said}");
    assert!(!Path::new(&other).exists() && Path::new(&state).exists());
    // It counts on, and a signal does not end it.
    append(&folder, 10..20);
    serving.signal(Signal::HUP);
    until_issued(&serving, 20.0);
    assert!(serving.stop().0.success());
}

#[test]
fn a_hangup_without_a_file_ends_nothing() {
    let folder = Folder::new();
    append(&folder, 0..5);
    let arguments =
        ["--audit-log".to_owned(), folder.text("audit.log"), "--state-dir".to_owned(), folder.text("state")];
    let mut serving = Leasewatch::start(arguments, &[]);
    for _ in 0..5 {
        serving.signal(Signal::HUP);
    }
    append(&folder, 5..8);
    until_issued(&serving, 8.0);
    eventually("it says so", Duration::from_secs(30), || {
        let output = serving.output();
        if output.contains("The configuration was reloaded") { Ok(()) } else { Err(output) }
    });
    assert!(serving.stop().0.success());
}

#[test]
fn it_moves_to_another_address_and_stays_where_that_is_taken() {
    let folder = Folder::new();
    append(&folder, 0..5);
    let answers = |port: u16| Request::new("GET", "/live").send(port).is_ok_and(|reply| reply.status == 200);
    let (first, second) = (free_port(), free_port());
    let listen = |port: u16| write(&folder, &format!("[web]\nlisten_address = \"127.0.0.1:{port}\"\n"));
    listen(first);
    let mut serve = command(Path::new(env!("CARGO_BIN_EXE_leasewatch")));
    serve.args(["serve", "--config.file", &folder.text("leasewatch.toml")]);
    let mut process = Process::start("leasewatch", &mut serve, &folder.path("log"));
    let until = |port: u16, process: &Process| {
        eventually("it answers", Duration::from_secs(30), || {
            if answers(port) { Ok(()) } else { Err(process.output()) }
        });
    };
    until(first, &process);
    listen(second);
    process.signal(Signal::HUP);
    until(second, &process);
    assert!(!answers(first));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listen(taken.local_addr().unwrap().port());
    let reply = Request::new("POST", "/-/reload").send(second).unwrap();
    assert!(reply.status == 500 && reply.text().contains("cannot listen on"), "{}", reply.text());
    assert!(answers(second));
    process.signal(Signal::TERM);
    assert!(process.wait(Duration::from_secs(30)).success());
}

#[test]
fn standard_input_is_read_on_over_a_reload() {
    let folder = Folder::new();
    let mut serve = command(Path::new(env!("CARGO_BIN_EXE_leasewatch")));
    let port = free_port();
    folder.write("leasewatch.toml", "");
    let log = File::create(folder.path("log")).unwrap();
    let mut child = serve
        .args(["serve", "--audit-log", "-", "--state-dir", &folder.text("state")])
        .args([
            "--web.listen-address",
            &format!("127.0.0.1:{port}"),
            "--config.file",
            &folder.text("leasewatch.toml"),
        ])
        .stdin(std::process::Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let issued = |written: u64| {
        eventually("all is counted", Duration::from_secs(60), || {
            let said = || std::fs::read_to_string(folder.path("log")).unwrap();
            let reply =
                Request::new("GET", "/metrics").send(port).map_err(|why| format!("{why}: {}", said()))?;
            // The very first time, the numbers of before are still being read; after a reload they are there at once.
            assert!(reply.status == 200 || written == 50, "{}", reply.text());
            if reply.status != 200 {
                return Err(reply.text());
            }
            let page = Metrics::parse(&reply.text());
            let counted = page.sum("leasewatch_credentials_issued_total", &[]);
            #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
            if counted == written as f64 {
                Ok(())
            } else {
                Err(format!("{counted} of {written}: {}", said()))
            }
        });
    };
    let mut written = 0;
    for _ in 0..4 {
        for _ in 0..50 {
            input.write_all(lines::issued(written, "app").as_bytes()).unwrap();
            written += 1;
        }
        let reply = Request::new("POST", "/-/reload").send(port);
        // The first time it may not listen yet.
        assert!(written == 50 || reply.unwrap().status == 200);
        issued(written);
    }
    folder.write("leasewatch.toml", "max_line_bytes = 8192\n");
    let reply = Request::new("POST", "/-/reload").send(port).unwrap();
    assert!(reply.status == 500 && reply.text().contains("max_line_bytes, beside a log from standard input"));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_known_of_a_server_is_known_over_a_reload_and_another_token_is_taken() {
    let bao = Bao::start();
    let folder = Folder::new();
    append(&folder, 0..10);
    let vault =
        |more: &str| format!("[vault]\naddress = {:?}\nscrape_interval = \"1s\"\n{more}", bao.address());
    let mut serving = start(&folder, &vault(""));
    let up = |page: &Metrics| page.value("leasewatch_vault_up", &[("node", "vault")]);
    serving.metrics_when("it is up", |page| if up(page) == Some(1.0) { Ok(()) } else { Err(String::new()) });
    let token =
        |page: &Metrics| page.value("leasewatch_scrape_success", &[("node", "vault"), ("api", "token")]);
    assert_eq!(token(&serving.metrics()), None);
    folder.write("token", bao.root_token());
    write(&folder, &vault(&format!("token_file = {:?}\n", folder.text("token"))));
    let mut never = NeverFalls::default();
    for _ in 0..5 {
        assert_eq!(reload(&serving).0, 200);
        let page = serving.metrics();
        assert_eq!(up(&page), Some(1.0), "at once, not after the next answer");
        never.page(&page);
    }
    serving.metrics_when("the token is taken", |page| {
        if token(page) == Some(1.0) { Ok(()) } else { Err(format!("{:?}", token(page))) }
    });
    assert!(serving.stop().0.success());
}
