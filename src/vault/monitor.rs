//! The monitor: the server log of the active node, streamed by `sys/monitor`,
//! to observations.
//!
//! Vault holds its state lock for as long as a stream lasts (seen on OpenBao 2.7.2): a
//! node with a stream on it cannot step down, nor a standby take over, and meanwhile no
//! other request is answered. So only the active node is asked, and the stream is dropped
//! with the first word, in it or in the pulse, that the node is not active any more.

use super::api::Api;
use super::auth::Token;
use super::client::{Call, Right};
use super::error::Error;
use super::node::Node;
use super::nonce::jittered;
use super::own::{Own, Sending};
use super::pulse::{Health, Role};
use super::turn::Turn;
use crate::clock::wall;
use crate::event::{EventKind, Fact, ServerEvent, Timestamp};
use crate::serverlog;
use reqwest::Response;
use reqwest::header::{DATE, HeaderMap};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A longer line is no line of a server log that says anything to us. Bytes.
const LONGEST_LINE: usize = 1 << 20;
/// Before a stream that ended is opened again for the first time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Follows the server log of one node while it is active.
pub(super) struct Monitor<'a> {
    node: &'a Node,
    turn: Turn<'a>,
    failures: u32,
}

/// Why a stream was left.
enum End {
    /// The node is not active any more.
    Inactive,
    /// It broke off.
    Broken(Error),
}

/// An open stream. Whatever ends it, Vault logs its response then.
struct Stream<'a> {
    own: &'a Own,
    sending: Sending,
    answer: Response,
    lines: Lines,
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.own.ending(&self.sending);
    }
}

impl<'a> Monitor<'a> {
    /// Of `node`, whose pulse `role` tells. Nothing asked yet.
    pub(super) fn new(node: &'a Node, role: watch::Receiver<Role>) -> Self {
        Self { node, turn: Turn::new(node, Api::Monitor, role), failures: 0 }
    }

    /// Follows until it is dropped.
    pub(super) async fn run(&mut self) {
        // What was logged while nobody followed is lost.
        self.node.own.fact(Fact::ServerGap);
        while let Some(token) = self.turn.token().await {
            match self.follow(&token).await {
                End::Inactive => {
                    self.turn.rest("the active node is asked for it");
                    // The pulse may not have noticed yet.
                    self.turn.goes_on().await;
                }
                End::Broken(error) => {
                    let wait = self.failed(error);
                    self.turn.pause(wait, &token).await;
                }
            }
        }
    }

    /// Opens the stream, and tells what it says until it ends.
    async fn follow(&mut self, token: &Token) -> End {
        let started = Instant::now();
        // The pulse may be an interval old: on a standby a stream would do harm.
        match Health::ask(&self.node.client).await {
            Ok(health) if health.role() == Role::Active => {}
            Ok(_) => return End::Inactive,
            Err(error) => return End::Broken(error),
        }
        let own = &self.node.own;
        let sending = own.sending();
        let call = Call {
            path: "sys/monitor",
            query: "log_level=info&log_format=json",
            namespace: "",
            token: Some(&token.secret),
            body: None,
            own: Some(own),
            right: Right { path: "sys/monitor", capability: "read" },
        };
        let answer = match self.node.client.stream(&call, &sending).await {
            Ok(answer) => answer,
            Err(Error::Standby | Error::Sealed) => return End::Inactive,
            Err(error) => return End::Broken(error),
        };
        let took = started.elapsed();
        let began = beginning(answer.headers(), wall());
        let mut stream = Stream { own, sending, answer, lines: Lines::default() };
        own.dated(began, Fact::ServerGap);
        // The stream has begun too late to say so itself.
        own.dated(began, Fact::Server(ServerEvent::BecameActive { elected: false }));
        self.alive(took);
        let opened = Instant::now();
        let end = loop {
            tokio::select! {
                chunk = stream.answer.chunk() => match chunk {
                    Ok(Some(chunk)) => if tell(own, &mut stream.lines, &chunk) { break End::Inactive },
                    Ok(None) | Err(_) => break End::Broken(Error::StreamEnded),
                },
                goes_on = self.turn.goes_on() => {
                    if !goes_on {
                        break End::Inactive;
                    }
                    self.alive(took);
                }
            }
        };
        drop(stream);
        own.fact(Fact::ServerGap);
        if opened.elapsed() > self.node.pace.longest_wait {
            self.failures = 0;
        }
        end
    }

    fn alive(&self, took: Duration) {
        self.node.record(Api::Monitor, Ok(()), took, self.node.pace.interval);
    }

