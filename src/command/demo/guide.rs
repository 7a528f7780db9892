//! The guide: what a demo prints. Progress on a terminal alone; where to look, and what for,
//! once there is something to see.

use super::folder::Folder;
use super::stage::{audit_log, server_log};
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// The progress line is not written more often.
const BLINK: Duration = Duration::from_millis(100);

/// A line on the terminal that is written over and over; nothing where there is no terminal.
pub(super) struct Progress {
    is_shown: bool,
    last: Option<Instant>,
}

impl Progress {
    /// For standard output.
    pub(super) fn new() -> Self {
        Self { is_shown: io::stdout().is_terminal(), last: None }
    }

    /// Shows `line` in place of the one before, unless that is too new.
    pub(super) fn show(&mut self, line: impl FnOnce() -> String) {
        if self.is_shown && self.last.is_none_or(|last| last.elapsed() >= BLINK) {
            self.last = Some(Instant::now());
            say(&format!("\r\x1b[K  {}", line()));
        }
    }

    /// Says it where there is a terminal.
    pub(super) fn tell(&self, text: &str) {
        if self.is_shown {
            say(text);
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&mut self) {
        if self.last.take().is_some() {
            say("\r\x1b[K");
        }
    }
}

/// Prints; that nobody reads it is no reason to end.
pub(super) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// How a reader on this machine gets to a listener at `address`.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

/// Where to look.
pub(super) fn where_to_look(address: SocketAddr, folder: &Folder) -> String {
    let at = reachable(address);
    let dir = folder.path();
    let state = dir.join("state");
    format!(
        "\
Page         http://{at}/
Metrics      http://{at}/metrics
Episodes     curl -s http://{at}/api/episodes
Leases       leasewatch leases --state-dir {state}
Logs         {audit}  {server}
Prometheus   - {{ job_name: leasewatch, static_configs: [{{ targets: ['{at}'] }}] }}
",
        state = quoted(&state.display().to_string()),
        audit = audit_log(dir).display(),
        server = server_log(dir).display(),
    )
}

/// What is to be seen there; for people, so for a terminal.
pub(super) fn what_to_see(folder: &Folder) -> String {
    let end = if folder.is_kept() { "the folder stays" } else { "the folder goes with it" };
    format!(
        "
On the page, which renews itself every 15 seconds:
  - the roles whose leases cannot be revoked come first, with the cause; within minutes
    Vault gives them up, and they are stuck
  - an attack has just begun: its episode says who, what is unusual about it, and how
    rare such an hour is
  - every few minutes something else goes wrong

A real server takes one line more than this:
  leasewatch serve --audit-log /var/log/vault/audit.log --server-log /var/log/vault/server.log

Ctrl-C ends it; {end}.
"
    )
}

/// As a shell takes it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// What makes blocks of its history, and what shows them.
pub(super) fn how_to_use(file: &str) -> String {
    format!(
        "\
History      promtool tsdb create-blocks-from --max-block-duration=768h openmetrics {file} DATA_DIR
             prometheus --storage.tsdb.path=DATA_DIR --storage.tsdb.retention.time=90d …
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_addresses_and_paths_can_be_used_as_they_are_printed() {
        assert_eq!([grouped(7), grouped(1_234_567)], ["7", "1,234,567"]);
        let any: SocketAddr = "[::]:9748".parse().expect("an address");
        assert_eq!(reachable(any).to_string(), "127.0.0.1:9748");
        assert_eq!(quoted("/tmp/a b's"), r"'/tmp/a b'\''s'");
    }
}
