//! From the bytes of a line to an event: which format it is, what stands in
//! front of it, what can be saved of a torn one. The formats themselves are
//! in `audit`, `serverlog` and `observed`.

use crate::audit::{self, Unreadable};
use crate::config::LogKind;
use crate::event::Event;
use crate::{observed, serverlog};

/// What a line came to.
#[derive(Debug, PartialEq)]
pub(super) struct Decoded {
    /// What it says, if it says anything to us.
    pub(super) event: Option<Event>,
    /// Why it, or a part of it, could not be read: the label `reason`.
    pub(super) unreadable: Option<&'static str>,
}

/// What kind of lines a source has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// A log of Vault's.
    Log(LogKind),
    /// The exporter's own observations.
    Observations,
}

pub(super) fn decode(lines: Lines, line: &[u8]) -> Decoded {
    let Ok(line) = std::str::from_utf8(line) else { return Decoded::unreadable("not_utf8") };
    let line = line.trim_end_matches(['\r', ' ']);
    match lines {
        _ if line.trim_start().is_empty() => Decoded { event: None, unreadable: None },
        Lines::Observations => match observed::decode(line) {
            Some(event) => Decoded::event(event),
            None => Decoded::unreadable("wrong_shape"),
        },
        Lines::Log(LogKind::Audit) => audit_line(line),
        // A server log is full of lines that say nothing to us; only a container's
        // merged output has audit entries among them.
        Lines::Log(LogKind::Server) => {
            let entry = || if serverlog::is_of_server(line) { None } else { audit::decode(line).ok() };
            match serverlog::decode(line).or_else(entry) {
                Some(event) => Decoded::event(event),
                None => Decoded { event: None, unreadable: None },
            }
        }
    }
}

fn audit_line(line: &str) -> Decoded {
    if !line.starts_with('{') {
        // The server's own log in a container's merged output, or a prefix.
        if let Some(event) = serverlog::decode(line) {
            return Decoded::event(event);
        }
        if serverlog::is_of_server(line) {
            // What stands in it may be of a client's choosing, an entry from `{` to `}` too.
            return Decoded { event: None, unreadable: None };
        }
        if line.starts_with("<json:object") {
            return Decoded::unreadable(reason(Unreadable::Jsonx));
        }
        return match entry_in(line).map(|start| audit::decode(&line[start..])) {
            Some(Ok(event)) => Decoded::event(event),
            Some(Err(why)) => what_is_left(line, why),
            None => Decoded::unreadable(reason(Unreadable::NotJson)),
        };
    }
    match audit::decode(line) {
        Ok(event) => Decoded::event(event),
        Err(why) => match serverlog::decode(line) {
            Some(event) => Decoded::event(event),
            None => what_is_left(line, why),
        },
    }
}

/// The first keys of an entry, in older and in newer versions.
const STARTS: [&str; 2] = ["{\"time\":\"", "{\"auth\":{"];

/// Where the entry begins behind a prefix, such as a syslog daemon's, which may have braces of its own.
fn entry_in(line: &str) -> Option<usize> {
    STARTS.iter().filter_map(|start| line.find(start)).min().or_else(|| line.find('{'))
}

/// After a failed write Vault writes the whole entry again, behind what it had
/// written of it: the line then begins with a torn entry and ends with a whole one.
fn whole_after_torn(line: &str) -> Option<Event> {
    /// An object inside the whole entry may begin as an entry does; each costs a look at the line.
    const LOOKS_MOST: usize = 8;
    STARTS
        .iter()
        .flat_map(|start| line.rmatch_indices(start).take(LOOKS_MOST))
        .filter(|(at, _)| *at > 0)
        .find_map(|(at, _)| audit::decode(&line[at..]).ok())
}

/// What can be saved of a line that cannot be read. Where it was torn decides what is wrong
/// with it: that it goes on behind its end, or the type of a field.
fn what_is_left(line: &str, why: Unreadable) -> Decoded {
    if !matches!(why, Unreadable::NotJson | Unreadable::WrongShape) {
        return Decoded::unreadable(reason(why));
    }
    if let Some(event) = whole_after_torn(line) {
        return Decoded { event: Some(event), unreadable: Some("torn") };
    }
    match entry_in(line).and_then(|start| audit::beginning(&line[start..])) {
        Some(event) => Decoded { event: Some(event), unreadable: Some("truncated") },
        None => Decoded::unreadable(reason(why)),
    }
}

