//! A story: an audit log in the making, told by clients of the tests' own. Each line is a response as
//! OpenBao 2.7.2 writes it, without the fields that nothing reads, so that weeks are small.

use serde_json::{Value as Json, json};
use std::cell::Cell;
use std::fmt::Write as _;
use std::path::Path;

/// 2026-03-02T00:00:00Z, a Monday: where every story begins. Europe's clocks change on 2026-03-29.
pub(crate) const BEGIN: i64 = 1_772_409_600;
/// Seconds.
pub(crate) const MINUTE: i64 = 60;
/// Seconds.
pub(crate) const HOUR: i64 = 3_600;
/// Seconds.
pub(crate) const DAY: i64 = 86_400;
/// The mount that most stories are about.
pub(crate) const DATABASE: &str = "database/";

/// Somebody with a token.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// Entity ID; empty for none.
    pub(crate) entity: String,
    pub(crate) display_name: String,
    /// Of the auth method: `approle`, `kubernetes`, `oidc`, `jwt`.
    pub(crate) auth: &'static str,
    /// Role of the auth method.
    pub(crate) role: String,
    pub(crate) address: String,
    /// Tells the token that it uses now from others.
    pub(crate) token: u64,
    /// Batch tokens have no accessor.
    pub(crate) is_batch: bool,
    pub(crate) policies: Vec<String>,
}

impl Client {
    /// A client with an entity of its own.
    pub(crate) fn new(auth: &'static str, name: &str, address: &str) -> Self {
        let number = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self {
            entity: format!(
                "{:08x}-{:04x}-4{:03x}-8000-{:012x}",
                number >> 32,
                number & 0xffff,
                number >> 4 & 0xfff,
                number >> 16
            ),
            display_name: format!("{auth}-{name}"),
            auth,
            role: name.to_owned(),
            address: address.to_owned(),
            token: number,
            is_batch: false,
            policies: vec!["default".into(), name.into()],
        }
    }

    /// The same client, seen from another address.
    pub(crate) fn at(&self, address: &str) -> Self {
        Self { address: address.to_owned(), ..self.clone() }
    }

    /// The same client with a token of its own.
    pub(crate) fn with_token(&self, token: u64) -> Self {
        Self { token, ..self.clone() }
    }

    fn auth_json(&self) -> Json {
        let mut auth = json!({
            "client_token": hashed(self.token, 1),
            "display_name": self.display_name,
            "policies": self.policies,
            "token_policies": self.policies,
            "metadata": {"role_name": self.role},
            "token_type": if self.is_batch { "batch" } else { "service" },
            "token_ttl": 86_400,
        });
        if !self.entity.is_empty() {
            auth["entity_id"] = json!(self.entity);
        }
        if !self.is_batch {
            auth["accessor"] = json!(self.accessor());
        }
        auth
    }

    fn accessor(&self) -> String {
        hashed(self.token, 2)
    }
}

/// A log in the making. Lines may be told in any order: they are written in the order of time.
#[derive(Clone)]
pub(crate) struct Story {
    /// Nanoseconds since the beginning of the story, order of telling, line.
    lines: Vec<(i64, usize, String)>,
    random: Cell<u64>,
    /// When it begins, in seconds since 1970.
    begin: i64,
    /// Write the request entry of every response too, as a real device does.
    pub(crate) both_entries: bool,
}

impl Story {
    /// A story whose chances follow from `seed`, from [`BEGIN`] on.
    pub(crate) fn new(seed: u64) -> Self {
        Self::beginning(seed, BEGIN)
    }

    /// The same from another time on, in seconds since 1970.
    pub(crate) fn beginning(seed: u64, begin: i64) -> Self {
        let random = Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        Self { lines: Vec::new(), random, begin, both_entries: false }
    }

