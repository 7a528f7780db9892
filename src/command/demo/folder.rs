//! The folder of a demo: a temporary one that goes with the demo, or one that its user keeps.

use anyhow::Context;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder, and whether it stays.
#[derive(Debug)]
pub(super) enum Folder {
    /// Removed when this value is dropped. Only its user may look into it.
    Passing(TempDir),
    /// Named by the user, and left as it is.
    Kept(PathBuf),
}

impl Folder {
    /// The named folder, which may not hold anything yet; else a temporary one.
    ///
    /// # Errors
    /// Where it cannot be made, or is in use.
    pub(super) fn open(named: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = named else {
            let made = tempfile::Builder::new().prefix("leasewatch-demo-").tempdir();
            return made.map(Self::Passing).with_context(|| {
                let place = std::env::temp_dir();
                format!("cannot make a temporary folder in {}: name another one by --dir", place.display())
            });
        };
        std::fs::create_dir_all(path).with_context(|| format!("--dir: cannot make {}", path.display()))?;
        let mut entries =
            std::fs::read_dir(path).with_context(|| format!("--dir: cannot read {}", path.display()))?;
        if entries.next().is_some() {
            anyhow::bail!("--dir: {} is not empty; name a new folder, or empty this one", path.display());
        }
        // The state folder is looked for by its absolute path.
        let path = std::path::absolute(path)?;
        Ok(Self::Kept(path))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Passing(dir) => dir.path(),
            Self::Kept(path) => path,
        }
    }

    /// Whether its files stay after the demo.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_use_is_left_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("audit.log"), "mine").expect("written");
        let refused = Folder::open(Some(dir.path())).expect_err("it is in use").to_string();
        assert!(refused.contains("--dir") && refused.contains("not empty"), "{refused}");
        let new = dir.path().join("new/one");
        let kept = Folder::open(Some(&new)).expect("it is made");
        drop(kept);
        assert!(new.is_dir());
        let passing = Folder::open(None).expect("a temporary one");
        let path = passing.path().to_owned();
        drop(passing);
        assert!(!path.exists());
    }
}
