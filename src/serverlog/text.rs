//! The text format, Vault's default:
//! `2026-01-02T03:04:05.678Z [ERROR] expiration: failed to revoke lease: lease_id=… error="…" attempts=2`.

use super::Line;
use crate::event::Timestamp;

/// Reads it; `None` where it is not a line of this format.
pub(super) fn read(line: &str) -> Option<Line> {
    let (time, rest) = line.split_once(' ')?;
    let (level, rest) = rest.strip_prefix('[')?.split_once(']')?;
    if !time.starts_with(|c: char| c.is_ascii_digit()) || !level.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return None;
    }
    let (module, rest) = rest.trim_start().split_once(": ").unwrap_or(("", rest));
    let (message, pairs) = rest.split_once(": ").unwrap_or((rest, ""));
    let mut read = Line {
        time: time.to_owned(),
        module: module.to_owned(),
        message: message.trim_end().to_owned(),
        lease: String::new(),
        attempts: 0,
        error: String::new(),
    };
    for (key, value) in Pairs(pairs) {
        match key {
            "lease_id" => read.lease = value,
            "error" => read.error = value,
            "attempts" => read.attempts = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    Some(read)
}

/// A time with an offset without a colon (`+0100`), as hclog writes it away from UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let at = text.len().checked_sub(2)?;
    let (head, tail) = (text.get(..at)?, text.get(at..)?);
    Timestamp::parse_rfc3339(&format!("{head}:{tail}"))
}

/// `key=value` and `key="quoted \"value\""`, in turn.
struct Pairs<'a>(&'a str);

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, String);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, rest) = self.0.trim_start().split_once('=')?;
        let Some(quoted) = rest.strip_prefix('"') else {
            let (value, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            self.0 = rest;
            return Some((key, value.to_owned()));
        };
        let mut value = String::new();
        let mut letters = quoted.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.0 = &quoted[at + 1..];
                    return Some((key, value));
                }
                '\\' => match letters.next()?.1 {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    other => value.push(other),
                },
                other => value.push(other),
            }
        }
        None
    }
}
