//! The JSON format (`log_format = "json"`): hclog's keys.

use super::Line;
use serde::Deserialize;

#[derive(Deserialize)]
struct Keys {
    #[serde(rename = "@timestamp")]
    time: String,
    #[serde(rename = "@message")]
    message: String,
    #[serde(rename = "@module", default)]
    module: String,
    #[serde(default)]
    lease_id: String,
    #[serde(default)]
    attempts: u32,
    #[serde(default)]
    error: String,
}

/// Reads it; `None` where it is not a line of this format.
pub(super) fn read(line: &str) -> Option<Line> {
    let keys: Keys = serde_json::from_str(line).ok()?;
    Some(Line {
        time: keys.time,
        module: keys.module,
        message: keys.message,
        lease: keys.lease_id,
        attempts: keys.attempts,
        error: keys.error,
    })
}
