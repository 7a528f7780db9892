//! A folder of finished logs: which of the files below it are audit logs and which are server
//! logs. Their first lines say so; names do not.

use crate::event::Timestamp;
use crate::source::{Archive, Input, LineSource, Step};
use crate::{audit, serverlog};
use anyhow::Context;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Lines that are looked at before a file is taken for something else.
const LOOK_AT: usize = 200;
/// A longer line tells nothing about its file.
const MAX_LINE_BYTES: usize = 4 << 20;
/// Folders within folders, beyond which nobody keeps logs.
const DEPTH: usize = 8;

/// Finished logs, by kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Logs {
    pub(super) audit: Vec<String>,
    pub(super) server: Vec<String>,
}

impl Logs {
    /// Standard input is one of them: it can be read only once.
    pub(super) fn has_stdin(&self) -> bool {
        self.audit.iter().chain(&self.server).any(|file| file == "-")
    }

    /// The audit logs that were named, and every log below the folders among them.
    ///
    /// # Errors
    /// A folder that cannot be listed, or in which there is no log at all.
    pub(super) fn of(files: &[String], server: &[String]) -> anyhow::Result<Self> {
        let mut logs = Self { audit: Vec::new(), server: server.to_vec() };
        for file in files {
            if file == "-" || !Path::new(file).is_dir() {
                logs.audit.push(file.clone());
                continue;
            }
            let before = logs.audit.len() + logs.server.len();
            logs.below(Path::new(file), DEPTH)?;
            anyhow::ensure!(
                logs.audit.len() + logs.server.len() > before,
                "{file}: no file below this folder begins as an audit log or a server log does; name the files"
            );
        }
        Ok(logs)
    }

    fn below(&mut self, folder: &Path, depth: usize) -> anyhow::Result<()> {
        let cannot = || format!("{}: the folder cannot be listed", folder.display());
        let entries = std::fs::read_dir(folder).with_context(cannot)?;
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<PathBuf>, _>>()
            .with_context(cannot)?;
        paths.sort();
        for path in paths {
            // A link to a folder may lead back here.
            let Ok(kind) = std::fs::symlink_metadata(&path) else { continue };
            if kind.is_dir() {
                if depth > 0 {
                    self.below(&path, depth - 1)?;
                }
                continue;
            }
            let Some(name) = path.to_str().filter(|_| path.is_file()) else { continue };
            match kind_of(&path) {
                Some(Kind::Audit) => self.audit.push(name.to_owned()),
                Some(Kind::Server) => self.server.push(name.to_owned()),
                None => tracing::warn!(
                    file = name,
                    "Left out: its first lines are neither those of an audit log nor of a server log. \
                     Name it to have it read as an audit log"
                ),
            }
        }
        Ok(())
    }
}

enum Kind {
    Audit,
    Server,
}

/// What the first line says that says anything; nothing for an empty file, or one of something else.
fn kind_of(path: &Path) -> Option<Kind> {
    let mut archive = Archive::new(vec![Input::File(path.to_owned())], MAX_LINE_BYTES).ok()?;
    let mut line = Vec::new();
    for _ in 0..LOOK_AT {
        match archive.next(Instant::now(), &mut line) {
            Step::Line => {}
            Step::Notice(_) => continue,
            Step::Idle | Step::End => return None,
        }
        let Ok(text) = std::str::from_utf8(&line) else { continue };
        // A container's frame or a prefix may stand before the entry.
        let object = text.find('{').map(|start| &text[start..]);
        if object.is_some_and(|object| audit::decode(object).is_ok()) {
            return Some(Kind::Audit);
        }
        let event = serverlog::decode(text).or_else(|| serverlog::decode(object?));
        // A line that only goes on with another has no time, and may be anything.
        if event.is_some_and(|event| event.at > Timestamp::MIN) {
            return Some(Kind::Server);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDIT: &str = r#"{"time":"2026-01-02T03:04:05Z","type":"response","request":{"id":"1","operation":"read","path":"database/creds/app"}}"#;
    const SERVER: &str = r#"{"@level":"info","@message":"revoked lease","@module":"expiration","@timestamp":"2026-01-02T03:04:05.000000Z","lease_id":"database/creds/app/x"}"#;

    #[test]
    fn files_are_told_apart_by_what_they_say() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        std::fs::create_dir(dir.path().join("node-b")).unwrap();
        std::fs::write(path("a.log"), format!("\n{AUDIT}\n")).unwrap();
        std::fs::write(path("b.log.zst"), zstd::encode_all(SERVER.as_bytes(), 1).unwrap()).unwrap();
        std::fs::write(path("node-b/0.log"), format!("2026-01-02T03:04:05Z stdout F {AUDIT}\n")).unwrap();
        std::fs::write(path("notes.txt"), "nothing of ours\n").unwrap();
        std::fs::write(path("empty"), "").unwrap();
        let folder = dir.path().to_str().unwrap().to_owned();
        let logs = Logs::of(&[folder, "-".to_owned()], &["other".to_owned()]).unwrap();
        assert_eq!(logs.audit, [path("a.log"), path("node-b/0.log"), "-".to_owned()]);
        assert_eq!(logs.server, ["other".to_owned(), path("b.log.zst")]);
    }

    #[test]
    fn a_folder_without_logs_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = Logs::of(&[dir.path().to_str().unwrap().to_owned()], &[]).unwrap_err();
        assert!(error.to_string().contains("no file below this folder"), "{error}");
    }
}
