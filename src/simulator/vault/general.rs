//! Everything else that clients ask for: settings, certificates, lists, and
//! what operators change.

use super::super::calendar::{MINUTE, SECOND};
use super::super::catalog::base62;
use super::super::hex;
use super::super::network::Peer;
use super::super::rng::{Rng, number_of};
use super::super::slab::Key;
use super::super::truth::Truth;
use super::access::hashed;
use super::{Ask, Lease, Policy, Reply, Sender, Task, Vault, takes};

/// A request of no consequence for leases.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Plain<'a> {
    pub(in super::super) operation: &'static str,
    /// Mount point, relative to the namespace of the token.
    pub(in super::super) mount: &'a str,
    pub(in super::super) path: &'a str,
    /// `{…}`, or nothing.
    pub(in super::super) data: &'a str,
    /// `{…}`, or nothing.
    pub(in super::super) answer: &'a str,
    pub(in super::super) policy: Policy,
    pub(in super::super) micros: i64,
}

impl Vault {
    /// Sends it; the moment at which the client has the answer.
    pub(in super::super) fn plain(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        plain: &Plain<'_>,
    ) -> i64 {
        let Some(token) = self.tokens.get(key) else { return at };
        let ask = Ask {
            at,
            sender: Sender::Token(key),
            peer,
            operation: plain.operation,
            mount: Ok(self.catalog.mount(token.identity.namespace, plain.mount)),
            path: plain.path,
            data: plain.data,
            wrap_ttl: 0,
            policy: plain.policy,
        };
        if plain.policy == Policy::Refused {
            return self.refuse(rng, &ask);
        }
        let reply = Reply { after: takes(rng, plain.micros), data: plain.answer, ..Reply::default() };
        self.exchange(rng, &ask, &reply)
    }

    /// Reads a setting.
    pub(in super::super) fn read_kv(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        name: &str,
    ) -> i64 {
        let path = format!("kv/data/{name}");
        let version = number_of(&path) ^ self.seed;
        let written = at - (version % 90 + 1) as i64 * 1_440 * MINUTE;
        let mut answer = String::from("{\"data\":{\"value\":");
        hex::hmac(&mut answer, version);
        answer.push_str("},\"metadata\":");
        self.kv_version(&mut answer, written - written.rem_euclid(MINUTE), version % 30 + 1);
        answer.push('}');
        let plain = Plain {
            operation: "read",
            mount: "kv/",
            path: &path,
            data: "",
            answer: &answer,
            policy: Policy::Own,
            micros: 230,
        };
        self.plain(rng, at, key, peer, &plain)
    }

    /// Reads a setting that no policy grants.
    pub(in super::super) fn refuse_kv(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        name: &str,
    ) -> i64 {
        let path = format!("kv/data/{name}");
        let plain = Plain {
            operation: "read",
            mount: "kv/",
            path: &path,
            data: "",
            answer: "",
            policy: Policy::Refused,
            micros: 60,
        };
        self.plain(rng, at, key, peer, &plain)
    }

    /// Writes a setting.
    pub(in super::super) fn write_kv(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        name: &str,
    ) -> i64 {
        let path = format!("kv/data/{name}");
        let data = format!("{{\"data\":{}}}", hashed(&[("value", rng.next())]));
        let mut answer = String::new();
        self.kv_version(&mut answer, at, 2 + rng.below(40));
        let plain = Plain {
            operation: "update",
            mount: "kv/",
            path: &path,
            data: &data,
            answer: &answer,
            policy: Policy::Own,
            micros: 285,
        };
        self.plain(rng, at, key, peer, &plain)
    }

    fn kv_version(&mut self, out: &mut String, at: i64, version: u64) {
        out.push_str("{\"created_time\":\"");
        self.clock.nanos(out, at);
        out.push_str("\",\"custom_metadata\":null,\"deletion_time\":");
        hex::hmac(out, self.seed);
        out.push_str(",\"destroyed\":false,\"version\":");
        hex::decimal(out, version);
        out.push('}');
    }

