//! Secret engines: what the paths below a mount mean, by the mount's type.
//! Knowledge only; a new engine, or a new path of one, is a row in `TABLE`.
//!
//! From Vault's and OpenBao's sources and API documentation.

mod pattern;

use crate::event::Operation;
use pattern::{Name, Pattern};

/// What a request below a mount asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning<'p> {
    /// A new credential, made for the caller; most have a lease.
    Issue(Role<'p>),
    /// A credential that others get too, and that Vault rotates by itself.
    ReadStatic(Role<'p>),
    /// The names of the roles are listed.
    ListRoles,
    /// A role is written.
    WriteRole(Role<'p>),
    /// A role is deleted.
    DeleteRole(Role<'p>),
    /// A role of static credentials is written or deleted: it issues nothing.
    ChangeStaticRole,
    /// A configuration is written or deleted, such as a database connection (`""` where there is only one).
    WriteConfig(&'p str),
    /// A root credential is rotated (`""` where there is only one).
    RotateRoot(&'p str),
    /// Nothing about credentials.
    Other,
}

/// A role, as the metrics name it and as the engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role<'p> {
    /// The label value: without the engine's usual verb (`app`), with any other (`sts/app`).
    pub label: &'p str,
    /// Its name in the engine's own list of roles (`app`).
    pub name: &'p str,
}

struct Engine {
    /// Mount types.
    types: &'static [&'static str],
    /// Paths that make a credential; the first is the usual one, whose verb the label leaves out.
    issue: &'static [Pattern],
    /// Paths that read a credential which exists.
    fixed: &'static [Pattern],
    /// Folders of roles.
    roles: &'static [Pattern],
    /// Paths of configurations.
    config: &'static [Pattern],
    /// Paths that rotate a root credential.
    rotate_root: &'static [Pattern],
    /// Paths that look like one of those above and are daily business.
    upkeep: &'static [Pattern],
}

const fn role(prefix: &'static str) -> Pattern {
    Pattern { prefix, name: Name::Any, suffix: "" }
}

const fn segment(prefix: &'static str) -> Pattern {
    Pattern { prefix, name: Name::Segment, suffix: "" }
}

const fn between(prefix: &'static str, suffix: &'static str) -> Pattern {
    Pattern { prefix, name: Name::Any, suffix }
}

const fn exactly(path: &'static str) -> Pattern {
    Pattern { prefix: path, name: Name::Absent, suffix: "" }
}

static TABLE: &[Engine] = &[
    Engine {
        types: &["database"],
        issue: &[role("creds/")],
        fixed: &[role("static-creds/")],
        roles: &[role("roles/"), role("static-roles/")],
        config: &[role("config/")],
        rotate_root: &[role("rotate-root/")],
        upkeep: &[],
    },
    Engine {
        types: &["aws"],
        issue: &[role("creds/"), role("sts/")],
        fixed: &[role("static-creds/")],
        roles: &[role("roles/"), role("static-roles/")],
        config: &[exactly("config/root"), exactly("config/lease")],
        rotate_root: &[exactly("config/rotate-root")],
        upkeep: &[],
    },
    Engine {
        types: &["pki"],
        issue: &[
            role("issue/"),
            role("sign/"),
            role("sign-verbatim/"),
            exactly("sign-verbatim"),
            role("issuer/"),
        ],
        fixed: &[],
        // Below a role's name lies its ACME service, where anybody may write.
        roles: &[segment("roles/")],
        config: &[role("config/"), role("root/"), role("intermediate/")],
        rotate_root: &[],
        upkeep: &[],
    },
    Engine {
        types: &["ssh"],
        issue: &[role("creds/"), role("sign/"), role("issue/")],
        fixed: &[],
        roles: &[role("roles/")],
        config: &[role("config/")],
        rotate_root: &[],
        upkeep: &[],
    },
    Engine {
        types: &["gcp"],
        issue: &[
            between("roleset/", "/key"),
            between("static-account/", "/key"),
            between("roleset/", "/token"),
            between("static-account/", "/token"),
            between("impersonated-account/", "/token"),
            role("key/"),
            role("token/"),
        ],
        fixed: &[],
        roles: &[role("roleset/"), role("static-account/"), role("impersonated-account/")],
        config: &[exactly("config")],
        rotate_root: &[exactly("config/rotate-root")],
        upkeep: &[
            between("roleset/", "/rotate"),
            between("roleset/", "/rotate-key"),
            between("static-account/", "/rotate-key"),
        ],
    },
    Engine {
        types: &["ldap", "openldap"],
        issue: &[role("creds/"), between("library/", "/check-out")],
        fixed: &[role("static-cred/")],
        roles: &[role("role/"), role("roles/"), role("static-role/"), role("library/")],
        config: &[exactly("config")],
        rotate_root: &[exactly("rotate-root")],
        upkeep: &[between("library/", "/check-in")],
    },
    // Its passwords are those of service accounts, for everybody who asks.
    Engine {
        types: &["ad"],
        issue: &[between("library/", "/check-out")],
        fixed: &[role("creds/")],
        roles: &[role("roles/"), role("library/")],
        config: &[exactly("config")],
        rotate_root: &[exactly("rotate-root")],
        upkeep: &[between("library/", "/check-in")],
    },
    Engine {
        types: &["azure"],
        issue: &[role("creds/")],
        fixed: &[],
        roles: &[role("roles/")],
        config: &[exactly("config")],
        rotate_root: &[exactly("rotate-root")],
        upkeep: &[],
    },
    // No credentials of their own: a path `creds/…` in them is somebody's key.
    Engine {
        types: &[
            "kv",
            "generic",
            "transit",
            "totp",
            "cubbyhole",
            "system",
            "ns_system",
            "identity",
            "ns_identity",
            "kmip",
            "transform",
            "keymgmt",
            "token",
            "ns_token",
            "ns_cubbyhole",
        ],
        issue: &[],
        fixed: &[],
        roles: &[],
        config: &[],
        rotate_root: &[],
        upkeep: &[],
    },
];

/// Consul, Nomad, RabbitMQ, Kubernetes, Terraform, MongoDB Atlas, AliCloud, and
/// every plugin under a name of its own: they all follow this form.
static USUAL: Engine = Engine {
    types: &[],
    issue: &[role("creds/")],
    fixed: &[role("static-creds/")],
    roles: &[role("roles/"), role("role/"), role("static-roles/")],
    config: &[role("config/"), exactly("config")],
    rotate_root: &[role("rotate-root/"), exactly("rotate-root"), exactly("config/rotate-root")],
    upkeep: &[],
};

/// What `operation` on `path` (below the mount) asks of an engine of this type.
pub fn meaning<'p>(mount_type: &str, path: &'p str, operation: Operation) -> Meaning<'p> {
    let engine = TABLE.iter().find(|engine| engine.types.contains(&mount_type)).unwrap_or(&USUAL);
    let find = |patterns: &[Pattern]| patterns.iter().find_map(|pattern| pattern.name(path));
    match operation {
        Operation::Read | Operation::Write => {
            let issued = engine.issue.iter().enumerate().find_map(|(at, pattern)| {
                let name = pattern.name(path)?;
                Some(Role { label: if at == 0 && pattern.suffix.is_empty() { name } else { path }, name })
            });
            if let Some(role) = issued.filter(|_| !is_pki_upkeep(engine, path)) {
                return Meaning::Issue(role);
            }
            if operation == Operation::Read {
                return find(engine.fixed).map_or(Meaning::Other, |name| {
                    // The usual verb is left out here too.
                    let label = if path.starts_with("creds/") { name } else { path };
                    Meaning::ReadStatic(Role { label, name })
                });
            }
            changed(engine, path, false)
        }
        Operation::Delete => changed(engine, path, true),
        Operation::List if lists_roles(engine, path) => Meaning::ListRoles,
        Operation::List | Operation::Other => Meaning::Other,
    }
}

/// The folder of roles itself, with its last slash or without.
fn lists_roles(engine: &Engine, path: &str) -> bool {
    let folder = path.trim_end_matches('/');
    engine.roles.iter().any(|pattern| pattern.prefix.trim_end_matches('/') == folder)
}

fn changed<'p>(engine: &Engine, path: &'p str, deleted: bool) -> Meaning<'p> {
    let find = |patterns: &[Pattern]| patterns.iter().find_map(|pattern| pattern.name(path));
    if find(engine.upkeep).is_some() {
        Meaning::Other
    } else if let Some(connection) = find(engine.rotate_root).filter(|_| !deleted) {
        Meaning::RotateRoot(connection)
    } else if let Some(connection) = find(engine.config) {
        Meaning::WriteConfig(connection)
    } else if let Some(name) = find(engine.roles) {
        if path.starts_with("static-role") {
            return Meaning::ChangeStaticRole;
        }
        let role = Role { label: name, name };
        if deleted { Meaning::DeleteRole(role) } else { Meaning::WriteRole(role) }
    } else {
        Meaning::Other
    }
}

