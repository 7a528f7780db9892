//! The HTTP pages, over real connections, and the end of serving.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

use leasewatch::anomaly::{Episode, Which};
use leasewatch::event::Timestamp;
use leasewatch::exposition::episodes::EpisodesView;
use leasewatch::exposition::http::{GRACE, bind, serve};
use leasewatch::exposition::overview::{ApiView, NodeView, Overview, ReceivedView, SourceView};
use leasewatch::exposition::{InvalidSnapshot, Site, Unavailable, Waiting};
use leasewatch::web::Gate;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A site in one of its states.
#[derive(Default)]
struct Stub(AtomicU8);

const NOT_YET: u8 = 0;
const READY: u8 = 1;
const BROKEN: u8 = 2;
const PANIC: u8 = 3;

impl Site for Stub {
    fn metrics(&self) -> Result<Vec<u8>, Unavailable> {
        match self.0.load(Ordering::Relaxed) {
            NOT_YET => Err(Unavailable::NotYet("reading on to where the last page stood".into())),
            BROKEN => {
                Err(InvalidSnapshot { metric: "leasewatch_x".into(), fault: "series are double" }.into())
            }
            PANIC => panic!("the stub was told to"),
            _ => Ok(b"leasewatch_x 1\n".to_vec()),
        }
    }

    fn readiness(&self) -> Vec<Waiting> {
        match self.0.load(Ordering::Relaxed) {
            NOT_YET => {
                vec![Waiting("the end of audit <log>".into()), Waiting("a first answer of vault".into())]
            }
            _ => Vec::new(),
        }
    }

    fn episodes(&self, which: Which) -> (Timestamp, Vec<Episode>) {
        let episodes = if which.min_score.unwrap_or(25.0) > 67.4 { Vec::new() } else { vec![episode()] };
        (Timestamp::from_secs(1_750_000_000), episodes)
    }

    fn reload(&self) -> Result<(), String> {
        match self.0.load(Ordering::Relaxed) {
            READY => Ok(()),
            _ => Err("web.yml:3: <no> such key".into()),
        }
    }

    fn shows_names(&self) -> bool {
        self.0.load(Ordering::Relaxed) != NOT_YET
    }

    fn overview(&self) -> Overview {
        let now = Timestamp::from_secs(1_750_000_000);
        let source = SourceView {
            name: "audit".into(),
            kind: "audit log".into(),
            node: Some("vault-0".into()),
            path: "/var/log/vault/audit.log".into(),
            lag_bytes: 3 << 20,
            lines: 1_234_567,
            unreadable: 3,
            last_entry: Some(now.plus_secs(-90)),
            trouble: None,
            received: None,
        };
        let unreadable = SourceView {
            name: "server".into(),
            kind: "server log".into(),
            path: "/var/log/vault/<server>.log".into(),
            trouble: Some(
                "/var/log/vault/<server>.log may not be read: let leasewatch's group read it".into(),
            ),
            received: Some(ReceivedView {
                connections: 2,
                last_line: None,
                dropped: vec![("cut", 3), ("unwritable", 4_321)],
            }),
            ..SourceView::default()
        };
        let api = |name: &str, trouble: Option<&str>| ApiView {
            name: name.into(),
            last_success: Some(now.plus_secs(-12)),
            trouble: trouble.map(str::to_owned),
            rest: None,
        };
        Overview {
            now,
            as_of: Some(now.plus_secs(-91)),
            catching_up: true,
            waiting: self.readiness(),
            checkpoint: Some(now.plus_secs(-4)),
            sources: vec![source, unreadable],
            anomalies: EpisodesView { scored: true, episodes: vec![episode()] },
            nodes: vec![NodeView {
                name: "vault-0".into(),
                address: "https://vault-0.example.org:8200".into(),
                state: "active".into(),
                trouble: None,
                apis: vec![
                    api("sys/health", None),
                    api("sys/metrics", Some("permission denied: give the policy `read` on sys/metrics")),
                ],
            }],
            ..Overview::default()
        }
    }
}

