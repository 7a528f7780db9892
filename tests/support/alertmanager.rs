//! A real Alertmanager, and whom it notifies.

use super::http::Request;
use super::process::{Process, command, on_free_port};
use super::{free_port, program};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A running Alertmanager.
pub(crate) struct Alertmanager {
    _process: Process,
    port: u16,
    _dir: TempDir,
}

impl Alertmanager {
    /// Starts one with this configuration.
    pub(crate) fn start(config: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-am-").tempdir().unwrap();
        let file = dir.path().join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let start = |port: u16| {
            let path = program("Alertmanager", &["/usr/bin/prometheus-alertmanager".into()]);
            let mut command = command(&path);
            command
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.path={}", dir.path().join("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                // Alone: it listens to no peers.
                .arg("--cluster.listen-address=")
                .current_dir(dir.path());
            Process::start("alertmanager", &mut command, &dir.path().join("alertmanager.log"))
        };
        let ready = |port| match Request::new("GET", "/-/ready").send(port) {
            Ok(reply) if reply.status == 200 => Ok(()),
            Ok(reply) => Err(format!("HTTP {}", reply.status)),
            Err(why) => Err(why.to_string()),
        };
        let (process, port) = on_free_port(start, ready);
        Self { _process: process, port, _dir: dir }
    }

    /// Where Prometheus finds it.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }
}

/// A receiver of webhooks: takes what comes, and remembers it.
pub(crate) struct Receiver {
    port: u16,
    taken: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Receiver {
    /// Listens on a free port until the test ends.
    pub(crate) fn start() -> Self {
        let listener = (0..5).find_map(|_| TcpListener::bind(("127.0.0.1", free_port())).ok()).unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(Mutex::new(Vec::new()));
        let store = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let store = Arc::clone(&store);
                std::thread::spawn(move || take(stream, &store));
            }
        });
        Self { port, taken }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What came to a path so far.
    pub(crate) fn taken(&self, path: &str) -> Vec<Value> {
        let taken = self.taken.lock().unwrap();
        taken.iter().filter(|(of, _)| of == path).map(|(_, body)| body.clone()).collect()
    }
}

/// Reads requests of one connection and answers each with 200.
fn take(stream: TcpStream, store: &Mutex<Vec<(String, Value)>>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or("").to_owned();
        let mut length = 0;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header).unwrap_or(0) == 0 {
                return;
            }
            let header = header.trim_end().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(number) = header.strip_prefix("content-length:") {
                length = number.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        store.lock().unwrap().push((path, serde_json::from_slice(&body).unwrap_or_default()));
        if reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
            return;
        }
    }
}
