//! A position: where in a log the next line begins, in a form that outlives the file's name.
//!
//! A rotated file changes its name, a compressed one its inode, a copied one both; what stays is
//! its content. So a position names its file by its first line and by what stands right before
//! the position, and keeps device, inode and path only to look there first.
//! Finding the file again is left to `find`.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// How much of a file's first line is hashed. Shorter would not do: in some versions of Vault the
/// first kilobyte of an entry is the same in every entry.
pub(crate) const HEAD_LIMIT: usize = 64 * 1024;
/// How much of what stands before a position is hashed, at most: the whole line before it, unless
/// that line is longer.
pub(crate) const BEFORE_LIMIT: usize = 8 * 1024;
/// How much is hashed at least (where there is as much): blank lines alone tell nothing.
const BEFORE_LEAST: usize = 256;

/// A place in a log to which reading can return, across rotation, compression and restarts.
///
/// Kept as JSON in the checkpoint. A later version may add fields that can be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The file; none while no line of any file was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Arc<FileMark>>,
    /// Bytes (uncompressed) of the file before the next line to be read.
    #[serde(default)]
    pub offset: u64,
    /// What stands right before `offset`.
    #[serde(default, skip_serializing_if = "Mark::is_empty")]
    pub before: Mark,
    /// When the file was last written to, as far as was known: nanoseconds since 1970. With it
    /// the files that came later are told from the earlier ones should the file be gone.
    #[serde(default)]
    pub at: u64,
    /// What was told about the end of the file already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<After>,
    /// The place in the file before this one, while bytes may still come there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<Arc<Position>>,
    /// Lines after this place that were given already: joined lines overlap.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u64,
    /// Which of a list of inputs, counted from 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input: u64,
}

/// What marks a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    /// Its first line.
    pub head: Mark,
    /// Device and inode when it was read; a copy has others, and an inode is used again.
    #[serde(flatten)]
    pub id: FileId,
    /// Its path when it was opened, symlinks resolved. A hint, and for people.
    pub path: Arc<str>,
}

/// Device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId {
    /// Device.
    pub dev: u64,
    /// Inode.
    pub ino: u64,
}

/// What was told about the end of a file before its successor had a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// The file was deleted and read out, and was let go.
    Released,
    /// That reading goes on in the next file.
    Rotated,
    /// That the compressed file breaks here.
    Broken,
}

/// Some bytes as their number and hash (XXH3, 64 bits, whose result is the same in every version).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// How many bytes.
    pub len: u32,
    /// Their hash.
    pub hash: u64,
}

impl Mark {
    /// The mark of `bytes`, of which there are few: at most `HEAD_LIMIT`.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { len: u32::try_from(bytes.len()).unwrap_or(u32::MAX), hash: xxh3_64(bytes) }
    }

    /// The mark of a file's first line, given with its newline.
    pub(crate) fn head(line: &[u8]) -> Self {
        Self::of(&line[..line.len().min(HEAD_LIMIT)])
    }

    /// The mark of the end of `bytes`, whose last `line` bytes are a line.
    pub(crate) fn before(bytes: &[u8], line: usize) -> Self {
        let len = line.clamp(BEFORE_LEAST, BEFORE_LIMIT).min(bytes.len());
        Self::of(&bytes[bytes.len() - len..])
    }

    /// Whether it marks no bytes.
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it by reference
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Position {
    /// The place before every file that changed after `at` (nanoseconds since 1970).
    pub(crate) fn before_all(at: u64) -> Self {
        Self { at, ..Self::default() }
    }

    /// Whether it is in the file with this device and inode.
    pub(crate) fn is_in(&self, id: FileId) -> bool {
        self.file.as_ref().is_some_and(|file| file.id == id)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it by reference
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_compact_and_returns_the_same() {
        let position = Position {
            file: Some(Arc::new(FileMark {
                head: Mark::head(b"first\n"),
                id: FileId { dev: 1, ino: 2 },
                path: "/var/log/vault/audit.log".into(),
            })),
            offset: 6,
            before: Mark::before(b"first\n", 6),
            at: 1_700_000_000_000_000_000,
            ..Position::default()
        };
        let json = serde_json::to_string(&position).unwrap();
        assert_eq!(serde_json::from_str::<Position>(&json).unwrap(), position, "{json}");
        assert!(!json.contains("late") && !json.contains("skip"), "{json}");
    }

    #[test]
    fn a_position_of_another_version_is_read() {
        let json = r#"{"offset":7,"something_new":[1]}"#;
        let position: Position = serde_json::from_str(json).unwrap();
        assert_eq!(position.offset, 7);
        assert_eq!(position.file, None);
    }

    #[test]
    fn the_hash_never_changes() {
        // A checkpoint written by one version is read by the next.
        assert_eq!(Mark::of(b"").hash, 0x2d06_8005_38d3_94c2);
        assert_eq!(Mark::of(b"leasewatch").len, 10);
    }

    #[test]
    fn short_lines_are_marked_with_those_before_them() {
        let one = [b"a unique line\n".as_slice(), b"\n"].concat();
        let other = [b"another line..\n".as_slice(), b"\n"].concat();
        assert_ne!(Mark::before(&one, 1), Mark::before(&other, 1));
    }
}