fn episode() -> Episode {
    serde_json::from_value(serde_json::json!({
        "id": "0123456789abcdef",
        "opened_at": "2025-06-15T15:00:00Z",
        "updated_at": "2025-06-15T15:01:00Z",
        "closed_at": null,
        "subject": { "kind": "entity", "entity_id": "who-it-is", "display_name": "<mira>" },
        "score": 67.4,
        "severity": "page",
        "by_rule": false,
        "class": "security",
        "recurrence": "Rarely.",
        "summary": "The client <mira> took 214 credentials.",
        "learnt": true,
        "components": [{
            "name": "burst_5m", "observed": 214.0, "expected": 1.0, "upper": 4.0, "score": 67.0,
            "word": "unseen", "text": "214 credentials by <mira>",
        }],
        "samples": ["3c0e4aa2-0000-0000-0000-000000000000"],
        "touched": [{ "namespace": "root", "mount": "database/", "role": "ledger" }],
        "raised": [{ "at": "2025-06-15T15:00:00Z", "score": 67.4 }],
        "acknowledged": null,
    }))
    .unwrap()
}

struct Server {
    address: SocketAddr,
    site: Arc<Stub>,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

async fn start(state: u8) -> Server {
    let listener = bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = Arc::new(Stub(AtomicU8::new(state)));
    let shutdown = CancellationToken::new();
    let gate = Arc::new(Gate::new(None).unwrap());
    let task = tokio::spawn(serve(listener, site.clone(), gate, shutdown.clone()));
    Server { address, site, shutdown, task }
}

impl Server {
    /// Status line and headers in lower case, and the body.
    async fn ask(&self, method: &str, path: &str) -> (u16, String, String) {
        self.ask_with(method, path, "Host: x\r\n").await
    }