    /// A number below `bound`, by chance (xorshift).
    pub(crate) fn chance(&self, bound: i64) -> i64 {
        let mut random = self.random.get();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        self.random.set(random);
        i64::try_from(random >> 33).unwrap_or(0) % bound.max(1)
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// An exchange by a client whose token is known; `change` makes the response what it is.
    pub(crate) fn exchange(
        &mut self,
        at: i64,
        client: &Client,
        mount: &str,
        path: &str,
        change: impl FnOnce(&mut Json),
    ) {
        let kind = match mount {
            "sys/" => "system",
            "kv/" => "kv",
            _ if mount.starts_with("auth/") => mount.trim_start_matches("auth/").trim_end_matches('/'),
            _ => "database",
        };
        let full = if mount == "sys/" { format!("sys/{path}") } else { format!("{mount}{path}") };
        let id = self.next_id();
        let mut request = json!({
            "id": id, "operation": "read", "mount_point": mount, "mount_type": kind,
            "mount_class": if mount.starts_with("auth/") { "auth" } else { "secret" },
            "namespace": {"id": "root"}, "path": full, "remote_address": client.address, "remote_port": 40_000,
        });
        if !client.is_batch {
            request["client_token_accessor"] = json!(client.accessor());
        }
        let mut entry = json!({
            "time": "", "type": "response", "auth": client.auth_json(), "request": request,
            "response": {"mount_point": mount, "mount_type": kind},
        });
        change(&mut entry);
        self.put(at, &entry);
    }

    /// He logs in.
    pub(crate) fn login(&mut self, at: i64, client: &Client) {
        let (mount, auth) = (format!("auth/{}/", client.auth), client.auth_json());
        self.exchange(at, client, &mount, "login", |entry| {
            entry["request"]["operation"] = json!("update");
            entry["request"].as_object_mut().unwrap().remove("client_token_accessor");
            entry["response"]["auth"] = auth;
        });
    }

    /// He gets a credential of a role of [`DATABASE`].
    pub(crate) fn issue(&mut self, at: i64, client: &Client, role: &str) {
        self.issue_of(at, client, DATABASE, role);
    }

    /// He gets a credential of a role.
    pub(crate) fn issue_of(&mut self, at: i64, client: &Client, mount: &str, role: &str) {
        let lease = format!("{mount}creds/{role}/{:024x}", self.lines.len());
        self.exchange(at, client, mount, &format!("creds/{role}"), |entry| {
            entry["response"]["secret"] = json!({"lease_id": lease});
            entry["response"]["data"] = json!({"username": "hmac-sha256:00", "password": "hmac-sha256:00"});
        });
    }

    /// He gets a wrapped credential; the wrapping token.
    pub(crate) fn issue_wrapped(&mut self, at: i64, client: &Client, role: &str) -> u64 {
        let token = u64::try_from(self.lines.len()).unwrap_or(0) + 0xabcd_0000_0000;
        self.exchange(at, client, DATABASE, &format!("creds/{role}"), |entry| {
            entry["request"]["wrap_ttl"] = json!(300);
            entry["response"]["wrap_info"] = json!({
                "ttl": 300, "token": hashed(token, 1), "accessor": hashed(token, 2),
                "creation_time": time(at), "creation_path": format!("{DATABASE}creds/{role}"),
            });
        });
        token
    }

    /// Somebody unwraps what `wrapper` got, with the wrapping token as his own.
    pub(crate) fn unwrap(&mut self, at: i64, wrapper: &Client, token: u64, role: &str, address: &str) {
        let mut wrapping = Client::new("token", "wrapped", address).with_token(token);
        (wrapping.entity, wrapping.display_name) = (String::new(), wrapper.display_name.clone());
        let lease = format!("{DATABASE}creds/{role}/{:024x}", self.lines.len());
        self.exchange(at, &wrapping, "sys/", "wrapping/unwrap", |entry| {
            entry["auth"].as_object_mut().unwrap().remove("metadata");
            entry["auth"]["policies"] = json!(["response-wrapping"]);
            entry["request"]["operation"] = json!("update");
            entry["response"]["secret"] = json!({"lease_id": lease});
            entry["response"]["data"] = json!({"username": "hmac-sha256:00", "password": "hmac-sha256:00"});
        });
    }

    /// A policy denies it to him.
    pub(crate) fn denied(&mut self, at: i64, client: &Client, mount: &str, path: &str) {
        self.exchange(at, client, mount, path, |entry| {
            entry["auth"]["policy_results"] = json!({"allowed": false});
            entry["error"] = json!("1 error occurred:\n\t* permission denied\n\n");
            entry["response"]["data"] = json!({"error": "hmac-sha256:01"});
        });
    }

    /// The database is down.
    pub(crate) fn backend_failed(&mut self, at: i64, client: &Client, role: &str) {
        self.exchange(at, client, DATABASE, &format!("creds/{role}"), |entry| {
            entry["error"] = json!("1 error occurred:\n\t* failed to connect to `user=vault_admin database=postgres`: 10.1.1.5:5432 (10.1.1.5): dial error: dial tcp 10.1.1.5:5432: connect: connection refused\n\n");
        });
    }

    /// A privileged operation that works.
    pub(crate) fn privileged(&mut self, at: i64, client: &Client, path: &str) {
        self.exchange(at, client, "sys/", path, |entry| {
            entry["request"]["operation"] = json!("update");
            entry["request"]["data"] = json!({"x": "hmac-sha256:00"});
        });
    }

    /// Something that Vault answered without knowing who asks: a failed login (`login` is its path below
    /// `auth/`), as seen from an address.
    pub(crate) fn login_failed(&mut self, at: i64, mount: &str, login: &str, address: &str) {
        let nobody = Client::new("approle", "", address);
        self.exchange(at, &nobody, mount, login, |entry| {
            entry["auth"] = json!({"token_type": "default"});
            entry["request"]["operation"] = json!("update");
            entry["request"].as_object_mut().unwrap().remove("client_token_accessor");
            entry["error"] = json!("invalid credentials");
            entry["response"]["data"] = json!({"error": "hmac-sha256:02"});
        });
    }

    /// A request with a token that Vault does not know.
    pub(crate) fn invalid_token(&mut self, at: i64, path: &str, address: &str) {
        let nobody = Client::new("approle", "", address);
        self.exchange(at, &nobody, DATABASE, path, |entry| {
            entry["auth"] = json!({"token_type": "default"});
            entry["request"].as_object_mut().unwrap().remove("client_token_accessor");
            entry["error"] = json!("1 error occurred:\n\t* permission denied\n\n");
            entry["response"]["data"] = json!({"error": "hmac-sha256:03"});
        });
    }

    fn next_id(&mut self) -> String {
        format!("{:08x}-0000-4000-8000-{:012x}", self.lines.len(), self.lines.len())
    }

    fn put(&mut self, at: i64, entry: &Json) {
        let nanos = at * 1_000_000_000 + self.chance(900_000_000);
        let order = self.lines.len();
        let mut entry = entry.clone();
        if self.both_entries {
            let mut request = entry.clone();
            request["type"] = json!("request");
            request["time"] = json!(instant(self.begin, nanos));
            let parts = request.as_object_mut().unwrap();
            parts.remove("response");
            if !entry["error"].as_str().unwrap_or_default().contains("denied") {
                parts.remove("error");
            }
            if entry["request"]["path"].as_str().unwrap_or_default().ends_with("/login") {
                request["auth"] = json!({"token_type": "default"});
            }
            self.lines.push((nanos, order, request.to_string()));
        }
        let nanos = if self.both_entries { nanos + 2_000_000 } else { nanos };
        entry["time"] = json!(instant(self.begin, nanos));
        self.lines.push((nanos, order, entry.to_string()));
    }

    /// The lines in the order of time, those of the given span of seconds.
    pub(crate) fn text_of(&self, span: std::ops::Range<i64>) -> String {
        let mut lines: Vec<_> =
            self.lines.iter().filter(|(nanos, ..)| span.contains(&nanos.div_euclid(1_000_000_000))).collect();
        lines.sort_by_key(|(nanos, order, _)| (*nanos, *order));
        lines.iter().fold(String::new(), |mut text, (_, _, line)| {
            writeln!(text, "{line}").unwrap();
            text
        })
    }

    /// All lines.
    pub(crate) fn text(&self) -> String {
        self.text_of(i64::MIN..i64::MAX)
    }

    /// Writes the log.
    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, self.text()).unwrap();
    }
}

/// The form that a device gives to a token (1) or its accessor (2). No two share their first half.
fn hashed(token: u64, what: u64) -> String {
    format!("hmac-sha256:{token:016x}{what:016x}{token:032x}")
}

/// An instant, by seconds since [`BEGIN`], as Vault writes it.
pub(crate) fn time(at: i64) -> String {
    instant(BEGIN, at * 1_000_000_000)
}

fn instant(begin: i64, nanos: i64) -> String {
    let nanos = i128::from(begin) * 1_000_000_000 + i128::from(nanos);
    jiff::Timestamp::from_nanosecond(nanos).unwrap().to_string()
}
