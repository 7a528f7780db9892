//! What a request is about, by its path and operation: the only file that
//! knows the paths of `sys/`, `auth/` and `identity/`. Paths of secret engines
//! are in `engine`.

use super::hashed;
use super::loose::Data;
use crate::event::{
    Action, LeaseHash, LeaseRef, Mount, Operation, Privileged, RevocationForm, Text, TokenHash,
};

/// The operation, as the log spells it.
pub(super) fn operation(name: &str) -> Operation {
    match name {
        "read" => Operation::Read,
        "create" | "update" | "patch" => Operation::Write,
        "delete" => Operation::Delete,
        "list" | "scan" => Operation::List,
        _ => Operation::Other,
    }
}

/// What a request to `path` (relative to its namespace) is about.
pub(super) fn action(
    path: &str,
    operation: Operation,
    mount: Option<&Mount>,
    data: Option<&Data<'_>>,
) -> Action {
    let writes = matches!(operation, Operation::Write | Operation::Delete);
    if let Some(path) = path.strip_prefix("sys/") {
        system(path, operation, writes, data)
    } else if let Some(below) = path.strip_prefix("auth/") {
        authentication(path, below, operation, writes, mount, data)
    } else if let Some(path) = path.strip_prefix("identity/") {
        // Look-ups are writes by their operation only, and so is what clients of an OIDC provider do.
        let is_provider = path.starts_with("oidc/provider/")
            && ["/authorize", "/token", "/userinfo"].iter().any(|end| path.ends_with(end));
        if writes && !path.starts_with("lookup/") && !path.starts_with("oidc/introspect") && !is_provider {
            Action::Privileged(Privileged::IdentityWrite)
        } else {
            Action::Other
        }
    } else if path.starts_with("cubbyhole/") {
        Action::Other
    } else {
        Action::Engine
    }
}

fn system(path: &str, operation: Operation, writes: bool, data: Option<&Data<'_>>) -> Action {
    let (area, rest) = path.split_once('/').unwrap_or((path, ""));
    let privileged = match area {
        // The paths of 0.x, `sys/renew` and so on, mean the same.
        "leases" | "renew" | "revoke" | "revoke-prefix" | "revoke-force" if operation == Operation::Write => {
            let leases = path.strip_prefix("leases/").unwrap_or(path);
            let (verb, rest) = leases.split_once('/').unwrap_or((leases, ""));
            let by_body = |key: fn(&Data<'_>) -> Option<Text>| lease_ref(rest, data.and_then(key));
            let lease = || by_body(|data| data.lease_id.as_deref().map(Text::from));
            let prefix = || by_body(|data| data.prefix.as_deref().map(Text::from));
            return match verb {
                "renew" => Action::Renew(lease()),
                "revoke" => Action::Revoke(RevocationForm::Lease, lease()),
                "revoke-prefix" => Action::Revoke(RevocationForm::Prefix, prefix()),
                "revoke-force" => Action::Revoke(RevocationForm::Force, prefix()),
                _ => Action::Other,
            };
        }
        "wrapping" if path == "wrapping/unwrap" && operation == Operation::Write => return Action::Unwrap,
        "audit" if path == "audit/test" => return Action::Probe,
        "audit" if writes => Privileged::AuditChange,
        "config" if writes && rest.starts_with("auditing") => Privileged::AuditChange,
        "audit-hash" if writes => Privileged::AuditHash,
        "generate-root" | "generate-recovery-token" if writes => Privileged::GenerateRoot,
        "policy" | "policies" if writes => Privileged::PolicyWrite,
        "mounts" | "auth" | "remount" if writes => Privileged::MountChange,
        "plugins" if writes => Privileged::PluginChange,
        "namespaces" if writes => Privileged::NamespaceChange,
        "storage" if rest.starts_with("raft/snapshot") && (writes || operation == Operation::Read) => {
            Privileged::RaftSnapshot
        }
        "raw" => Privileged::RawAccess,
        "seal" | "step-down" if writes => Privileged::Seal,
        _ => return Action::Other,
    };
    Action::Privileged(privileged)
}

fn authentication(
    path: &str,
    below: &str,
    operation: Operation,
    writes: bool,
    mount: Option<&Mount>,
    data: Option<&Data<'_>>,
) -> Action {
    let rest = mount.and_then(|mount| path.strip_prefix(mount.point.as_str()));
    if let Some(verb) = below.strip_prefix("token/") {
        let (first, rest) = verb.split_once('/').unwrap_or((verb, ""));
        let revoke = |token| Action::Revoke(RevocationForm::Token, token);
        return match first {
            "roles" if writes && first != verb => Action::Privileged(Privileged::AuthWrite),
            _ if operation != Operation::Write => Action::Other,
            "revoke" | "revoke-orphan" => revoke(token_ref(rest, data.and_then(|data| data.rare().token))),
            "revoke-accessor" => revoke(token_ref(rest, data.and_then(|data| data.rare().accessor))),
            "revoke-self" => revoke(LeaseRef::Absent),
            _ => Action::Other,
        };
    }
    let logs_in = match rest {
        Some(rest) => is_login(rest),
        // Without the mount's name: the word itself, anywhere below the first segment.
        None => {
            below.split('/').skip(1).any(|segment| segment == "login") || below.ends_with("oidc/callback")
        }
    };
    if logs_in {
        // A certificate or OIDC login may be a read; look-ahead operations are no logins.
        return if matches!(operation, Operation::Write | Operation::Read) {
            Action::Login
        } else {
            Action::Other
        };
    }
    // Handing out a secret ID is an AppRole's daily business, not a change to it; so are the
    // steps of a login by OIDC or SAML.
    let is_step = ["/auth_url", "/oidc/poll", "/sso_service_url"].iter().any(|step| path.ends_with(step));
    if writes && !path.contains("/secret-id") && !path.contains("/tidy/") && !is_step {
        Action::Privileged(Privileged::AuthWrite)
    } else {
        Action::Other
    }
}

fn is_login(rest: &str) -> bool {
    rest == "login" || rest.starts_with("login/") || matches!(rest, "oidc/callback" | "callback")
}

/// A lease by the end of the path, or else by the body.
fn lease_ref(in_path: &str, in_body: Option<Text>) -> LeaseRef {
    if !in_path.is_empty() {
        return LeaseRef::Plain(in_path.into());
    }
    in_body.map_or(LeaseRef::Absent, hashed::lease)
}

/// A token or its accessor, by the end of the path (older versions) or else by the body.
fn token_ref(in_path: &str, in_body: Option<TokenHash>) -> LeaseRef {
    match hashed::token(in_path).or(in_body) {
        Some(TokenHash(hash)) => LeaseRef::Hashed(LeaseHash(hash)),
        None => LeaseRef::Absent,
    }
}
