//! Keeping up: files that came after the one being read are held open, so that one which is deleted before its turn is
//! read all the same, and one that cannot be read any more is told.
//!
//! Rotated away and deleted, a file is gone for whoever has not opened it; a log that is rotated quickly, or a reader
//! that waits for another log, would lose it without a word. Held are few, and of what nobody else can see little:
//! Vault stops when its disk is full.

use super::super::content::{id_of, modified};
use super::super::find;
use super::super::position::FileId;
use super::super::segment::Segment;
use super::super::siblings::{Sibling, list};
use super::Tail;
use std::fs::{File, Metadata};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked whether the log's path names another file.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Files held at once.
const MOST_FILES: usize = 8;

/// Of held files that have no name any more. Bytes.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

/// Whoever has not looked for so long cannot know what came and went meanwhile.
const BLIND: Duration = Duration::from_secs(30);

/// Files after the one being read, oldest first.
#[derive(Default)]
pub(super) struct Kept {
    files: Vec<Held>,
    /// The newest file known.
    newest: Option<FileId>,
    /// There were more files than are held.
    more: bool,
    looked: Option<Instant>,
    /// Files are gone that were not read.
    lost: bool,
}

struct Held {
    sibling: Sibling,
    file: File,
}

impl Held {
    fn open(sibling: &Sibling) -> Option<Self> {
        let file = File::open(&sibling.path).ok()?;
        let metadata = file.metadata().ok()?;
        // A named pipe is refused where it is listed; a race with a rename is seen here.
        (metadata.is_file() && id_of(&metadata) == sibling.id)
            .then(|| Self { sibling: sibling.clone(), file })
    }

    fn metadata(&self) -> Option<Metadata> {
        self.file.metadata().ok()
    }

    /// The file as it is reached without a name.
    fn nameless(&self) -> Sibling {
        let metadata = self.metadata();
        Sibling {
            via: Some(PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))),
            len: metadata.as_ref().map_or(self.sibling.len, Metadata::len),
            modified: metadata.as_ref().map_or(self.sibling.modified, modified),
            live: false,
            ..self.sibling.clone()
        }
    }
}

impl Kept {
    /// Reading has come to this file: those before it are let go, and it.
    pub(super) fn passed(&mut self, id: FileId) {
        if let Some(at) = self.files.iter().position(|held| held.sibling.id == id) {
            self.files.drain(..=at);
        }
    }

    /// Reading has come to the end of the newest file.
    pub(super) fn caught_up(&mut self, id: FileId) {
        self.files.clear();
        self.more = false;
        self.newest = Some(id);
    }

    /// Whether files were lost since last asked.
    pub(super) fn take_lost(&mut self) -> bool {
        std::mem::take(&mut self.lost)
    }

