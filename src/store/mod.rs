//! The store: the state folder, locked by one process. It holds the
//! checkpoint, the mark of what was last served, and the spools.

mod checkpoint;
mod journal;
mod served;
mod spool;

pub use checkpoint::{Checkpoint, Loaded};
pub use journal::Journal;
pub use served::{Mark, Served};
pub use spool::{Older, Spool};

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What can be wrong with the state folder.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error(
        "state folder {0} is in use by another leasewatch: give each its own --state-dir, or stop the other"
    )]
    InUse(PathBuf),
    /// A file elsewhere cannot be written.
    #[error("{path} cannot be written: {error}: name a file in a folder that may be written to")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot be made, read or written.
    #[error("state folder {path}: cannot {doing}: {error}: {}", remedy(.error))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        error: io::Error,
    },
}

/// What the operator can do about it.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "make room there"
        }
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "a file is in the way: name a folder by --state-dir"
        }
        _ if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => {
            "raise the limit of open files (ulimit -n, LimitNOFILE= in the unit)"
        }
        io::ErrorKind::ReadOnlyFilesystem => "name a folder that can be written to by --state-dir",
        _ => "the user that leasewatch runs as needs to own it",
    }
}

// As on every Unix that Rust's standard library runs on.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// The state folder, for as long as this value lives.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// Unlocked by the system when the process ends, however it ends.
    _lock: File,
}

impl Store {
    /// Takes the folder, and makes it if it is missing (mode 0700).
    ///
    /// # Errors
    /// That another process has it, or that it cannot be used.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let io = |doing, path: &Path| {
            let path = path.to_owned();
            move |error| StoreError::Io { path, doing, error }
        };
        if !folder.is_dir() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(io("make it", folder))?;
        }
        let path = folder.join("lock");
        let lock = private().create(true).truncate(false).open(&path).map_err(io("open the lock", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(StoreError::InUse(folder.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(io("lock it", &path)(error)),
        }
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// The file of this name in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Options for files that hold what names people: for the owner alone.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).read(true).mode(0o600);
    options
}

/// Writes a file for its owner alone, in one step, wherever it lies.
///
/// # Errors
/// That it cannot be written; what was there before still is.
pub fn write_private(path: &Path, content: Vec<u8>) -> Result<(), StoreError> {
    replace(path, std::iter::once(content), true)
        .map_err(|error| StoreError::File { path: path.to_owned(), error })
}

/// Replaces a file's content in one step: after a crash there is the old or
/// the new, and after a power cut too if `durable`.
fn replace(path: &Path, pieces: impl Iterator<Item = Vec<u8>>, durable: bool) -> io::Result<()> {
    let next = path.with_extension("next");
    let written = write(&next, pieces, durable).and_then(|()| fs::rename(&next, path));
    if written.is_err() {
        // On a full disk a part of it takes the room that others need. What cannot be removed is written over.
        let _ = fs::remove_file(&next);
    }
    written?;
    if durable && let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn write(path: &Path, pieces: impl Iterator<Item = Vec<u8>>, durable: bool) -> io::Result<()> {
    use std::io::Write;
    let mut file = private().create(true).truncate(true).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    for piece in pieces {
        file.write_all(&piece)?;
    }
    if durable {
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_comes_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let told = Store::open(&file).unwrap_err().to_string();
        assert!(told.contains("a file is in the way"), "{told}");
        assert_eq!(remedy(&io::ErrorKind::StorageFull.into()), "make room there");
        assert!(remedy(&io::Error::from_raw_os_error(EMFILE)).contains("LimitNOFILE="));
    }

    #[test]
    fn what_could_not_be_written_takes_no_room() {
        let folder = tempfile::tempdir().unwrap();
        // A folder is in the way of the rename.
        let path = folder.path().join("checkpoint");
        fs::create_dir(&path).unwrap();
        replace(&path, std::iter::once(vec![0; 9]), true).unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_serves_one_process_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let store = Store::open(&state).unwrap();
        assert!(matches!(Store::open(&state), Err(StoreError::InUse(_))));
        replace(&store.path("checkpoint"), std::iter::once(b"{}".to_vec()), true).unwrap();
        for name in ["lock", "checkpoint"] {
            let mode = fs::metadata(store.path(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
        drop(store);
        Store::open(&state).unwrap();
    }
}
