//! A lease as the ledger keeps it: a small record of fixed size, so that a
//! million fit. What its role's TTL means for it is in `due`.

use super::book::Record;
use super::bytes::{Reader, put};
use super::ttl::RoleTtl;
use crate::event::{LeaseKey, RevocationTrouble, Timestamp};
use crate::state::labels::RoleId;
use std::num::NonZeroU64;

/// No moment: it is not known, or there is none.
pub(super) const NONE: Timestamp = Timestamp::MIN;
/// No token, no requester, no form.
pub(super) const NOBODY: u32 = u32::MAX;
/// Length of the random part of a lease ID: `base62.Random(TokenLength)` in Vault's expiration.go.
const ID_LENGTH: usize = 24;

/// When a lease ends by its TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Timestamp,
    pub(super) certainty: Certainty,
    /// It is the end of its batch token.
    pub(super) is_tokens: bool,
}

/// How well the end of a lease is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    /// Then, or before.
    AtMost,
    /// As far as one can learn.
    Likely,
    /// Vault has said so.
    Certain,
}

/// One outstanding lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease {
    /// What stands for its whole ID.
    pub(super) key: NonZeroU64,
    /// The random part of its ID; zeros where that has another length.
    pub(super) id: [u8; ID_LENGTH],
    /// What stands around the random part: an index of `Forms`.
    pub(super) form: u32,
    pub(super) role: RoleId,
    /// The token that it belongs to: a slot of the tokens.
    pub(super) token: u32,
    /// Who asked: an index of `Requesters`.
    pub(super) requester: u32,
    /// When it was issued; `NONE` where that was not seen.
    pub(super) issued: Timestamp,
    /// When its TTL began to run: at its issue or last renewal.
    pub(super) granted: Timestamp,
    /// When it ends, where that is known of this lease itself.
    pub(super) end: Timestamp,
    /// When its batch token ends.
    pub(super) limit: Timestamp,
    /// When the next attempt to revoke it is due.
    pub(super) next_attempt: Timestamp,
    /// The first half of its keyed hash, where a renewal told it; else 0.
    pub(super) hash: u64,
    /// Failed attempts to revoke it.
    pub(super) attempts: u8,
    /// Why the last one failed: an index of `RevocationTrouble::ALL`.
    pub(super) trouble: u8,
    pub(super) flags: u8,
}

/// Its own end is certain.
pub(super) const SURE: u8 = 1;
/// Renewed for a time that the log hides: the role's TTL says nothing.
pub(super) const END_HIDDEN: u8 = 2;
/// Somebody's request to revoke it was accepted, to be done later.
pub(super) const QUEUED: u8 = 4;
/// The server log has spoken of it.
pub(super) const SPOKEN: u8 = 8;
/// It was renewed at least once.
pub(super) const RENEWED: u8 = 16;
/// As `QUEUED`, for all below a prefix.
pub(super) const QUEUED_PREFIX: u8 = 32;
/// The same by force.
pub(super) const QUEUED_FORCE: u8 = 64;