    /// The files that come after the one being read: those that are listed, and those of which only what is held is
    /// left, in their order.
    pub(super) fn join<'a>(
        &self,
        list: &[Sibling],
        listed: Vec<&'a Sibling>,
        max_line: usize,
    ) -> Vec<Next<'a>> {
        let is_gone = |held: &&Held| held.metadata().is_some() && !self.is_listed(held, list, max_line);
        let place = |id: FileId| self.files.iter().position(|held| held.sibling.id == id);
        let mut all: Vec<Next<'a>> = listed.into_iter().map(Next::Listed).collect();
        for held in self.files.iter().filter(is_gone) {
            let own = place(held.sibling.id);
            // Before the first that is known to come later, or that nobody knew yet.
            let at =
                all.iter().position(|next| place(next.sibling().id).is_none_or(|other| Some(other) > own));
            all.insert(at.unwrap_or(all.len()), Next::Held(held.nameless()));
        }
        all
    }

    /// Whether it is listed, or a file that has its content: it was compressed, or copied elsewhere.
    fn is_listed(&self, held: &Held, list: &[Sibling], max_line: usize) -> bool {
        if list.iter().any(|sibling| sibling.id == held.sibling.id) {
            return true;
        }
        let Ok(Some(mut segment)) = Segment::open_at_end(&held.nameless(), max_line) else { return false };
        // What is held is a file of its own.
        let mut others =
            list.iter().filter(|sibling| self.files.iter().all(|held| held.sibling.id != sibling.id));
        others.any(|sibling| segment.is_copied_by(sibling).unwrap_or(false))
    }

    /// Holds what comes after the one being read.
    fn hold(&mut self, after: &[&Sibling]) {
        for &sibling in after {
            if let Some(held) = self.files.iter_mut().find(|held| held.sibling.id == sibling.id) {
                held.sibling = sibling.clone();
            } else if self.files.len() < MOST_FILES {
                self.files.extend(Held::open(sibling));
            } else {
                self.more = true;
            }
        }
    }

    /// Whether files may have come and gone between the newest that was known and the oldest of `list` after it: the
    /// former is gone, and the latter came to be clearly later.
    fn missed(&self, reading: &mut Segment, list: &[Sibling], max_line: usize) -> bool {
        let (is_there, written) = if let Some(held) = self.files.last() {
            (self.is_listed(held, list, max_line), held.nameless().modified)
        } else {
            let _ = reading.look();
            let is_it = |sibling: &Sibling| {
                sibling.id == reading.id() || reading.is_copied_by(sibling).unwrap_or(false)
            };
            (list.iter().any(is_it), reading.modified())
        };
        !is_there && find::later(list, written).first().is_some_and(|first| begins_after(first, written))
    }

    /// Lets go of files without a name beyond what may be held of them.
    fn make_room(&mut self) {
        let nameless = |held: &Held| held.metadata().filter(|metadata| metadata.nlink() == 0);
        let mut bytes: u64 = self.files.iter().filter_map(nameless).map(|metadata| metadata.len()).sum();
        while bytes > MOST_BYTES {
            let Some(at) = self.files.iter().position(|held| nameless(held).is_some()) else { return };
            let held = self.files.remove(at);
            let len = held.metadata().map_or(0, |metadata| metadata.len());
            bytes = bytes.saturating_sub(len);
            self.lost = true;
            tracing::error!(
                file = %held.sibling.path.display(),
                bytes = len,
                "Lines of the log were lost: the file was deleted before it was read, and is too large to be held \
                 open on Vault's disk. Keep rotated files longer, and see why reading is so far behind"
            );
        }
    }
}

/// A file that comes after the one being read.
pub(super) enum Next<'a> {
    /// It has a name.
    Listed(&'a Sibling),
    /// It has none any more.
    Held(Sibling),
}

impl Next<'_> {
    pub(super) fn sibling(&self) -> &Sibling {
        match self {
            Self::Listed(sibling) => sibling,
            Self::Held(sibling) => sibling,
        }
    }
}

impl Tail {
    /// Looks whether files came after the one being read.
    pub(super) fn keep(&mut self, now: Instant) {
        let Some(reading) = &mut self.reading else { return };
        let segment = &mut reading.segment;
        let kept = &mut self.kept;
        let unseen = kept.looked.map_or(Duration::ZERO, |looked| now.saturating_duration_since(looked));
        if kept.looked.is_some() && unseen < LOOK_EVERY {
            return;
        }
        kept.looked = Some(now);
        kept.passed(segment.id());
        // Between a rename and the new file there is none.
        let live = std::fs::metadata(self.log.path()).ok().map(|metadata| id_of(&metadata));
        if live == Some(segment.id()) {
            kept.caught_up(segment.id());
            return;
        }
        let is_known = live.is_some() && kept.newest == live;
        let all_known = is_known && !(kept.more && kept.files.len() < MOST_FILES / 2);
        if !all_known {
            let max_line = self.options.max_line_bytes;
            // What is wrong with them is told when it is their turn.
            let Ok(list) = list(&self.log) else { return };
            let Ok(after) = find::after(&list, segment, max_line) else { return };
            if unseen >= BLIND && kept.newest.is_some() && !is_known && kept.missed(segment, &list, max_line)
            {
                kept.lost = true;
                tracing::error!(
                    log = %self.log.path().display(),
                    seconds = unseen.as_secs(),
                    "Lines of the log may have been lost: nobody looked at it for so long, and what was its newest \
                     file then is gone. Keep rotated files longer than this machine is ever suspended"
                );
            }
            kept.more = false;
            kept.hold(&after);
            kept.newest = live.or(kept.newest);
        }
        kept.make_room();
    }
}

/// Whether a file came to be clearly later than `at`, in nanoseconds since 1970, at which the one known before it was
/// written to last. Where the file system does not say, it did.
fn begins_after(file: &Sibling, at: u64) -> bool {
    let Ok(created) = std::fs::metadata(&file.path).and_then(|metadata| metadata.created()) else {
        return true;
    };
    let written = SystemTime::UNIX_EPOCH + Duration::from_nanos(at);
    created.duration_since(written).is_ok_and(|apart| apart > BLIND)
}
