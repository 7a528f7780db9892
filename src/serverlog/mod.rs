//! The server's own (operational) log: one line to one event. Pure; the only
//! place that knows its two formats, JSON and text.

mod json;
mod text;
mod trouble;

use crate::event::{Event, EventKind, ServerEvent, Text, Timestamp};

/// Decodes one line, of either format. `None` where it is no line of a server
/// log that can be dated, such as the banner at start-up.
pub fn decode(line: &str) -> Option<Event> {
    let line = if line.starts_with('{') { json::read(line)? } else { text::read(line)? };
    let at = Timestamp::parse_rfc3339(&line.time).or_else(|| text::time(&line.time))?;
    Some(Event { at, kind: line.meaning().map_or(EventKind::Nothing, EventKind::Server) })
}

/// A line of either format, as far as it is used.
struct Line {
    time: String,
    module: String,
    message: String,
    lease: String,
    attempts: u32,
    error: String,
}

impl Line {
    fn meaning(&self) -> Option<ServerEvent> {
        if self.module != "expiration" || self.lease.is_empty() {
            return None;
        }
        let lease = Text::from(self.lease.as_str());
        match self.message.as_str() {
            "revoked lease" => Some(ServerEvent::LeaseRevoked { lease }),
            "failed to revoke lease" => Some(ServerEvent::RevocationFailed {
                lease,
                attempts: self.attempts,
                next_attempt: None,
                trouble: trouble::classify(&self.error),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::RevocationTrouble;

    #[test]
    fn both_formats_say_the_same() {
        let json = r#"{"@level":"error","@message":"failed to revoke lease","@module":"expiration","@timestamp":"2026-11-23T19:41:00.5Z","attempts":2,"error":"failed to revoke entry: ERROR: role \"x\" does not exist (SQLSTATE 42704)","lease_id":"database/creds/app/abc","next_attempt":53687545356}"#;
        let text = r#"2026-11-23T19:41:00.500Z [ERROR] expiration: failed to revoke lease: lease_id=database/creds/app/abc error="failed to revoke entry: ERROR: role \"x\" does not exist (SQLSTATE 42704)" attempts=2 next_attempt=53.687545356s"#;
        let failed = ServerEvent::RevocationFailed {
            lease: "database/creds/app/abc".into(),
            attempts: 2,
            next_attempt: None,
            trouble: RevocationTrouble::MissingRole,
        };
        let at = Timestamp::parse_rfc3339("2026-11-23T19:41:00.5Z").unwrap();
        assert_eq!(decode(json), Some(Event { at, kind: EventKind::Server(failed.clone()) }));
        assert_eq!(decode(text), Some(Event { at, kind: EventKind::Server(failed) }));
        let revoked = "2026-11-23T20:41:00.500+0100 [INFO]  expiration: revoked lease: lease_id=a/creds/b/c";
        let lease = "a/creds/b/c".into();
        assert_eq!(
            decode(revoked),
            Some(Event { at, kind: EventKind::Server(ServerEvent::LeaseRevoked { lease }) })
        );
    }

    #[test]
    fn what_is_no_server_log_is_not_taken_for_one() {
        assert_eq!(decode("==> OpenBao server started!"), None);
        assert_eq!(decode("             Api Address: http://127.0.0.1:8200"), None);
        assert_eq!(decode(r#"{"time":"2026-11-23T19:41:00Z","type":"request"}"#), None);
        assert_eq!(decode(""), None);
        assert_eq!(decode("{"), None);
    }
}
