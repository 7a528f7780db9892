//! Audit entries and server log lines, as Vault writes them, for worlds made up.

use leasewatch::event::Timestamp;
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Lines with their times, not yet in order.
#[derive(Default)]
pub struct Lines(pub Vec<(i64, String)>);

impl Lines {
    /// The lines in the order of their times.
    pub fn sorted(&self) -> Vec<(i64, Arc<str>)> {
        let mut lines: Vec<(i64, Arc<str>)> =
            self.0.iter().map(|(at, line)| (*at, line.as_str().into())).collect();
        lines.sort_by_key(|(at, _)| *at);
        lines
    }
}

/// What stands in the log for a secret: the same for the same.
pub fn hashed(secret: &str) -> String {
    let part = |number: u8| {
        let mut hasher = DefaultHasher::new();
        (number, secret).hash(&mut hasher);
        hasher.finish()
    };
    format!("hmac-sha256:{:016x}{:016x}{:016x}{:016x}", part(0), part(1), part(2), part(3))
}

/// One exchange: who asks for what, and what the answer holds.
pub struct Exchange<'a> {
    pub number: u64,
    /// Name of the caller's token; none for a login.
    pub token: Option<&'a str>,
    pub operation: &'a str,
    pub mount: &'a str,
    pub engine: &'a str,
    pub path: String,
    pub data: Option<Value>,
    /// Seconds that the answer shall be wrapped for.
    pub wrap_ttl: Option<u32>,
}

impl Exchange<'_> {
    fn entry(&self, kind: &str, at: i64) -> Value {
        let mut request = json!({
            "id": format!("00000000-0000-4000-8000-{:012x}", self.number),
            "operation": self.operation,
            "mount_point": self.mount,
            "mount_type": self.engine,
            "namespace": {"id": "root"},
            "path": self.path,
            "remote_address": "127.0.1.1",
        });
        if let Some(data) = &self.data {
            request["data"] = data.clone();
        }
        if let Some(ttl) = self.wrap_ttl {
            request["wrap_ttl"] = json!(ttl);
        }
        let mut auth = json!({"token_type": "default"});
        if let Some(token) = self.token {
            auth = json!({
                "client_token": hashed(token),
                "accessor": hashed(&format!("accessor of {token}")),
                "display_name": "approle",
                "policies": ["app"],
                "token_type": "service",
                "token_ttl": 3600,
            });
            request["client_token"] = json!(hashed(token));
            request["client_token_accessor"] = auth["accessor"].clone();
        }
        json!({"time": time(at), "type": kind, "auth": auth, "request": request})
    }

    pub fn request(&self, log: &mut Lines, at: i64) {
        log.0.push((at, self.entry("request", at).to_string()));
    }

    pub fn response(&self, log: &mut Lines, at: i64, response: Value) {
        let mut entry = self.entry("response", at);
        entry["response"] = response;
        log.0.push((at, entry.to_string()));
    }

    /// An answer that the caller is told an error in.
    pub fn failure(&self, log: &mut Lines, at: i64) {
        let mut entry = self.entry("response", at);
        entry["response"] = json!({"data": {"error": hashed("invalid request")}});
        entry["error"] = json!("1 error occurred:\n\t* invalid request\n\n");
        log.0.push((at, entry.to_string()));
    }

    /// The answer to a login: the new token.
    pub fn logged_in(&self, log: &mut Lines, at: i64, token: &str) {
        let made = Exchange { token: Some(token), path: self.path.clone(), data: self.data.clone(), ..*self };
        let mut entry = made.entry("response", at);
        entry["response"] = json!({"auth": entry["auth"]});
        entry["request"].as_object_mut().unwrap().remove("client_token");
        entry["request"].as_object_mut().unwrap().remove("client_token_accessor");
        log.0.push((at, entry.to_string()));
    }
}

/// A time as both logs spell it.
pub fn time(at: i64) -> String {
    Timestamp::from_nanos(at).to_string()
}

/// A line of the server log; `more` are its own keys.
pub fn server(log: &mut Lines, at: i64, level: &str, module: &str, message: &str, more: Value) {
    let mut line = more;
    line["@level"] = json!(level);
    line["@message"] = json!(message);
    line["@module"] = json!(module);
    line["@timestamp"] = json!(time(at));
    log.0.push((at, line.to_string()));
}
