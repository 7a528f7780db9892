//! Checks of the logs: are they there, may they be read, and may their siblings be found?

use super::Findings;
use crate::config::{Config, LogConfig, LogKind};
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

impl Findings {
    pub(super) fn log(&mut self, log: &LogConfig, config: &Config) {
        let LogConfig { name, path, .. } = log;
        if path == "-" {
            return self.ok(format!("log {name}: standard input"));
        }
        if let Some(address) = log.receiver() {
            return self.receiver(name, &address, config);
        }
        // A file of that very name counts as one, whatever marks its name has.
        let files: Vec<PathBuf> = match Path::new(path).try_exists() {
            Ok(true) => vec![path.into()],
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                return self.closed_folder(log, folder_of(path));
            }
            _ => glob::glob(path).map(|paths| paths.filter_map(Result::ok).collect()).unwrap_or_default(),
        };
        if files.is_empty() {
            return self.missing_log(log);
        }
        for file in &files {
            self.file(log, file);
        }
        let folder = folder_of(path);
        if let Err(error) = fs::read_dir(folder) {
            self.warning(format!(
                "log {name}: the folder {} cannot be listed ({error}), so lines are lost if the log is rotated while leasewatch is down. {FOLDER_REMEDY}",
                folder.display()
            ));
        }
    }

    fn file(&mut self, LogConfig { name, kind, .. }: &LogConfig, file: &Path) {
        let shown = file.display();
        // Asked before it is opened: to open a pipe would wait for its writer.
        match file.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                return self.error(format!("log {name}: {shown} is a folder; name the file in it"));
            }
            Ok(metadata) if !metadata.is_file() => {
                return self.error(format!(
                    "log {name}: {shown} is no ordinary file; give - and connect it to standard input"
                ));
            }
            _ => {}
        }
        match File::open(file) {
            Ok(_) => self.ok(format!("log {name}: {shown} is readable")),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.error(format!("log {name}: {shown} may not be read. {}", access_remedy(*kind)));
            }
            Err(error) => self.error(format!("log {name}: {shown}: {error}")),
        }
    }

    fn missing_log(&mut self, log: &LogConfig) {
        let LogConfig { name, path, .. } = log;
        let folder = folder_of(path);
        match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.closed_folder(log, folder);
            }
            Err(error) => {
                self.warning(format!("log {name}: {path} does not exist yet, nor does its folder: {error}"));
            }
            Ok(_) => self.warning(format!("log {name}: {path} does not exist yet; it is read once it does")),
        }
    }

    fn closed_folder(&mut self, LogConfig { name, .. }: &LogConfig, folder: &Path) {
        self.error(format!(
            "log {name}: the folder {} may not be entered. {FOLDER_REMEDY}",
            folder.display()
        ));
    }
}

const FOLDER_REMEDY: &str = "Let leasewatch's group in: chgrp and chmod g+rx";

/// The folder of a path; of a glob, the last one without marks that there is.
fn folder_of(path: &str) -> &Path {
    let plain = path.split(['*', '?', '[']).next().unwrap_or_default();
    let folder = if plain == path {
        Path::new(path).parent()
    } else {
        Path::new(plain).ancestors().find(|folder| folder.is_dir())
    };
    folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn access_remedy(kind: LogKind) -> &'static str {
    match kind {
        LogKind::Audit => {
            "Vault writes it with mode 0600: set `mode = \"0640\"` on the audit device and put leasewatch into the group of the file. \
             An ACL does not last, as Vault sets the mode again whenever it opens the file"
        }
        LogKind::Server => {
            "Let leasewatch's group read it: chgrp and chmod g+r, and the same in the rotation's settings"
        }
    }
}
