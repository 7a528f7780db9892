//! A client of `OpenBao`: gets credentials, renews and revokes them, and tells the truth what it
//! got and what it asked for.

use crate::support::{Call, Reply};
use crate::truth::{EXPIRED, Lease, Truth, now};
use crate::world::{Place, World};
use serde_json::{Value, json};

/// A client with its token.
pub(crate) struct Client<'a> {
    world: &'a World,
    truth: &'a Truth,
    namespace: &'static str,
    token: String,
    /// Numbers of the leases that it got with this token.
    leases: std::cell::RefCell<Vec<usize>>,
}

/// What a token revocation does to a lease that is already asked for.
const TOKEN: &[&str] = &["token"];
const TOKEN_OR_REQUEST: &[&str] = &["token", "requested"];
const REQUESTED: &[&str] = &["requested"];

impl<'a> Client<'a> {
    /// Logs in by the `AppRole` of this name; nobody where the server is going or gone.
    pub(crate) fn login(
        world: &'a World,
        truth: &'a Truth,
        namespace: &'static str,
        role: &str,
    ) -> Option<Self> {
        let path = format!("auth/approle/role/{role}");
        let role_id =
            data(world.root_call(namespace, "GET", &format!("{path}/role-id")).try_send(), "role_id")?;
        let made =
            world.root_call(namespace, "POST", &format!("{path}/secret-id")).json(&json!({})).try_send();
        let secret_id = data(made, "secret_id")?;
        let body = json!({"role_id": role_id, "secret_id": secret_id});
        let reply = world.call(namespace, "POST", "auth/approle/login").json(&body).try_send().ok()?;
        Self::with(world, truth, namespace, &reply)
    }

    /// A client whose token is a child of this one's.
    pub(crate) fn child(&self) -> Option<Self> {
        let reply =
            self.ask("POST", "auth/token/create", Some(&json!({"policies": ["app"], "ttl": "1h"})), "")?;
        Self::with(self.world, self.truth, self.namespace, &reply)
    }

    fn with(world: &'a World, truth: &'a Truth, namespace: &'static str, reply: &Reply) -> Option<Self> {
        let token = reply.json().pointer("/auth/client_token")?.as_str()?.to_string();
        Some(Self { world, truth, namespace, token, leases: std::cell::RefCell::default() })
    }

    /// Asks for a credential; the number of its lease in the truth.
    pub(crate) fn issue(&self, mount: &'static str, role: &'static str) -> Option<usize> {
        let place = Place { namespace: self.namespace, mount, role };
        let reply = self.credential(place, "")?;
        let number = self.truth.issued(lease(place, &reply.json()));
        self.leases.borrow_mut().push(number);
        Some(number)
    }

    /// Asks for a credential wrapped, and unwraps it if told so.
    pub(crate) fn issue_wrapped(&self, mount: &'static str, role: &'static str, ttl: f64, unwrap: bool) {
        let place = Place { namespace: self.namespace, mount, role };
        let Some(reply) = self.credential(place, "60s") else { return };
        let anonymous = Lease { id: String::new(), place, expires: now() + ttl, causes: EXPIRED };
        let number = self.truth.issued(anonymous);
        self.leases.borrow_mut().push(number);
        if unwrap {
            let body = json!({"token": reply.string("/wrap_info/token")});
            let inner = self.ask("POST", "sys/wrapping/unwrap", Some(&body), "").expect("it unwraps");
            assert_eq!(inner.status, 200, "unwrap: {}", inner.text());
            self.truth.leases()[number].id = inner.string("/lease_id");
        }
    }

    fn credential(&self, place: Place, wrap: &str) -> Option<Reply> {
        let path = format!("{}creds/{}", place.mount, place.role);
        match self.call("GET", &path, None, wrap).try_send() {
            Ok(reply) if reply.status == 200 => return Some(reply),
            // Nobody was there, or nobody whom the request could have been handed on to.
            Err(why) if why.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Ok(reply) if reply.status < 500 || reply.text().contains("node not active") => {}
            _ => self.truth.lost(place),
        }
        None
    }

