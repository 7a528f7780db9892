//! What clients ask of a made-up world, and how it answers.

use super::{Form, Lease, MILLI, ROLES, World};
use crate::play::SECOND;
use crate::render::{Exchange, hashed, server, time};
use serde_json::json;
use std::collections::BTreeSet;

impl World {
    pub(super) fn login(&mut self) {
        let (number, name) = (self.number(), format!("s.token-{}", self.tokens.len()));
        let login = Exchange {
            number,
            token: None,
            operation: "update",
            mount: "auth/approle/",
            engine: "approle",
            path: "auth/approle/login".to_owned(),
            data: Some(json!({"role_id": hashed("role")})),
            wrap_ttl: None,
        };
        login.request(&mut self.audit, self.now);
        self.now += MILLI;
        login.logged_in(&mut self.audit, self.now, &name);
        self.tokens.push((name, None));
    }

    pub(super) fn issue(&mut self, role: usize, wrapped: bool, failures: u32) {
        let (mount, name, ttl) = ROLES[role % ROLES.len()];
        let path = format!("{mount}creds/{name}");
        let id = format!("{path}/AbCdEfGhIjKlMnOpQrSt{:04}", self.leases.len());
        let (number, token) = (self.number(), self.tokens.len() - 1);
        let issue = Exchange {
            number,
            token: Some(&self.tokens[token].0),
            operation: "read",
            mount,
            engine: "database",
            path: path.clone(),
            data: None,
            wrap_ttl: wrapped.then_some(60),
        };
        issue.request(&mut self.audit, self.now);
        let expires = self.now + MILLI + ttl * SECOND;
        self.now += 2 * MILLI;
        let answer = if wrapped {
            json!({"wrap_info": {"ttl": 60, "token": hashed(&id), "accessor": hashed("a"),
                "creation_time": time(self.now), "creation_path": path}})
        } else {
            json!({"secret": {"lease_id": id}, "data": {"username": hashed("u"), "password": hashed("p")}})
        };
        issue.response(&mut self.audit, self.now, answer);
        self.leases.push(Lease {
            id,
            role: role % ROLES.len(),
            wrapped,
            token,
            issued: self.now,
            expires,
            next: Some(expires),
            due: expires,
            failures_left: failures,
            failed: 0,
            told: Vec::new(),
            ended: None,
            reasons: BTreeSet::new(),
            queued: false,
        });
    }

    /// A lease that somebody can name, outstanding or not.
    fn choose(&self, choice: usize) -> Option<usize> {
        let named: Vec<usize> = (0..self.leases.len()).filter(|at| !self.leases[*at].wrapped).collect();
        // Mostly one of the last: the others are gone.
        named.len().checked_sub(1 + choice % named.len().clamp(1, 8)).map(|at| named[at])
    }

