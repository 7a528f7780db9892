//! File names under rotation: which names are rotated siblings of a log, and in which order.
//!
//! Known are the habits of logrotate (`audit.log.1`, `audit.log-20260101`, each also
//! compressed), of the kubelet (`0.log.20260102-030405`), and of writers that put the time before
//! the extension (`audit-2026-01-01T00-00-00.000.log`). It knows names alone, no files.

/// How a sibling's name differs from the log's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// Not at all: it is the log as it is written.
    Live,
    /// By a number; mostly the higher, the older (`numbers`). 0 is the log's own name with `.gz` behind.
    Number(u64),
    /// By a date: its digits.
    Date(String),
    /// By a word such as `old`.
    Word,
}

/// A date has at least year, month and day; a shorter number counts rotations.
const DATE_DIGITS: usize = 6;
const WORDS: [&str; 4] = ["old", "bak", "prev", "orig"];

/// The name without what a compressor appends.
pub(crate) fn uncompressed(name: &str) -> &str {
    let compressed = [".gz", ".zst", ".xz", ".bz2"];
    compressed.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// How `name` differs from `live`; none if it is no sibling of it.
pub(crate) fn suffix(live: &str, name: &str) -> Option<Suffix> {
    if name == live {
        return Some(Suffix::Live);
    }
    let plain = uncompressed(name);
    if plain == live {
        return Some(Suffix::Number(0));
    }
    if let Some(rest) = plain.strip_prefix(live) {
        return rotation(rest);
    }
    // audit.log: audit-2026-01-01.log, audit.1.log
    let (stem, extension) = live.rsplit_once('.')?;
    let middle = plain.strip_prefix(stem)?.strip_suffix(extension)?.strip_suffix('.')?;
    rotation(middle).filter(|suffix| *suffix != Suffix::Word)
}

/// Reads what a rotation puts into a name, separator included: `.1`, `-20260101`, `.old`.
fn rotation(part: &str) -> Option<Suffix> {
    let separator = part.chars().next()?;
    if !matches!(separator, '.' | '-' | '_') {
        return None;
    }
    let rest = &part[1..];
    if WORDS.contains(&rest) {
        return Some(Suffix::Word);
    }
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let is_time = |c: char| c.is_ascii_digit() || "-_.:+T@Z".contains(c);
    if digits.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit()) || !rest.chars().all(is_time) {
        return None;
    }
    if digits.len() >= DATE_DIGITS {
        return Some(Suffix::Date(digits));
    }
    // `node-1` is a name of its own, `node.1` a rotation of `node`.
    if separator != '.' || digits.len() != rest.len() {
        return None;
    }
    digits.parse().ok().map(Suffix::Number)
}

/// The log of which `name` is a sibling, or `name` if it is one itself.
pub(crate) fn live(name: &str) -> String {
    let plain = uncompressed(name);
    let separators =
        plain.char_indices().filter(|(at, c)| *at > 0 && matches!(c, '.' | '-' | '_')).map(|(at, _)| at);
    // The longest part that can be a rotation's: `-2026-01-01`, not `-01`.
    for at in separators.clone() {
        if rotation(&plain[at..]).is_some() {
            return plain[..at].to_owned();
        }
    }
    if let Some((front, extension)) = plain.rsplit_once('.')
        && extension.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        for at in separators.filter(|at| *at < front.len()) {
            if rotation(&front[at..]).is_some_and(|suffix| suffix != Suffix::Word) {
                return format!("{}.{extension}", &front[..at]);
            }
        }
    }
    plain.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn siblings_and_strangers() {
        let date = |digits: &str| Some(Suffix::Date(digits.to_owned()));
        for (live, name, expected) in [
            ("audit.log", "audit.log", Some(Suffix::Live)),
            ("audit.log", "audit.log.1", Some(Suffix::Number(1))),
            ("audit.log", "audit.log.12.gz", Some(Suffix::Number(12))),
            ("audit.log", "audit.log.gz", Some(Suffix::Number(0))),
            ("audit.log", "audit.log-20260101.zst", date("20260101")),
            ("audit.log", "audit.log-20260101.xz", date("20260101")),
            ("audit.log", "audit.log.1.bz2", Some(Suffix::Number(1))),
            ("audit.log", "audit.log-20260101-1767225600", date("202601011767225600")),
            ("audit.log", "audit-2026-01-01T00-00-00.000.log", date("20260101000000000")),
            ("audit.log", "audit-20260101.log.gz", date("20260101")),
            ("audit.log", "audit.1.log", Some(Suffix::Number(1))),
            ("audit.log", "audit.log.old", Some(Suffix::Word)),
            ("0.log", "0.log.20260102-030405.gz", date("20260102030405")),
            ("audit", "audit.3", Some(Suffix::Number(3))),
            ("audit.log", "audit.log.sha256", None),
            ("audit.log", "audit.log.swp", None),
            ("audit.log", "audit.log2", None),
            ("audit.log", "audit-1.log", None),
            ("audit.log", "audit_raw.log", None),
            ("audit.log", "vault.log", None),
            ("audit.log", "audit.log.filtered.1", None),
            ("1.log", "0.log", None),
        ] {
            assert_eq!(suffix(live, name), expected, "{live} {name}");
        }
    }

    #[test]
    fn the_log_of_a_sibling() {
        for (name, expected) in [
            ("audit.log", "audit.log"),
            ("audit.log.1", "audit.log"),
            ("audit.log.2.gz", "audit.log"),
            ("audit.log.gz", "audit.log"),
            ("audit.log-20260101.zst", "audit.log"),
            ("audit.log-20260101-1767225600", "audit.log"),
            ("audit-2026-01-01T00-00-00.000.log.gz", "audit.log"),
            ("audit.log.old", "audit.log"),
            ("0.log.20260102-030405", "0.log"),
            ("node-1.log", "node-1.log"),
            ("node-1", "node-1"),
            ("node-1.log.3", "node-1.log"),
            ("vault_audit", "vault_audit"),
        ] {
            assert_eq!(live(name), expected, "{name}");
            assert!(suffix(&live(name), name).is_some(), "{name}");
        }
    }
}
