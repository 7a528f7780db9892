//! Logins, and what a client does with its own token.

use super::super::calendar::SECOND;
use super::super::hex;
use super::super::identity::{Identity, Method};
use super::super::network::Peer;
use super::super::rng::{Rng, mix, number_of};
use super::super::slab::Key;
use super::super::truth::Truth;
use super::token::{Token, hashes, kind};
use super::{Ask, Policy, Reply, Sender, Task, Vault, takes};
use std::sync::Arc;

/// `{"a":"hmac…","b":"hmac…"}`
pub(super) fn hashed(fields: &[(&str, u64)]) -> String {
    let mut out = String::with_capacity(110 * fields.len());
    for (at, (name, number)) in fields.iter().enumerate() {
        out.push_str(if at == 0 { "{\"" } else { ",\"" });
        out.push_str(name);
        out.push_str("\":");
        hex::hmac(&mut out, *number);
    }
    out.push('}');
    out
}

impl Vault {
    /// A login; the token and the moment at which the client has it.
    pub(in super::super) fn login(
        &mut self,
        rng: &mut Rng,
        at: i64,
        identity: &Arc<Identity>,
        peer: Peer,
        is_new: bool,
    ) -> (Key, i64) {
        let ask = Ask { at, ..Self::login_ask(identity, peer) };
        let ask_at = self.before_login(rng, at, identity, peer);
        let data = login_data(rng, self.seed, identity, true);
        let secret = rng.next();
        let after = takes(rng, if identity.method == Method::AppRole { 640 } else { 1_100 });
        let at = ask_at + after;
        let mut text = String::new();
        self.clock.whole(&mut text, at);
        let token = Token::new(identity, secret, peer, (at, &text));
        let (mut answer, mut entry) = (String::from("{"), String::new());
        hashes(&mut answer, secret, identity.is_batch, "\"accessor\":");
        answer.push_str(&identity.shown);
        answer.push_str(&identity.meta);
        entry.push_str(&answer);
        if is_new {
            entry.push_str("\"entity_created\":true,");
        }
        kind(&mut answer, identity.is_batch, identity.ttl);
        kind(&mut entry, identity.is_batch, identity.ttl);
        answer.push('}');
        entry.push('}');
        let ask = Ask { at: ask_at, data: &data, ..ask };
        let reply = Reply { after, auth: &answer, login: &entry, ..Reply::default() };
        let at = self.exchange(rng, &ask, &reply);
        self.count_login(identity, true);
        self.counters.tokens_created += 1;
        let ends = token.expires;
        let key = self.tokens.insert(token);
        self.later(ends, Task::Token(key));
        (key, at)
    }