    /// Notes a failure. Gives the wait until the next attempt.
    fn failed(&mut self, error: Error) -> Duration {
        let pace = &self.node.pace;
        let wait = if error.is_lasting() {
            jittered(pace.denied)
        } else {
            let doubled = FIRST_WAIT.min(pace.interval).saturating_mul(1 << self.failures.min(16));
            self.failures = self.failures.saturating_add(1);
            jittered(doubled.min(pace.longest_wait))
        };
        self.node.record(Api::Monitor, Err(error), Duration::ZERO, wait.max(pace.interval));
        wait
    }
}

/// When a stream surely had begun, on Vault's clock: a lease that ended a moment before is not
/// in it, and must not seem to be missing from it.
fn beginning(headers: &HeaderMap, now: Timestamp) -> Timestamp {
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let date = date.and_then(|date| i64::try_from(date.timestamp().as_nanosecond()).ok());
    // The header leaves out the fraction of the second.
    let date = date.map(|nanos| Timestamp::from_nanos(nanos).plus_secs(1));
    // A clock that is wrong by so much is no clock.
    date.filter(|date| date.nanos_since(now) < 3_600_000_000_000).map_or(now, |date| date.max(now))
}

/// Tells what whole lines say. Whether they say that the node is not active any more.
fn tell(own: &Own, lines: &mut Lines, chunk: &[u8]) -> bool {
    let mut inactive = false;
    lines.push(chunk, |line| {
        let decoded = line.and_then(|line| std::str::from_utf8(line).ok()).map(str::trim);
        match decoded.and_then(|line| if line.is_empty() { None } else { serverlog::decode(line) }) {
            Some(event) => {
                if let EventKind::Server(said) = event.kind {
                    inactive |= said == ServerEvent::BecameInactive;
                    own.dated(event.at, Fact::Server(said));
                }
            }
            // `[WARN] Monitor dropped 12 logs during monitor request`, or worse.
            None if decoded != Some("") => own.fact(Fact::ServerGap),
            None => {}
        }
    });
    inactive
}

/// Whole lines out of chunks.
#[derive(Default)]
struct Lines {
    begun: Vec<u8>,
    /// The line that was begun is too long.
    over: bool,
}

impl Lines {
    /// Gives each line that ends in `chunk`; `None` for one that was too long.
    fn push(&mut self, chunk: &[u8], mut take: impl FnMut(Option<&[u8]>)) {
        let mut pieces = chunk.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            self.over |= self.begun.len() + piece.len() > LONGEST_LINE;
            if !self.over {
                self.begun.extend_from_slice(piece);
            }
            // The last piece has no end yet.
            if pieces.peek().is_some() {
                take((!self.over).then_some(&self.begun));
                self.begun.clear();
                self.over = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_on_vaults_clock() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).expect("a time");
        let began = |date: &'static str, now: &str| {
            let headers = HeaderMap::from_iter([(DATE, date.parse().expect("a header"))]);
            beginning(&headers, at(now)).to_string()
        };
        let date = "Mon, 23 Nov 2026 23:20:57 GMT";
        assert_eq!(began(date, "2026-11-23T23:20:57.2Z"), "2026-11-23T23:20:58Z");
        assert_eq!(began(date, "2026-11-23T23:20:50Z"), "2026-11-23T23:20:58Z");
        assert_eq!(began(date, "2026-11-23T23:21:05Z"), "2026-11-23T23:21:05Z");
        assert_eq!(began(date, "2026-11-23T20:00:00Z"), "2026-11-23T20:00:00Z");
        assert_eq!(began("soon", "2026-11-23T20:00:00Z"), "2026-11-23T20:00:00Z");
    }

    #[test]
    fn lines_are_whole_however_they_are_cut() {
        let text = b"one\n\ntwo\nthree";
        for size in 1..=text.len() {
            let (mut lines, mut got) = (Lines::default(), Vec::new());
            for chunk in text.chunks(size) {
                lines.push(chunk, |line| got.push(line.map(<[u8]>::to_vec)));
            }
            let expected = [b"one".to_vec(), b"".to_vec(), b"two".to_vec()].map(Some);
            assert_eq!(got, expected, "{size}");
        }
    }

    #[test]
    fn a_line_too_long_is_dropped_and_the_next_one_is_not() {
        let (mut lines, mut got) = (Lines::default(), Vec::new());
        let long = vec![b'x'; LONGEST_LINE];
        for chunk in [&long[..], b"y\nshort\n"] {
            lines.push(chunk, |line| got.push(line.map(<[u8]>::to_vec)));
        }
        assert_eq!(got, [None, Some(b"short".to_vec())]);
        assert!(lines.begun.capacity() <= 2 * LONGEST_LINE);
    }
}
