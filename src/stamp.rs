//! A stamp of a file: enough to notice that it was written anew.

use std::path::Path;
use std::time::SystemTime;

/// Identity, size and time of a file; `None` where it cannot be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileStamp(Option<(u64, u64, u64, Option<SystemTime>)>);

impl FileStamp {
    /// Of the file that `path` names now, through symlinks: Kubernetes and
    /// Vault Agent swap those.
    pub fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).ok().map(|meta| {
            let (device, inode) = identity(&meta);
            (device, inode, meta.len(), meta.modified().ok())
        }))
    }
}

#[cfg(unix)]
fn identity(meta: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> (u64, u64) {
    (0, 0)
}
