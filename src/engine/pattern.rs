//! A pattern: a path below a mount, with or without a name in it.

/// `prefix`, then a name if `named`, then `suffix`.
pub(super) struct Pattern {
    pub(super) prefix: &'static str,
    pub(super) named: bool,
    pub(super) suffix: &'static str,
}

impl Pattern {
    /// The name in `path`, if it has this form; `""` where the pattern has none.
    pub(super) fn name<'p>(&self, path: &'p str) -> Option<&'p str> {
        let name = path.strip_prefix(self.prefix)?.strip_suffix(self.suffix)?;
        // A name may have slashes, but a folder is no name.
        (if self.named { !name.is_empty() && !name.ends_with('/') } else { name.is_empty() }).then_some(name)
    }
}
