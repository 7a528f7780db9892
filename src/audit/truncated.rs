//! Truncated entries: what syslog daemons leave of a long one is its beginning. That is worth
//! something where what is cut off cannot change what it says.

use super::decode::decode;
use crate::event::{Event, EventKind, Outcome, Stage};

/// What the beginning of an entry says: an answer that has shown a lease, or data that is no error,
/// has succeeded, whatever follows. Nothing else is believed, as an error stands at the end.
pub fn beginning(line: &str) -> Option<Event> {
    let event = decode(&mend(line)?).ok()?;
    let EventKind::Audit(entry) = &event.kind else { return None };
    let is_told = entry.lease.is_some() || (entry.has_data && entry.outcome == Outcome::Ok);
    (entry.stage == Stage::Response && is_told).then_some(event)
}

/// The longest beginning of whole members, with its brackets closed; none if nothing was cut off.
fn mend(line: &str) -> Option<String> {
    let (end, open) = scan(line);
    if open.is_empty() || end == 0 {
        return None;
    }
    let whole = &line[..end];
    let (_, open) = scan(whole);
    let closers = open.iter().rev().map(|bracket| if *bracket == b'{' { '}' } else { ']' });
    Some(whole.chars().chain(closers).collect())
}

/// Where the last member ends that is surely whole, and which brackets are open at the end.
fn scan(text: &str) -> (usize, Vec<u8>) {
    let mut open = Vec::new();
    let (mut end, mut in_string, mut is_escaped) = (0, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'{' | b'[' => open.push(byte),
            b'}' | b']' => {
                open.pop();
                end = at + 1;
            }
            b',' => end = at,
            _ => {}
        }
    }
    (end, open)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = r#"{"time":"2026-01-02T03:04:05Z","type":"response","auth":{"policies":["a"],"token_type":"service"},"request":{"id":"1","operation":"read","path":"database/creds/app","mount_type":"database","mount_point":"database/"},"response":{"mount_type":"database","secret":{"lease_id":"database/creds/app/x"},"data":{"password":"hmac-sha256:a","username":"hmac-sha256:b"}}}"#;
    const LIST: &str = r#"{"time":"2026-01-02T03:04:05Z","type":"response","request":{"id":"1","operation":"list","path":"sys/leases/lookup/"},"response":{"data":{"keys":["a,]}","b\"","c"]}}}"#;

    fn is_told(line: &str, cut: usize) -> bool {
        let told = beginning(&line[..cut]);
        // What it says is what the whole says.
        if let (
            Some(Event { kind: EventKind::Audit(told), .. }),
            Ok(Event { kind: EventKind::Audit(all), .. }),
        ) = (&told, decode(line))
        {
            assert_eq!(
                (told.id, &told.path, &told.lease, told.outcome),
                (all.id, &all.path, &all.lease, all.outcome)
            );
        }
        told.is_some()
    }

    #[test]
    fn an_answer_counts_once_its_lease_has_been_shown() {
        let shown = CREDENTIALS.find("},\"data\"").unwrap();
        for cut in 0..CREDENTIALS.len() {
            assert_eq!(is_told(CREDENTIALS, cut), cut > shown, "cut at {cut}");
        }
        assert!(beginning(CREDENTIALS).is_none(), "it is whole");
    }

    #[test]
    fn a_list_counts_once_its_first_key_has_been_shown() {
        let shown = LIST.find("\"a,]}\",").unwrap() + "\"a,]}\"".len();
        for cut in 0..LIST.len() {
            assert_eq!(is_told(LIST, cut), cut > shown, "cut at {cut}");
        }
    }

    #[test]
    fn what_may_have_failed_is_not_believed() {
        let failed = CREDENTIALS.replace(r#""secret":{"lease_id":"database/creds/app/x"},"#, "");
        let failed =
            failed.replace(r#""password":"hmac-sha256:a","username""#, r#""error":"no such role","more""#);
        assert!(failed.contains("no such role"));
        for line in [failed, CREDENTIALS.replace("\"response\",", "\"request\",")] {
            assert!((0..line.len()).all(|cut| !is_told(&line, cut)), "{line}");
        }
    }
}
