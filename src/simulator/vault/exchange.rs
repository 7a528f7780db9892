//! One request and its response, in the form of the audit log of OpenBao 2.7.

use super::super::hex;
use super::super::network::Peer;
use super::super::rng::Rng;
use super::super::slab::Key;
use super::{Log, Vault};

/// Who sends a request.
#[derive(Clone, Copy, Debug)]
pub(in super::super) enum Sender {
    /// Nobody yet: a login.
    Nobody,
    /// A token that the server does not know, by what its hash is made of.
    Stranger(u64),
    /// A token.
    Token(Key),
}

/// What a policy says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Policy {
    /// The own policy grants it.
    Own,
    /// The policy `default` grants it.
    Default,
    /// None is needed.
    Free,
    /// None grants it.
    Refused,
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Ask<'a> {
    pub(in super::super) at: i64,
    pub(in super::super) sender: Sender,
    pub(in super::super) peer: Peer,
    pub(in super::super) operation: &'static str,
    /// The mount that it is routed to; `None` with the namespace where there is none.
    pub(in super::super) mount: Result<usize, usize>,
    pub(in super::super) path: &'a str,
    /// `{…}`, or nothing.
    pub(in super::super) data: &'a str,
    /// Seconds; 0 for an answer that is not wrapped.
    pub(in super::super) wrap_ttl: u32,
    pub(in super::super) policy: Policy,
}

/// What comes back.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Reply<'a> {
    /// Nanoseconds after the request.
    pub(in super::super) after: i64,
    /// `{…}` of a token that was made or renewed.
    pub(in super::super) auth: &'a str,
    /// The same with what only the entry's own `auth` has, where it is that of the answer: a login.
    pub(in super::super) login: &'a str,
    pub(in super::super) lease: &'a str,
    /// `{…}`, or nothing.
    pub(in super::super) data: &'a str,
    /// `[…]`, or nothing.
    pub(in super::super) warnings: &'a str,
    /// `{…}`, or nothing.
    pub(in super::super) wrap: &'a str,
    /// As JSON writes it.
    pub(in super::super) error: &'a str,
    /// Nobody is logged in after it: the entry's `auth` says nothing at all.
    pub(in super::super) is_blank: bool,
    /// It was refused before the mount saw it.
    pub(in super::super) is_refused: bool,
}

/// What Vault writes for a policy's no.
pub(in super::super) const DENIED: &str = r"1 error occurred:\n\t* permission denied\n\n";

const VERSION: &str = "v2.7.2+builtin.bao";

