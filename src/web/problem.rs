//! A problem with the web configuration file: where, what, and what to do. It never quotes a value, which may be a secret.

use std::path::{Path, PathBuf};

/// What is wrong with the web configuration file, or with a file that it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {problem}. {remedy}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct WebConfigError {
    /// The file that is to be mended.
    pub file: PathBuf,
    /// Line in it, counted from 1, where there is one.
    pub line: Option<u64>,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl WebConfigError {
    pub(super) fn new(
        file: &Path,
        line: Option<u64>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { file: file.to_owned(), line, problem: problem.into(), remedy: remedy.into() }
    }
}
