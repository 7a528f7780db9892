//! Requests for what no policy grants: what somebody tries who does not know
//! what a token is good for.

use super::super::network::Peer;
use super::super::rng::Rng;
use super::super::slab::Key;
use super::{Ask, Policy, Sender, Vault};

/// Names that people guess.
const GUESSES: [&str; 24] = [
    "prod",
    "root",
    "admin",
    "aws",
    "deploy",
    "backup",
    "github",
    "jenkins",
    "ssh",
    "tls",
    "terraform",
    "stripe",
    "payments",
    "database",
    "postgres",
    "users",
    "ci",
    "signing",
    "vpn",
    "ldap",
    "smtp",
    "cloudflare",
    "k8s",
    "azure",
];

impl Vault {
    /// One of them, by number, by somebody of a team in a namespace.
    pub(in super::super) fn probe(
        &mut self,
        rng: &mut Rng,
        at: i64,
        key: Key,
        peer: Peer,
        (namespace, team): (usize, usize),
        which: u64,
    ) -> i64 {
        let guess = GUESSES[(which >> 8) as usize % GUESSES.len()];
        let more = (which >> 16) % 4;
        let foreign: Vec<usize> = (0..self.catalog.roles.len())
            .filter(|role| {
                let of = &self.catalog.roles[*role];
                self.catalog.mounts[of.mount].namespace == namespace && !self.catalog.may(team, *role)
            })
            .collect();
        if which % 10 < 4
            && let Some(role) = foreign.get((which >> 20) as usize % foreign.len().max(1))
        {
            return self.refuse_creds(rng, at, key, peer, *role);
        }
        let (operation, mount, path) = match which % 10 {
            0..=5 => (
                "read",
                "kv/",
                format!("kv/data/{guess}{}", ["", "/config", "/keys", "/token"][more as usize]),
            ),
            6 => ("list", "kv/", format!("kv/metadata/{guess}/")),
            7 => ("read", "sys/", format!("sys/policies/acl/{guess}")),
            8 => ("list", "auth/approle/", "auth/approle/role/".to_owned()),
            _ => {
                let points: Vec<&'static str> = self
                    .catalog
                    .mounts
                    .iter()
                    .filter(|mount| mount.namespace == namespace && mount.engine == "database")
                    .map(|mount| mount.point)
                    .collect();
                let point = points[(which >> 24) as usize % points.len().max(1)];
                ("read", point, format!("{point}config/{guess}"))
            }
        };
        let ask = Ask {
            at,
            sender: Sender::Token(key),
            peer,
            operation,
            mount: Ok(self.catalog.mount(namespace, mount)),
            path: &path,
            data: "",
            wrap_ttl: 0,
            policy: Policy::Refused,
        };
        self.refuse(rng, &ask)
    }
}
