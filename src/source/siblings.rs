//! Siblings: the files in which one log lies, under its path and rotated away from it.
//!
//! Lists the files of one log, oldest first.

use super::content::{id_of, modified};
use super::logs::LogPath;
use super::names::{Suffix, suffix, uncompressed};
use super::numbers::count_upwards;
use super::position::FileId;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

/// One file of a log, as it was when it was listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sibling {
    pub path: PathBuf,
    /// How it is opened where it has no name any more.
    pub via: Option<PathBuf>,
    pub id: FileId,
    pub len: u64,
    /// Nanoseconds since 1970.
    pub modified: u64,
    /// The log's path names it.
    pub live: bool,
    /// The user asked for it: by the path or the glob.
    pub wanted: bool,
}

impl Sibling {
    /// The path under which it is opened.
    pub(crate) fn place(&self) -> &Path {
        self.via.as_deref().unwrap_or(&self.path)
    }
}

/// Lists the files of a log, oldest first. A folder that does not exist has none; in one that may
/// be entered but not listed, only the log's path is seen.
///
/// # Errors
/// Those of listing, but for these two.
pub(crate) fn list(log: &LogPath) -> io::Result<Vec<Sibling>> {
    // A rotation renames file after file: a listing in between can miss one. Two that agree are
    // of one moment.
    let mut last = list_once(log)?;
    for _ in 0..5 {
        let again = list_once(log)?;
        if names(&last).eq(names(&again)) {
            return Ok(again);
        }
        last = again;
    }
    Ok(last)
}

/// Whether nothing was renamed, copied, deleted or cut between two listings.
pub(crate) fn is_of_one_moment(before: &[Sibling], after: &[Sibling]) -> bool {
    names(before).eq(names(after)) && before.iter().zip(after).all(|(before, after)| before.len <= after.len)
}

fn names(list: &[Sibling]) -> impl Iterator<Item = (&Path, FileId)> {
    list.iter().map(|sibling| (sibling.path.as_path(), sibling.id))
}

fn list_once(log: &LogPath) -> io::Result<Vec<Sibling>> {
    let mut found = Vec::new();
    collect(log, log.path(), &mut found)?;
    // The siblings of a symlink's target lie beside the target.
    if std::fs::symlink_metadata(log.path()).is_ok_and(|metadata| metadata.is_symlink())
        && let Ok(target) = std::fs::canonicalize(log.path())
    {
        collect(log, &target, &mut found)?;
    }
    hide_half_compressed(&mut found);
    sort(&mut found);
    // Under two names (a symlink and its target) a file counts once, as the newer.
    let mut seen = HashSet::new();
    let mut list: Vec<_> = found.into_iter().map(|(sibling, _)| sibling).rev().collect();
    list.retain(|sibling| seen.insert(sibling.id));
    list.reverse();
    Ok(list)
}

fn collect(log: &LogPath, path: &Path, found: &mut Vec<(Sibling, Suffix)>) -> io::Result<()> {
    let Some(own_name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(());
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let names: Vec<String> = match read_dir(path) {
        Ok(entries) => entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect(),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Vec::new(),
            io::ErrorKind::PermissionDenied => vec![own_name.to_owned()],
            _ => return Err(error),
        },
    };
    for name in names {
        let Some(suffix) = suffix(own_name, &name) else {
            continue;
        };
        let path = folder.join(&name);
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let live = path == log.path();
        if metadata.is_file() || live {
            found.push((
                Sibling {
                    via: None,
                    id: id_of(&metadata),
                    len: metadata.len(),
                    modified: modified(&metadata),
                    live,
                    wanted: log.wants(&path),
                    path,
                },
                suffix,
            ));
        }
    }
    Ok(())
}

/// The entries of the folder in which `path` is.
pub(crate) fn read_dir(path: &Path) -> io::Result<std::fs::ReadDir> {
    match path.parent() {
        Some(folder) if folder != Path::new("") => std::fs::read_dir(folder),
        _ => std::fs::read_dir("."),
    }
}

/// While a sibling is being compressed both files are there, and the compressed one is not whole.
fn hide_half_compressed(found: &mut Vec<(Sibling, Suffix)>) {
    let plain: HashSet<PathBuf> = found
        .iter()
        .filter(|(sibling, suffix)| *suffix != Suffix::Live && sibling.len > 0)
        .map(|(sibling, _)| sibling.path.clone())
        .collect();
    found.retain(|(sibling, _)| {
        let name = sibling.path.file_name().and_then(|name| name.to_str());
        name.is_none_or(|name| {
            uncompressed(name) == name || !plain.contains(&sibling.path.with_file_name(uncompressed(name)))
        })
    });
}