    /// Lists the names below a path.
    pub(in super::super) fn list(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        (mount, path): (&str, &str),
        names: usize,
    ) -> i64 {
        let mut answer = String::from("{\"keys\":[");
        for name in 0..names.max(1) {
            if name > 0 {
                answer.push(',');
            }
            hex::hmac(&mut answer, number_of(path) ^ self.seed ^ name as u64);
        }
        answer.push_str("]}");
        let plain = Plain {
            operation: "list",
            mount,
            path,
            data: "",
            answer: &answer,
            policy: Policy::Own,
            micros: 250,
        };
        self.plain(rng, at, key, peer, &plain)
    }

    /// Issues a certificate, with a lease.
    pub(in super::super) fn certificate(&mut self, rng: &mut Rng, at: i64, key: Key, peer: Peer) -> i64 {
        let Some(token) = self.tokens.get(key) else { return at };
        let (namespace, token_ends) = (token.identity.namespace, token.expires);
        let is_batch = token.identity.is_batch;
        let mount = self.catalog.mount(namespace, "pki/");
        let after = takes(rng, 52_000);
        let issued = at + after;
        let id = format!("pki/issue/web/{}", base62(rng, 24));
        let ends = issued + 1_440 * MINUTE;
        let ends = if is_batch { ends.min(token_ends) } else { ends };
        let mut data = String::from("{\"ca_chain\":[");
        hex::hmac(&mut data, self.seed);
        data.push_str("],\"certificate\":");
        hex::hmac(&mut data, rng.next());
        data.push_str(",\"expiration\":");
        hex::decimal(&mut data, (ends / SECOND).unsigned_abs());
        data.push_str(",\"issuing_ca\":");
        hex::hmac(&mut data, self.seed);
        data.push_str(",\"not_before\":");
        hex::decimal(&mut data, (issued / SECOND - 30).unsigned_abs());
        for name in ["private_key", "private_key_type", "serial_number"] {
            data.push_str(",\"");
            data.push_str(name);
            data.push_str("\":");
            hex::hmac(&mut data, if name == "private_key_type" { self.seed } else { rng.next() });
        }
        data.push('}');
        let request = hashed(&[("common_name", number_of("web") ^ self.seed), ("ttl", self.seed)]);
        let ask = Ask {
            at,
            sender: Sender::Token(key),
            peer,
            operation: "update",
            mount: Ok(mount),
            path: "pki/issue/web",
            data: &request,
            wrap_ttl: 0,
            policy: Policy::Own,
        };
        let lease = self.leases.insert(Lease {
            seed: number_of(&id) ^ self.seed,
            id: id.clone(),
            role: None,
            mount,
            issued,
            expires: ends,
            ends,
            renewed: None,
            token: key,
            is_cut: is_batch,
            is_bound: is_batch,
            attempts: 0,
            is_irrevocable: false,
            cause: None,
        });
        if let Some(token) = self.tokens.get_mut(key) {
            token.leases.push(lease);
        }
        self.later(ends, Task::Lease(lease));
        let place = self.place_of(mount, "web");
        Truth::add(&mut self.truth.issued, place);
        self.counters.leases_created += 1;
        self.exchange(rng, &ask, &Reply { after, lease: &id, data: &data, ..Reply::default() })
    }

    /// Hands out a new secret ID of an AppRole, wrapped; the wrapping token and when it is there.
    pub(in super::super) fn secret_id(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        approle: &str,
    ) -> (Option<Key>, i64) {
        let Some(token) = self.tokens.get(key) else { return (None, at) };
        let path = format!("auth/approle/role/{approle}/secret-id");
        let mount = self.catalog.mount(token.identity.namespace, "auth/approle/");
        let after = takes(rng, 700);
        let mut wrap = String::new();
        let wrapping = self.wrap(rng, at + after, key, 300, &path, None, &mut wrap);
        // Of a secret ID the accessor is told too.
        wrap.pop();
        wrap.push_str(",\"wrapped_accessor\":");
        hex::hmac(&mut wrap, rng.next());
        wrap.push('}');
        let ask = Ask {
            at,
            sender: Sender::Token(key),
            peer,
            operation: "update",
            mount: Ok(mount),
            path: &path,
            data: "",
            wrap_ttl: 300,
            policy: Policy::Own,
        };
        (wrapping, self.exchange(rng, &ask, &Reply { after, wrap: &wrap, ..Reply::default() }))
    }
}

