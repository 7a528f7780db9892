//! A client of `OpenBao`, as applications are: logs in, gets credentials, renews and revokes
//! them, and notes down in the truth what it saw.

use crate::stage::Stage;
use crate::support::token_review::service_account_token;
use crate::support::{Bao, Reply};
use crate::truth::Truth;
use serde_json::json;

const ISSUED: &str = "leasewatch_credentials_issued_total";
const FAILURES: &str = "leasewatch_credential_failures_total";
const RENEWALS: &str = "leasewatch_renewals_total";
const REVOCATIONS: &str = "leasewatch_revocation_requests_total";
const LOGINS: &str = "leasewatch_logins_total";
const DENIED: &str = "leasewatch_denied_total";

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// By role ID and secret ID.
    AppRole { role_id: String, secret_id: String },
    /// By a service account of Kubernetes.
    Kubernetes { account: &'static str },
}

/// A lease as its client remembers it.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    id: String,
    mount: &'static str,
    role: String,
    /// Whether a renewal has succeeded: it alone tells the log which lease a hash names.
    renewed: bool,
}

/// A client with its token.
pub(crate) struct Client<'a> {
    bao: &'a Bao,
    truth: &'a Truth,
    identity: Identity,
    namespace: &'static str,
    address: String,
    token: String,
    /// The token is known to be dead.
    dead: bool,
}

impl<'a> Client<'a> {
    /// A client with an `AppRole` of its own, logged in.
    pub(crate) fn app_role(
        stage: &'a Stage,
        truth: &'a Truth,
        number: u8,
        namespace: &'static str,
        policy: &str,
        token_type: &str,
    ) -> Self {
        let path = format!("auth/approle/role/app-{number}");
        let body = json!({
            "token_policies": policy, "token_type": token_type, "token_ttl": "120s",
        });
        stage.bao().write_in(namespace, &path, &body);
        let role_id = stage
            .bao()
            .root_call("GET", &format!("{path}/role-id"))
            .namespace(namespace)
            .send()
            .string("/data/role_id");
        let secret_id = stage
            .bao()
            .write_in(namespace, &format!("{path}/secret-id"), &json!({}))
            .string("/data/secret_id");
        let identity = Identity::AppRole { role_id, secret_id };
        Self::with(stage, truth, number, namespace, identity)
    }

    /// A client with a service account, logged in.
    pub(crate) fn kubernetes(stage: &'a Stage, truth: &'a Truth, number: u8) -> Self {
        Self::with(stage, truth, number, "", Identity::Kubernetes { account: "web" })
    }

    fn with(
        stage: &'a Stage,
        truth: &'a Truth,
        number: u8,
        namespace: &'static str,
        identity: Identity,
    ) -> Self {
        let mut client = Self {
            bao: stage.bao(),
            truth,
            identity,
            namespace,
            address: format!("127.0.1.{number}"),
            token: String::new(),
            dead: false,
        };
        client.login();
        client
    }

    /// The same client, who from now on talks to this node.
    pub(crate) fn at(mut self, node: &'a Bao) -> Self {
        self.bao = node;
        self
    }

    /// Logs in with its own identity.
    pub(crate) fn login(&mut self) {
        let reply = self.login_as(&self.identity.clone());
        self.token = reply.string("/auth/client_token");
        self.dead = false;
    }

    /// Tries to log in with another one.
    pub(crate) fn login_as(&self, identity: &Identity) -> Reply {
        let (method, body) = match identity {
            Identity::AppRole { role_id, secret_id } => {
                ("approle", json!({"role_id": role_id, "secret_id": secret_id}))
            }
            Identity::Kubernetes { account } => {
                let jwt = service_account_token("prod", account);
                ("kubernetes", json!({"role": "web", "jwt": jwt}))
            }
        };
        let mount = format!("auth/{method}/");
        let reply = self
            .bao
            .call("POST", &format!("{mount}login"))
            .namespace(self.namespace)
            .from(&self.address)
            .json(&body)
            .send();
        let outcome = if reply.status == 200 { "ok" } else { "failed" };
        self.truth.count(
            LOGINS,
            &[
                ("vault_namespace", self.namespace_label()),
                ("auth_method", method),
                ("mount", &mount),
                ("outcome", outcome),
            ],
        );
        reply
    }

    /// Asks for a credential.
    pub(crate) fn generate(&self, mount: &'static str, role: &str) -> Option<Lease> {
        let reply = self.ask("GET", &format!("{mount}creds/{role}"), None, "");
        self.count_credential(mount, role, &reply);
        (reply.status == 200).then(|| Lease {
            id: reply.string("/lease_id"),
            mount,
            role: role.into(),
            renewed: false,
        })
    }

    /// Asks for a credential wrapped, and unwraps it if told so.
    pub(crate) fn generate_wrapped(&self, mount: &'static str, role: &str, unwrap: bool) {
        let reply = self.ask("GET", &format!("{mount}creds/{role}"), None, "60s");
        self.count_credential(mount, role, &reply);
        if unwrap && reply.status == 200 {
            let body = json!({"token": reply.string("/wrap_info/token")});
            let inner = self.ask("POST", "sys/wrapping/unwrap", Some(&body), "");
            assert_eq!(inner.status, 200, "unwrap: {}", inner.text());
        }
    }