    fn login_ask(identity: &Identity, peer: Peer) -> Ask<'_> {
        Ask {
            at: 0,
            sender: Sender::Nobody,
            peer,
            operation: if identity.method == Method::Oidc { "read" } else { "update" },
            mount: Ok(identity.auth),
            path: &identity.login_path,
            data: "",
            wrap_ttl: 0,
            policy: Policy::Free,
        }
    }

    /// A login by OIDC begins with a page of the provider.
    fn before_login(&mut self, rng: &mut Rng, at: i64, identity: &Identity, peer: Peer) -> i64 {
        if identity.method != Method::Oidc {
            return at;
        }
        let constant = number_of(&identity.role) ^ self.seed;
        let data = hashed(&[("redirect_uri", mix(constant)), ("role", constant)]);
        let answer = hashed(&[("auth_url", rng.next())]);
        let ask = Ask {
            at,
            operation: "update",
            path: "auth/oidc/oidc/auth_url",
            data: &data,
            ..Self::login_ask(identity, peer)
        };
        let after = takes(rng, 900);
        let at = self.exchange(rng, &ask, &Reply { after, data: &answer, ..Reply::default() });
        at + (rng.around(6.0, 0.8) * SECOND as f64) as i64
    }

    /// A login with a wrong or outdated secret; the moment at which the client knows.
    pub(in super::super) fn fail_login(
        &mut self,
        rng: &mut Rng,
        at: i64,
        identity: &Identity,
        peer: Peer,
    ) -> i64 {
        let data = login_data(rng, self.seed, identity, false);
        let answer = hashed(&[("error", number_of("invalid") ^ self.seed)]);
        let ask = Ask { at, data: &data, ..Self::login_ask(identity, peer) };
        // AppRole and userpass say so as an error; the others only in the answer.
        let is_error = matches!(identity.method, Method::AppRole | Method::Userpass);
        let reply = Reply {
            after: takes(rng, 400),
            data: &answer,
            error: if is_error { "invalid credentials" } else { "" },
            is_blank: is_error,
            ..Reply::default()
        };
        self.count_login(identity, false);
        self.exchange(rng, &ask, &reply)
    }

    fn count_login(&mut self, identity: &Identity, ok: bool) {
        let mount = &self.catalog.mounts[identity.auth];
        let namespace = self.catalog.namespaces[mount.namespace].path.to_owned();
        Truth::add(&mut self.truth.logins, (namespace, mount.point.to_owned(), ok));
    }

    /// Renews the client's own token; whether that helped, and when it is known.
    pub(in super::super) fn renew_self(&mut self, rng: &mut Rng, at: i64, key: Key) -> (bool, i64) {
        let Some(token) = self.tokens.get_mut(key) else { return (false, at) };
        if token.identity.is_batch || token.expires <= at {
            return (false, at);
        }
        let peer = token.peer;
        token.expires = token.ends.min(at + token.identity.ttl);
        let is_capped = token.expires == token.ends;
        let mut answer = String::from("{");
        answer.push_str(&token.head);
        answer.push_str(&token.tail);
        let (mount, ask) = self.own(key, peer, at, "update", "auth/token/renew-self");
        let ask = Ask { mount: Ok(mount), ..ask };
        let reply = Reply { after: takes(rng, 700), auth: &answer, ..Reply::default() };
        (!is_capped, self.exchange(rng, &ask, &reply))
    }

    /// Looks the client's own token up.
    pub(in super::super) fn lookup_self(&mut self, rng: &mut Rng, at: i64, key: Key, peer: Peer) -> i64 {
        let Some(token) = self.tokens.get(key) else { return at };
        let (secret, expires, issued, ttl) = (token.secret, token.expires, token.issued, token.identity.ttl);
        let constant = number_of(&token.identity.display_name) ^ self.seed;
        let is_batch = token.identity.is_batch;
        let mut data = String::from("{\"accessor\":");
        hex::hmac(&mut data, if is_batch { self.seed } else { secret ^ 0xacce_5507 });
        data.push_str(",\"creation_time\":");
        hex::decimal(&mut data, (issued / SECOND).unsigned_abs());
        data.push_str(",\"creation_ttl\":");
        hex::decimal(&mut data, (ttl / SECOND).unsigned_abs());
        for (name, number) in [("display_name", constant), ("entity_id", mix(constant))] {
            data.push_str(",\"");
            data.push_str(name);
            data.push_str("\":");
            hex::hmac(&mut data, number);
        }
        data.push_str(",\"expire_time\":\"");
        self.clock.nanos(&mut data, expires);
        data.push_str("\",\"explicit_max_ttl\":0,\"id\":");
        hex::hmac(&mut data, secret);
        data.push_str(",\"issue_time\":\"");
        self.clock.nanos(&mut data, issued);
        data.push_str("\",\"meta\":{\"role_name\":");
        hex::hmac(&mut data, mix(constant ^ 1));
        data.push_str("},\"num_uses\":0,\"orphan\":true,\"path\":");
        hex::hmac(&mut data, mix(constant ^ 2));
        data.push_str(",\"policies\":[");
        hex::hmac(&mut data, mix(constant ^ 3));
        data.push(',');
        hex::hmac(&mut data, mix(constant ^ 4));
        data.push_str("],\"renewable\":");
        data.push_str(if is_batch { "false" } else { "true" });
        data.push_str(",\"ttl\":");
        hex::decimal(&mut data, ((expires - at) / SECOND).max(0).unsigned_abs());
        data.push_str(",\"type\":");
        hex::hmac(&mut data, mix(constant ^ 5));
        data.push('}');
        let (mount, ask) = self.own(key, peer, at, "read", "auth/token/lookup-self");
        let reply = Reply { after: takes(rng, 250), data: &data, ..Reply::default() };
        self.exchange(rng, &Ask { mount: Ok(mount), ..ask }, &reply)
    }

    /// Gives the client's own token back: its leases end with it.
    pub(in super::super) fn revoke_self(&mut self, rng: &mut Rng, at: i64, key: Key) -> i64 {
        let Some(token) = self.tokens.get(key) else { return at };
        let (peer, is_batch) = (token.peer, token.identity.is_batch);
        let (mount, ask) = self.own(key, peer, at, "update", "auth/token/revoke-self");
        let data = hashed(&[("error", number_of("batch tokens cannot be revoked") ^ self.seed)]);
        let data = if is_batch { data.as_str() } else { "" };
        let reply = Reply { after: takes(rng, 900), data, ..Reply::default() };
        let done = self.exchange(rng, &Ask { mount: Ok(mount), ..ask }, &reply);
        if !is_batch {
            self.end_token(key, at + reply.after / 2);
        }
        done
    }

    /// A request with a token that is not valid any more.
    pub(in super::super) fn stranger(
        &mut self,
        rng: &mut Rng,
        at: i64,
        secret: u64,
        peer: Peer,
        role: usize,
    ) -> i64 {
        let answer = hashed(&[("error", number_of("permission denied") ^ self.seed)]);
        let path = self.catalog.roles[role].path.clone();
        let mount = self.catalog.roles[role].mount;
        let ask = Ask {
            at,
            sender: Sender::Stranger(secret),
            peer,
            operation: "read",
            mount: Ok(mount),
            path: &path,
            data: "",
            wrap_ttl: 0,
            policy: Policy::Free,
        };
        let reply = Reply {
            after: takes(rng, 60),
            data: &answer,
            error: super::DENIED,
            is_blank: true,
            is_refused: true,
            ..Reply::default()
        };
        self.count_failure(role, "invalid_token");
        self.exchange(rng, &ask, &reply)
    }

    /// A request about the client's own token: the mount of tokens, and the request.
    fn own<'a>(
        &self,
        key: Key,
        peer: Peer,
        at: i64,
        operation: &'static str,
        path: &'a str,
    ) -> (usize, Ask<'a>) {
        let namespace = self.tokens.get(key).map_or(0, |token| token.identity.namespace);
        let ask = Ask {
            at,
            sender: Sender::Token(key),
            peer,
            operation,
            mount: Ok(0),
            path,
            data: "",
            wrap_ttl: 0,
            policy: Policy::Default,
        };
        (self.catalog.mount(namespace, "auth/token/"), ask)
    }
}

/// What a login sends; what does not change hashes to the same each time.
fn login_data(rng: &mut Rng, seed: u64, identity: &Identity, is_right: bool) -> String {
    let own = number_of(&identity.login_path) ^ number_of(&identity.name) ^ seed;
    let secret = if is_right { mix(own) } else { rng.next() };
    match identity.method {
        Method::AppRole => hashed(&[("role_id", own), ("secret_id", secret)]),
        Method::Kubernetes | Method::Jwt => {
            hashed(&[("jwt", rng.next()), ("role", number_of(&identity.role) ^ seed)])
        }
        Method::Oidc => hashed(&[("code", rng.next()), ("state", rng.next())]),
        Method::Userpass | Method::Root | Method::Wrapping => hashed(&[("password", secret)]),
    }
}
