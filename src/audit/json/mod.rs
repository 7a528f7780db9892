//! A reader of JSON for lines as audit devices write them: compact, without white space, of modest depth.
//!
//! It gives up on anything else, valid or not, and leaves it to `serde_json`; so it only has to be
//! right where it does not give up. It takes half the time of `serde_json`, which is
//! most of the time that a line takes; the tests hold the two against each other. What it reads goes
//! out by way of `deserializer`.

#![allow(clippy::inline_always, reason = "left to itself the compiler calls what takes two instructions")]

mod deserializer;

use serde::de;
use std::borrow::Cow;
use std::fmt;

/// Objects and arrays in each other; beyond, it gives up.
const DEPTH_MOST: u8 = 32;

/// Reads a line; `None` where `serde_json` has to.
pub(super) fn read<'de, T: de::Deserialize<'de>>(line: &'de str) -> Option<T> {
    // White space and what is not allowed in a string: one look, for all of the line.
    if line.bytes().fold(u8::MAX, u8::min) < b' ' {
        return None;
    }
    let mut reader = Reader { text: line, at: 0, depth: 0 };
    let value = T::deserialize(&mut reader).ok()?;
    (reader.at == line.len()).then_some(value)
}

/// It gave up.
#[derive(Debug)]
struct GaveUp;

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a plain line")
    }
}

impl std::error::Error for GaveUp {}

impl de::Error for GaveUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Result<T> = std::result::Result<T, GaveUp>;

/// The line and the place of reading, which is never inside a character.
struct Reader<'de> {
    text: &'de str,
    at: usize,
    depth: u8,
}