    fn count_credential(&self, mount: &str, role: &str, reply: &Reply) {
        let labels = [("vault_namespace", self.namespace_label()), ("mount", mount), ("role", role)];
        let [namespace, mount, _] = labels;
        let unknown = ("role", "(unknown)");
        let reason = match reply.status {
            200 => return self.truth.count(ISSUED, &labels),
            403 => ("reason", self.denial()),
            // The log has only the hash of `unknown role`: it may say `not_found` or `other`.
            400 if role.starts_with("invented") => {
                return self.truth.count(FAILURES, &[namespace, mount, unknown]);
            }
            _ if reply.text().contains("not an allowed role") => ("reason", "not_allowed"),
            500 => ("reason", "backend"),
            other => panic!("{mount:?} {role}: HTTP {other}: {}", reply.text()),
        };
        self.truth.count(FAILURES, &[namespace, mount, labels[2], reason]);
    }

    /// Renews a lease by `increment` seconds.
    pub(crate) fn renew(&self, lease: &mut Lease, increment: u32) {
        let body = json!({"lease_id": lease.id, "increment": increment});
        let reply = self.ask("POST", "sys/leases/renew", Some(&body), "");
        let namespace = ("vault_namespace", self.namespace_label());
        if reply.status == 200 {
            lease.renewed = true;
            let capped = reply.json()["warnings"].to_string().contains("capped accordingly");
            let outcome = if capped { "capped" } else { "ok" };
            let labels = [namespace, ("mount", lease.mount), ("role", &lease.role), ("outcome", outcome)];
            self.truth.count(RENEWALS, &labels);
        } else {
            // Which lease it was stands in the log as a hash only.
            self.truth.count(RENEWALS, &[namespace, ("outcome", "failed")]);
        }
    }

    /// Tries to renew a lease that never was.
    pub(crate) fn renew_something(&self) {
        let id = "database/creds/app-role/0123456789abcdefghijklmn".into();
        self.renew(&mut Lease { id, mount: "database/", role: "app-role".into(), renewed: false }, 0);
    }

    /// Revokes a lease at once, named in the body.
    pub(crate) fn revoke(&self, lease: &Lease) {
        let reply = self.ask("POST", "sys/leases/revoke", Some(&json!({"lease_id": lease.id})), "");
        self.count_revocation("lease", &reply);
    }

    /// Has a lease revoked, named in the path, as the command line does.
    pub(crate) fn revoke_by_path(&self, lease: &Lease) {
        let path = format!("sys/leases/revoke/{}", lease.id);
        let reply = self.ask("PUT", &path, Some(&json!({"sync": false})), "");
        self.count_revocation("lease", &reply);
    }

    /// Gives its token back.
    pub(crate) fn revoke_self(&mut self) {
        let reply = self.ask("POST", "auth/token/revoke-self", None, "");
        self.dead = reply.status == 204;
        self.count_revocation("token", &reply);
    }

    /// Which mount a hash is about is found out where one lease ends meanwhile, so none is expected.
    fn count_revocation(&self, form: &'static str, reply: &Reply) {
        count_revocation(self.truth, self.namespace_label(), form, None, reply.status);
    }

    /// Reads a secret that has no lease.
    pub(crate) fn read_kv(&self) {
        self.ask("GET", "kv/settings", None, "");
    }

    fn ask(&self, method: &str, path: &str, body: Option<&serde_json::Value>, wrap: &str) -> Reply {
        let mut call =
            self.bao.call(method, path).token(&self.token).namespace(self.namespace).from(&self.address);
        if let Some(body) = body {
            call = call.json(body);
        }
        if !wrap.is_empty() {
            call = call.wrap(wrap);
        }
        let reply = call.send();
        if reply.status == 403 {
            let mount = ["database/", "pg/eu-west/", "sys/", "kv/", "auth/token/"]
                .into_iter()
                .find(|mount| path.starts_with(mount))
                .unwrap();
            let labels = [
                ("vault_namespace", self.namespace_label()),
                ("mount", mount),
                ("kind", if self.dead { "invalid_token" } else { "policy" }),
            ];
            self.truth.count(DENIED, &labels);
        }
        reply
    }

    fn denial(&self) -> &'static str {
        if self.dead { "invalid_token" } else { "denied" }
    }

    fn namespace_label(&self) -> &'static str {
        if self.namespace.is_empty() { "root" } else { self.namespace }
    }
}

/// The operator, with the root token, revokes what lies below a prefix.
pub(crate) fn revoke_below(bao: &Bao, truth: &Truth, form: &'static str, mount: &str, role: &str) {
    let path = format!("sys/leases/revoke-{form}/{mount}creds/{role}");
    let reply = bao.root_call("POST", &path).send();
    count_revocation(truth, "root", form, Some(mount), reply.status);
}

fn count_revocation(truth: &Truth, namespace: &str, form: &'static str, mount: Option<&str>, status: u16) {
    let outcome = match status {
        202 => "queued",
        204 => "ok",
        403 => "denied",
        _ => "failed",
    };
    let mut labels = vec![("vault_namespace", namespace), ("form", form), ("outcome", outcome)];
    if let Some(mount) = mount {
        labels.push(("mount", mount));
    }
    truth.count(REVOCATIONS, &labels);
}
