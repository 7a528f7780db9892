//! What is mounted where: namespaces, mounts, roles and teams of the tenant.

use super::calendar::Zone;
use super::rng::{Rng, number_of};

/// A namespace.
#[derive(Debug)]
pub(super) struct Namespace {
    /// `""` for the root namespace, else with the last slash.
    pub(super) path: &'static str,
    /// `,"namespace":{…}` of a request without the comma.
    pub(super) text: String,
    /// What the IDs of its leases and entities end with: `""` or `.AbC123`.
    pub(super) suffix: String,
    /// `"namespace_id":"…"` of a policy, with the path where there is one.
    pub(super) of_policy: String,
}

/// A mount.
#[derive(Debug)]
pub(super) struct Mount {
    pub(super) namespace: usize,
    /// Relative to its namespace, with the last slash.
    pub(super) point: &'static str,
    pub(super) engine: &'static str,
    pub(super) accessor: String,
    /// `"mount_point":…,"mount_type":…,`
    pub(super) text: String,
    /// `"mount_accessor":…,`
    pub(super) accessor_text: String,
    /// `secret` or `auth`.
    pub(super) class: &'static str,
    /// Seconds.
    pub(super) default_ttl: u32,
    /// Seconds.
    pub(super) max_ttl: u32,
    /// Which database it connects to, for outages.
    pub(super) database: Option<usize>,
}

/// A role of a secret engine.
#[derive(Debug)]
pub(super) struct Role {
    pub(super) mount: usize,
    pub(super) name: String,
    /// Below the namespace: `database/creds/app`.
    pub(super) path: String,
    /// Seconds.
    pub(super) default_ttl: u32,
    /// Seconds.
    pub(super) max_ttl: u32,
    /// Whose role it is; others may use it too.
    pub(super) team: usize,
}

/// People and services that belong together.
#[derive(Debug)]
pub(super) struct Team {
    pub(super) name: &'static str,
    pub(super) namespace: usize,
    pub(super) zone: Zone,
    /// Its roles.
    pub(super) roles: Vec<usize>,
    /// Its certificates, where its namespace has them.
    pub(super) pki: Option<usize>,
}

/// All of it. Indices into its lists name things everywhere in the simulator.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) namespaces: Vec<Namespace>,
    pub(super) mounts: Vec<Mount>,
    pub(super) roles: Vec<Role>,
    pub(super) teams: Vec<Team>,
    /// How many databases there are.
    pub(super) databases: usize,
    /// The role whose leases cannot be revoked where a scenario asks for that.
    pub(super) stubborn: usize,
}

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// Team, namespace, zone, database mounts.
const TEAMS: [(&str, &str, Zone, &[&str]); 8] = [
    ("shop", "", Zone::Europe, &["database/"]),
    ("orders", "", Zone::Europe, &["orders-db/", "database/"]),
    ("billing", "", Zone::America, &["billing-db/"]),
    ("search", "", Zone::India, &["database/", "catalog-db/"]),
    ("analytics", "", Zone::India, &["analytics-db/"]),
    ("platform", "", Zone::Europe, &["database/"]),
    ("ledger", "payments/", Zone::Europe, &["database/", "ledger-db/", "cards-db/"]),
    ("insights", "research/", Zone::America, &["database/", "warehouse-db/"]),
];

/// Suffix of a role's name; default and max TTL in seconds.
const ROLES: [(&str, u32, u32); 6] = [
    ("app", 2 * HOUR, 48 * HOUR),
    ("ro", 6 * HOUR, 24 * HOUR),
    ("worker", HOUR, 4 * HOUR),
    ("batch", 4 * HOUR, 24 * HOUR),
    ("admin", HOUR, 4 * HOUR),
    ("support", 8 * HOUR, 12 * HOUR),
];

impl Catalog {
    /// The tenant's; `haste` divides the TTLs of roles.
    pub(super) fn new(seed: u64, haste: u32) -> Self {
        let mut rng = Rng::named(seed, "catalog");
        let mut catalog = Self {
            namespaces: Vec::new(),
            mounts: Vec::new(),
            roles: Vec::new(),
            teams: Vec::new(),
            databases: 0,
            stubborn: 0,
        };
        for path in ["", "payments/", "research/"] {
            catalog.add_namespace(path, &mut rng);
        }
        for (name, path, zone, databases) in TEAMS {
            catalog.add_team(name, path, zone, databases, haste);
        }
        catalog.stubborn = catalog.roles.len();
        let mount = catalog.mount(0, "analytics-db/");
        catalog.add_role(mount, "legacy-report", (HOUR / haste, 4 * HOUR / haste), 4);
        catalog
    }

