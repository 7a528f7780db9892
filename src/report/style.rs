//! A style: how wide text may be, and whether it has colours. Names come from a log: they are made
//! harmless before they get here, and only what is ours is coloured.

/// How text is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; `None` where nothing is cut, as in a pipe.
    pub columns: Option<usize>,
    /// Whether there are colours.
    pub has_colour: bool,
}

impl Style {
    /// For a pipe or a file.
    pub const PLAIN: Self = Self { columns: None, has_colour: false };

    /// Columns that there are.
    pub(super) fn columns(self) -> usize {
        self.columns.unwrap_or(usize::MAX)
    }

    /// A heading of ours.
    pub(super) fn title(self, text: &str) -> String {
        self.painted("1", text)
    }

    /// What is read last.
    pub(super) fn dim(self, text: &str) -> String {
        self.painted("2", text)
    }

    /// A line without what does not fit behind so many columns.
    pub(super) fn cut(self, line: &str, indent: usize) -> String {
        let most = self.columns().saturating_sub(indent);
        if line.chars().count() <= most {
            return line.to_owned();
        }
        line.chars().take(most.saturating_sub(1)).chain(['…']).collect()
    }

    fn painted(self, code: &str, text: &str) -> String {
        if self.has_colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A text of no more than so many letters: its beginning and its end tell most.
pub(super) fn cut_middle(text: &str, most: usize) -> String {
    let count = text.chars().count();
    if count <= most {
        return text.to_owned();
    }
    let kept = most.saturating_sub(1);
    let head = kept - kept / 2;
    text.chars().take(head).chain(['…']).chain(text.chars().skip(count - kept / 2)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_keeps_both_ends() {
        assert_eq!(cut_middle("kubernetes-shop", 7), "kub…hop");
        assert_eq!(cut_middle("app", 7), "app");
        assert_eq!(Style { columns: Some(5), has_colour: false }.cut("abcdefg", 1), "abc…");
        assert_eq!(Style::PLAIN.title("Logins"), "Logins");
        assert_eq!(Style { columns: None, has_colour: true }.title("Logins"), "\u{1b}[1mLogins\u{1b}[0m");
    }
}
