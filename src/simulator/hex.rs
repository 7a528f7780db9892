//! Hexadecimal texts: request IDs and keyed hashes, made of numbers.

use super::rng::mix;

/// Both digits of every byte.
const DIGITS: [u8; 512] = {
    let mut digits = [0; 512];
    let mut byte = 0;
    while byte < 256 {
        digits[2 * byte] = b"0123456789abcdef"[byte >> 4];
        digits[2 * byte + 1] = b"0123456789abcdef"[byte & 15];
        byte += 1;
    }
    digits
};

fn write<const N: usize>(out: &mut String, text: &[u8; N]) {
    // It is ASCII, so that nothing is ever left out.
    out.push_str(std::str::from_utf8(text).unwrap_or_default());
}

fn fill(text: &mut [u8], number: u64) {
    for (pair, byte) in text.chunks_exact_mut(2).zip(number.to_be_bytes()) {
        let at = 2 * usize::from(byte);
        pair.copy_from_slice(&DIGITS[at..at + 2]);
    }
}

/// 64 digits that belong to a number.
pub(super) fn digest(out: &mut String, number: u64) {
    let mut text = [0; 64];
    let mut word = number;
    for part in text.chunks_exact_mut(16) {
        word = mix(word);
        fill(part, word);
    }
    write(out, &text);
}

/// A keyed hash with its quotes, as the audit device writes one; equal numbers have equal hashes.
pub(super) fn hmac(out: &mut String, number: u64) {
    out.push_str("\"hmac-sha256:");
    digest(out, number);
    out.push('"');
}

/// A UUID of these bits.
pub(super) fn uuid(out: &mut String, [high, low]: [u64; 2]) {
    let mut digits = [0; 32];
    let (first, second) = digits.split_at_mut(16);
    fill(first, mix(high));
    fill(second, mix(low ^ high.rotate_left(32)));
    let mut text = [b'-'; 36];
    for (from, to) in [(0..8, 0), (8..12, 9), (12..16, 14), (16..20, 19), (20..32, 24)] {
        let length = from.len();
        text[to..to + length].copy_from_slice(&digits[from]);
    }
    write(out, &text);
}

/// A number in decimal digits.
pub(super) fn decimal(out: &mut String, number: u64) {
    let mut text = [0; 20];
    let mut at = text.len();
    let mut left = number;
    loop {
        at -= 1;
        text[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    out.push_str(std::str::from_utf8(&text[at..]).unwrap_or_default());
}
