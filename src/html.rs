//! HTML pieces: text made harmless, and times, sizes and numbers made readable.

use crate::event::Timestamp;
use crate::harmless::is_obeyed;
use std::fmt::{self, Display, Formatter, Write};

/// A text with what HTML would read as its own escaped, in quotes too.
pub struct Text<'a>(pub &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // Terminal codes and the like are shown as what they are.
                c if is_obeyed(c) => write!(f, "{}", c.escape_default())?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A word for how something is, or that it is in trouble.
pub struct State<'a>(pub bool, pub &'a str);

impl Display for State<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.0, self.1) {
            (true, word) => write!(f, "<span class=\"ok\">{}</span>", Text(word)),
            (false, "reading" | "answers") => f.write_str("<span class=\"bad\">trouble</span>"),
            (false, word) => write!(f, "<span class=\"bad\">{}</span>", Text(word)),
        }
    }
}

/// How long ago a moment was, with the moment itself as a hint.
pub struct Ago(pub Option<Timestamp>, pub Timestamp);

impl Display for Ago {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(moment) = self.0 else {
            return f.write_str("never");
        };
        write!(f, "<time datetime=\"{moment}\" title=\"{moment}\">")?;
        // Clocks of two machines differ a little.
        let seconds = self.1.nanos_since(moment).max(0) / 1_000_000_000;
        match seconds {
            0 => f.write_str("just now")?,
            1..120 => write!(f, "{seconds} s ago")?,
            120..7200 => write!(f, "{} min ago", seconds / 60)?,
            7200..172_800 => write!(f, "{} h ago", seconds / 3600)?,
            _ => write!(f, "{} days ago", seconds / 86_400)?,
        }
        f.write_str("</time>")
    }
}

/// Bytes in binary units.
pub struct Bytes(pub u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = [(30, "GiB"), (20, "MiB"), (10, "KiB")].into_iter().find(|(shift, _)| self.0 >> shift > 0);
        match unit {
            Some((shift, name)) => write!(f, "{:.1} {name}", self.0 as f64 / f64::from(1 << shift)),
            None => write!(f, "{} B", self.0),
        }
    }
}

/// A number with its thousands apart.
pub struct Grouped(pub u64);

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                // A thin space that does not break the line.
                f.write_char('\u{202f}')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_sizes_and_numbers_read_well() {
        let now = Timestamp::from_secs(1_000_000);
        let ago = |seconds: i64| Ago(Some(Timestamp::from_secs(1_000_000 - seconds)), now).to_string();
        for (seconds, text) in [
            (-5, "just now"),
            (3, "3 s ago"),
            (600, "10 min ago"),
            (7200, "2 h ago"),
            (864_000, "10 days ago"),
        ] {
            assert!(ago(seconds).contains(&format!(">{text}<")), "{}", ago(seconds));
        }
        assert_eq!(Ago(None, now).to_string(), "never");
        assert_eq!(Bytes(1023).to_string(), "1023 B");
        assert_eq!(Bytes(1_572_864).to_string(), "1.5 MiB");
        assert_eq!(Grouped(1_234_567).to_string(), "1\u{202f}234\u{202f}567");
    }
}
