//! The form of a line: its keys in their order, and what kind of value each
//! has, without what differs from one request to the next.

use std::collections::BTreeSet;

/// Keys whose values are part of the form.
const LITERAL: [&str; 9] = [
    "type",
    "operation",
    "mount_class",
    "mount_running_version",
    "mount_running_plugin_version",
    "token_type",
    "@level",
    "@message",
    "allowed",
];

/// A line's form, in parts that are independent of each other.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form {
    /// All but the parts below.
    pub line: String,
    /// The forms of whoever asks, of the namespace, of metadata, and of policies.
    pub parts: BTreeSet<String>,
}

/// The form of a line of JSON.
pub fn of(line: &str) -> Form {
    let mut scan = Scan { text: line.as_bytes(), at: 0, parts: BTreeSet::new() };
    let shape = scan.value("", "");
    assert_eq!(scan.at, line.len(), "{line}");
    Form { line: shape, parts: scan.parts }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    parts: BTreeSet<String>,
}

impl Scan<'_> {
    fn string(&mut self) -> String {
        assert_eq!(self.text[self.at], b'"');
        let start = self.at + 1;
        self.at = start;
        while self.text[self.at] != b'"' {
            self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        String::from_utf8(self.text[start..self.at - 1].to_vec()).unwrap()
    }

    fn value(&mut self, parent: &str, key: &str) -> String {
        match self.text[self.at] {
            b'{' => self.object(parent, key),
            b'[' => self.array(key),
            b'"' => {
                let text = self.string();
                of_text(key, &text)
            }
            _ => {
                let start = self.at;
                while !matches!(self.text[self.at], b',' | b'}' | b']') {
                    self.at += 1;
                }
                let text = std::str::from_utf8(&self.text[start..self.at]).unwrap();
                match text {
                    "true" | "false" if LITERAL.contains(&key) => text.to_owned(),
                    "true" | "false" => "bool".to_owned(),
                    "null" => "null".to_owned(),
                    number => {
                        assert!(number.parse::<f64>().is_ok(), "{number}");
                        "0".to_owned()
                    }
                }
            }
        }
    }

    fn array(&mut self, key: &str) -> String {
        self.at += 1;
        let mut items = BTreeSet::new();
        while self.text[self.at] != b']' {
            items.insert(self.value(key, key));
            if self.text[self.at] == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        format!("[{}]", items.into_iter().collect::<Vec<_>>().join("|"))
    }

    fn object(&mut self, parent: &str, key: &str) -> String {
        self.at += 1;
        let mut fields = Vec::new();
        let mut token_type = String::new();
        while self.text[self.at] != b'}' {
            let name = self.string();
            assert_eq!(self.text[self.at], b':');
            self.at += 1;
            let value = self.value(key, &name);
            if name == "token_type" {
                token_type.clone_from(&value);
            }
            // What a secret holds, and how its fields are called, is the owner's.
            let name = if parent == "data" && key == "data" { "any".to_owned() } else { name };
            fields.push((name, value));
            if self.text[self.at] == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
        // A batch token has no accessor, wherever it is used.
        fields.retain(|(name, _)| name != "client_token_accessor");
        if parent == "data" && key == "data" {
            fields.dedup();
        }
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
        let text = format!("{{{}}}", fields.join(","));
        match key {
            "auth" => {
                self.parts.insert(format!("auth {text}"));
                // Whether the server knows who asks.
                format!("<auth {}>", if token_type == "default" { "nobody" } else { "somebody" })
            }
            "metadata" if parent == "auth" => {
                self.parts.insert(format!("metadata {text}"));
                "<metadata>".to_owned()
            }
            "namespace" => {
                self.parts.insert(format!("namespace {text}"));
                "<namespace>".to_owned()
            }
            "granting_policies" => {
                self.parts.insert(format!("policy {text}"));
                "<policy>".to_owned()
            }
            _ => text,
        }
    }
}

fn of_text(key: &str, text: &str) -> String {
    let hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if let Some(digits) = text.strip_prefix("hmac-sha256:") {
        assert!(hex(digits, 64), "{text}");
        return "hmac".to_owned();
    }
    if LITERAL.contains(&key) {
        return text.to_owned();
    }
    match key {
        "error" => of_error(text),
        // Namespaces have mounts of the same kinds.
        "mount_type" => text.trim_start_matches("ns_").to_owned(),
        "@module" => match text.rsplit_once('_') {
            Some((module, accessor)) if hex(accessor, 8) => format!("{module}_accessor"),
            _ => text.to_owned(),
        },
        "mount_accessor" => {
            let (engine, accessor) = text.rsplit_once('_').unwrap();
            assert!(hex(accessor, 8), "{text}");
            engine.to_owned()
        }
        "lease_id" => {
            let (path, last) = text.rsplit_once('/').unwrap();
            let (last, suffix) = last.split_once('.').unwrap_or((last, "root"));
            let of_token = last.strip_prefix('h').is_some_and(|digits| hex(digits, 64));
            assert!(of_token || last.len() == 24, "{text}");
            let suffix = if suffix == "root" || suffix.len() == 6 { "" } else { "?" };
            format!(
                "{}/{}{suffix}",
                if path.is_empty() { "?" } else { "path" },
                if of_token { "token" } else { "id" }
            )
        }
        "id" | "entity_id" | "client_id" => {
            let id = text.split_once('.').map_or(text, |(id, suffix)| {
                assert_eq!(suffix.len(), 6, "{text}");
                id
            });
            let parts: Vec<&str> = id.split('-').collect();
            let is_uuid = parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
                && parts.iter().all(|part| hex(part, part.len()));
            let is_digest = id.len() == 44 && id.ends_with('=');
            if is_uuid || is_digest { "uuid".to_owned() } else { "text".to_owned() }
        }
        _ if leasewatch::event::Timestamp::parse_rfc3339(text).is_some() => match key {
            // Microseconds to the digit in the server log; seconds where a token says since when.
            "@timestamp" => format!("time of {}", text.len()),
            "token_issue_time" => format!("time of {}", text.len()),
            _ => "time".to_owned(),
        },
        "remote_address" => {
            assert!(text.parse::<std::net::IpAddr>().is_ok(), "{text}");
            "address".to_owned()
        }
        _ => "text".to_owned(),
    }
}

/// An error without names, addresses and numbers.
fn of_error(text: &str) -> String {
    // What a database says of its own objects is the database's.
    let text = match (text.find("ERROR: "), text.find("(SQLSTATE")) {
        (Some(from), Some(to)) if from < to => format!("{}ERROR: {}", &text[..from], &text[to..]),
        _ => text.to_owned(),
    };
    let mut out = String::new();
    for word in text.split(' ') {
        let word =
            if word.bytes().any(|byte| byte.is_ascii_digit()) || word.contains("v-") { "…" } else { word };
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