    /// Renews a lease, by its role's TTL or by so many seconds; whether that went well.
    pub(crate) fn renew(&self, number: usize, increment: Option<u64>) -> bool {
        let mut body = json!({"lease_id": self.id(number)});
        if let Some(increment) = increment {
            body["increment"] = json!(increment);
        }
        let Some(reply) = self.ask("POST", "sys/leases/renew", Some(&body), "") else { return false };
        if reply.status == 200 {
            self.truth.leases()[number].expires = now() + reply.json()["lease_duration"].as_f64().unwrap();
        }
        reply.status == 200
    }

    /// Revokes a lease that the path names, as the command line does.
    pub(crate) fn revoke_by_path(&self, number: usize, sync: bool) {
        let path = format!("sys/leases/revoke/{}", self.id(number));
        self.revoke(number, &path, &json!({"sync": sync}));
    }

    /// Revokes a lease that the body names, as libraries do. `known`: a renewal has told the log
    /// whose hash it is.
    pub(crate) fn revoke_by_body(&self, number: usize, sync: bool, known: bool) {
        let body = json!({"lease_id": self.id(number), "sync": sync});
        let guard = (!known).then(|| self.truth.hashed.lock().unwrap());
        self.revoke(number, "sys/leases/revoke", &body);
        drop(guard);
    }

    fn revoke(&self, number: usize, path: &str, body: &Value) {
        // What ends by the request has ended before its answer, so it must be told before.
        let before = std::mem::replace(&mut self.truth.leases()[number].causes, REQUESTED);
        let reply = self.ask("POST", path, Some(body), "");
        let lease = &mut self.truth.leases()[number];
        if reply.is_some_and(|reply| reply.status < 300) {
            // It is due now, and overdue if it cannot be done.
            lease.expires = lease.expires.min(now());
        } else {
            lease.causes = before;
        }
    }

    /// Gives its token back, and with it all its leases.
    pub(crate) fn revoke_self(self) {
        self.leases_end_with_the_token();
        let reply = self.ask("POST", "auth/token/revoke-self", None, "").expect("the token is revoked");
        assert_eq!(reply.status, 204, "revoke-self: {}", reply.text());
    }

    /// An operator revokes its token, whose accessor he has.
    pub(crate) fn revoked_by_operator(self) {
        self.leases_end_with_the_token();
        let looked_up = self.ask("GET", "auth/token/lookup-self", None, "").expect("the token is looked up");
        let body = json!({"accessor": looked_up.string("/data/accessor")});
        let revoked =
            self.world.root_call(self.namespace, "POST", "auth/token/revoke-accessor").json(&body).send();
        assert_eq!(revoked.status, 204, "revoke-accessor: {}", revoked.text());
    }

    /// All its leases end with its token, which is about to be revoked or to expire.
    pub(crate) fn leases_end_with_the_token(&self) {
        let mut leases = self.truth.leases();
        for number in self.leases.borrow().iter() {
            let lease = &mut leases[*number];
            lease.causes = if lease.causes == EXPIRED { TOKEN } else { TOKEN_OR_REQUEST };
            lease.expires = lease.expires.min(now());
        }
    }

    /// All its leases end at this moment at the latest, for a cause that may be called by either name.
    pub(crate) fn leases_end_by(&self, end: f64) {
        let mut leases = self.truth.leases();
        for number in self.leases.borrow().iter() {
            let lease = &mut leases[*number];
            lease.expires = lease.expires.min(end);
            lease.causes = &["token", "expired"];
        }
    }

    fn id(&self, number: usize) -> String {
        self.truth.leases()[number].id.clone()
    }

    fn ask(&self, method: &str, path: &str, body: Option<&Value>, wrap: &str) -> Option<Reply> {
        self.call(method, path, body, wrap).try_send().ok()
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>, wrap: &str) -> Call {
        let mut call = self.world.call(self.namespace, method, path).token(&self.token);
        if let Some(body) = body {
            call = call.json(body);
        }
        if !wrap.is_empty() {
            call = call.wrap(wrap);
        }
        call
    }
}

fn data(reply: std::io::Result<Reply>, key: &str) -> Option<String> {
    Some(reply.ok()?.json()["data"][key].as_str()?.to_string())
}

fn lease(place: Place, answer: &Value) -> Lease {
    let id = answer["lease_id"].as_str().unwrap().to_string();
    let expires = now() + answer["lease_duration"].as_f64().unwrap();
    Lease { id, place, expires, causes: EXPIRED }
}
