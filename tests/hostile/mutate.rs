//! Mutations: what chance does to bytes that were good. The same seed does the same on every machine.

/// A source of chance (`SplitMix64`): small, and its own for ever, so that a case can be replayed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `most`, or 0.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % (most as u64).max(1)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// What readers of text and numbers stumble over.
const WORDS: [&str; 42] = [
    "\0",
    "\n",
    "\r\n",
    "\u{1b}[",
    "\u{feff}",
    "\u{202e}",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "\\udfff",
    "{",
    "}",
    "[",
    "]",
    "{\"",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "-1e999",
    "NaN",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "9223372036854775807",
    "9999-12-31T23:59:59.999999999Z",
    "0000-01-01T00:00:00Z",
    "-009999-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-01-01T23:59:60Z",
    "2026-01-01T00:00:00+99:99",
    "1970-01-01T00:00:00Z",
    "stdout F ",
    "stderr P ",
    "hmac-sha256:",
    "database/creds/",
    "../",
    "%00",
    "€",
    "  | ",
];

/// Changes `bytes` in a few places; `others` are good bytes to take pieces from.
pub(crate) fn mutate(bytes: &mut Vec<u8>, others: &[Vec<u8>], chance: &mut Chance) {
    // Few changes leave most of an input readable, and so get further in.
    let most = 1 << chance.below(4);
    for _ in 0..=chance.below(most) {
        let at = chance.below(bytes.len() + 1);
        let end = at + chance.below((bytes.len() - at).min(64) + 1);
        match chance.below(11) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = chance.byte(),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                let to = chance.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            4 | 5 => {
                let word = chance.of(&WORDS).as_bytes().to_vec();
                bytes.splice(at..at, word);
            }
            6 => {
                let word = chance.of(&WORDS).as_bytes().to_vec();
                bytes.splice(at..end, word);
            }
            7 => {
                let other = chance.of(others);
                let from = chance.below(other.len() + 1);
                let piece = other[from..(from + chance.below(256)).min(other.len())].to_vec();
                bytes.splice(at..end, piece);
            }
            8 => bytes.truncate(at),
            9 => number(bytes, at, chance),
            // The same again and again: depth, and lengths that somebody adds up.
            _ => {
                let piece = bytes[at..end].to_vec();
                let times = chance.below(200);
                bytes.splice(at..at, piece.repeat(times));
            }
        }
        bytes.truncate(1 << 20);
    }
}

/// Puts another number where the next one stands.
fn number(bytes: &mut Vec<u8>, from: usize, chance: &mut Chance) {
    let Some(start) = bytes[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let len = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = match chance.below(4) {
        0 => "0".to_owned(),
        1 => u64::MAX.to_string(),
        2 => i64::MAX.to_string(),
        _ => chance.next().to_string(),
    };
    bytes.splice(start..start + len, text.into_bytes());
}