impl Lease {
    /// A lease of that ID, of which nothing else is known.
    pub(super) fn new(lease: &str, form: u32, role: RoleId) -> Self {
        let mut id = [0; ID_LENGTH];
        let random = split(lease).1;
        if random.len() == ID_LENGTH {
            id.copy_from_slice(random.as_bytes());
        }
        Self {
            key: key(lease),
            id,
            form,
            role,
            token: NOBODY,
            requester: NOBODY,
            issued: NONE,
            granted: NONE,
            end: NONE,
            limit: NONE,
            next_attempt: NONE,
            hash: 0,
            attempts: 0,
            trouble: 0,
            flags: 0,
        }
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// When it ends by its TTL.
    pub(super) fn due(&self, ttl: &RoleTtl) -> Option<Due> {
        let certainty = |sure| if sure { Certainty::Certain } else { Certainty::Likely };
        let due = if self.end != NONE {
            Some(Due { at: self.end, certainty: certainty(self.has(SURE)), is_tokens: false })
        } else if self.has(END_HIDDEN) {
            None
        } else {
            ttl.default_at(self.granted)
                .map(|(secs, sure)| (self.granted.plus_secs(secs), certainty(sure)))
                .map(|(at, certainty)| Due { at, certainty, is_tokens: false })
        };
        // Max TTL cuts every renewal.
        let most = (self.issued != NONE).then(|| ttl.max_at(self.issued)).flatten();
        let most = most.map(|(secs, sure)| (self.issued.plus_secs(secs), certainty(sure), false));
        let limit = (self.limit != NONE).then_some((self.limit, Certainty::Certain, true));
        let bounds = most.into_iter().chain(limit);
        bounds.fold(due, |due, (at, certainty, is_tokens)| match due {
            Some(due) if due.at <= at => Some(due),
            Some(Due { certainty: Certainty::AtMost, .. }) | None => {
                Some(Due { at, certainty: Certainty::AtMost, is_tokens })
            }
            Some(_) => Some(Due { at, certainty, is_tokens }),
        })
    }

    /// Why the last attempt to revoke it failed.
    pub(super) fn cause(&self) -> RevocationTrouble {
        RevocationTrouble::ALL.get(usize::from(self.trouble)).copied().unwrap_or(RevocationTrouble::Other)
    }

    /// The same, to be kept.
    pub(super) fn set_cause(&mut self, trouble: RevocationTrouble) {
        let at = RevocationTrouble::ALL.iter().position(|other| *other == trouble);
        self.trouble = at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX);
    }
}

/// What stands for a lease ID.
pub(in crate::state) fn key(lease: &str) -> NonZeroU64 {
    short(LeaseKey::of(lease))
}

/// The same, of a key that was told.
pub(super) fn short(LeaseKey(key): LeaseKey) -> NonZeroU64 {
    NonZeroU64::new((key >> 64) as u64).unwrap_or(NonZeroU64::MIN)
}

/// What stands in front of the random part of a lease ID, that part, and the suffix of its namespace.
pub(super) fn split(lease: &str) -> (&str, &str, &str) {
    let (prefix, last) =
        lease.rsplit_once('/').map_or(("", lease), |(path, _)| lease.split_at(path.len() + 1));
    let (random, suffix) = last.find('.').map_or((last, ""), |dot| last.split_at(dot));
    (prefix, random, suffix)
}

/// What a lease ID of its namespace ends with: a dot and the namespace's ID, or nothing.
pub(super) fn suffix_of(lease: &str) -> &str {
    split(lease).2
}

/// Whether Vault revokes a lease of that ID when it is asked for all below `prefix`: it takes
/// the prefix for a folder, or for the whole ID.
pub(super) fn is_below(lease: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    lease.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a lease ID is of a token: `auth/…/h<64 hex>`, or the 40 of old root tokens.
pub(in crate::state) fn is_token(lease: &str) -> bool {
    let random = split(lease).1;
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match random.len() {
        65 => random.starts_with('h') && hex(&random[1..]),
        40 => lease.starts_with("auth/") && hex(random),
        _ => false,
    }
}

impl Record for Lease {
    fn key(&self) -> NonZeroU64 {
        self.key
    }

    fn write(&self, out: &mut Vec<u8>) {
        put(out, self.key.get());
        out.extend_from_slice(&self.id);
        for number in [self.form, self.role.number(), self.token, self.requester] {
            put(out, number);
        }
        for moment in [self.issued, self.granted, self.end, self.limit, self.next_attempt] {
            put(out, moment.as_nanos());
        }
        put(out, self.hash);
        out.extend_from_slice(&[self.attempts, self.trouble, self.flags]);
    }

    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            key: NonZeroU64::new(bytes.u64()?)?,
            id: bytes.array()?,
            form: bytes.u32()?,
            role: RoleId::of_number(bytes.u32()?),
            token: bytes.u32()?,
            requester: bytes.u32()?,
            issued: bytes.moment()?,
            granted: bytes.moment()?,
            end: bytes.moment()?,
            limit: bytes.moment()?,
            next_attempt: bytes.moment()?,
            hash: bytes.u64()?,
            attempts: bytes.u8()?,
            trouble: bytes.u8()?,
            flags: bytes.u8()?,
        })
    }
}
