//! Numbers, days and names in a sentence.

/// A number as somebody says it: whole, unless it is small and is not.
pub(super) fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 10.0 {
        format!("{value:.0}")
    } else if value.abs() >= 0.05 {
        format!("{value:.1}")
    } else {
        "nearly 0".to_owned()
    }
}

/// So many of a thing.
pub(super) fn count(value: f64, one: &str, many: &str) -> String {
    let said = number(value);
    let word = if said == "1" { one } else { many };
    format!("{said} {word}")
}

/// A time in hours.
pub(super) fn hours(value: f64) -> String {
    if value < 1.0 {
        count((value * 60.0).round().max(1.0), "minute", "minutes")
    } else if value < 72.0 {
        count(value.round(), "hour", "hours")
    } else {
        count((value / 24.0).round(), "day", "days")
    }
}

/// A name from a log: no longer than a sentence bears.
pub(super) fn name(text: &str) -> String {
    cut(text, 80)
}

/// A network with what is said of it, in words of ours.
pub(super) fn network(text: &str) -> String {
    cut(text, 240)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
