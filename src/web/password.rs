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
        // Any salt and any result do: no password leads there but by chance.
        let nobody = format!("$2b${most:02}$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234");
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
