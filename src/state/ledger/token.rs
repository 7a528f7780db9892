//! Service tokens, by their accessors: whose leases end with which, and how
//! many are out. Their ends rest on the TTLs that the audit log tells.

use super::book::{Book, Record};
use super::bytes::{Reader, put};
use super::lease::{NOBODY, NONE};
use crate::event::{GrantedToken, Timestamp, TokenHash};
use crate::state::labels::MountId;
use foldhash::HashMap;
use std::num::NonZeroU64;

/// How long an ended token is remembered, in seconds: its leases end a little later.
const REMEMBER_SECS: i64 = 600;
/// One that was never seen to be made is forgotten after this long without a lease, in seconds.
const IDLE_SECS: i64 = 32 * 86_400;

/// One token.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    key: NonZeroU64,
    /// The first half of the keyed hash of the token itself; 0 where it was not told.
    secret: u64,
    /// Its auth method; `MountId::UNKNOWN` where its making was not seen.
    mount: MountId,
    parent: u32,
    /// When it was made or first seen.
    pub(super) since: Timestamp,
    /// When its TTL ends; `NONE` where that is not known, or never.
    ends: Timestamp,
    /// When it was revoked; `NONE` if it was not.
    pub(super) revoked: Timestamp,
    is_made: bool,
    has_children: bool,
}

impl Token {
    /// When it ends by its TTL, if that is known.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        (self.ends != NONE).then_some(self.ends)
    }

    /// When it was revoked, if it was.
    pub(super) fn revoked(&self) -> Option<Timestamp> {
        (self.revoked != NONE).then_some(self.revoked)
    }

    fn is_out(&self, at: Timestamp) -> bool {
        self.is_made && self.revoked == NONE && (self.ends == NONE || self.ends > at)
    }
}

/// All tokens.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub(super) book: Book<Token>,
    by_secret: HashMap<u64, u32>,
}

impl Tokens {
    /// A token was handed out or renewed.
    pub(super) fn granted(
        &mut self,
        token: GrantedToken,
        mount: MountId,
        parent: Option<TokenHash>,
        is_renewal: bool,
        at: Timestamp,
        most: usize,
    ) {
        let Some(accessor) = token.accessor.filter(|_| token.is_service) else { return };
        let Some(slot) = self.seen(accessor, at, most) else { return };
        let parent = parent.and_then(|parent| self.book.find(key(parent))).filter(|_| !is_renewal);
        if let Some(parent) = parent.and_then(|parent| self.book.get_mut(parent)) {
            parent.has_children = true;
        }
        let parent = parent.unwrap_or(NOBODY);
        let Some(kept) = self.book.get_mut(slot) else { return };
        kept.ends = match i64::try_from(token.ttl) {
            Ok(0) | Err(_) => NONE,
            Ok(secs) => at.plus_secs(secs),
        };
        if !is_renewal {
            kept.mount = mount;
            kept.is_made = true;
            kept.parent = parent;
        }
        if let Some(secret) = token.token {
            // Another device's hash of the same token takes the place of this one's.
            if self.by_secret.get(&kept.secret) == Some(&slot) {
                self.by_secret.remove(&kept.secret);
            }
            kept.secret = secret.half();
            self.by_secret.insert(secret.half(), slot);
        }
    }

    /// The slot of a token that was used; it is remembered from now on. `None` where there is
    /// no place for another.
    pub(super) fn seen(&mut self, accessor: TokenHash, at: Timestamp, most: usize) -> Option<u32> {
        let key = key(accessor);
        if let Some(slot) = self.book.find(key) {
            return Some(slot);
        }
        (self.book.len() < most).then(|| {
            self.book.insert(Token {
                key,
                secret: 0,
                mount: MountId::UNKNOWN,
                parent: NOBODY,
                since: at,
                ends: NONE,
                revoked: NONE,
                is_made: false,
                has_children: false,
            })
        })
    }

    /// The token of a lease. A slot may have been given to another token since.
    pub(super) fn of(&self, slot: u32, issued: Timestamp) -> Option<&Token> {
        self.book.get(slot).filter(|token| token.since <= issued)
    }

    /// A token was revoked, by the hash of it or of its accessor, and its children with it.
    pub(super) fn revoke(&mut self, hash: TokenHash, at: Timestamp) {
        let by_secret = || self.by_secret.get(&hash.half()).copied();
        let Some(first) = self.book.find(key(hash)).or_else(by_secret) else { return };
        let mut families = vec![first];
        while let Some(parent) = families.pop() {
            let Some(token) = self.book.get_mut(parent).filter(|token| token.revoked == NONE) else {
                continue;
            };
            token.revoked = at;
            if token.has_children {
                // Those of a token that had the slot before are older.
                let since = token.since;
                families.extend(self.book.slots(|token| token.parent == parent && token.since >= since));
            }
        }
    }

