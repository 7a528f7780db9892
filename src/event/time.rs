//! A moment in event time. Read from log lines, never from a clock.

use serde::{Deserialize, Serialize};

/// Nanoseconds since the Unix epoch, UTC.
///
/// An integer, so that sums and comparisons are exact and the same on every
/// machine; it spans the years 1678 to 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest moment: before every event.
    pub const MIN: Self = Self(i64::MIN);

    /// Its day in UTC, as people write it: `2026-01-02`.
    pub fn day(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// A moment so many nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A moment so many seconds after the Unix epoch.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds since the Unix epoch, as metrics show it.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Nanoseconds from `earlier` to this moment; negative if it is later.
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This moment, moved by so many nanoseconds.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// This moment, moved by so many seconds.
    #[must_use]
    pub const fn plus_secs(self, secs: i64) -> Self {
        self.plus_nanos(secs.saturating_mul(1_000_000_000))
    }

    /// Reads RFC 3339 with any number of fraction digits and any offset, as
    /// Vault writes it (`2026-01-02T03:04:05.123456789Z`); `None` for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        if let Some(nanos) = quick(text) {
            return Some(Self(nanos));
        }
        let moment: jiff::Timestamp = text.parse().ok()?;
        i64::try_from(moment.as_nanosecond()).ok().map(Self)
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(moment) => moment.fmt(f),
            Err(_) => write!(f, "{} ns", self.0),
        }
    }
}

/// The plain form that both logs write, in UTC and of these centuries, at a third of the cost: every
/// line has a time. `None` for all else, valid or not.
fn quick(text: &str) -> Option<i64> {
    let (date, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let digit = |at: usize| Some(date[at].wrapping_sub(b'0')).filter(|digit| *digit < 10).map(i64::from);
    let two = |at: usize| Some(digit(at)? * 10 + digit(at + 1)?);
    let (year, month, day) = (two(0)? * 100 + two(2)?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    // The last days of a month depend on the month.
    let in_range = (1970..2262).contains(&year)
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range || (date[4], date[7], date[10], date[13], date[16]) != (b'-', b'-', b'T', b':', b':') {
        return None;
    }
    let nanos = match rest {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..=9).contains(&digits.len()) => {
            let mut nanos = 0;
            for at in 0..9 {
                let digit = digits.get(at).map_or(0, |byte| byte.wrapping_sub(b'0'));
                if digit > 9 {
                    return None;
                }
                nanos = nanos * 10 + i64::from(digit);
            }
            nanos
        }
        _ => return None,
    };
    // A year that begins in March has its odd day at its end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468;
    let secs = ((days * 24 + hour) * 60 + minute) * 60 + second;
    secs.checked_mul(1_000_000_000)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn library(text: &str) -> Option<i64> {
        i64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok()
    }

    #[test]
    fn the_plain_form_is_read_quickly_and_others_are_left_alone() {
        for text in ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.1Z", "2000-02-28T23:59:59.123456789Z"] {
            assert_eq!(quick(text), library(text), "{text}");
            assert!(quick(text).is_some(), "{text}");
        }
        for text in ["", "noon", "2026-01-02T03:04:05+01:00", "2026-01-31T03:04:05Z", "2026-01-02T03:04:60Z"]
        {
            assert_eq!(quick(text), None, "{text}");
            assert_eq!(Timestamp::parse_rfc3339(text).map(Timestamp::as_nanos), library(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn what_is_read_quickly_is_what_the_library_reads(
            secs in 0i64..9_214_646_400, nanos in 0i64..1_000_000_000, digits in 0usize..10,
            at in 0usize..30, byte in prop::sample::select(&b"0123456789-:.TZ+ az"[..]), changed in any::<bool>(),
        ) {
            let moment = Timestamp::from_nanos(secs * 1_000_000_000 + nanos).to_string();
            let (whole, fraction) = moment.trim_end_matches('Z').split_once('.').unwrap_or((moment.trim_end_matches('Z'), ""));
            let mut text = whole.to_owned();
            if digits > 0 {
                text += &format!(".{fraction:0<9}")[..=digits];
            }
            text.push('Z');
            if changed && at < text.len() {
                text.replace_range(at..=at, &char::from(byte).to_string());
            }
            if let Some(read) = quick(&text) {
                prop_assert_eq!(Some(read), library(&text), "{}", text);
            } else {
                prop_assert!(changed || text[8..10] > *"28", "{}", text);
            }
        }
    }
}
