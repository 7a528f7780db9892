//! The server log's JSON lines in the text format, as the same logger writes them.

use serde_json::Value;
use std::fmt::Write;
use std::sync::Arc;

/// Every line of a server log in the text format; what is text already stays.
pub fn text(lines: &[Arc<str>]) -> Vec<Arc<str>> {
    let mut text = String::new();
    for line in lines {
        match serde_json::from_str(line) {
            Ok(keys) => text.push_str(&entry(&keys)),
            Err(_) => text.push_str(line),
        }
        text.push('\n');
    }
    text.lines().map(Arc::from).collect()
}

fn entry(keys: &Value) -> String {
    let key = |name: &str| keys[name].as_str().unwrap_or("");
    // Milliseconds, the rest cut off.
    let (moment, fraction) = key("@timestamp").trim_end_matches('Z').split_once('.').unwrap();
    let level = format!("[{}]", key("@level").to_uppercase());
    let mut line = format!("{moment}.{}Z {level:<7} ", &fraction[..3]);
    if !key("@module").is_empty() {
        write!(line, "{}: ", key("@module")).unwrap();
    }
    line.push_str(key("@message"));
    // JSON has the pairs sorted; text has them as the code gives them.
    let order = ["lease_id", "error", "attempts", "next_attempt"];
    let known = order.iter().filter_map(|name| Some((*name, keys.get(*name)?)));
    let other = keys.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value));
    let other = other.filter(|(name, _)| !name.starts_with('@') && !order.contains(name));
    let mut pairs = known.chain(other).peekable();
    if pairs.peek().is_some() {
        line.push(':');
    }
    for (name, value) in pairs {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) if name == "next_attempt" => duration(number.as_i64().unwrap()),
            other => other.to_string(),
        };
        if value.contains('\n') {
            // Text of several lines stands below, every line of it behind a bar.
            writeln!(line, "\n  {name}=").unwrap();
            for part in value.trim_end_matches('\n').split('\n') {
                writeln!(line, "  | {part}").unwrap();
            }
            line.push_str("  ");
        } else if value.is_empty() || value.contains([' ', '\t', '"', '=']) {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\t', "\\t");
            write!(line, " {name}=\"{value}\"").unwrap();
        } else {
            write!(line, " {name}={value}").unwrap();
        }
    }
    line
}

/// Nanoseconds as Go spells a duration: `13.563246097s`, `2m40.5s`.
fn duration(nanos: i64) -> String {
    let (mut text, secs, fraction) = (String::new(), nanos / 1_000_000_000, nanos % 1_000_000_000);
    if secs >= 3600 {
        write!(text, "{}h", secs / 3600).unwrap();
    }
    if secs >= 60 {
        write!(text, "{}m", secs / 60 % 60).unwrap();
    }
    let fraction = format!("{fraction:09}");
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    write!(text, "{}{dot}{fraction}s", secs % 60).unwrap();
    text
}

#[test]
fn lines_look_as_the_logger_writes_them() {
    let json = r#"{"@level":"error","@message":"failed to revoke lease","@module":"expiration","@timestamp":"2026-11-23T19:41:05.981309Z","attempts":1,"error":"role \"v\" does not exist","lease_id":"database/creds/a/b","next_attempt":133563246097}"#;
    let expected = r#"2026-11-23T19:41:05.981Z [ERROR] expiration: failed to revoke lease: lease_id=database/creds/a/b error="role \"v\" does not exist" attempts=1 next_attempt=2m13.563246097s"#;
    assert_eq!(*text(&[json.into()]), [expected.into()]);
    let json = r#"{"@level":"info","@message":"vault is unsealed","@module":"core","@timestamp":"2026-11-23T19:41:05.000000Z"}"#;
    assert_eq!(*text(&[json.into()]), ["2026-11-23T19:41:05.000Z [INFO]  core: vault is unsealed".into()]);
}
