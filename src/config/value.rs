//! Values: one text to one typed value, or why not and what to write. Pure.

use super::receiver::ReceiverAddress;
use crate::event::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::time::Duration;

/// What is wrong with a text, and what to do.
pub(super) type Wrong = (String, String);

pub(super) fn wrong<T>(problem: impl Into<String>, remedy: impl Into<String>) -> Result<T, Wrong> {
    Err((problem.into(), remedy.into()))
}

/// A duration such as `30s`, `1m30s`, `500ms`; at least `least`.
pub(super) fn duration(text: &str, least: Duration) -> Result<Duration, Wrong> {
    const UNITS: [(&str, u64); 5] =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let mut rest = text.trim();
    let mut millis: Option<u64> = (!rest.is_empty()).then_some(0);
    while !rest.is_empty() {
        let (digits, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let (unit, tail) = tail.split_at(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()));
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor);
        let part =
            digits.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
        millis = millis.zip(part).and_then(|(sum, part)| sum.checked_add(part));
        if millis.is_none() {
            break;
        }
        rest = tail;
    }
    match millis.map(Duration::from_millis) {
        None => wrong(
            format!("{text:?} is no duration"),
            "Write a number and a unit, such as 500ms, 30s, 5m or 1h",
        ),
        Some(duration) if duration < least => {
            wrong(format!("{text:?} is too short"), format!("Write at least {}", show_duration(least)))
        }
        Some(duration) => Ok(duration),
    }
}

/// A duration as the configuration writes it.
pub(super) fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

/// A whole number of at least `least`.
pub(super) fn integer(text: &str, least: usize) -> Result<usize, Wrong> {
    match text.replace('_', "").parse::<usize>() {
        Ok(number) if number >= least => Ok(number),
        Ok(_) => wrong(format!("{text} is too small"), format!("Write at least {least}")),
        Err(_) => {
            wrong(format!("{text:?} is no whole number"), format!("Write a number of at least {least}"))
        }
    }
}

/// A number from `least` to `most`.
pub(super) fn number(text: &str, least: f64, most: f64) -> Result<f64, Wrong> {
    let remedy = format!("Write a number from {least} to {most}");
    match text.replace('_', "").parse::<f64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        Ok(number) if number.is_finite() => {
            let word = if number < least { "small" } else { "large" };
            wrong(format!("{text} is too {word}"), remedy)
        }
        _ => wrong(format!("{text:?} is no number"), remedy),
    }
}

/// The ID of an episode: 16 hexadecimal digits.
pub(super) fn episode_id(text: &str) -> Result<String, Wrong> {
    if text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')) {
        Ok(text.to_owned())
    } else {
        wrong(
            format!("{text:?} is no ID of an episode"),
            "Write the 16 digits and letters that `leasewatch episodes` shows",
        )
    }
}

/// A moment.
pub(super) fn time(text: &str) -> Result<Timestamp, Wrong> {
    match Timestamp::parse_rfc3339(text) {
        Some(moment) => Ok(moment),
        None => wrong(format!("{text:?} is no time"), "Write a time such as 2026-12-31T00:00:00Z, in quotes"),
    }
}

/// A switch, in the spellings that Vault's clients take.
pub(super) fn switch(text: &str) -> Result<bool, Wrong> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => wrong(format!("{text:?} is neither true nor false"), "Write true or false"),
    }
}

/// One of the words.
pub(super) fn choice(text: &str, words: &[&str]) -> Result<usize, Wrong> {
    match words.iter().position(|word| *word == text) {
        Some(index) => Ok(index),
        None => wrong(format!("{text:?} is none of its words"), format!("Write {}", words.join(" or "))),
    }
}

/// `host:port`, `[v6]:port` or `:port`; a host name is looked up later.
pub(super) fn listen_address(text: &str) -> Result<String, Wrong> {
    const REMEDY: &str = "Write HOST:PORT, such as 127.0.0.1:9748, [::1]:9748, or :9748 for all addresses";
    let Some((host, port)) = text.rsplit_once(':') else {
        return wrong(format!("{text:?} has no port"), REMEDY);
    };
    if port.parse::<u16>().is_err() {
        return wrong(format!("{port:?} is no port"), REMEDY);
    }
    let bracketed = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let valid = match bracketed {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-'),
    };
    if valid { Ok(text.to_owned()) } else { wrong(format!("{host:?} is no host"), REMEDY) }
}

