//! Harmless text: names come from logs, and some letters are obeyed by a terminal, or by the eye, and not seen.
//!
//! It knows these letters, and how label values, lines and JSON go without them. What a person reads is made harmless where
//! it is written: `html` for pages, `report` for text.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether a letter is obeyed and not seen: control characters, and those that turn the direction of what stands
/// behind them.
pub fn is_obeyed(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// A label value with such letters as `\u{1b}`. Two that differ still differ: where one would be taken for the other,
/// a backslash is `\u{5c}`. Vault has no name of a role or a mount that this changes.
pub fn label(value: &str) -> Cow<'_, str> {
    // Prometheus's text has a form of its own for the end of a line.
    escaped(value, |c| is_obeyed(c) && c != '\n')
}

/// A text in one line, with such letters and the ends of lines in the same form.
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

fn escaped(value: &str, is_bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !value.contains(&is_bad) && !value.contains("\\u{") {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len() + 16);
    for c in value.chars() {
        if is_bad(c) || c == '\\' {
            // A String takes everything.
            let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    Cow::Owned(text)
}

/// A JSON document that means the same, with such letters as `\u009b`. They stand within strings alone, but for the
/// ends of lines between values.
pub fn json(document: String) -> String {
    let is_bad = |c: char| is_obeyed(c) && c != '\n';
    if !document.contains(is_bad) {
        return document;
    }
    let mut text = String::with_capacity(document.len() + 64);
    for c in document.chars() {
        if is_bad(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay_as_they_are() {
        for name in ["app-role", "team-a/db\\x", "žluť", "a\nb"] {
            assert_eq!(label(name), name);
        }
        assert_eq!(label("a\u{1b}\u{202e}"), "a\\u{1b}\\u{202e}");
        assert_eq!(label("a\\u{1b}"), "a\\u{5c}u{1b}");
        assert_eq!(line("a\n\u{9b}b"), "a\\u{a}\\u{9b}b");
    }

    proptest! {
        #[test]
        fn json_means_the_same_and_has_nothing_to_obey(text in "\\PC*[\\x00-\\x1f\\x7f-\\u{9f}\\u{202e}\\u{2067}]*\\PC*") {
            let made = json(serde_json::to_string_pretty(&[&text]).unwrap());
            prop_assert!(!made.replace('\n', "").contains(is_obeyed));
            prop_assert_eq!(serde_json::from_str::<Vec<String>>(&made).unwrap(), vec![text]);
        }

        #[test]
        fn labels_that_differ_still_differ(a in "[a\\\\u{}15bc\\x1b]{0,9}", b in "[a\\\\u{}15bc\\x1b]{0,9}") {
            prop_assert_eq!(a == b, label(&a) == label(&b));
        }
    }
}
