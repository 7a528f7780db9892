//! Listing: which leases Vault has, role by role, to hold the ledger against. Only where
//! it is switched on: Vault makes the whole list in memory, and logs it as one line.

use super::api::Api;
use super::auth::Token;
use super::client::{Call, Right, escape};
use super::error::Error;
use super::inventory::{self, Keys};
use super::node::Node;
use super::nonce::jittered;
use super::pulse::Role;
use super::turn::Turn;
use crate::clock::wall;
use crate::event::Fact;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Leases of one role that are told; of more, none is.
const MOST_LEASES: usize = 200_000;

/// Namespace, mount and role.
type RoleName = (String, String, String);

/// Lists the leases of every known role once in `interval`, while `node` is active.
pub(super) async fn run(node: &Node, interval: Duration, role: watch::Receiver<Role>) {
    let mut turn = Turn::new(node, Api::LeaseListing, role);
    let mut last: Option<RoleName> = None;
    let mut troubles: BTreeMap<RoleName, Error> = BTreeMap::new();
    while let Some(token) = turn.token().await {
        let roles = known_roles(node);
        troubles.retain(|role, _| roles.contains(role));
        let Some(role) = after(&roles, last.as_ref()) else {
            turn.rest("no role is known whose leases could be listed");
            turn.pause(node.pace.interval, &token).await;
            continue;
        };
        let share = u32::try_from(roles.len()).unwrap_or(u32::MAX);
        let gap = (interval / share).max(node.pace.listing_at_least);
        let started = Instant::now();
        let mut wait = jittered(gap);
        match list(node, &token, &role).await {
            Ok(()) => _ = troubles.remove(&role),
            Err(error) => {
                if matches!(error, Error::Denied { .. } | Error::Token { .. }) {
                    wait = wait.max(jittered(node.pace.denied));
                }
                troubles.insert(role.clone(), error);
            }
        }
        // One role that cannot be listed is not forgotten because the next one can.
        let outcome = troubles.values().next().cloned().map_or(Ok(()), Err);
        node.record(Api::LeaseListing, outcome, started.elapsed(), wait.max(node.pace.interval));
        last = Some(role);
        turn.pause(wait, &token).await;
    }
}

/// The roles that the last walk through the mounts has read.
fn known_roles(node: &Node) -> BTreeSet<RoleName> {
    let latest = node.board.lock();
    let mut known = BTreeSet::new();
    for ((namespace, mount), roles) in &latest.roles {
        for role in roles.stale() {
            known.insert((namespace.clone(), mount.clone(), role.name.clone()));
        }
    }
    known
}

/// The one that comes after `last`, round and round.
fn after(roles: &BTreeSet<RoleName>, last: Option<&RoleName>) -> Option<RoleName> {
    let behind = last.and_then(|last| roles.range((Bound::Excluded(last), Bound::Unbounded)).next());
    behind.or_else(|| roles.first()).cloned()
}

async fn list(node: &Node, token: &Token, (namespace, mount, role): &RoleName) -> Result<(), Error> {
    let prefix = format!("{mount}creds/{role}/");
    let path = format!("sys/leases/lookup/{}", escape(&prefix));
    let right = format!("sys/leases/lookup/{mount}creds/*");
    let call = Call {
        path: &path,
        // As a GET: not every version reads the parameters of a LIST.
        query: "list=true",
        namespace,
        token: Some(&token.secret),
        body: None,
        own: Some(&node.own),
        // Two capabilities, as they stand in a policy.
        right: Right { path: &right, capability: "list\", \"sudo" },
    };
    let asked = wall();
    let keys = match node.client.json::<Keys>(&call).await {
        Ok(answer) => answer.data.map_or_else(Vec::new, |keys| keys.keys),
        // Vault's way to say that a list is empty.
        Err(Error::NotFound { .. }) => Vec::new(),
        Err(Error::TooLarge { .. }) => return Err(Error::TooManyLeases { most: MOST_LEASES }),
        Err(error) => return Err(error),
    };
    let leases: Vec<_> = keys.into_iter().filter(|key| inventory::is_lease_of_role(key)).collect();
    if leases.len() > MOST_LEASES {
        return Err(Error::TooManyLeases { most: MOST_LEASES });
    }
    node.own.cluster_fact(Fact::Listed { namespace: namespace.clone(), prefix, leases, asked });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_come_round_and_round() {
        let of = |role: &str| (String::new(), "db/".to_owned(), role.to_owned());
        let roles = BTreeSet::from(["a", "c"].map(of));
        let next = |last: Option<&str>| after(&roles, last.map(of).as_ref());
        assert_eq!(next(None), Some(of("a")));
        assert_eq!(next(Some("a")), Some(of("c")));
        // One that was deleted meanwhile has its place all the same.
        assert_eq!(next(Some("b")), Some(of("c")));
        assert_eq!(next(Some("c")), Some(of("a")));
        assert_eq!(after(&BTreeSet::new(), Some(&of("a"))), None);
    }
}
