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
    let (eights, _) = digits.as_chunks();
    eights.iter().try_fold(0, |bits, eight| Some(bits << 32 | u128::from(word(*eight)?)))
}

/// Eight digits at once, each in a byte of its own: digits and letters alternate at random, which
/// branches cannot foresee.
#[inline]
fn word(digits: [u8; 8]) -> Option<u32> {
    const ONES: u64 = u64::MAX / 255;
    let text = u64::from_be_bytes(digits);
    let letters = (text >> 6) & ONES;
    let values = (text & (ONES * 0x0f)) + letters * 9;
    // What is no digit comes to more than 15, or back to another text.
    let above_nine = ((values + ONES * (128 - 10)) >> 7) & ONES;
    let back = values + ONES * u64::from(b'0') + above_nine * u64::from(b'a' - b'9' - 1);
    if values & (ONES * 0xf0) != 0 || back != text {
        return None;
    }
    let bytes = (values | values >> 4) & 0x00ff_00ff_00ff_00ff;
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    u32::try_from((pairs | pairs >> 16) & 0xffff_ffff).ok()
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
    fn digits_are_told_from_all_other_bytes() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut digits = *b"0f9a1234";
                digits[at] = byte;
                let plain = std::str::from_utf8(&digits).ok().filter(|text| !text.contains('+'));
                let plain = plain.filter(|text| *text == text.to_ascii_lowercase());
                let plain = plain.and_then(|text| u32::from_str_radix(text, 16).ok());
                assert_eq!(word(digits), plain, "{byte} at {at}");
            }
        }
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