impl Vault {
    /// Writes both lines; the moment of the response.
    pub(in super::super) fn exchange(&mut self, rng: &mut Rng, ask: &Ask<'_>, reply: &Reply<'_>) -> i64 {
        let id = [rng.next(), rng.next()];
        self.truth.requests += 1;
        let mut auth = std::mem::take(&mut self.scratch.auth);
        let mut request = std::mem::take(&mut self.scratch.request);
        auth.clear();
        request.clear();
        self.write_auth(&mut auth, ask);
        self.write_request(&mut request, ask, id);
        let request_error = match ask.sender {
            Sender::Stranger(_) => "permission denied",
            _ if ask.policy == Policy::Refused => DENIED,
            _ => "",
        };
        let has_accessor = matches!(ask.operation, "create" | "update");
        let mut line = self.line(ask.at, "request");
        line.push_str(&auth);
        self.write_middle(&mut line, ask, &request, has_accessor);
        write_error(&mut line, request_error);
        line.push('}');
        self.push(ask.at, Log::Audit, line);
        let at = ask.at + reply.after.max(1_000);
        let mut line = self.line(at, "response");
        if !reply.login.is_empty() {
            line.push_str(reply.login);
        } else if reply.is_blank {
            line.push_str(r#"{"token_type":"default"}"#);
        } else {
            line.push_str(&auth);
        }
        let answered = has_accessor || !reply.is_refused;
        self.write_middle(&mut line, ask, &request, answered);
        self.write_reply(&mut line, ask, reply, answered);
        line.push('}');
        self.push(at, Log::Audit, line);
        self.scratch.auth = auth;
        self.scratch.request = request;
        at
    }

    fn line(&mut self, at: i64, kind: &str) -> String {
        let mut line = self.pool.pop().unwrap_or_else(|| String::with_capacity(2_048));
        line.clear();
        line.push_str("{\"time\":\"");
        self.clock.nanos(&mut line, at);
        line.push_str("\",\"type\":\"");
        line.push_str(kind);
        line.push_str("\",\"auth\":");
        line
    }

    fn write_auth(&self, out: &mut String, ask: &Ask<'_>) {
        match ask.sender {
            Sender::Nobody => out.push_str(r#"{"policy_results":{"allowed":true},"token_type":"default"}"#),
            Sender::Stranger(_) => out.push_str(r#"{"token_type":"default"}"#),
            Sender::Token(key) => {
                let Some(token) = self.tokens.get(key) else { return };
                out.push('{');
                out.push_str(&token.head);
                out.push_str("\"policy_results\":{\"allowed\":");
                out.push_str(if ask.policy == Policy::Refused { "false" } else { "true" });
                let names: &[&str] = match ask.policy {
                    Policy::Own => &[&token.identity.policy],
                    Policy::Default => &["default"],
                    Policy::Free | Policy::Refused => &[],
                };
                for (at, name) in names.iter().enumerate() {
                    out.push_str(if at == 0 {
                        ",\"granting_policies\":[{\"name\":\""
                    } else {
                        ",{\"name\":\""
                    });
                    out.push_str(name);
                    out.push_str("\",");
                    out.push_str(&self.catalog.namespaces[token.identity.namespace].of_policy);
                    out.push_str(",\"type\":\"acl\"}");
                }
                out.push_str(if names.is_empty() { "}," } else { "]}," });
                out.push_str(&token.tail);
            }
        }
    }

    /// The request from `client_token` on, which does not change with the answer; before it the ID.
    fn write_request(&self, out: &mut String, ask: &Ask<'_>, id: [u64; 2]) {
        out.push_str("\"id\":\"");
        hex::uuid(out, id);
        out.push_str("\",");
        if let Sender::Token(key) = ask.sender
            && let Some(token) = self.tokens.get(key)
        {
            out.push_str("\"client_id\":\"");
            out.push_str(token.identity.client_id());
            out.push_str("\",");
        }
    }

    fn write_middle(&self, out: &mut String, ask: &Ask<'_>, head: &str, has_accessor: bool) {
        out.push_str(",\"request\":{");
        out.push_str(head);
        out.push_str("\"operation\":\"");
        out.push_str(ask.operation);
        out.push_str("\",");
        let namespace = match ask.mount {
            Ok(mount) => {
                let mount = &self.catalog.mounts[mount];
                out.push_str(&mount.text);
                if has_accessor {
                    out.push_str(&mount.accessor_text);
                }
                out.push_str("\"mount_running_version\":\"");
                out.push_str(VERSION);
                out.push_str("\",\"mount_class\":\"");
                out.push_str(mount.class);
                out.push_str("\",");
                mount.namespace
            }
            Err(namespace) => namespace,
        };
        match ask.sender {
            Sender::Nobody => {}
            Sender::Stranger(secret) => {
                out.push_str("\"client_token\":");
                hex::hmac(out, secret);
                out.push(',');
            }
            Sender::Token(key) => {
                if let Some(token) = self.tokens.get(key) {
                    out.push_str(&token.of_request);
                }
            }
        }
        out.push_str(&self.catalog.namespaces[namespace].text);
        out.push_str(",\"path\":\"");
        out.push_str(ask.path);
        out.push('"');
        if !ask.data.is_empty() {
            out.push_str(",\"data\":");
            out.push_str(ask.data);
        }
        out.push_str(",\"remote_address\":\"");
        let peer = if self.behind_proxy { self.proxy(ask.peer.port) } else { ask.peer };
        peer.write(out);
        out.push_str("\",\"remote_port\":");
        hex::decimal(out, u64::from(peer.port));
        if ask.wrap_ttl > 0 {
            out.push_str(",\"wrap_ttl\":");
            hex::decimal(out, u64::from(ask.wrap_ttl));
        }
        out.push('}');
    }

    fn write_reply(&self, out: &mut String, ask: &Ask<'_>, reply: &Reply<'_>, has_accessor: bool) {
        out.push_str(",\"response\":{");
        if !reply.auth.is_empty() {
            out.push_str("\"auth\":");
            out.push_str(reply.auth);
            out.push(',');
        }
        if let Ok(mount) = ask.mount {
            let mount = &self.catalog.mounts[mount];
            out.push_str(&mount.text);
            if has_accessor {
                out.push_str(&mount.accessor_text);
            }
            out.push_str("\"mount_running_plugin_version\":\"");
            out.push_str(VERSION);
            out.push_str("\",\"mount_class\":\"");
            out.push_str(mount.class);
            out.push_str("\",");
        }
        if !reply.lease.is_empty() {
            out.push_str("\"secret\":{\"lease_id\":\"");
            out.push_str(reply.lease);
            out.push_str("\"},");
        }
        for (name, value) in
            [("\"data\":", reply.data), ("\"warnings\":", reply.warnings), ("\"wrap_info\":", reply.wrap)]
        {
            if !value.is_empty() {
                out.push_str(name);
                out.push_str(value);
                out.push(',');
            }
        }
        if out.ends_with(',') {
            out.pop();
        }
        out.push('}');
        write_error(out, reply.error);
    }
}

fn write_error(out: &mut String, error: &str) {
    if !error.is_empty() {
        out.push_str(",\"error\":\"");
        out.push_str(error);
        out.push('"');
    }
}