/// Oldest first: by the names where they agree in their kind, otherwise by time. Names come first
/// because compressing and copying can change the time.
fn sort(found: &mut [(Sibling, Suffix)]) {
    let rotated = || found.iter().filter(|(_, suffix)| *suffix != Suffix::Live);
    let numbers = rotated().all(|(_, suffix)| matches!(suffix, Suffix::Number(_)));
    let dates = rotated().all(|(_, suffix)| matches!(suffix, Suffix::Date(_)));
    let upwards = numbers && count_upwards(found);
    let number = |suffix: &Suffix| match suffix {
        Suffix::Number(number) if upwards => i128::from(*number),
        Suffix::Number(number) => -i128::from(*number),
        _ => 0,
    };
    found.sort_by(|(a, a_suffix), (b, b_suffix)| {
        let live = |sibling: &Sibling, suffix: &Suffix| (sibling.live, *suffix == Suffix::Live);
        let by_name = match (a_suffix, b_suffix) {
            (Suffix::Date(a), Suffix::Date(b)) if dates => a.cmp(b),
            _ if numbers => number(a_suffix).cmp(&number(b_suffix)),
            _ => std::cmp::Ordering::Equal,
        };
        live(a, a_suffix)
            .cmp(&live(b, b_suffix))
            .then(by_name)
            .then(a.modified.cmp(&b.modified))
            .then_with(|| number(a_suffix).cmp(&number(b_suffix)))
            .then_with(|| a.path.cmp(&b.path))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, create_dir};
    use std::time::{Duration, SystemTime};

    fn listed(log: &LogPath) -> Vec<String> {
        let name = |sibling: Sibling| sibling.path.file_name().unwrap().to_str().unwrap().to_owned();
        list(log).unwrap().into_iter().map(name).collect()
    }

    fn touch(path: &Path, second: u64) {
        let file = File::create(path).unwrap();
        std::io::Write::write_all(&mut &file, b"x\n").unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
    }

    #[test]
    fn numbers_count_backwards_whatever_their_times() {
        let dir = tempfile::tempdir().unwrap();
        for (name, second) in [
            ("audit.log", 1),
            ("audit.log.1", 9),
            ("audit.log.2.gz", 8),
            ("audit.log.10.gz", 7),
            ("audit.log.sum", 3),
        ] {
            touch(&dir.path().join(name), second);
        }
        let log = LogPath::plain(dir.path().join("audit.log"));
        assert_eq!(listed(&log), ["audit.log.10.gz", "audit.log.2.gz", "audit.log.1", "audit.log"]);
    }

    #[test]
    fn dates_count_forwards_and_a_mixture_goes_by_time() {
        let dir = tempfile::tempdir().unwrap();
        for (name, second) in [("audit.log-20260102", 1), ("audit.log-20260101.gz", 2), ("audit.log", 3)] {
            touch(&dir.path().join(name), second);
        }
        let log = LogPath::plain(dir.path().join("audit.log"));
        assert_eq!(listed(&log), ["audit.log-20260101.gz", "audit.log-20260102", "audit.log"]);
        touch(&dir.path().join("audit.log.1"), 0);
        assert_eq!(listed(&log), ["audit.log.1", "audit.log-20260102", "audit.log-20260101.gz", "audit.log"]);
    }

    #[test]
    fn a_half_compressed_sibling_is_hidden() {
        let dir = tempfile::tempdir().unwrap();
        touch(&dir.path().join("audit.log.1"), 1);
        touch(&dir.path().join("audit.log.1.gz"), 2);
        let log = LogPath::plain(dir.path().join("audit.log"));
        assert_eq!(listed(&log), ["audit.log.1"]);
    }

    #[test]
    fn a_symlink_brings_its_targets_siblings() {
        let dir = tempfile::tempdir().unwrap();
        let pod = dir.path().join("pod");
        create_dir(&pod).unwrap();
        touch(&pod.join("0.log"), 2);
        touch(&pod.join("0.log.20260101-000000"), 1);
        std::os::unix::fs::symlink(pod.join("0.log"), dir.path().join("vault.log")).unwrap();
        let log = LogPath::plain(dir.path().join("vault.log"));
        assert_eq!(listed(&log), ["0.log.20260101-000000", "vault.log"]);
    }

    #[test]
    fn only_what_the_glob_matches_is_wanted() {
        let dir = tempfile::tempdir().unwrap();
        touch(&dir.path().join("audit.log.1"), 1);
        touch(&dir.path().join("audit.log.2.gz"), 1);
        let pattern = dir.path().join("audit.log.[0-9]");
        let logs = crate::source::expand(pattern.to_str().unwrap()).unwrap();
        let wanted: Vec<_> = list(&logs[0]).unwrap().iter().map(|file| file.wanted).collect();
        assert_eq!(wanted, [false, true]);
    }

    #[test]
    fn a_missing_folder_has_no_files() {
        let dir = tempfile::tempdir().unwrap();
        let log = LogPath::plain(dir.path().join("no/such/audit.log"));
        assert_eq!(list(&log).unwrap(), []);
    }
}