impl<'de> Reader<'de> {
    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline(always)]
    fn take(&mut self, byte: u8) -> Result<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(GaveUp)
        }
    }

    fn word(&mut self, word: &str) -> Result<()> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            Err(GaveUp)
        }
    }

    /// To the next quote or backslash, and which it is.
    #[inline(always)]
    fn pass_plain(&mut self) -> Result<u8> {
        const ONES: u64 = u64::MAX / 255;
        let rest = &self.text.as_bytes()[self.at..];
        // Most strings are short; of longer ones, a hash above all, four times as much at once.
        let mut passed = 0;
        while let Some(chunk) = rest.get(passed..passed + 8) {
            let word = u64::from_le_bytes([
                chunk[0], chunk[1], chunk[2], chunk[3], chunk[4], chunk[5], chunk[6], chunk[7],
            ]);
            let zero = |word: u64| word.wrapping_sub(ONES) & !word;
            let quote = zero(word ^ (ONES * u64::from(b'"')));
            let backslash = zero(word ^ (ONES * u64::from(b'\\')));
            // The lowest bit that is set is right; a carry can only set ones above it.
            let found = (quote | backslash) & (ONES << 7);
            if found != 0 {
                let byte = passed + found.trailing_zeros() as usize / 8;
                self.at += byte;
                return Ok(rest[byte]);
            }
            passed += 8;
            while passed >= 16
                && let Some(chunk) = rest.get(passed..passed + 32)
                && chunk.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count() == 0
            {
                passed += 32;
            }
        }
        let ends = |byte: &u8| matches!(byte, b'"' | b'\\');
        let byte = rest[passed..].iter().position(ends).ok_or(GaveUp)? + passed;
        self.at += byte;
        Ok(rest[byte])
    }

    /// To the end of a string; whether it holds escapes.
    #[inline(always)]
    fn pass_string(&mut self) -> Result<bool> {
        self.take(b'"')?;
        let mut escapes = false;
        while self.pass_plain()? == b'\\' {
            escapes = true;
            self.pass_escape()?;
        }
        self.at += 1;
        Ok(escapes)
    }

    fn pass_escape(&mut self) -> Result<()> {
        let escape = &self.text.as_bytes()[self.at + 1..];
        self.at += match escape {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [b'u', digits @ ..] if digits.len() >= 4 && digits[..4].iter().all(u8::is_ascii_hexdigit) => 6,
            _ => return Err(GaveUp),
        };
        Ok(())
    }

    /// A string, borrowed where it has no escapes.
    #[inline(always)]
    fn string(&mut self) -> Result<Cow<'de, str>> {
        let start = self.at;
        let escapes = self.pass_string()?;
        if escapes {
            return serde_json::from_str(&self.text[start..self.at]).map(Cow::Owned).map_err(|_| GaveUp);
        }
        Ok(Cow::Borrowed(&self.text[start + 1..self.at - 1]))
    }

    /// To the end of a number.
    fn pass_number(&mut self) -> Result<()> {
        let _ = self.take(b'-');
        let start = self.at;
        self.pass_digits()?;
        if self.at > start + 1 && self.text.as_bytes()[start] == b'0' {
            return Err(GaveUp);
        }
        if self.take(b'.').is_ok() {
            self.pass_digits()?;
        }
        if self.take(b'e').is_ok() || self.take(b'E').is_ok() {
            let _ = self.take(b'+').or_else(|_| self.take(b'-'));
            self.pass_digits()?;
        }
        Ok(())
    }

    fn pass_digits(&mut self) -> Result<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(GaveUp) }
    }

    /// Passes over a value.
    fn pass(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.pass_string().map(drop),
            Some(b'{') => {
                self.enter()?;
                if self.take(b'}').is_err() {
                    loop {
                        self.pass_string()?;
                        self.take(b':')?;
                        self.pass()?;
                        if self.take(b',').is_err() {
                            break self.take(b'}')?;
                        }
                    }
                }
                self.depth -= 1;
                Ok(())
            }
            Some(b'[') => {
                self.enter()?;
                if self.take(b']').is_err() {
                    loop {
                        self.pass()?;
                        if self.take(b',').is_err() {
                            break self.take(b']')?;
                        }
                    }
                }
                self.depth -= 1;
                Ok(())
            }
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.pass_number(),
        }
    }

    #[inline(always)]
    fn enter(&mut self) -> Result<()> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MOST { Err(GaveUp) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Line;
    use super::read;
    use proptest::prelude::*;

    const LINES: [&str; 5] = [
        r#"{"time":"2026-01-02T03:04:05Z","type":"response","auth":{"policies":["default","root"],"token_ttl":120},"request":{"id":"1","path":"kv/a","data":{"a":[-0.5e+3,{},[]],"\u00e9":null}},"response":{"data":{"http_status_code":202}},"error":"1 error occurred:\n\t* \"app\" \ud83d\ude00\n\n"}"#,
        r#"{"time":"2026-01-02T03:04:05Z","type":"request","auth":null,"forwarded":true,"request":{"id":"2","namespace":{"id":"x","path":"a/"},"operation":"update","path":"sys/leases/renew","data":{"lease_id":"hmac-sha256:ab"}}}"#,
        r#"{"type":"response","auth":{"accessor":"hmac-sha256:a6c2f008420701a92577905bf503deea","token_type":"batch","token_ttl":120,"token_issue_time":"2026-01-02T03:04:05+01:00"},"request":{"data":{"increment":30,"ttl":"1h","default_ttl":-1,"max_ttl":1.5}}}"#,
        r#"{"request":{"path":"auth/token/revoke","data":{"token":"hvs.a","accessor":"","max_ttl":null}},"response":{"auth":{"client_token":"hmac-sha256:a6c2","token_type":"default-service","token_ttl":60}}}"#,
        r#"{"response":{"auth":{},"secret":{"lease_id":"database/creds/app/h\u00e9"},"warnings":["é","\/"],"wrap_info":{"creation_path":"a"}},"type":"é"}"#,
    ];
    /// What changes the meaning of JSON.
    const TOKENS: [&str; 22] = [
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        " ",
        "\t",
        "0",
        "1",
        "-",
        ".",
        "e",
        "+",
        "null",
        "true",
        "\\u00",
        "\\ud800",
        "{\"time\":",
        "\u{e9}",
    ];

    /// Reads a line in both ways; whether it did not give up.
    fn agree(line: &str) -> bool {
        let Some(ours) = read::<Line<'_>>(line) else { return false };
        let theirs: Line<'_> = serde_json::from_str(line).expect(line);
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{line}");
        true
    }

    #[test]
    fn real_lines_are_read_and_others_left_alone() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/audit.log.zst");
        let corpus = zstd::decode_all(std::fs::File::open(corpus).unwrap()).unwrap();
        for line in std::str::from_utf8(&corpus).unwrap().lines() {
            assert!(agree(line), "it gave up: {line}");
        }
        let deep = format!("{{\"request\":{{\"data\":{{\"a\":{}{}}}}}}}", "[".repeat(100), "]".repeat(100));
        for line in [
            "",
            "{",
            "{} ",
            "{\"a\":01}",
            "{\"a\":1,}",
            "{\"type\":7}",
            "{\"type\":\"a\",\"type\":\"b\"}",
            &deep,
        ] {
            assert!(!agree(line), "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn what_is_read_is_what_serde_json_reads(
            line in prop::sample::select(&LINES[..]),
            changes in prop::collection::vec((any::<prop::sample::Index>(), 0..3usize, prop::sample::select(&TOKENS[..])), 0..4),
        ) {
            let mut line = line.to_owned();
            for (at, removed, token) in changes {
                let starts: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
                let (from, to) = (at.index(starts.len()), at.index(starts.len()) + removed);
                let to = starts.get(to).copied().unwrap_or(line.len());
                line.replace_range(starts[from]..to, token);
            }
            agree(&line);
        }
    }
}