impl Decoded {
    fn event(event: Event) -> Self {
        Self { event: Some(event), unreadable: None }
    }

    fn unreadable(reason: &'static str) -> Self {
        Self { event: None, unreadable: Some(reason) }
    }
}

fn reason(why: Unreadable) -> &'static str {
    match why {
        Unreadable::NotJson => "not_json",
        Unreadable::NotUtf8 => "not_utf8",
        Unreadable::WrongShape => "wrong_shape",
        Unreadable::NoTime => "no_time",
        Unreadable::Jsonx => "jsonx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use proptest::prelude::*;

    const ENTRY: &str = r#"{"time":"2026-01-02T03:04:05Z","type":"response","request":{"id":"1","operation":"read","path":"database/creds/app"}}"#;
    const AUDIT: Lines = Lines::Log(LogKind::Audit);

    fn is_audit(decoded: &Decoded) -> bool {
        matches!(&decoded.event, Some(event) if matches!(event.kind, EventKind::Audit(_)))
    }

    #[test]
    fn an_entry_is_read_behind_a_prefix_and_in_either_stream() {
        for line in
            [ENTRY.to_owned(), format!("vault: {ENTRY}"), format!("<38>Jan  2 03:04:05 vault[7]: {ENTRY}\r")]
        {
            let decoded = decode(AUDIT, line.as_bytes());
            assert!(is_audit(&decoded) && decoded.unreadable.is_none(), "{line}");
        }
        assert!(is_audit(&decode(Lines::Log(LogKind::Server), ENTRY.as_bytes())));
    }

    #[test]
    fn a_torn_entry_costs_itself_and_not_the_one_behind_it() {
        let torn = format!("{}{ENTRY}", &ENTRY[..60]);
        let decoded = decode(AUDIT, torn.as_bytes());
        assert!(is_audit(&decoded));
        assert_eq!(decoded.unreadable, Some("torn"));
        assert_eq!(decode(AUDIT, &ENTRY.as_bytes()[..60]), Decoded::unreadable("not_json"));
    }

    #[test]
    fn every_failure_has_its_reason() {
        let cases: [(&[u8], &str); 6] = [
            (b"\xff\xfe", "not_utf8"),
            (b"nonsense", "not_json"),
            (b"{}", "no_time"),
            (br#"{"time":"yesterday","type":"request","request":{}}"#, "no_time"),
            (br#"{"time":"2026-01-02T03:04:05Z","type":"response","request":7}"#, "wrong_shape"),
            (br#"<json:object name="auth">"#, "jsonx"),
        ];
        for (line, reason) in cases {
            assert_eq!(decode(AUDIT, line), Decoded::unreadable(reason));
        }
        assert_eq!(decode(AUDIT, b"  "), Decoded { event: None, unreadable: None });
    }

    #[test]
    fn lines_of_the_server_log_are_told_apart() {
        let line = "2026-01-02T03:04:05.678Z [INFO]  core: vault is unsealed";
        let decoded = decode(AUDIT, line.as_bytes());
        assert_eq!(decoded.event.map(|event| event.kind), Some(EventKind::Nothing));
        let json = r#"{"@level":"info","@message":"revoked lease","@module":"expiration","@timestamp":"2026-01-02T03:04:05Z","lease_id":"database/creds/a/b"}"#;
        let decoded = decode(AUDIT, json.as_bytes());
        assert!(matches!(decoded.event.map(|event| event.kind), Some(EventKind::Server(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for lines in [AUDIT, Lines::Log(LogKind::Server), Lines::Observations] {
                decode(lines, &bytes);
            }
        }

        #[test]
        fn no_change_of_an_entry_panics(at in 0..ENTRY.len(), byte in any::<u8>(), cut in 0..ENTRY.len()) {
            let mut line = ENTRY.as_bytes().to_vec();
            line[at] = byte;
            decode(AUDIT, &line);
            decode(AUDIT, &line[..cut]);
            decode(AUDIT, &line[cut..]);
        }
    }
}