/// Texts of requests and answers about the configuration.
impl Vault {
    /// `{"name":"hmac…"}` of something new.
    #[allow(clippy::unused_self, reason = "one of the server's texts")]
    pub(in super::super) fn hashed_one(&self, rng: &mut Rng, name: &str) -> String {
        hashed(&[(name, rng.next())])
    }

    /// The same of something that is always the same.
    pub(in super::super) fn hashed_fixed(&self, name: &str) -> String {
        hashed(&[(name, number_of(name) ^ self.seed)])
    }

    /// A role as it is written.
    pub(in super::super) fn role_text(&self, rng: &mut Rng) -> String {
        let mut out = String::from("{\"creation_statements\":[");
        hex::hmac(&mut out, number_of("creation") ^ self.seed);
        out.push_str("],");
        let rest = hashed(&[
            ("db_name", number_of("pg") ^ self.seed),
            ("default_ttl", rng.below(4) ^ self.seed),
            ("max_ttl", rng.below(4) ^ self.seed ^ 0x63),
        ]);
        out.push_str(&rest[1..rest.len() - 1]);
        out.push_str(",\"revocation_statements\":[");
        hex::hmac(&mut out, number_of("revocation") ^ self.seed);
        out.push_str("]}");
        out
    }

    /// What a read of the configuration answers.
    pub(in super::super) fn configuration(&self, mount: &str, path: &str) -> String {
        let hash = |name: &str| {
            let mut out = String::new();
            hex::hmac(&mut out, number_of(path) ^ number_of(name) ^ self.seed);
            out
        };
        match mount {
            "sys/" => format!(
                r#"{{"allow_slashes_in_identity_templates":false,"allow_wildcards_in_identity_templates":false,"cas_required":false,"modified":"2025-11-03T10:14:54.912331552Z","name":{},"policy":{},"version":1}}"#,
                hash("name"),
                hash("policy")
            ),
            "auth/approle/" => format!(
                r#"{{"bind_secret_id":true,"local_secret_ids":false,"secret_id_bound_cidrs":null,"secret_id_num_uses":0,"secret_id_ttl":0,"token_bound_cidrs":[],"token_explicit_max_ttl":0,"token_max_ttl":0,"token_no_default_policy":false,"token_num_uses":0,"token_period":0,"token_policies":[{}],"token_strictly_bind_ip":false,"token_ttl":0,"token_type":{}}}"#,
                hash("policies"),
                hash("type")
            ),
            _ => {
                let role = self.catalog.roles.iter().find(|role| path.ends_with(&role.name));
                let (default_ttl, max_ttl) = role.map_or((0, 0), |role| (role.default_ttl, role.max_ttl));
                format!(
                    r#"{{"creation_statements":[{}],"credential_type":{},"db_name":{},"default_ttl":{default_ttl},"max_ttl":{max_ttl},"renew_statements":[],"revocation_statements":[],"rollback_statements":[]}}"#,
                    hash("creation"),
                    hash("type"),
                    hash("db")
                )
            }
        }
    }

    /// What a read of `sys/metrics` answers.
    pub(in super::super) fn metrics_text(&self, rng: &mut Rng) -> String {
        let body = hashed(&[("http_content_type", self.seed), ("http_raw_body", rng.next())]);
        format!("{},\"http_status_code\":200}}", body.trim_end_matches('}'))
    }

    /// A root token, made outside of the audit log's sight by the keepers of its shares.
    pub(in super::super) fn root_token(&mut self, rng: &mut Rng, at: i64, peer: Peer) -> Key {
        let identity = std::sync::Arc::new(super::super::identity::Identity::root(self.seed, &self.catalog));
        let mut text = String::new();
        self.clock.whole(&mut text, at);
        let token = super::Token::new(&identity, rng.next(), peer, (at, &text));
        self.tokens.insert(token)
    }
}