    /// Forgets tokens that have ended, and those that nothing has been heard of, save those in
    /// the slots that are `held`.
    pub(super) fn sweep(&mut self, now: Timestamp, held: &[bool]) {
        let ended = now.plus_secs(-REMEMBER_SECS);
        let idle = now.plus_secs(-IDLE_SECS);
        let gone = self.book.slots(|token| {
            let over = |moment: Timestamp| moment != NONE && moment < ended;
            over(token.revoked)
                || over(token.ends)
                || token.ends == NONE && !token.is_made && token.since < idle
        });
        let is_held = |slot: &u32| held.get(*slot as usize).is_some_and(|is_held| *is_held);
        for slot in gone.into_iter().filter(|slot| !is_held(slot)) {
            if let Some(token) = self.book.remove(slot)
                && self.by_secret.get(&token.secret) == Some(&slot)
            {
                self.by_secret.remove(&token.secret);
            }
        }
    }

    /// The auth method of every token that is out at `as_of`.
    pub(super) fn out(&self, as_of: Timestamp) -> impl Iterator<Item = MountId> {
        self.book.iter().filter(move |(_, token)| token.is_out(as_of)).map(|(_, token)| token.mount)
    }

    /// To be called after loading.
    pub(super) fn loaded(book: Book<Token>) -> Self {
        let by_secret = book
            .iter()
            .filter(|(_, token)| token.secret != 0)
            .map(|(slot, token)| (token.secret, slot))
            .collect();
        Self { book, by_secret }
    }
}

fn key(hash: TokenHash) -> NonZeroU64 {
    NonZeroU64::new(hash.half()).unwrap_or(NonZeroU64::MIN)
}

impl Record for Token {
    fn key(&self) -> NonZeroU64 {
        self.key
    }

    fn write(&self, out: &mut Vec<u8>) {
        put(out, self.key.get());
        put(out, self.secret);
        put(out, self.mount.number());
        put(out, self.parent);
        for moment in [self.since, self.ends, self.revoked] {
            put(out, moment.as_nanos());
        }
        out.extend_from_slice(&[u8::from(self.is_made), u8::from(self.has_children)]);
    }

    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            key: NonZeroU64::new(bytes.u64()?)?,
            secret: bytes.u64()?,
            mount: MountId::of_number(bytes.u32()?),
            parent: bytes.u32()?,
            since: bytes.moment()?,
            ends: bytes.moment()?,
            revoked: bytes.moment()?,
            is_made: bytes.u8()? != 0,
            has_children: bytes.u8()? != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 100;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn hash(number: u128) -> TokenHash {
        TokenHash(number << 64)
    }

    fn grant(tokens: &mut Tokens, accessor: u128, secret: u128, parent: Option<u128>, ttl: u64, secs: i64) {
        let token =
            GrantedToken { accessor: Some(hash(accessor)), token: Some(hash(secret)), ttl, is_service: true };
        tokens.granted(token, MountId::UNKNOWN, parent.map(hash), false, at(secs), MOST);
    }

    #[test]
    fn a_token_in_the_place_of_another_has_not_its_children() {
        let mut tokens = Tokens::default();
        grant(&mut tokens, 1, 11, None, 60, 1);
        grant(&mut tokens, 2, 12, Some(1), 36_000, 2);
        tokens.sweep(at(1000), &[]);
        // It gets the place of the first.
        grant(&mut tokens, 3, 13, None, 36_000, 1001);
        grant(&mut tokens, 4, 14, Some(3), 36_000, 1002);
        tokens.revoke(hash(3), at(1003));
        let is_revoked =
            |number| tokens.book.get(tokens.book.find(key(hash(number))).unwrap()).unwrap().revoked();
        assert_eq!([2, 3, 4].map(is_revoked), [None, Some(at(1003)), Some(at(1003))]);
    }

    #[test]
    fn hashes_of_several_devices_leave_nothing_behind() {
        let mut tokens = Tokens::default();
        for secret in 11..15 {
            grant(&mut tokens, 1, secret, None, 60, 1);
        }
        assert_eq!(tokens.by_secret.len(), 1);
        tokens.sweep(at(1000), &[]);
        assert!(tokens.by_secret.is_empty());
    }
}
