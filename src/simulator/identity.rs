//! Who somebody is to the server: the entity, its names and policies, and how it logs in.

use super::catalog::{Catalog, uuid_of};
use std::fmt::Write as _;

/// How somebody logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    AppRole,
    Kubernetes,
    Jwt,
    Oidc,
    Userpass,
    /// Not at all: the root token, made when the server was set up.
    Root,
    /// Not at all: it holds a wrapped answer.
    Wrapping,
}

/// Who somebody is.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) method: Method,
    pub(super) namespace: usize,
    /// The auth mount.
    pub(super) auth: usize,
    /// Entity ID; empty for root.
    pub(super) entity: String,
    pub(super) display_name: String,
    /// The policy that lets it work.
    pub(super) policy: String,
    /// The name it logs in by: of the AppRole, the service account, the claim, the user.
    pub(super) name: String,
    /// The role of the auth mount.
    pub(super) role: String,
    pub(super) login_path: String,
    /// `"display_name":…,"policies":…,"token_policies":…,`
    pub(super) shown: String,
    /// `"metadata":…,"entity_id":…,`
    pub(super) meta: String,
    pub(super) is_batch: bool,
    /// Of its tokens, in nanoseconds; 0 for one that never ends.
    pub(super) ttl: i64,
    /// Of its tokens with all their renewals, in nanoseconds.
    pub(super) max_ttl: i64,
}

/// What an identity is made of.
pub(super) struct Profile<'a> {
    pub(super) method: Method,
    pub(super) namespace: usize,
    /// The name it logs in by.
    pub(super) name: &'a str,
    /// The role of the auth mount that it asks for.
    pub(super) role: &'a str,
    /// The Kubernetes namespace, or the team.
    pub(super) team: &'a str,
    pub(super) policy: &'a str,
    pub(super) is_batch: bool,
    /// TTL and max TTL of tokens, in nanoseconds.
    pub(super) ttl: (i64, i64),
}

impl Identity {
    pub(super) fn new(seed: u64, catalog: &Catalog, profile: &Profile<'_>) -> Self {
        let &Profile { method, namespace, name, role, team, policy, is_batch, ttl } = profile;
        let space = &catalog.namespaces[namespace];
        let (point, plain) = match method {
            Method::AppRole => ("auth/approle/", "approle"),
            Method::Kubernetes => ("auth/kubernetes/", "kubernetes"),
            Method::Jwt => ("auth/jwt/", "jwt"),
            Method::Oidc => ("auth/oidc/", "oidc"),
            Method::Userpass => ("auth/userpass/", "userpass"),
            Method::Root | Method::Wrapping => ("auth/token/", "root"),
        };
        // Below a namespace the whole mount path is in the name.
        let prefix = if space.path.is_empty() {
            plain.to_owned()
        } else {
            format!("{}auth-{plain}", space.path.replace('/', "-"))
        };
        let display_name = match method {
            Method::AppRole | Method::Root | Method::Wrapping => prefix,
            Method::Kubernetes => format!("{prefix}-{team}-{name}"),
            Method::Jwt | Method::Oidc | Method::Userpass => format!("{prefix}-{name}"),
        };
        let entity = if method == Method::Root {
            String::new()
        } else {
            format!("{}{}", uuid_of(seed, &format!("{point}{team}/{name}")), space.suffix)
        };
        let mut policies = ["default", policy];
        policies.sort_unstable();
        let policies = match method {
            Method::Root => r#"["root"]"#.to_owned(),
            _ => format!(r#"["{}","{}"]"#, policies[0], policies[1]),
        };
        let shown =
            format!(r#""display_name":"{display_name}","policies":{policies},"token_policies":{policies},"#);
        let mut meta = String::new();
        let uid = uuid_of(seed, &format!("uid {team}/{name}"));
        // Writing to a string cannot fail.
        let _ = match method {
            Method::AppRole => write!(meta, r#""metadata":{{"role_name":"{name}"}},"#),
            Method::Kubernetes => write!(
                meta,
                r#""metadata":{{"role":"{role}","service_account_name":"{name}","service_account_namespace":"{team}","service_account_secret_name":"","service_account_uid":"{uid}"}},"#
            ),
            Method::Jwt => {
                let project = name.split(':').nth(1).unwrap_or(name);
                write!(meta, r#""metadata":{{"project_path":"{project}","role":"{role}"}},"#)
            }
            Method::Oidc => write!(meta, r#""metadata":{{"role":"{role}"}},"#),
            Method::Userpass => write!(meta, r#""metadata":{{"username":"{name}"}},"#),
            Method::Root | Method::Wrapping => Ok(()),
        };
        if !entity.is_empty() {
            let _ = write!(meta, r#""entity_id":"{entity}","#);
        }
        let login_path = match method {
            Method::Oidc => format!("{point}oidc/callback"),
            Method::Userpass => format!("{point}login/{name}"),
            Method::Root | Method::Wrapping => "auth/token/root".to_owned(),
            _ => format!("{point}login"),
        };
        Self {
            method,
            namespace,
            auth: catalog.mount(namespace, point),
            entity,
            display_name,
            policy: policy.to_owned(),
            name: name.to_owned(),
            role: role.to_owned(),
            login_path,
            shown,
            meta,
            is_batch,
            ttl: ttl.0,
            max_ttl: ttl.1.max(ttl.0),
        }
    }

    /// The root token's.
    pub(super) fn root(seed: u64, catalog: &Catalog) -> Self {
        let profile = Profile {
            method: Method::Root,
            namespace: 0,
            name: "root",
            role: "",
            team: "",
            policy: "root",
            is_batch: false,
            ttl: (0, 0),
        };
        Self::new(seed, catalog, &profile)
    }

    /// That of a token which holds a wrapped answer of somebody.
    pub(super) fn wrapping(&self, ttl: i64) -> Self {
        let display_name = self.display_name.clone();
        Self {
            method: Method::Wrapping,
            namespace: self.namespace,
            auth: self.auth,
            entity: String::new(),
            shown: format!(
                r#""display_name":"{display_name}","policies":["response-wrapping"],"token_policies":["response-wrapping"],"#
            ),
            display_name,
            policy: "response-wrapping".to_owned(),
            name: String::new(),
            role: String::new(),
            login_path: String::new(),
            meta: r#""remaining_uses":1,"#.to_owned(),
            is_batch: false,
            ttl,
            max_ttl: ttl,
        }
    }

    /// `request.client_id`: the entity, or what stands for the policies where there is none.
    pub(super) fn client_id(&self) -> &str {
        match self.method {
            Method::Root => "0DHqvq2D77kL2/JTPSZkTMJbkFVmUu0TzMi0jiXcFy8=",
            Method::Wrapping => "rWML+2xGX2RJUpB3xHagF8KeTWTAmWcNtQxfM8tzpH8=",
            _ => &self.entity,
        }
    }
}