    fn lease_request(&mut self, path: String, data: serde_json::Value) -> Exchange<'static> {
        let number = self.number();
        // Somebody whose token lives on.
        let (operation, mount, engine) = ("update", "sys/", "system");
        Exchange {
            number,
            token: Some("s.operator"),
            operation,
            mount,
            engine,
            path,
            data: Some(data),
            wrap_ttl: None,
        }
    }

    pub(super) fn renew(&mut self, choice: usize) {
        let Some(at) = self.choose(choice) else { return };
        let id = self.leases[at].id.clone();
        let data = json!({"lease_id": hashed(&id), "increment": 15});
        let renew = self.lease_request("sys/leases/renew".to_owned(), data);
        renew.request(&mut self.audit, self.now);
        self.now += MILLI;
        let lease = &mut self.leases[at];
        if lease.ended.is_some() || lease.due <= self.now {
            let error = if lease.ended.is_some() { "lease not found" } else { "lease expired" };
            let keys = json!({"lease_id": id, "error": error});
            server(
                &mut self.server,
                self.now,
                "error",
                "secrets.system.system_1",
                "lease renewal failed",
                keys,
            );
            renew.failure(&mut self.audit, self.now + MILLI);
        } else {
            let most = lease.issued + 3 * ROLES[lease.role].2 * SECOND;
            let (asked, left) = (self.now + 15 * SECOND, (most - self.now) / SECOND);
            let mut answer = json!({"secret": {"lease_id": id}});
            lease.expires = asked;
            if asked > most {
                lease.expires = self.now + left * SECOND;
                answer["warnings"] = json!([format!(
                    "TTL of \"15s\" exceeded the effective max_ttl of \"{left}s\"; TTL value is capped accordingly"
                )]);
            }
            (lease.next, lease.due) = (Some(lease.expires), lease.expires);
            renew.response(&mut self.audit, self.now + MILLI, answer);
        }
        self.now += MILLI;
    }

    pub(super) fn revoke(&mut self, choice: usize, form: Form) {
        let Some(at) = self.choose(choice) else { return };
        let id = self.leases[at].id.clone();
        let by_path = format!("sys/leases/revoke/{id}");
        let request = match form {
            Form::Path => self.lease_request(by_path, json!({"sync": true})),
            Form::Queued => self.lease_request(by_path, json!({"sync": false})),
            Form::Body => {
                self.lease_request("sys/leases/revoke".to_owned(), json!({"lease_id": hashed(&id)}))
            }
        };
        request.request(&mut self.audit, self.now);
        self.now += MILLI;
        let is_there = self.leases[at].ended.is_none();
        if matches!(form, Form::Queued) {
            let lease = &mut self.leases[at];
            if is_there {
                lease.queued = true;
                lease.due = lease.due.min(self.now);
                lease.failed = 0;
                lease.next = Some(self.now + 2 * MILLI);
            }
            let answer = json!({"data": {"http_status_code": 202, "http_content_type": hashed("t")}});
            request.response(&mut self.audit, self.now + MILLI, answer);
            self.pass(self.now + 3 * MILLI);
            return;
        }
        if is_there && self.leases[at].failures_left > 0 {
            let keys = json!({"lease_id": id, "error": "failed to revoke entry: permission denied"});
            server(
                &mut self.server,
                self.now,
                "error",
                "secrets.system.system_1",
                "lease revocation failed",
                keys,
            );
            request.failure(&mut self.audit, self.now + MILLI);
        } else {
            if is_there {
                self.leases[at].reasons.insert("requested");
                self.finish(at, self.now);
            }
            request.response(&mut self.audit, self.now + MILLI, json!({"mount_point": "sys/"}));
        }
        self.now += 2 * MILLI;
    }

    pub(super) fn revoke_below(&mut self, role: usize, force: bool) {
        let (mount, name, _) = ROLES[role % ROLES.len()];
        let form = if force { "force" } else { "prefix" };
        let request = self.lease_request(format!("sys/leases/revoke-{form}/{mount}creds/{name}"), json!({}));
        request.request(&mut self.audit, self.now);
        let mut is_done = true;
        for at in 0..self.leases.len() {
            let lease = &mut self.leases[at];
            if lease.role != role % ROLES.len() || lease.ended.is_some() {
                continue;
            }
            self.now += MILLI;
            if lease.failures_left > 0 && !force {
                is_done = false;
                continue;
            }
            if lease.failures_left > 0 {
                let text = "revocation from the backend failed, but in force mode so ignoring";
                server(
                    &mut self.server,
                    self.now,
                    "warn",
                    "expiration",
                    text,
                    json!({"error": "permission denied"}),
                );
            }
            lease.reasons.insert(if force { "forced" } else { "prefix" });
            self.finish(at, self.now);
        }
        self.now += MILLI;
        if is_done {
            request.response(&mut self.audit, self.now, json!({"mount_point": "sys/"}));
        } else {
            request.failure(&mut self.audit, self.now);
        }
        self.now += MILLI;
    }

    /// The token's own request; its leases go right after.
    pub(super) fn revoke_token(&mut self, choice: usize) {
        let at = self.tokens.len() - 1 - choice % self.tokens.len().min(3);
        if self.tokens[at].1.is_some() {
            return;
        }
        let (number, name) = (self.number(), self.tokens[at].0.clone());
        let request = Exchange {
            number,
            token: Some(&name),
            operation: "update",
            mount: "auth/token/",
            engine: "token",
            path: "auth/token/revoke-self".to_owned(),
            data: None,
            wrap_ttl: None,
        };
        request.request(&mut self.audit, self.now);
        self.now += MILLI;
        self.tokens[at].1 = Some(self.now);
        for lease in self.leases.iter_mut().filter(|lease| lease.token == at && lease.ended.is_none()) {
            lease.due = lease.due.min(self.now);
            lease.failed = 0;
            lease.next = Some(self.now + 2 * MILLI);
        }
        request.response(&mut self.audit, self.now + MILLI, json!({"mount_point": "auth/token/"}));
        self.pass(self.now + 3 * MILLI);
    }
}
