//! Life on a bad day: the state folder's disk is full, files cannot be opened, the kernel watches no files. It goes
//! on, says so with what to do, and loses nothing.

use super::is_root;
use super::support::process::{Process, command};
use super::support::{Metrics, eventually, free_port, lines};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

pub(crate) struct Life {
    folder: TempDir,
    process: Process,
    port: u16,
    /// Where the log is written.
    path: PathBuf,
    log: File,
    written: u64,
}

impl Life {
    /// `serve` below these words, which end with a shell's `-c`: `before` is done first, then it takes the shell's
    /// place.
    fn start(words: &[&str], before: impl Fn(&Path) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        Self::begin(folder, words, before, &path, path.clone())
    }

    /// The same with a log that is read elsewhere than it is written.
    pub(crate) fn reading(
        words: &[&str],
        before: impl Fn(&Path) -> String,
        reads: &Path,
        writes: PathBuf,
    ) -> Self {
        Self::begin(tempfile::tempdir().unwrap(), words, before, reads, writes)
    }

    fn begin(
        folder: TempDir,
        words: &[&str],
        before: impl Fn(&Path) -> String,
        reads: &Path,
        path: PathBuf,
    ) -> Self {
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        let log = File::create(&path).unwrap();
        let port = free_port();
        let mut command = command(Path::new(words[0]));
        command.args(&words[1..]).arg(format!(
            "{} && exec {} serve --audit-log {} --state-dir {} --checkpoint.interval 1s --web.listen-address 127.0.0.1:{port}",
            before(&state),
            env!("CARGO_BIN_EXE_leasewatch"),
            reads.display(),
            state.display(),
        ));
        let process = Process::start("leasewatch", &mut command, &folder.path().join("out"));
        let mut life = Self { folder, process, port, path, log, written: 0 };
        life.write(50);
        life
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Opens the path of the log anew, as Vault does when it is told to.
    pub(crate) fn reopen(&mut self) {
        self.log = File::options().create(true).append(true).open(&self.path).unwrap();
    }

    pub(crate) fn output(&self) -> String {
        self.process.output()
    }

    pub(crate) fn write(&mut self, entries: u64) {
        for number in self.written..self.written + entries {
            self.log.write_all(lines::issued(number, &format!("role-{}", number % 40)).as_bytes()).unwrap();
        }
        self.written += entries;
    }

    pub(crate) fn page(&self) -> Result<Metrics, String> {
        Metrics::of(self.port)
    }

    /// Waits until all that was written is counted, once.
    pub(crate) fn counts_all(&self) {
        eventually("all is counted", Duration::from_secs(300), || {
            let page = self.page().map_err(|why| format!("{why}; its log:\n{}", self.process.output()))?;
            let issued = page.sum("leasewatch_credentials_issued_total", &[]);
            if issued == self.written as f64 { Ok(()) } else { Err(format!("{issued} of {}", self.written)) }
        });
    }

    pub(crate) fn says(&self, parts: &[&str]) {
        eventually("it says so", Duration::from_secs(300), || {
            let output = self.process.output();
            match parts.iter().find(|part| !output.contains(**part)) {
                None => Ok(()),
                Some(part) => Err(format!("{part} is missing in:\n{output}")),
            }
        });
    }
}

/// Words that give a namespace of its own to what follows; whoever is not root is root within it.
fn apart(kind: &'static str) -> Vec<&'static str> {
    let mut words = vec!["unshare", kind];
    if !is_root() {
        words.push("--map-root-user");
    }
    words.extend(["sh", "-c"]);
    words
}

#[test]
fn a_full_disk_stops_checkpoints_and_nothing_else() {
    // Room for the small files, not for a checkpoint beside them.
    let mut life = Life::start(&apart("--mount"), |state| {
        format!("mount -t tmpfs -o size=40k none {}", state.display())
    });
    life.says(&["The checkpoint was not saved", "No space left on device", "make room there"]);
    life.counts_all();
    life.write(50);
    life.counts_all();
    // Room is made.
    let (id, state) = (life.process.id().to_string(), life.state());
    let mut nsenter = Command::new("nsenter");
    nsenter.args(["--target", &id, "--mount"]);
    if !is_root() {
        nsenter.args(["--user", "--preserve-credentials"]);
    }
    let status = nsenter.args(["mount", "-o", "remount,size=16m"]).arg(&state).status().unwrap();
    assert!(status.success());
    eventually("a checkpoint is saved", Duration::from_secs(300), || {
        let saved = life.page()?.value("leasewatch_checkpoint_last_success_timestamp_seconds", &[]);
        saved.filter(|saved| *saved > 0.0).map(drop).ok_or_else(|| life.process.output())
    });
    life.write(10);
    life.counts_all();
}

#[test]
fn too_few_open_files_are_told_with_the_setting() {
    let mut life = Life::start(&["prlimit", "--nofile=18:4096", "sh", "-c"], |_| "true".to_owned());
    // Which of them comes too late for a file is chance; each of its messages names the limit.
    life.says(&["Too many open files", "limit of open files"]);
    life.write(50);
    // Nothing is left for a connection either. Once there is, all of it is there.
    let id = life.process.id().to_string();
    let status = Command::new("prlimit").args(["--pid", &id, "--nofile=4096:4096"]).status().unwrap();
    assert!(status.success());
    life.counts_all();
}

#[test]
fn without_watches_of_the_kernel_files_are_looked_at() {
    let words = ["unshare", "--user", "--map-root-user", "sh", "-c"];
    let mut life = Life::start(&words, |_| "echo 0 > /proc/sys/user/max_inotify_instances".to_owned());
    life.says(&["refuses to watch files", "fs.inotify.max_user_instances"]);
    for _ in 0..3 {
        life.write(20);
        life.counts_all();
    }
}
