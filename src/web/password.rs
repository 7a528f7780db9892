//! Passwords: bcrypt is slow on purpose, so that a password is checked by it once and then known by a keyed hash.
//! A user that there is not costs as much as one that there is; wrong passwords wait in a short line, and nobody's
//! right one waits behind them.

use super::file::{Line, line_of};
use super::problem::WebConfigError;
use super::rules::Rules;
use aws_lc_rs::hmac;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Users and what bcrypt made of their passwords.
#[derive(Debug, Default)]
pub(super) struct Users {
    hashes: BTreeMap<String, String>,
    /// Held against what users send that there are not: of the same cost.
    nobody: String,
}

/// What comes of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong, or there is no such user.
    Wrong,
    /// Too many are being checked; it may be right.
    Busy,
}

/// What is checked at once, and waits to be.
const WAITING: usize = 16;
/// Of these, those of one address.
const WAITING_OF_ONE: usize = 4;
/// bcrypt's costs that a check may have: 17 takes about ten seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=16;

impl Users {
    /// Takes the users of a file.
    pub(super) fn read(path: &Path, users: BTreeMap<String, Line>) -> Result<Self, WebConfigError> {
        let mut hashes = BTreeMap::new();
        let mut most = 10;
        for (user, line) in users {
            let wrong = |problem| {
                let remedy =
                    "Make it with `htpasswd -nBC 10 USER`, and give what stands behind the colon, in quotes";
                WebConfigError::new(path, line_of(&line), problem, remedy)
            };
            let parts = line.value.parse::<bcrypt::HashParts>();
            let parts = parts.map_err(|_| wrong("the password of a user is not hashed by bcrypt"))?;
            if !COSTS.contains(&parts.get_cost()) {
                return Err(wrong("the cost of the bcrypt hash is not between 4 and 16"));
            }
            if user.contains(':') {
                return Err(wrong("no name with a colon can be sent by basic authentication"));
            }
            most = parts.get_cost().max(most);
            hashes.insert(user, line.value);
        }
        // Any salt and any result do: no password leads there but by chance. Both have to be well-formed, or nothing
        // would be computed.
        let nobody = format!("$2b${most:02}$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01232");
        Ok(Self { hashes, nobody })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.hashes.len()
    }
}

/// Checks passwords, and remembers those that were right.
#[derive(Debug)]
pub(super) struct Checker {
    /// A key of this process: what is remembered says nothing without it.
    key: hmac::Key,
    /// By user, the last right one.
    right: Mutex<HashMap<String, [u8; 32]>>,
    /// One check at a time: bcrypt takes a whole core.
    turn: Semaphore,
    waiting: Mutex<HashMap<IpAddr, usize>>,
}

