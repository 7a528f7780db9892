//! Finding: which file of a log holds a position, and which comes after it.
//!
//! Names and inodes only say where to look first; what decides is the content.

use super::content::{Compression, Content, id_of, modified};
use super::position::Position;
use super::segment::Segment;
use super::siblings::Sibling;
use super::trouble::describe;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Why a file could not be read, for the operator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Trouble(pub String);

impl Trouble {
    pub(crate) fn at(path: &Path, error: &io::Error) -> Self {
        Self(describe(path, error))
    }
}

/// Opens the file that holds what stands before `position`, to be read on from there. None if
/// there is none.
///
/// # Errors
/// A file that may be the one cannot be read now.
pub(crate) fn locate(
    list: &[Sibling],
    position: &Position,
    max_line: usize,
) -> Result<Option<Segment>, Trouble> {
    let hint = hint(list, position);
    let mut order: Vec<&Sibling> = list.iter().rev().chain(&hint).collect();
    // The same inode is nearly always it; plain files are cheap to look into.
    order.sort_by_key(|sibling| (!position.is_in(sibling.id), looks_compressed(sibling)));
    let mut trouble = None;
    for sibling in order {
        match Segment::resume(sibling, position, max_line) {
            Ok(Some(segment)) => return Ok(Some(segment)),
            Ok(None) => {}
            Err(error) if is_broken(&error) || error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let this = Trouble::at(&sibling.path, &error);
                if position.is_in(sibling.id) {
                    return Err(this);
                }
                trouble.get_or_insert(this);
            }
        }
    }
    // It may be the one that could not be read: no reason to give it up.
    trouble.map_or(Ok(None), Err)
}

/// The file under the path that the position remembers, if it lies elsewhere than the siblings:
/// a symlink that moved leads no longer there.
fn hint(list: &[Sibling], position: &Position) -> Option<Sibling> {
    let path = Path::new(position.file.as_ref()?.path.as_ref());
    let metadata = std::fs::metadata(path).ok()?;
    let id = id_of(&metadata);
    (metadata.is_file() && list.iter().all(|sibling| sibling.id != id)).then(|| Sibling {
        path: path.to_owned(),
        via: None,
        id,
        len: metadata.len(),
        modified: modified(&metadata),
        live: false,
        wanted: false,
    })
}

/// The files of `list` that come after the one being read.
///
/// # Errors
/// A file that may be a copy of it cannot be read now.
pub(crate) fn after<'a>(
    list: &'a [Sibling],
    segment: &Segment,
    max_line: usize,
) -> Result<Vec<&'a Sibling>, Trouble> {
    let mut at = list.iter().position(|sibling| sibling.id == segment.id());
    if at.is_none()
        && list.iter().any(|sibling| sibling.len > 0)
        && let Some(position) = segment.next_position()
    {
        // Its name is gone; perhaps it was compressed meanwhile.
        at = locate(list, &position, max_line)?
            .and_then(|found| list.iter().position(|sibling| sibling.id == found.id()));
    }
    Ok(match at {
        Some(at) => list[at + 1..].iter().collect(),
        None => later(list, segment.modified()),
    })
}

/// The files of `list` that were written to after `at`, and the live one.
pub(crate) fn later(list: &[Sibling], at: u64) -> Vec<&Sibling> {
    list.iter().filter(|sibling| sibling.live || sibling.modified > at).collect()
}

/// The first of `candidates` that has content of its own.
///
/// # Errors
/// It cannot be read now.
pub(crate) fn successor<'a>(
    candidates: &[&'a Sibling],
    segment: &mut Segment,
) -> Result<Option<&'a Sibling>, Trouble> {
    for &sibling in candidates {
        if sibling.id == segment.id() || !holds_bytes(sibling)? {
            continue;
        }
        match segment.is_copied_by(sibling) {
            Ok(true) => {}
            Ok(false) => return Ok(Some(sibling)),
            Err(error) if is_broken(&error) => return Ok(Some(sibling)),
            // Renamed since it was listed: look again.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Trouble::at(&sibling.path, &error)),
        }
    }
    Ok(None)
}

/// Whether a file holds anything; a compressed empty file does not.
///
/// # Errors
/// It is compressed and cannot be read now.
pub(crate) fn holds_bytes(sibling: &Sibling) -> Result<bool, Trouble> {
    if sibling.len == 0 || !looks_compressed(sibling) {
        return Ok(sibling.len > 0);
    }
    let first = |mut content: Content| content.read(0, &mut [0]);
    match Content::open(sibling.place()).and_then(first) {
        Ok(read) => Ok(read > 0),
        Err(error) if is_broken(&error) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Trouble::at(&sibling.path, &error)),
    }
}

/// Whether an error says that a compressed file ends early or is damaged.
pub(crate) fn is_broken(error: &io::Error) -> bool {
    // The decoder of zstd says `Other` for damage; the operating system always gives a number.
    matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData)
        || (error.raw_os_error().is_none()
            && matches!(error.kind(), ErrorKind::Other | ErrorKind::InvalidInput)
            && error.to_string() != "it is not a regular file")
}

fn looks_compressed(sibling: &Sibling) -> bool {
    Compression::by_name(&sibling.path) != Compression::None
}
