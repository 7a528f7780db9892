//! The text format, Vault's default:
//! `2026-01-02T03:04:05.678Z [ERROR] expiration: failed to revoke lease: lease_id=… error="…" attempts=2`.
//!
//! A value of several lines stands below, indented, and what comes after it too.

use super::{Line, trouble};
use crate::event::{RevocationTrouble, ServerEvent, Timestamp};

/// Reads it; `None` where it is not a line of this format.
pub(super) fn read(line: &str) -> Option<Line> {
    let (time, rest) = line.split_once(' ')?;
    let (level, rest) = rest.strip_prefix('[')?.split_once(']')?;
    if !time.starts_with(|c: char| c.is_ascii_digit()) || !level.bytes().all(|byte| byte.is_ascii_uppercase())
    {
        return None;
    }
    let rest = rest.trim_start();
    // Not every line has a module, and no module has a blank in its name.
    let (module, rest) =
        rest.split_once(": ").filter(|(module, _)| !module.contains(' ')).unwrap_or(("", rest));
    let (message, pairs) = rest.split_once(": ").unwrap_or((rest, ""));
    let mut read = Line {
        time: time.to_owned(),
        module: module.to_owned(),
        message: message.trim_end().trim_end_matches(':').to_owned(),
        ..Line::default()
    };
    for (key, value) in Pairs(pairs) {
        match key {
            "lease_id" if read.lease.is_empty() => read.lease = value,
            "error" if read.error.is_none() => read.error = Some(value),
            "attempts" => read.attempts = value.parse().unwrap_or(0),
            "next_attempt" => read.next_attempt = duration(&value),
            "have" => read.have = value.parse().ok(),
            _ => {}
        }
    }
    Some(read)
}

/// A line that goes on with the one before, as far as it says anything to us: a part of an
/// error that names its cause, or what stands behind such an error.
pub(super) fn continued(line: &str) -> Option<ServerEvent> {
    let rest = line.strip_prefix("  ")?;
    if let Some(error) = rest.strip_prefix("| ") {
        let trouble = trouble::classify(error);
        let names_a_cause = trouble != RevocationTrouble::Other;
        return names_a_cause.then_some(ServerEvent::Continued {
            trouble: Some(trouble),
            attempts: 0,
            next_attempt: None,
        });
    }
    let (mut attempts, mut next_attempt) = (0, None);
    for (key, value) in Pairs(rest.strip_prefix(' ')?) {
        match key {
            "attempts" => attempts = value.parse().unwrap_or(0),
            "next_attempt" => next_attempt = duration(&value),
            _ => {}
        }
    }
    (attempts > 0).then_some(ServerEvent::Continued { trouble: None, attempts, next_attempt })
}

/// A time with an offset without a colon (`+0100`), as hclog writes it away from UTC.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let at = text.len().checked_sub(2)?;
    let (head, tail) = (text.get(..at)?, text.get(at..)?);
    Timestamp::parse_rfc3339(&format!("{head}:{tail}"))
}

/// Nanoseconds of a duration as Go writes it: `1m20.5s`, `53.687545356s`, `350ms`.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut nanos: i64 = 0;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let scale: i64 = match unit {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" | "µs" | "μs" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        nanos = nanos.checked_add(whole.parse::<i64>().ok()?.checked_mul(scale)?)?;
        let mut place = scale;
        for digit in fraction.bytes() {
            place /= 10;
            nanos = nanos.checked_add(i64::from(digit.checked_sub(b'0')?).checked_mul(place)?)?;
        }
        rest = after;
    }
    (!text.is_empty() && text != "-").then_some(if negative { -nanos } else { nanos })
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

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_as_go_writes_them() {
        assert_eq!(duration("53.687545356s"), Some(53_687_545_356));
        assert_eq!(duration("1m20.5s"), Some(80_500_000_000));
        assert_eq!(duration("5m59.365212455s"), Some(359_365_212_455));
        assert_eq!(duration("1h0m0s"), Some(3_600_000_000_000));
        assert_eq!(duration("350.25ms"), Some(350_250_000));
        assert_eq!(duration("12µs"), Some(12_000));
        assert_eq!(duration("0s"), Some(0));
        assert_eq!(duration("-1.5s"), Some(-1_500_000_000));
        for wrong in ["", "-", "s", "5", "5 s", "1.2.3s", "99999999999999h", "soon"] {
            assert_eq!(duration(wrong), None, "{wrong:?}");
        }
    }
}
