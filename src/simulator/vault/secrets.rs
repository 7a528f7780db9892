//! Dynamic credentials: issued, refused, renewed, revoked, wrapped and unwrapped.

use super::super::calendar::SECOND;
use super::super::catalog::base62;
use super::super::hex;
use super::super::network::Peer;
use super::super::rng::{Rng, number_of};
use super::super::slab::Key;
use super::super::truth::{Place, Truth};
use super::access::hashed;
use super::token::Token;
use super::{Ask, DENIED, Lease, Policy, Reply, Sender, Task, Vault, takes};
use std::sync::Arc;

/// What came of asking for a credential.
#[derive(Clone, Debug)]
pub(in super::super) struct Issue {
    /// When the client knows.
    pub(in super::super) at: i64,
    /// The lease, unless it failed.
    pub(in super::super) lease: Option<Key>,
    /// What holds the answer, where it is wrapped.
    pub(in super::super) wrapping: Option<Key>,
}

/// How a client asks for a revocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Revoke {
    /// The lease ID in the body.
    Body,
    /// In the path, and waits for the end.
    Path,
    /// In the path, and does not wait.
    Queued,
}

/// What a database says that is not there, as JSON writes it.
const REFUSED: &str = r"1 error occurred:\n\t* unable to start transaction: failed to connect to `user=vault_admin database=postgres`: 10.20.250.10:5432 (10.20.250.10): dial error: dial tcp 10.20.250.10:5432: connect: connection refused\n\n";

const INVALID: &str = r"1 error occurred:\n\t* invalid request\n\n";

/// A span as Go writes it.
fn duration(secs: i64) -> String {
    let (hours, minutes, rest) = (secs / 3_600, secs / 60 % 60, secs % 60);
    if hours > 0 {
        format!("{hours}h{minutes}m{rest}s")
    } else if minutes > 0 {
        format!("{minutes}m{rest}s")
    } else {
        format!("{rest}s")
    }
}

impl Vault {
    /// The names of a role.
    pub(in super::super) fn place(&self, role: usize) -> Place {
        let role = &self.catalog.roles[role];
        self.place_of(role.mount, &role.name)
    }

    pub(super) fn place_of(&self, mount: usize, role: &str) -> Place {
        let mount = &self.catalog.mounts[mount];
        let namespace = self.catalog.namespaces[mount.namespace].path;
        (namespace.to_owned(), mount.point.to_owned(), role.to_owned())
    }

    /// The names of the role that a lease is of.
    pub(in super::super) fn place_of_lease(&self, lease: &Lease) -> Place {
        let name = lease.role.map_or("web", |role| self.catalog.roles[role].name.as_str());
        self.place_of(lease.mount, name)
    }

    pub(super) fn count_failure(&mut self, role: usize, reason: &'static str) {
        let place = self.place(role);
        Truth::add(&mut self.truth.failed, (place, reason));
    }

