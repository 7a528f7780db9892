//! The JSON format (`log_format = "json"`): hclog's keys.

use super::{Line, text};
use serde::Deserialize;
use serde_json::Value;

/// Values beyond the three that hclog itself writes may be anything: another
/// module's `error` can be an object.
#[derive(Deserialize)]
struct Keys {
    #[serde(rename = "@timestamp")]
    time: String,
    #[serde(rename = "@message")]
    message: String,
    #[serde(rename = "@module", default)]
    module: String,
    #[serde(default)]
    lease_id: Value,
    #[serde(default)]
    attempts: Value,
    #[serde(default)]
    next_attempt: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    have: Value,
}

/// Reads it; `None` where it is not a line of this format.
pub(super) fn read(line: &str) -> Option<Line> {
    let keys: Keys = serde_json::from_str(line).ok()?;
    Some(Line {
        time: keys.time,
        module: keys.module,
        message: keys.message,
        lease: words(keys.lease_id).unwrap_or_default(),
        attempts: keys.attempts.as_u64().and_then(|number| number.try_into().ok()).unwrap_or(0),
        // A number of nanoseconds; as Go spells it where a version chose to.
        next_attempt: keys
            .next_attempt
            .as_i64()
            .or_else(|| keys.next_attempt.as_str().and_then(text::duration)),
        error: words(keys.error),
        have: keys.have.as_u64(),
    })
}

fn words(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
