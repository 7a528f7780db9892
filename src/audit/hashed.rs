//! Hashed values: what an audit device writes in the place of a token, an accessor or a lease ID.
//!
//! Half of a keyed hash is kept; no two values meet by chance in 128 bits. A device with `log_raw`
//! or `hmac_accessor=false`, and some versions against their will, write the text itself: a hash
//! of ours takes its place at once, so that no token stays in memory.

use crate::event::{LeaseHash, LeaseRef, Text, TokenHash};

/// The prefix of a keyed hash in the audit log.
const PREFIX: &str = "hmac-sha256:";

/// A value that the device has hashed.
pub(super) fn is_hashed(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// A token or an accessor; `None` where there is none.
#[inline]
pub(super) fn token(text: &str) -> Option<TokenHash> {
    let hash = text.strip_prefix(PREFIX).and_then(half);
    (!text.is_empty()).then(|| TokenHash(hash.unwrap_or_else(|| own(text))))
}

/// A lease ID; absent where a hash of it cannot be read.
pub(super) fn lease(text: Text) -> LeaseRef {
    match text.strip_prefix(PREFIX) {
        None => LeaseRef::Plain(text),
        Some(hex) => half(hex).map_or(LeaseRef::Absent, |hash| LeaseRef::Hashed(LeaseHash(hash))),
    }
}

fn own(text: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(text.as_bytes())
}

/// The first 128 bits of a hash in lower-case hex.
#[inline]
fn half(hex: &str) -> Option<u128> {
    let digits: &[u8; 32] = hex.as_bytes().first_chunk()?;
    let word = |digits: &[u8]| {
        let (mut word, mut wrong) = (0u64, false);
        for digit in digits {
            // Without branches: digits and letters alternate at random.
            let letter = digit.wrapping_sub(b'a');
            let value = if letter < 6 { letter + 10 } else { digit.wrapping_sub(b'0') };
            wrong |= letter >= 6 && value >= 10;
            word = word << 4 | u64::from(value & 15);
        }
        (!wrong).then_some(word)
    };
    Some(u128::from(word(&digits[..16])?) << 64 | u128::from(word(&digits[16..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "hmac-sha256:a6c2f008420701a92577905bf503deeae0e91fd6fc1b7f6f1826505b926d27b6";

    #[test]
    fn a_hash_is_read_by_its_first_half() {
        assert_eq!(token(HASH), Some(TokenHash(0xa6c2_f008_4207_01a9_2577_905b_f503_deea)));
        assert_eq!(
            lease(HASH.into()),
            LeaseRef::Hashed(LeaseHash(0xa6c2_f008_4207_01a9_2577_905b_f503_deea))
        );
        assert!(is_hashed(HASH));
    }

    #[test]
    fn a_text_stands_for_itself_and_nothing_for_nothing() {
        assert_eq!(token(""), None);
        assert_eq!(token("hvs.abc"), token("hvs.abc"));
        assert_ne!(token("hvs.abc"), token("hvs.abd"));
        assert_eq!(lease("a/creds/app/x".into()), LeaseRef::Plain("a/creds/app/x".into()));
        // No hash, though it says so.
        assert_eq!(lease("hmac-sha256:A6C2f008420701a92577905bf503deea".into()), LeaseRef::Absent);
        assert_eq!(lease("hmac-sha256:a6c2".into()), LeaseRef::Absent);
        assert!(token("hmac-sha256:a6c2").is_some());
    }
}
