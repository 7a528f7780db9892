//! Which pool a subject belongs to. A login names its auth mount; any other request only shows
//! the token's display name, which begins with the path of the mount, its slashes turned to dashes.

use super::pool::Pool;
use crate::anomaly::parameters as p;
use crate::event::Text;
use serde::{Deserialize, Serialize};

/// All pools, in the order in which they were first seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pools {
    #[serde(rename = "pools", default)]
    all: Vec<Pool>,
    /// How display names begin, for mounts that logins were seen on, and the mount's pool.
    #[serde(default)]
    beginnings: Vec<(Text, u32)>,
}

/// What later auth mounts share when there are too many.
const OTHERS: &str = "(others)";

impl Pools {
    /// The pool of an auth mount, new if it must be; learns how its display names begin.
    pub fn of_mount(&mut self, mount: &str, hour: i32) -> u32 {
        if let Some(at) = self.all.iter().position(|pool| pool.mount == mount) {
            return index(at);
        }
        if self.all.len() >= p::POOLS {
            return self.of_others(hour);
        }
        let pool = index(self.all.len());
        self.all.push(Pool::new(mount, hour));
        let beginning = Text::from(beginning(mount));
        let place = self.beginnings.partition_point(|(known, _)| known.len() >= beginning.len());
        self.beginnings.insert(place, (beginning, pool));
        pool
    }

    fn of_others(&mut self, hour: i32) -> u32 {
        if let Some(at) = self.all.iter().position(|pool| pool.mount == OTHERS) {
            return index(at);
        }
        self.all.push(Pool::new(OTHERS, hour));
        index(self.all.len() - 1)
    }

    /// The pool that a display name tells: of the known mount with the longest path that it
    /// begins with, or else of the mount that its first word would be.
    pub fn of_name(&mut self, display_name: &str, hour: i32) -> u32 {
        let known = self.beginnings.iter().find(|(beginning, _)| begins(display_name, beginning));
        if let Some((_, pool)) = known {
            return *pool;
        }
        // Tokens that tokens made are called `token` and what their maker likes.
        let first = display_name.split('-').next().unwrap_or("");
        self.of_mount(&format!("auth/{first}/"), hour)
    }

    /// A pool.
    pub fn get(&self, pool: u32) -> Option<&Pool> {
        self.all.get(pool as usize)
    }

    /// A pool, to teach it.
    pub fn get_mut(&mut self, pool: u32) -> Option<&mut Pool> {
        self.all.get_mut(pool as usize)
    }

    /// Lets time pass.
    pub fn fade(&mut self, hour: i32) {
        for pool in &mut self.all {
            pool.fade(hour);
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// How display names of a mount's tokens begin: `auth/corp/ldap/` gives `corp-ldap`.
fn beginning(mount: &str) -> String {
    mount.strip_prefix("auth/").unwrap_or(mount).trim_end_matches('/').replace('/', "-")
}

/// AppRole's tokens are called by the mount alone, others go on after a dash.
fn begins(display_name: &str, beginning: &str) -> bool {
    display_name.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_leads_to_the_longest_known_mount() {
        let mut pools = Pools::default();
        let corp = pools.of_mount("auth/corp/", 0);
        let ldap = pools.of_mount("auth/corp/ldap/", 0);
        let approle = pools.of_mount("auth/approle/", 0);
        assert_eq!(pools.of_name("corp-ldap-alice", 1), ldap);
        assert_eq!(pools.of_name("corp-bob", 1), corp);
        assert_eq!(pools.of_name("approle", 1), approle);
        assert_eq!(pools.of_name("corporate-x", 1), pools.of_mount("auth/corporate/", 1));
        assert_eq!(pools.get(ldap).map(|pool| pool.mount.as_str()), Some("auth/corp/ldap/"));
    }

    #[test]
    fn pools_are_bounded() {
        let mut pools = Pools::default();
        for name in 0..2_000 {
            pools.of_name(&format!("m{name}-x"), 0);
        }
        assert_eq!(pools.all.len(), p::POOLS + 1);
    }
}
