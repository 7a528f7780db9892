//! A pattern: a path below a mount, with or without a name in it.

/// What stands between the two ends of a pattern.
pub(super) enum Name {
    /// Nothing.
    Absent,
    /// A name without slashes.
    Segment,
    /// A name, with slashes or without; a folder is no name.
    Any,
}

/// `prefix`, then a name, then `suffix`.
pub(super) struct Pattern {
    pub(super) prefix: &'static str,
    pub(super) name: Name,
    pub(super) suffix: &'static str,
}

impl Pattern {
    /// The name in `path`, if it has this form; `""` where the pattern has none.
    pub(super) fn name<'p>(&self, path: &'p str) -> Option<&'p str> {
        let rest = path.strip_prefix(self.prefix)?;
        // Comparing nothing with nothing can take a hundred times as long as comparing letters:
        // where there are vectors with masks, what would be read is an address without memory.
        let name = if self.suffix.is_empty() { rest } else { rest.strip_suffix(self.suffix)? };
        let fits = match self.name {
            Name::Absent => name.is_empty(),
            Name::Segment => !name.is_empty() && !name.contains('/'),
            Name::Any => !name.is_empty() && !name.ends_with('/'),
        };
        fits.then_some(name)
    }
}