impl Checker {
    pub(super) fn new() -> Self {
        let mut secret = [0; 32];
        // Without random numbers there is no TLS either; a key of zeros would only be easier to guess offline.
        let _ = aws_lc_rs::rand::fill(&mut secret);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            right: Mutex::default(),
            turn: Semaphore::new(1),
            waiting: Mutex::default(),
        }
    }

    /// Whether `password` is that of `user`. `from` is who asks.
    pub(super) async fn check(&self, rules: &Rules, user: &str, password: &[u8], from: IpAddr) -> Verdict {
        let (hash, is_known) = match rules.users.hashes.get(user) {
            Some(hash) => (hash, true),
            None => (&rules.users.nobody, false),
        };
        let tag = self.tag(user, hash, password);
        if is_known && self.remembered().get(user) == Some(&tag) {
            return Verdict::Right;
        }
        let Some(_place) = self.place(from) else { return Verdict::Busy };
        let Ok(_turn) = self.turn.acquire().await else { return Verdict::Busy };
        // Another request of the same client may have been the first.
        if is_known && self.remembered().get(user) == Some(&tag) {
            return Verdict::Right;
        }
        let (hash, password) = (hash.clone(), password.to_owned());
        let matches = tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        if matches.await.unwrap_or(false) && is_known {
            self.remembered().insert(user.to_owned(), tag);
            return Verdict::Right;
        }
        Verdict::Wrong
    }

    /// What stands for this password of this user, as long as the file has this hash.
    fn tag(&self, user: &str, hash: &str, password: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [user.as_bytes(), hash.as_bytes(), password] {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<String, [u8; 32]>> {
        self.right.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place in the line, if there is one.
    fn place(&self, from: IpAddr) -> Option<Place<'_>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let own = waiting.get(&from).copied().unwrap_or(0);
        if own >= WAITING_OF_ONE || waiting.values().sum::<usize>() >= WAITING {
            return None;
        }
        waiting.insert(from, own + 1);
        Some(Place { waiting: &self.waiting, from })
    }
}

/// Given back when it is dropped, also where whoever asked went away.
struct Place<'a> {
    waiting: &'a Mutex<HashMap<IpAddr, usize>>,
    from: IpAddr,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = waiting.get_mut(&self.from) {
            *own -= 1;
            if *own == 0 {
                waiting.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Gate;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn gate(users: &str) -> (tempfile::NamedTempFile, Gate) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("basic_auth_users:\n{users}")).unwrap();
        let gate = Gate::new(Some(file.path())).unwrap();
        (file, gate)
    }

    fn hashed(password: &str) -> String {
        bcrypt::hash(password, 4).unwrap()
    }

    #[tokio::test]
    async fn a_right_password_is_known_without_bcrypt_the_second_time() {
        let (file, gate) = gate(&format!("  a: {}\n  b: {}\n", hashed("x"), hashed("x")));
        let (rules, checker) = (gate.rules(), Checker::new());
        assert_eq!(checker.check(&rules, "a", b"x", HERE).await, Verdict::Right);
        assert_eq!(checker.check(&rules, "a", b"y", HERE).await, Verdict::Wrong);
        assert_eq!(checker.check(&rules, "c", b"x", HERE).await, Verdict::Wrong);
        // Nobody gets a turn any more: who was right needs none, who was not waits for one.
        let turn = checker.turn.acquire().await.unwrap();
        assert_eq!(checker.check(&rules, "a", b"x", HERE).await, Verdict::Right);
        let waiting = |user: &'static str, password: &'static [u8]| {
            let check = checker.check(&rules, user, password, HERE);
            async { tokio::time::timeout(std::time::Duration::from_millis(50), check).await.is_err() }
        };
        assert!(waiting("a", b"y").await && waiting("b", b"x").await && waiting("c", b"x").await);
        // With another hash in the file it is not known any more.
        std::fs::write(file.path(), format!("basic_auth_users:\n  a: {}\n", hashed("z"))).unwrap();
        let changed = gate.rules();
        drop(turn);
        assert_eq!(checker.check(&changed, "a", b"x", HERE).await, Verdict::Wrong);
        assert_eq!(checker.check(&changed, "a", b"z", HERE).await, Verdict::Right);
    }

    #[tokio::test]
    async fn the_line_is_short_and_no_address_fills_it() {
        let (_file, gate) = gate(&format!("  a: {}\n", hashed("x")));
        let (rules, checker) = (gate.rules(), Checker::new());
        let places: Vec<_> = (0..WAITING_OF_ONE).map(|_| checker.place(HERE).unwrap()).collect();
        assert_eq!(checker.check(&rules, "a", b"x", HERE).await, Verdict::Busy);
        let there = |last| IpAddr::from([192, 0, 2, last]);
        assert_eq!(checker.check(&rules, "a", b"x", there(1)).await, Verdict::Right);
        // It is known now, from wherever.
        assert_eq!(checker.check(&rules, "a", b"x", HERE).await, Verdict::Right);
        let more: Vec<_> = (2..).map_while(|last| checker.place(there(last))).collect();
        assert_eq!(places.len() + more.len(), WAITING);
        drop((places, more));
        assert!(checker.waiting.lock().unwrap().is_empty());
    }

    #[test]
    fn a_user_that_there_is_not_costs_what_the_dearest_costs() {
        let users = BTreeMap::new();
        assert_eq!(
            Users::read(Path::new("w"), users)
                .unwrap()
                .nobody
                .parse::<bcrypt::HashParts>()
                .unwrap()
                .get_cost(),
            10
        );
        for version in ["2a", "2b", "2y"] {
            let hash = hashed("x").replace("$2b$", &format!("${version}$"));
            let (_file, gate) = gate(&format!("  a: {hash}\n  b: {}\n", bcrypt::hash("y", 5).unwrap()));
            let rules = gate.rules();
            // Well-formed, or nothing would be computed for it.
            assert!(matches!(bcrypt::verify("x", &rules.users.nobody.replace("$10$", "$04$")), Ok(false)));
            assert!(matches!(bcrypt::verify("x", &rules.users.hashes["a"]), Ok(true)), "{version}");
        }
    }
}