    /// The same, with these headers.
    async fn ask_with(&self, method: &str, path: &str, headers: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn metrics_are_served_once_they_are_sure() {
    let server = start(NOT_YET).await;
    let (status, head, body) = server.ask("GET", "/metrics").await;
    assert_eq!((status, body.as_str()), (503, "not yet: reading on to where the last page stood\n"));
    assert!(head.contains("content-type: text/plain"), "{head}");

    server.site.0.store(READY, Ordering::Relaxed);
    let (status, head, body) = server.ask("GET", "/metrics").await;
    assert_eq!((status, body.as_str()), (200, "leasewatch_x 1\n"));
    assert!(head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");

    server.site.0.store(BROKEN, Ordering::Relaxed);
    let (status, _, body) = server.ask("GET", "/metrics").await;
    assert_eq!(status, 500);
    assert!(body.starts_with("leasewatch_x: series are double"), "{body}");

    server.site.0.store(PANIC, Ordering::Relaxed);
    assert_eq!(server.ask("GET", "/metrics").await.0, 500);
    assert_eq!(server.ask("GET", "/live").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn ready_says_what_it_waits_for() {
    let server = start(NOT_YET).await;
    let (status, _, body) = server.ask("GET", "/ready").await;
    assert_eq!(status, 503);
    assert_eq!(body, "not ready, waiting for:\n- the end of audit <log>\n- a first answer of vault\n");
    assert_eq!(server.ask("GET", "/live").await.0, 200);
    server.site.0.store(READY, Ordering::Relaxed);
    let (status, _, body) = server.ask("GET", "/ready").await;
    assert_eq!((status, body.as_str()), (200, "ready\n"));
    server.stop().await;
}

#[tokio::test]
async fn the_page_tells_the_state_of_everything_and_loads_nothing() {
    let server = start(NOT_YET).await;
    let (status, head, body) = server.ask_with("GET", "/", "Host: localhost\r\n").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    assert!(head.contains("x-content-type-options: nosniff"), "{head}");
    for part in [
        "the end of audit &lt;log&gt;",
        "/var/log/vault/&lt;server&gt;.log may not be read: let leasewatch&#39;s group read it",
        "permission denied: give the policy `read` on sys/metrics",
        "1\u{202f}234\u{202f}567",
        "connections: 2; last line: never; dropped: 3 cut, 4\u{202f}321 unwritable",
        "3.0 MiB",
        ">90 s ago<",
        "catching up",
        "2 in trouble",
        "href=\"/metrics\"",
        "href=\"/ready\"",
        "href=\"/live\"",
        "href=\"/docs\"",
        env!("CARGO_PKG_VERSION"),
    ] {
        assert!(body.contains(part), "{part} is missing in {body}");
    }
    for outside in ["<script", "src=", "http-equiv=\"x", "@import", "url("] {
        assert!(!body.contains(outside), "{outside}");
    }
    // To look at it: LEASEWATCH_SAVE_PAGE=/tmp/page.html cargo test --test http
    if let Ok(path) = std::env::var("LEASEWATCH_SAVE_PAGE") {
        std::fs::write(path, &body).unwrap();
    }
    let (status, _, docs) = server.ask("GET", "/docs").await;
    assert_eq!(status, 200);
    assert!(docs.contains("leasewatch_log_lag_bytes"));
    server.stop().await;
}

#[tokio::test]
async fn who_an_anomaly_is_about_is_shown_on_this_machine_alone() {
    let server = start(READY).await;
    let local = "Host: localhost\r\n";
    let (status, head, body) = server.ask_with("GET", "/api/episodes?min_score=0", local).await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/json") && head.contains("no-store"), "{head}");
    let document: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(document["as_of"], "2025-06-15T15:06:40Z");
    assert_eq!(document["episodes"][0]["subject"]["entity_id"], "who-it-is");
    let (_, _, body) = server.ask_with("GET", "/api/episodes?min_score=99", local).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&body).unwrap()["episodes"], serde_json::json!([]));
    let (status, _, body) = server.ask_with("GET", "/api/episodes?who=mira", local).await;
    assert_eq!(status, 400);
    assert!(body.contains("min_score=0 to 100"), "{body}");

    // A page of somebody else's, whose name points here; and a proxy beside us.
    for headers in ["Host: rebound.example\r\n", "Host: localhost\r\nX-Forwarded-For: 192.0.2.1\r\n"] {
        let (status, _, body) = server.ask_with("GET", "/api/episodes", headers).await;
        assert_eq!(status, 403, "{headers}");
        assert!(body.contains("`leasewatch episodes`") && !body.contains("mira"), "{body}");
        let (status, _, page) = server.ask_with("GET", "/", headers).await;
        assert_eq!(status, 403);
        assert!(page.contains("docs/access.md") && page.contains("href=\"/metrics\""), "{page}");
        for kept in ["mira", "who-it-is", "burst_5m", "/var/log/vault", "vault-0"] {
            assert!(!page.contains(kept), "{kept} in {page}");
        }
    }
    let (_, _, page) = server.ask_with("GET", "/", local).await;
    assert!(page.contains("The client &lt;mira&gt; took 214 credentials."), "{page}");
    // Nothing is taken by this port.
    for path in ["/api/episodes", "/episodes/acknowledge", "/api/episodes/acknowledge"] {
        let (status, _, _) = server.ask_with("POST", path, "Host: localhost\r\nContent-Length: 0\r\n").await;
        assert!(matches!(status, 404 | 405), "{path}: {status}");
    }
    // The setting has the last word.
    server.site.0.store(NOT_YET, Ordering::Relaxed);
    let (status, _, body) = server.ask_with("GET", "/api/episodes", local).await;
    assert_eq!(status, 403);
    assert!(body.contains("web.identities"), "{body}");
    let (status, _, page) = server.ask_with("GET", "/", local).await;
    assert_eq!(status, 200);
    assert!(page.contains(">page<") && page.contains("burst_5m at database/"), "{page}");
    assert!(!page.contains("mira") && page.contains("web.identities"), "{page}");
    server.stop().await;
}

#[tokio::test]
async fn a_reload_is_for_this_machine_and_for_no_page_of_another_site() {
    let server = start(READY).await;
    let local = "Host: localhost\r\n";
    let ask = |method: &'static str, headers: String| {
        let server = &server;
        async move { server.ask_with(method, "/-/reload", &headers).await }
    };
    for method in ["POST", "PUT"] {
        let (status, _, body) = ask(method, local.into()).await;
        assert_eq!((status, body.as_str()), (200, "the configuration was reloaded\n"));
    }
    assert_eq!(ask("GET", local.into()).await.0, 405);
    for headers in [
        "Host: x\r\n",
        "Host: localhost\r\nOrigin: https://evil.example\r\n",
        "Host: localhost\r\nVia: 1.1 p\r\n",
    ] {
        assert_eq!(ask("POST", headers.into()).await.0, 403, "{headers}");
    }
    server.site.0.store(BROKEN, Ordering::Relaxed);
    let (status, head, body) = ask("POST", local.into()).await;
    assert_eq!((status, body.as_str()), (500, "web.yml:3: <no> such key\n"));
    assert!(head.contains("content-type: text/plain") && head.contains("nosniff"), "{head}");
    server.stop().await;
}

#[tokio::test]
async fn what_a_request_may_bring_is_bounded() {
    let server = start(READY).await;
    for body in ["Content-Length: 100\r\n", "Transfer-Encoding: chunked\r\n"] {
        let (status, head, _) = server.ask_with("GET", "/metrics", &format!("Host: x\r\n{body}")).await;
        assert_eq!(status, 413, "{body}");
        assert!(head.contains("connection: close"), "{head}");
    }
    let long = format!("Host: x\r\nCookie: {}\r\n", "x".repeat(40 << 10));
    assert_eq!(server.ask_with("GET", "/metrics", &long).await.0, 431);
    let many = "A: b\r\n".repeat(200);
    assert_eq!(server.ask_with("GET", "/metrics", &format!("Host: x\r\n{many}")).await.0, 431);
    server.stop().await;
}

#[tokio::test]
async fn a_flood_of_idle_connections_keeps_nobody_out() {
    let server = start(READY).await;
    let mut flood = Vec::new();
    for _ in 0..300 {
        flood.push(TcpStream::connect(server.address).await.unwrap());
    }
    assert_eq!(server.ask("GET", "/metrics").await.0, 200);
    // Nor do half-sent requests.
    for stream in &mut flood {
        let _ = stream.write_all(b"GET /metrics HT").await;
    }
    for _ in 0..300 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET /metrics HT").await.unwrap();
        flood.push(stream);
    }
    assert_eq!(server.ask("GET", "/metrics").await.0, 200);
    server.stop().await;
}

#[tokio::test]
async fn other_methods_and_paths_get_a_plain_answer() {
    let server = start(READY).await;
    for path in ["/", "/metrics", "/ready", "/live"] {
        let (status, head, body) = server.ask_with("HEAD", path, "Host: localhost\r\n").await;
        assert_eq!((status, body.as_str()), (200, ""), "{path}");
        assert!(head.contains("content-length: "), "{head}");
        assert_eq!(server.ask("POST", path).await.0, 405, "{path}");
    }
    let (status, head, body) = server.ask("GET", "/metric/'b'").await;
    assert_eq!(status, 404);
    assert!(head.contains("nosniff"), "{head}");
    assert!(body.contains("href=\"/metrics\"") && !body.contains("<b>"), "{body}");
    server.stop().await;
}

#[tokio::test]
async fn shutdown_ends_with_a_half_sent_request_and_an_idle_connection_open() {
    let server = start(READY).await;
    let mut half = TcpStream::connect(server.address).await.unwrap();
    half.write_all(b"GET /metrics HT").await.unwrap();
    let mut body = TcpStream::connect(server.address).await.unwrap();
    body.write_all(b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf").await.unwrap();
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    idle.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");

    let address = server.address;
    // Not a speed: without a limit of its own it would never end.
    tokio::time::timeout(GRACE + Duration::from_secs(20), server.stop()).await.expect("serving ended");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn an_address_without_a_host_is_every_address() {
    let listener = bind(":0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert!(bind(&format!(":{port}")).await.is_err(), "a taken port is told");
}