/// An API address: scheme, host and port alone. Returned without a last slash.
pub(super) fn api_address(text: &str) -> Result<String, Wrong> {
    const REMEDY: &str = "Write scheme, host and port, such as https://vault.example.org:8200";
    if text.starts_with("unix:") {
        return wrong("a Unix socket is not supported", REMEDY);
    }
    // The text itself is not shown: it may hold a password.
    let Ok(url) = reqwest::Url::parse(text) else {
        return wrong("this is no address", REMEDY);
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return wrong("this is no http or https address", REMEDY);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            "an address must not hold a user or a password",
            "Take them out; leasewatch logs in with a token",
        );
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return wrong("there is something after the port", REMEDY);
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// An address of a receiver, path and all. Returned without a last slash.
pub(super) fn endpoint(text: &str) -> Result<String, Wrong> {
    const REMEDY: &str = "Write an address such as https://collector.example.org:4318";
    // The text itself is not shown: it may hold a password.
    let Ok(url) = reqwest::Url::parse(text) else {
        return wrong("this is no address", REMEDY);
    };
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return wrong("this is no http or https address", REMEDY);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("an address must not hold a user or a password", "Send a header instead");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// `NAME=VALUE`, the value percent-encoded.
pub(super) fn pair(text: &str) -> Result<(String, String), Wrong> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
        return wrong(format!("{text:?} is no NAME=VALUE"), "Write such as team=payments");
    };
    match percent_decode_str(value.trim()).decode_utf8() {
        Ok(value) => Ok((name.trim().to_owned(), value.into_owned())),
        Err(_) => wrong(format!("the value of {name} is no UTF-8"), "Encode it by percent signs"),
    }
}

/// The same as text again.
pub(super) fn attribute(name: &str, value: &str) -> String {
    format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC))
}

/// A name for a label: letters, digits, `.`, `_` and `-`, so that it reads well everywhere.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let valid = !text.is_empty() && text.len() <= 100 && text.chars().all(is_name_char);
    if valid {
        Ok(text.to_owned())
    } else {
        wrong(format!("{text:?} is no name"), "Write up to 100 letters, digits, dots, dashes and underscores")
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// `NAME=PATH` or `PATH`, or an address to receive at in its place. What stands before the `=` is a name only if it looks like one, so
/// that a path with `=` can always be written as `./a=b`.
pub(super) fn named_path(text: &str) -> Result<(Option<String>, String), Wrong> {
    let (name, path) = match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && name.chars().all(is_name_char) => {
            (Some(name.to_owned()), path)
        }
        _ => (None, text),
    };
    if path.is_empty() {
        return wrong(
            "there is no path",
            "Write a path, a glob in quotes, - for standard input, or an address to receive at",
        );
    }
    if ReceiverAddress::is_meant(path) {
        ReceiverAddress::parse(path)?;
    } else if let Err(error) = glob::Pattern::new(path) {
        return wrong(
            format!("{path:?} is no glob: {}", error.msg),
            "Write a [ that belongs to a name as [[]",
        );
    }
    Ok((name, path.to_owned()))
}

/// A namespace or mount path as it is kept: without slashes at its ends, root empty.
pub(super) fn path_segment(text: &str) -> String {
    match text.trim_matches('/') {
        "root" => String::new(),
        path => path.to_owned(),
    }
}

/// What is not empty.
pub(super) fn present(text: &str) -> Result<String, Wrong> {
    if text.is_empty() {
        wrong("it is empty", "Write a value, or leave the setting out")
    } else {
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_units_and_their_sums() {
        let zero = Duration::ZERO;
        assert_eq!(duration("1h30m", zero), Ok(Duration::from_secs(5400)));
        assert_eq!(duration("500ms", zero), Ok(Duration::from_millis(500)));
        for bad in ["", "5", "s", "-5s", "5 s", "1.5s", "5y", "99999999999999999d"] {
            assert!(duration(bad, zero).is_err(), "{bad}");
        }
        assert_eq!(show_duration(Duration::from_secs(90)), "90s");
        assert_eq!(show_duration(Duration::from_millis(1500)), "1500ms");
    }

    #[test]
    fn an_address_is_a_scheme_a_host_and_a_port() {
        assert_eq!(api_address("https://v:8200/"), Ok("https://v:8200".to_owned()));
        for bad in [
            "v:8200",
            "ftp://v",
            "https://v/v1",
            "https://v?x=1",
            "unix:///run/s",
            "https://u:p@v",
            "https://",
        ] {
            let (problem, _) = api_address(bad).unwrap_err();
            assert!(!problem.contains("u:p"), "{problem}");
        }
    }

    #[test]
    fn listen_addresses() {
        for good in [":9748", "0.0.0.0:1", "[::1]:9748", "localhost:0"] {
            assert_eq!(listen_address(good), Ok(good.to_owned()));
        }
        for bad in ["9748", "localhost", ":99999", "::1:80", "a b:1", "[x]:1"] {
            assert!(listen_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_may_have_a_name() {
        assert_eq!(named_path("a=/x"), Ok((Some("a".into()), "/x".into())));
        assert_eq!(named_path("./a=/x"), Ok((None, "./a=/x".into())));
        assert_eq!(named_path("-"), Ok((None, "-".into())));
        assert!(named_path("a=").is_err());
        assert!(named_path("/var/log/[").is_err());
    }
}