    /// A request for a role's credential, before anything is known of the answer.
    fn ask_creds(key: Key, at: i64, peer: Peer, mount: usize, path: &str, wrap_ttl: u32) -> Ask<'_> {
        Ask {
            at,
            sender: Sender::Token(key),
            peer,
            operation: "read",
            mount: Ok(mount),
            path,
            data: "",
            wrap_ttl,
            policy: Policy::Own,
        }
    }

    /// Asks for a credential of a role, wrapped where `wrap_ttl` (seconds) is not 0.
    pub(in super::super) fn issue(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        role: usize,
        wrap_ttl: u32,
    ) -> Issue {
        let (mount, path) = (self.catalog.roles[role].mount, self.catalog.roles[role].path.clone());
        let Some(token) = self.tokens.get(key) else { return Issue { at, lease: None, wrapping: None } };
        let (is_batch, token_ends) = (token.identity.is_batch, token.expires);
        let ask = Self::ask_creds(key, at, peer, mount, &path, wrap_ttl);
        if self.outages.is_down(self.catalog.mounts[mount].database, at) {
            self.count_failure(role, "backend");
            let reply = Reply { after: takes(rng, 1_500), error: REFUSED, ..Reply::default() };
            return Issue { at: self.exchange(rng, &ask, &reply), lease: None, wrapping: None };
        }
        let after = takes(rng, 4_050);
        let issued = at + after;
        let suffix = &self.catalog.namespaces[self.catalog.mounts[mount].namespace].suffix;
        let id = format!("{path}/{}{suffix}", base62(rng, 24));
        let of_role = &self.catalog.roles[role];
        let mut lease = Lease {
            seed: number_of(&id) ^ self.seed,
            role: Some(role),
            mount,
            issued,
            expires: issued + i64::from(of_role.default_ttl) * SECOND,
            ends: issued + i64::from(of_role.max_ttl) * SECOND,
            renewed: None,
            token: key,
            is_cut: false,
            is_bound: false,
            attempts: 0,
            is_irrevocable: false,
            cause: None,
            id,
        };
        if is_batch {
            lease.is_bound = lease.ends > token_ends;
            lease.ends = lease.ends.min(token_ends);
            lease.is_cut = lease.expires > token_ends;
            lease.expires = lease.expires.min(token_ends);
        }
        let (expires, id) = (lease.expires, lease.id.clone());
        let lease = self.leases.insert(lease);
        if let Some(token) = self.tokens.get_mut(key) {
            token.leases.retain(|lease| self.leases.get(*lease).is_some());
            token.leases.push(lease);
        }
        self.later(expires, Task::Lease(lease));
        let place = self.place(role);
        Truth::add(&mut self.truth.issued, place);
        self.counters.leases_created += 1;
        let (data, mut wrap, mut wrapping) = (String::new(), String::new(), None);
        let data = if wrap_ttl > 0 {
            wrapping = self.wrap(rng, issued, key, wrap_ttl, &path, Some(lease), &mut wrap);
            data
        } else {
            hashed(&[("password", rng.next()), ("username", rng.next())])
        };
        let plain = if wrap_ttl > 0 { "" } else { id.as_str() };
        let reply = Reply { after, lease: plain, data: &data, wrap: &wrap, ..Reply::default() };
        Issue { at: self.exchange(rng, &ask, &reply), lease: Some(lease), wrapping }
    }

    /// Makes the token that holds an answer, and writes what the log has of it.
    #[allow(clippy::too_many_arguments, reason = "all that is known of a wrapped answer")]
    pub(super) fn wrap(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        wrap_ttl: u32,
        path: &str,
        lease: Option<Key>,
        out: &mut String,
    ) -> Option<Key> {
        let of = self.tokens.get(key)?;
        let identity = Arc::new(of.identity.wrapping(i64::from(wrap_ttl) * SECOND));
        let (secret, peer) = (rng.next(), of.peer);
        let mut text = String::new();
        self.clock.whole(&mut text, at);
        let mut token = Token::new(&identity, secret, peer, (at, &text));
        path.clone_into(&mut token.made_by);
        token.holds = lease;
        out.push_str("{\"ttl\":");
        hex::decimal(out, u64::from(wrap_ttl));
        out.push_str(",\"token\":");
        hex::hmac(out, secret);
        out.push_str(",\"accessor\":");
        hex::hmac(out, secret ^ 0xacce_5507);
        out.push_str(",\"creation_time\":\"");
        self.clock.nanos(out, at);
        out.push_str("\",\"creation_path\":\"");
        out.push_str(path);
        out.push_str("\"}");
        let ends = token.expires;
        let key = self.tokens.insert(token);
        self.later(ends, Task::Token(key));
        Some(key)
    }

    /// Takes an answer out of its wrapping, with the wrapping token itself.
    pub(in super::super) fn unwrap(&mut self, rng: &mut Rng, at: i64, wrapping: Key, peer: Peer) -> i64 {
        let Some(token) = self.tokens.get(wrapping) else { return at };
        let namespace = token.identity.namespace;
        let lease = token.holds.and_then(|lease| self.leases.get(lease)).map(|lease| lease.id.clone());
        let data = match lease {
            Some(_) => hashed(&[("password", rng.next()), ("username", rng.next())]),
            None => {
                let secret = hashed(&[("secret_id", rng.next()), ("secret_id_accessor", rng.next())]);
                format!("{},\"secret_id_num_uses\":0,\"secret_id_ttl\":0}}", secret.trim_end_matches('}'))
            }
        };
        let ask = Ask {
            operation: "update",
            ..Self::ask_creds(
                wrapping,
                at,
                peer,
                self.catalog.mount(namespace, "sys/"),
                "sys/wrapping/unwrap",
                0,
            )
        };
        let lease = lease.unwrap_or_default();
        let reply = Reply { after: takes(rng, 900), lease: &lease, data: &data, ..Reply::default() };
        let done = self.exchange(rng, &ask, &reply);
        self.end_token(wrapping, at + reply.after / 2);
        done
    }

    /// Asks for a credential that no policy grants.
    pub(in super::super) fn refuse_creds(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        role: usize,
    ) -> i64 {
        let (mount, path) = (self.catalog.roles[role].mount, self.catalog.roles[role].path.clone());
        self.count_failure(role, "denied");
        let ask = Self::ask_creds(key, at, peer, mount, &path, 0);
        self.refuse(rng, &ask)
    }

    /// A request that no policy grants.
    pub(in super::super) fn refuse(&mut self, rng: &mut Rng, ask: &Ask<'_>) -> i64 {
        if let Ok(mount) = ask.mount {
            let (namespace, point, _) = self.place_of(mount, "");
            Truth::add(&mut self.truth.denied, (namespace, point));
        }
        let data = hashed(&[("error", number_of(DENIED) ^ self.seed)]);
        let reply =
            Reply { after: takes(rng, 60), data: &data, error: DENIED, is_refused: true, ..Reply::default() };
        self.exchange(rng, &Ask { policy: Policy::Refused, ..*ask }, &reply)
    }

    /// Asks for a credential of a role that does not exist.
    pub(in super::super) fn unknown_role(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        mount: usize,
        name: &str,
    ) -> i64 {
        let path = format!("{}creds/{name}", self.catalog.mounts[mount].point);
        let place = self.place_of(mount, "");
        Truth::add(&mut self.truth.failed, (place, "not_found"));
        let data = hashed(&[("error", number_of(&path) ^ self.seed)]);
        let ask = Self::ask_creds(key, at, peer, mount, &path, 0);
        let reply = Reply { after: takes(rng, 180), data: &data, ..Reply::default() };
        self.exchange(rng, &ask, &reply)
    }

    /// Renews a lease (for its role's TTL, or for as long as `increment` seconds); whether it
    /// can be renewed again, and when the client knows.
    pub(in super::super) fn renew(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        (lease, id): (Key, &str),
        increment: Option<u32>,
    ) -> (bool, i64) {
        let Some(token) = self.tokens.get(key) else { return (false, at) };
        let (peer, namespace) = (token.peer, token.identity.namespace);
        let seed = number_of(id) ^ self.seed;
        let mut data = String::from("{");
        if let Some(increment) = increment {
            data.push_str("\"increment\":");
            hex::decimal(&mut data, u64::from(increment));
            data.push(',');
        }
        data.push_str("\"lease_id\":");
        hex::hmac(&mut data, seed);
        data.push('}');
        let system = self.catalog.mount(namespace, "sys/");
        let ask = Ask {
            operation: "update",
            data: &data,
            policy: Policy::Default,
            ..Self::ask_creds(key, at, peer, system, "sys/leases/renew", 0)
        };
        let after = takes(rng, 1_130);
        let alive = self.leases.get_mut(lease).filter(|lease| lease.cause.is_none() && lease.expires > at);
        let Some(lease) = alive else {
            let answer = hashed(&[("error", number_of(INVALID) ^ self.seed)]);
            let reply = Reply { after, data: &answer, error: INVALID, ..Reply::default() };
            self.complain(at + after - 60_000, system, "lease renewal failed", "lease not found", id);
            return (false, self.exchange(rng, &ask, &reply));
        };
        let ttl = lease.role.map_or(SECOND, |role| i64::from(self.catalog.roles[role].default_ttl) * SECOND);
        let asked = increment.map_or(ttl, |increment| i64::from(increment) * SECOND);
        let left = (lease.ends - at) / SECOND * SECOND;
        let is_capped = asked > left;
        lease.expires = if is_capped { lease.ends } else { at + asked };
        lease.is_cut = is_capped && lease.is_bound;
        lease.renewed = Some(at);
        let mut warnings = String::new();
        if is_capped {
            warnings = format!(
                r#"["TTL of \"{}\" exceeded the effective max_ttl of \"{}\"; TTL value is capped accordingly"]"#,
                duration(asked / SECOND),
                duration(left / SECOND)
            );
        }
        self.truth.renewed += 1;
        self.counters.renewals += 1;
        let reply = Reply { after, lease: id, warnings: &warnings, ..Reply::default() };
        (!is_capped, self.exchange(rng, &ask, &reply))
    }

    /// Asks for the revocation of a lease.
    pub(in super::super) fn revoke(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        (lease, id): (Key, &str),
        form: Revoke,
    ) -> i64 {
        let Some(token) = self.tokens.get(key) else { return at };
        let (peer, namespace) = (token.peer, token.identity.namespace);
        let system = self.catalog.mount(namespace, "sys/");
        let (path, data) = match form {
            Revoke::Body => {
                ("sys/leases/revoke".to_owned(), hashed(&[("lease_id", number_of(id) ^ self.seed)]))
            }
            Revoke::Path => (format!("sys/leases/revoke/{id}"), "{\"sync\":true}".to_owned()),
            Revoke::Queued => (format!("sys/leases/revoke/{id}"), "{\"sync\":false}".to_owned()),
        };
        let ask =
            Ask { operation: "update", data: &data, ..Self::ask_creds(key, at, peer, system, &path, 0) };
        let after = takes(rng, 1_800);
        if form == Revoke::Queued {
            let accepted = format!(
                "{},\"http_status_code\":202}}",
                hashed(&[("http_content_type", self.seed)]).trim_end_matches('}')
            );
            let reply = Reply { after: after / 4, data: &accepted, ..Reply::default() };
            self.end_lease(lease, at + after, "requested");
            return self.exchange(rng, &ask, &reply);
        }
        let is_stuck = self.leases.get(lease).is_some_and(|found| self.is_stuck(found)) || {
            let mount = self.leases.get(lease).and_then(|found| self.catalog.mounts[found.mount].database);
            self.outages.is_down(mount, at)
        };
        if is_stuck {
            let answer = hashed(&[("error", number_of(INVALID) ^ self.seed)]);
            let trouble = self.trouble(lease);
            self.complain(at + after - 60_000, system, "lease revocation failed", &trouble, id);
            let reply = Reply { after, data: &answer, error: INVALID, ..Reply::default() };
            return self.exchange(rng, &ask, &reply);
        }
        self.end_lease(lease, at + after / 2, "requested");
        self.exchange(rng, &ask, &Reply { after, ..Reply::default() })
    }
}