/// `issuer/REF/…` holds both issuing and the upkeep of issuers.
fn is_pki_upkeep(engine: &Engine, path: &str) -> bool {
    engine.types == ["pki"]
        && path.starts_with("issuer/")
        && !["/issue/", "/sign/", "/sign-verbatim"].iter().any(|verb| path.contains(verb))
}

/// Splits a path into its mount and what is below, where the entry does not say
/// (Vault before 1.14): at the first segment from which on the rest means something.
pub fn split_mount<'p>(mount_type: &str, path: &'p str, operation: Operation) -> Option<(&'p str, &'p str)> {
    path.match_indices('/')
        .map(|(slash, _)| path.split_at(slash + 1))
        .find(|(_, below)| meaning(mount_type, below, operation) != Meaning::Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue<'p>(label: &'p str, name: &'p str) -> Meaning<'p> {
        Meaning::Issue(Role { label, name })
    }

    #[test]
    fn usual_verbs_are_left_out_of_the_label_and_others_stay() {
        assert_eq!(meaning("database", "creds/a.b/c", Operation::Read), issue("a.b/c", "a.b/c"));
        assert_eq!(meaning("aws", "sts/app", Operation::Write), issue("sts/app", "app"));
        assert_eq!(meaning("pki", "sign/web", Operation::Write), issue("sign/web", "web"));
        assert_eq!(meaning("gcp", "roleset/x/key", Operation::Read), issue("roleset/x/key", "x"));
        assert_eq!(meaning("my-plugin", "creds/app", Operation::Read), issue("app", "app"));
        assert_eq!(
            meaning("ldap", "library/set/check-out", Operation::Write),
            issue("library/set/check-out", "set")
        );
    }

    #[test]
    fn what_issues_nothing_says_so() {
        assert_eq!(meaning("kv", "creds/app", Operation::Read), Meaning::Other);
        assert_eq!(meaning("database", "creds/", Operation::Read), Meaning::Other);
        assert_eq!(meaning("database", "creds/app", Operation::List), Meaning::Other);
        assert_eq!(meaning("pki", "issuer/default", Operation::Write), Meaning::Other);
    }

    #[test]
    fn changes_are_told_apart() {
        let app = Role { label: "app", name: "app" };
        assert_eq!(meaning("database", "roles/app", Operation::Write), Meaning::WriteRole(app));
        assert_eq!(meaning("database", "roles/app", Operation::Delete), Meaning::DeleteRole(app));
        assert_eq!(meaning("database", "roles/app", Operation::Read), Meaning::Other);
        assert_eq!(meaning("database", "config/pg", Operation::Write), Meaning::WriteConfig("pg"));
        assert_eq!(meaning("database", "rotate-root/pg", Operation::Write), Meaning::RotateRoot("pg"));
        assert_eq!(meaning("aws", "config/rotate-root", Operation::Write), Meaning::RotateRoot(""));
    }

    #[test]
    fn a_list_of_roles_is_one_with_or_without_the_slash() {
        for path in ["roles", "roles/", "static-roles"] {
            assert_eq!(meaning("database", path, Operation::List), Meaning::ListRoles, "{path}");
        }
        assert_eq!(meaning("database", "roles/a/", Operation::List), Meaning::Other);
        assert_eq!(meaning("kv", "roles/", Operation::List), Meaning::Other);
    }

    #[test]
    fn a_mount_is_found_by_what_follows_it() {
        assert_eq!(
            split_mount("database", "pg/eu-west/creds/app", Operation::Read),
            Some(("pg/eu-west/", "creds/app"))
        );
        assert_eq!(split_mount("kv", "secret/creds/app", Operation::Read), None);
    }
}