    fn add_namespace(&mut self, path: &'static str, rng: &mut Rng) {
        let id = if path.is_empty() { "root".to_owned() } else { base62(rng, 6) };
        let index = self.namespaces.len();
        let (suffix, with_path) = if path.is_empty() {
            (String::new(), String::new())
        } else {
            (format!(".{id}"), format!(r#","path":"{path}""#))
        };
        self.namespaces.push(Namespace {
            path,
            text: format!(r#""namespace":{{"id":"{id}"{with_path}}}"#),
            suffix,
            of_policy: if path.is_empty() {
                r#""namespace_id":"root""#.to_owned()
            } else {
                format!(r#""namespace_id":"{id}","namespace_path":"{path}""#)
            },
        });
        let is_root = path.is_empty();
        let auth: &[(&str, &str)] = if is_root {
            &[
                ("auth/token/", "token"),
                ("auth/approle/", "approle"),
                ("auth/kubernetes/", "kubernetes"),
                ("auth/jwt/", "jwt"),
                ("auth/oidc/", "oidc"),
                ("auth/userpass/", "userpass"),
            ]
        } else {
            &[
                ("auth/token/", "ns_token"),
                ("auth/approle/", "approle"),
                ("auth/kubernetes/", "kubernetes"),
                ("auth/oidc/", "oidc"),
            ]
        };
        for (point, engine) in auth {
            self.add_mount(index, point, engine, rng);
        }
        let system = if is_root { "system" } else { "ns_system" };
        let identity = if is_root { "identity" } else { "ns_identity" };
        for (point, engine) in [("sys/", system), ("identity/", identity), ("kv/", "kv")] {
            self.add_mount(index, point, engine, rng);
        }
        if is_root {
            self.add_mount(index, "pki/", "pki", rng);
        }
        let mut points: Vec<&str> =
            TEAMS.iter().filter(|team| team.1 == path).flat_map(|team| team.3.iter().copied()).collect();
        points.sort_unstable();
        points.dedup();
        for point in points {
            self.add_mount(index, point, "database", rng);
        }
    }

    fn add_mount(
        &mut self,
        namespace: usize,
        point: &'static str,
        engine: &'static str,
        rng: &mut Rng,
    ) -> usize {
        let path = self.namespaces[namespace].path;
        let class = if point.starts_with("auth/") { "auth" } else { "secret" };
        // Accessors say the plain type, also of a namespace's own mounts.
        let plain = engine.trim_start_matches("ns_");
        let prefix = if class == "auth" { "auth_" } else { "" };
        let accessor = format!("{prefix}{plain}_{:08x}", rng.next() as u32);
        let database = (engine == "database").then(|| {
            self.databases += 1;
            self.databases - 1
        });
        self.mounts.push(Mount {
            namespace,
            point,
            engine,
            text: format!(r#""mount_point":"{path}{point}","mount_type":"{engine}","#),
            accessor_text: format!(r#""mount_accessor":"{accessor}","#),
            accessor,
            class,
            default_ttl: 32 * DAY,
            // Certificates last a day.
            max_ttl: if engine == "pki" { DAY } else { 32 * DAY },
            database,
        });
        self.mounts.len() - 1
    }

    fn add_team(
        &mut self,
        name: &'static str,
        path: &str,
        zone: Zone,
        databases: &[&'static str],
        haste: u32,
    ) {
        let namespace = self.namespaces.iter().position(|namespace| namespace.path == path).unwrap_or(0);
        let team = self.teams.len();
        let pki = (namespace == 0).then(|| self.mount(0, "pki/"));
        self.teams.push(Team { name, namespace, zone, roles: Vec::new(), pki });
        for (at, point) in databases.iter().enumerate() {
            let mount = self.mount(namespace, point);
            for (suffix, default_ttl, max_ttl) in ROLES.iter().take(if at == 0 { 6 } else { 3 }) {
                self.add_role(
                    mount,
                    &format!("{name}-{suffix}"),
                    (default_ttl / haste, max_ttl / haste),
                    team,
                );
            }
        }
    }

    fn add_role(&mut self, mount: usize, name: &str, (default_ttl, max_ttl): (u32, u32), team: usize) {
        self.teams[team].roles.push(self.roles.len());
        let path = format!("{}creds/{name}", self.mounts[mount].point);
        self.roles.push(Role { mount, name: name.to_owned(), path, default_ttl, max_ttl, team });
    }

    /// The mount at this point of a namespace.
    pub(super) fn mount(&self, namespace: usize, point: &str) -> usize {
        let is_it = |mount: &Mount| mount.namespace == namespace && mount.point == point;
        self.mounts.iter().position(is_it).unwrap_or(0)
    }

    /// The roles of a namespace, where `team` is there first.
    pub(super) fn roles_near(&self, team: usize) -> Vec<usize> {
        let namespace = self.teams[team].namespace;
        let mut roles = self.teams[team].roles.clone();
        roles.extend((0..self.roles.len()).filter(|role| {
            self.roles[*role].team != team && self.mounts[self.roles[*role].mount].namespace == namespace
        }));
        roles
    }

    /// Whether the policy of a team grants a role: all of the namespace but what is for
    /// administrators of others.
    pub(super) fn may(&self, team: usize, role: usize) -> bool {
        let role = &self.roles[role];
        role.team == team || !role.name.ends_with("-admin")
    }

    /// A role of a team by the end of its name, on the team's first mount.
    pub(super) fn role(&self, team: usize, suffix: &str) -> usize {
        let roles = &self.teams[team].roles;
        let is_it = |role: &&usize| self.roles[**role].name.ends_with(suffix);
        roles.iter().find(is_it).copied().unwrap_or(roles[0])
    }
}

/// Letters and digits, as Vault's IDs have them.
pub(super) fn base62(rng: &mut Rng, length: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    (0..length).map(|_| char::from(LETTERS[rng.index(62)])).collect()
}

/// A UUID that belongs to a text, the same under the same seed.
pub(super) fn uuid_of(seed: u64, text: &str) -> String {
    let mut out = String::with_capacity(36);
    super::hex::uuid(&mut out, [number_of(text) ^ seed, seed.wrapping_add(number_of(text)).rotate_left(17)]);
    out
}
