//! The server's own (operational) log: one line to one event. Pure; the only
//! place that knows its two formats, JSON and text.
//!
//! `json` and `text` take a line apart, `meaning` says what it tells, `trouble`
//! and `renewal` make classes of error texts, which end there.

mod json;
mod meaning;
mod renewal;
mod text;
mod trouble;

use crate::event::{Event, EventKind, Timestamp};

/// Decodes one line, of either format. `None` where it is no line of a server
/// log that can be dated, such as the banner at start-up. A line that goes on with
/// the one before it has no time of its own: it gets the earliest there is.
pub fn decode(line: &str) -> Option<Event> {
    if let Some(continued) = text::continued(line) {
        return Some(Event { at: Timestamp::MIN, kind: EventKind::Server(continued) });
    }
    let line = if line.starts_with('{') { json::read(line)? } else { text::read(line)? };
    let at = Timestamp::parse_rfc3339(&line.time).or_else(|| text::time(&line.time))?;
    Some(Event { at, kind: meaning::of(&line).map_or(EventKind::Nothing, EventKind::Server) })
}

/// Whether a line is the server's own by its form, though it may say nothing that can be dated: it has
/// a level, or goes on, indented, with the line before it.
pub fn is_of_server(line: &str) -> bool {
    line.starts_with("  ") || text::read(line).is_some()
}

/// A line of either format, as far as it is used.
#[derive(Debug, Default)]
struct Line {
    time: String,
    /// Name of the logger, dotted: `expiration`, `secrets.system.system_1a2b3c4d`.
    module: String,
    message: String,
    lease: String,
    /// 0 where the line does not say.
    attempts: u32,
    /// Nanoseconds.
    next_attempt: Option<i64>,
    /// `None` where the line does not say, or says it on lines of its own.
    error: Option<String>,
    /// How many there are, of what the message is about.
    have: Option<u64>,
}

#[cfg(test)]
mod tests;
