//! Numbers: whether those of rotated files count backwards, as logrotate's do (`.1` is the newest), or upwards, as
//! with writers and scripts that give each file the next number.
//!
//! The times of files cannot tell: a copy has the time at which it was copied. The first lines can.

use super::content::Content;
use super::names::Suffix;
use super::siblings::Sibling;
use jiff::Timestamp;

/// How far into a file a time is looked for. Bytes.
const LOOK: usize = 64 * 1024;

/// What stands before the time of a line of JSON: Vault's audit log, its server log, a container's log.
const KEYS: [&str; 3] = ["\"time\":\"", "\"@timestamp\":\"", "\"timestamp\":\""];

/// Whether the file with the lowest number begins before the one with the highest. False also where lines say no time.
pub(crate) fn count_upwards(found: &[(Sibling, Suffix)]) -> bool {
    let numbered = || {
        let rotated = found.iter().filter(|(sibling, _)| !sibling.live && sibling.len > 0);
        rotated.filter_map(|(sibling, suffix)| match suffix {
            Suffix::Number(number) => Some((*number, sibling)),
            _ => None,
        })
    };
    let lowest = numbered().min_by_key(|(number, _)| *number);
    let highest = numbered().max_by_key(|(number, _)| *number);
    match (lowest, highest) {
        (Some((low, lowest)), Some((high, highest))) if low < high => {
            // The second is only opened where the first says anything.
            begins(lowest).is_some_and(|first| begins(highest).is_some_and(|last| first < last))
        }
        _ => false,
    }
}

/// The time of a file's first line. None if it says none, or another file has its name by now.
fn begins(sibling: &Sibling) -> Option<Timestamp> {
    let mut content = Content::open(&sibling.path).ok()?;
    if content.id() != sibling.id {
        return None;
    }
    let mut start = vec![0; LOOK];
    let len = content.read_full(0, &mut start).ok()?;
    let line = start[..len].split(|byte| *byte == b'\n').next()?;
    time_of(&String::from_utf8_lossy(line))
}

/// The time that a line says: at its beginning, or under the key of a time.
fn time_of(line: &str) -> Option<Timestamp> {
    let parse = |text: &str| {
        let end = text.find(['"', ' ', '\t']).unwrap_or(text.len());
        text[..end].parse::<Timestamp>().ok()
    };
    parse(line).or_else(|| {
        KEYS.iter().find_map(|key| line.match_indices(key).find_map(|(at, _)| parse(&line[at + key.len()..])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_lines_are_found() {
        let expected: Timestamp = "2026-01-02T03:04:05.678Z".parse().unwrap();
        for line in [
            r#"{"time":"2026-01-02T03:04:05.678Z","type":"request"}"#,
            r#"{"request":{"data":{"time":"hmac-sha256:00"}},"time":"2026-01-02T05:04:05.678+02:00"}"#,
            r#"{"@level":"info","@timestamp":"2026-01-02T03:04:05.678000Z"}"#,
            r#"{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05.678Z"}"#,
            "2026-01-02T03:04:05.678Z [INFO]  core: post-unseal setup complete",
            "2026-01-02T03:04:05.678000000Z stdout F x",
        ] {
            assert_eq!(time_of(line), Some(expected), "{line}");
        }
        for line in ["", "1", "{}", r#"{"time":"soon"}"#, r#"{"a":"\"time\":\"2026-01-02T03:04:05Z\""}"#] {
            assert_eq!(time_of(line), None, "{line}");
        }
    }
}
