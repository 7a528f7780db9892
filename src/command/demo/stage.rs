//! The stage: the simulated world, the two logs that it writes, and the time there. A line
//! is written once its time has come, and not before.

use super::journal::Journal;
use crate::clock::wall;
use crate::event::Timestamp;
use crate::simulator::{Log, World};
use std::io;
use std::path::{Path, PathBuf};

/// How long a file of the past is, in seconds.
const PART: i64 = 7 * 86_400;

/// The world with its logs.
pub(super) struct Stage {
    world: World,
    /// The next line, whose time has not come.
    line: String,
    next: Option<(Timestamp, Log)>,
    audit: Journal,
    server: Journal,
    /// Lines written, to both logs.
    lines: u64,
    /// Where the file of the past that is being written began.
    part: Timestamp,
}

impl Stage {
    /// The world at its beginning `from`, with logs in `dir` that do not exist yet.
    pub(super) fn new(mut world: World, from: Timestamp, dir: &Path) -> io::Result<Self> {
        let mut line = String::new();
        let next = world.next_line(&mut line);
        Ok(Self {
            world,
            line,
            next,
            audit: Journal::of_the_past(&audit_log(dir))?,
            server: Journal::of_the_past(&server_log(dir))?,
            lines: 0,
            part: from,
        })
    }

    /// Writes the past up to `to`, into compressed files of a week; `each` is called now and
    /// then with the time and the lines so far, and says whether to go on.
    ///
    /// # Errors
    /// Those of writing. A past that was broken off is none.
    pub(super) fn past(
        &mut self,
        to: Timestamp,
        mut each: impl FnMut(Timestamp, u64) -> bool,
    ) -> io::Result<()> {
        const OFTEN: i64 = 3_600;
        while let Some((at, _)) = self.next.filter(|(at, _)| *at <= to) {
            let end = self.part.plus_secs(PART);
            if at > end {
                self.server.next_past(end)?;
                self.audit.next_past(end)?;
                self.part = end;
            }
            self.write_until(at.plus_secs(OFTEN).min(to))?;
            if !each(at, self.lines) {
                return Ok(());
            }
        }
        self.server.go_live(to)?;
        self.audit.go_live(to)
    }

    /// Writes every line whose time has come at `now`, for everybody to read.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn advance(&mut self, now: Timestamp) -> io::Result<()> {
        self.write_until(now)?;
        // Vault's server says that a lease has ended before the audit log has the response.
        self.server.flush(now)?;
        self.audit.flush(now)
    }

    /// Writes entries of the audit log that are made now, behind all that happened before;
    /// `entries` makes them of that moment.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn enter(&mut self, entries: impl FnOnce(Timestamp) -> [String; 2]) -> io::Result<()> {
        let now = wall();
        self.write_until(now)?;
        for entry in entries(now) {
            self.audit.write(&entry)?;
            self.lines += 1;
        }
        self.advance(now)
    }

    fn write_until(&mut self, to: Timestamp) -> io::Result<()> {
        while let Some((_, log)) = self.next.filter(|(at, _)| *at <= to) {
            match log {
                Log::Audit => self.audit.write(&self.line)?,
                Log::Server => self.server.write(&self.line)?,
            }
            self.lines += 1;
            self.next = self.world.next_line(&mut self.line);
        }
        Ok(())
    }

    /// The world, as far as it has come.
    pub(super) fn world(&self) -> &World {
        &self.world
    }

    /// Lines written so far, to both logs.
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }
}

/// The audit log in the folder of a demo.
pub(super) fn audit_log(dir: &Path) -> PathBuf {
    dir.join("audit.log")
}

/// The server log in the folder of a demo.
pub(super) fn server_log(dir: &Path) -> PathBuf {
    dir.join("server.log")
}

/// The files of a log, as far as they are whole.
///
/// # Errors
/// Those of looking.
pub(super) fn files(log: &Path) -> io::Result<Vec<String>> {
    let (Some(dir), Some(name)) = (log.parent(), log.file_name()) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(name.as_encoded_bytes()) {
            found.push(entry.path().to_string_lossy().into_owned());
        }
    }
    Ok(found)
}
