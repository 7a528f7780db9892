//! Words for spans and requesters, short enough for a table.

use crate::event::{Requester, Timestamp};
use std::fmt::Write;

/// A span by its two largest units: `45s`, `3m20s`, `5h`, `12d4h`.
pub(crate) fn span(nanos: i64) -> String {
    const UNITS: [(&str, i64); 4] = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let secs = nanos.unsigned_abs() / 1_000_000_000;
    let mut left = i64::try_from(secs).unwrap_or(i64::MAX);
    let mut words = String::new();
    let largest = UNITS.iter().position(|(_, length)| left >= *length).unwrap_or(UNITS.len() - 1);
    for (unit, length) in UNITS.iter().skip(largest).take(2) {
        let count = left / length;
        left %= length;
        if count > 0 || words.is_empty() {
            let _ = write!(words, "{count}{unit}");
        }
    }
    words
}

/// How long ago a moment was; `–` where it is not known.
pub(super) fn age(of: Option<Timestamp>, as_of: Timestamp) -> String {
    of.map_or_else(unknown, |at| span(as_of.nanos_since(at).max(0)))
}

/// How far away a moment is.
pub(super) fn distance(to: Option<Timestamp>, as_of: Timestamp) -> String {
    to.map_or_else(unknown, |at| {
        let left = at.nanos_since(as_of);
        if left < 0 { format!("{} ago", span(left)) } else { format!("in {}", span(left)) }
    })
}

/// A moment, to the second.
pub(super) fn moment(at: Option<Timestamp>) -> String {
    let whole = |at: Timestamp| Timestamp::from_secs(at.as_nanos().div_euclid(1_000_000_000)).to_string();
    at.map_or_else(unknown, whole)
}

/// Who asked: the display name, and the entity where there is one.
pub(super) fn requester(requester: Option<&Requester>) -> String {
    match requester {
        None => "(not seen)".to_owned(),
        Some(who) if who.entity.is_empty() => who.display_name.to_string(),
        Some(who) => format!("{} {}", who.display_name, who.entity),
    }
}

fn unknown() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_by_their_two_largest_units() {
        for (secs, words) in [
            (0, "0s"),
            (45, "45s"),
            (200, "3m20s"),
            (3_600, "1h"),
            (3_601, "1h"),
            (18_060, "5h1m"),
            (86_400 * 12 + 15_000, "12d4h"),
            (-90, "1m30s"),
        ] {
            assert_eq!(span(secs * 1_000_000_000), words);
        }
        let now = Timestamp::from_secs(1_000);
        assert_eq!(distance(Some(Timestamp::from_secs(1_060)), now), "in 1m");
        assert_eq!(distance(Some(Timestamp::from_secs(940)), now), "1m ago");
        assert_eq!(age(None, now), "–");
        // A clock that is a little ahead.
        assert_eq!(age(Some(Timestamp::from_secs(1_001)), now), "0s");
    }
}
