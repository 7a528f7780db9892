//! Durations as Vault takes and writes them: a number of seconds, or Go's form such as `1h2m3.5s`,
//! with `d` for days besides.

/// Whole seconds, the rest cut off as Vault does; `None` for what is no duration or less than nothing.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() {
        return Some(0);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut nanos = 0u128;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (amount, tail) = rest.split_at(number);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        nanos = nanos.checked_add(part(amount, unit)?)?;
        rest = tail;
    }
    u64::try_from(nanos / 1_000_000_000).ok()
}

/// An amount of one unit, in nanoseconds.
fn part(amount: &str, unit: &str) -> Option<u128> {
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        _ => return None,
    };
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let number = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u128>().ok() };
    // Beyond nanoseconds of a day nothing changes a whole second.
    let fraction = &fraction[..fraction.len().min(14)];
    let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole = number(whole)?.checked_mul(unit)?;
    whole.checked_add(number(fraction)?.checked_mul(unit)? / scale)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn takes_what_vault_takes() {
        for (text, secs) in [
            ("27s", 27),
            ("1h0m0s", 3_600),
            ("1h2m3.5s", 3_723),
            ("775h56m31s", 2_793_391),
            ("1.5h", 5_400),
            (".5m", 30),
            ("500ms", 0),
            ("3600", 3_600),
            ("0", 0),
            ("", 0),
            (" 1h ", 3_600),
            ("30d", 2_592_000),
            ("+5m", 300),
            ("1m2µs", 60),
        ] {
            assert_eq!(seconds(text), Some(secs), "{text:?}");
        }
        for text in ["soon", "1", "-1s", "1h-1m", "h", ".s", "1.2.3s", "1 h", "1y", "99999999999999999999d"] {
            assert_eq!(seconds(text), if text == "1" { Some(1) } else { None }, "{text:?}");
        }
    }
}
