//! Logs: which of them a path or a glob denotes. Their files are listed by `siblings`.

use super::names::live;
use super::siblings::read_dir;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// One log: the path under which it is written, or a glob of it and its rotated siblings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPath {
    path: PathBuf,
    pattern: Option<glob::Pattern>,
}

/// A glob that is none.
#[derive(Debug, Error)]
#[error("`{pattern}` is not a valid glob: {reason}; write `[[]` for a plain bracket")]
pub struct GlobError {
    pattern: String,
    reason: &'static str,
}

const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl LogPath {
    /// The log written at `path`, which is taken literally.
    pub fn plain(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), pattern: None }
    }

    /// Where it is written, once it is; what distinguishes it from other logs.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the user asked for this file: by the path or the glob.
    pub(crate) fn wants(&self, path: &Path) -> bool {
        let matches = |glob: &glob::Pattern| glob.matches_path_with(path, OPTIONS);
        path == self.path || self.pattern.as_ref().is_some_and(matches)
    }

    /// Whether the folder may be listed: without that, rotated siblings cannot be found.
    pub(crate) fn can_be_listed(&self) -> bool {
        match read_dir(self.path()) {
            Ok(_) => true,
            Err(error) => error.kind() != io::ErrorKind::PermissionDenied,
        }
    }
}

/// The path of the log that a file belongs to, as its live or as a rotated file.
pub fn log_of(file: &Path) -> PathBuf {
    match file.file_name().and_then(|name| name.to_str()) {
        Some(name) => file.with_file_name(live(name)),
        None => file.to_owned(),
    }
}

/// The distinct logs that a path or glob denotes now: rotated siblings are one log, files of
/// other folders or names are others. A path that does not exist yet is a log; of a glob without
/// a match, only one like `DIR/audit.log*` tells which.
///
/// # Errors
/// The glob is malformed.
pub fn expand(pattern: &str) -> Result<Vec<LogPath>, GlobError> {
    if !pattern.contains(['*', '?', '[']) || Path::new(pattern).exists() {
        return Ok(vec![LogPath::plain(pattern)]);
    }
    let invalid = |error: glob::PatternError| GlobError { pattern: pattern.to_owned(), reason: error.msg };
    let matcher = glob::Pattern::new(pattern).map_err(invalid)?;
    let mut logs = BTreeSet::new();
    // A folder that may not be read shows as an error in the list; the others count.
    for path in glob::glob_with(pattern, OPTIONS).map_err(invalid)?.flatten() {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_file() {
            logs.insert(path.with_file_name(live(name)));
        }
    }
    if logs.is_empty()
        && let Some(front) = pattern.strip_suffix('*')
        && !front.contains(['*', '?', '['])
        && !front.ends_with('/')
    {
        logs.insert(front.trim_end_matches(['.', '-', '_']).into());
    }
    Ok(logs.into_iter().map(|path| LogPath { path, pattern: Some(matcher.clone()) }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{create_dir, write};

    #[test]
    fn a_glob_is_grouped_by_log() {
        let dir = tempfile::tempdir().unwrap();
        for node in ["node-a", "node-b"] {
            create_dir(dir.path().join(node)).unwrap();
            for name in ["audit.log", "audit.log.1", "audit.log-20260101.gz", "raw.log"] {
                write(dir.path().join(node).join(name), "x\n").unwrap();
            }
        }
        let all = |pattern: &str| -> Vec<String> {
            let pattern = dir.path().join(pattern).to_str().unwrap().to_owned();
            expand(&pattern)
                .unwrap()
                .into_iter()
                .map(|log| {
                    let path = log.path().strip_prefix(dir.path()).unwrap();
                    path.to_str().unwrap().to_owned()
                })
                .collect()
        };
        assert_eq!(all("*/audit.log*"), ["node-a/audit.log", "node-b/audit.log"]);
        assert_eq!(all("node-a/*"), ["node-a/audit.log", "node-a/raw.log"]);
        assert_eq!(all("node-a/audit.log.[0-9]"), ["node-a/audit.log"]);
        assert_eq!(all("node-c/audit.log*"), ["node-c/audit.log"]);
        assert_eq!(all("node-c/audit.log"), ["node-c/audit.log"]);
        assert_eq!(all("node-c/*.log"), [] as [&str; 0]);
        assert!(expand("a[").is_err());
    }
}
