//! The product under test, as users run it: the real binary, spoken to over HTTP and signals.

use super::eventually;
use super::exposition::Metrics;
use super::http::{Reply, Request};
use super::process::{Process, command, command_mounting};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running `leasewatch serve`.
pub(crate) struct Leasewatch {
    process: Process,
    port: u16,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    log: PathBuf,
    /// The state folder, where it is a small disk of its own.
    small_disk: Option<PathBuf>,
    /// Holds the log of the processes that were started in turn.
    _dir: TempDir,
}

impl Leasewatch {
    /// Starts `leasewatch serve` on a free port with these arguments and environment
    /// variables, and waits until it listens. The state folder is the caller's to give.
    pub(crate) fn start<A: Into<String>>(
        arguments: impl IntoIterator<Item = A>,
        variables: &[(&str, &str)],
    ) -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-run-").tempdir().unwrap();
        let log = dir.path().join("leasewatch.log");
        let arguments: Vec<String> = arguments.into_iter().map(Into::into).collect();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let (process, port) = launch(&arguments, &variables, &log, 0, None);
        Self { process, port, arguments, variables, log, small_disk: None, _dir: dir }
    }

    /// The same with a state folder on a disk of 64 MB, which is gone with the process.
    pub(crate) fn start_on_small_disk<A: Into<String>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-run-").tempdir().unwrap();
        let log = dir.path().join("leasewatch.log");
        let disk = dir.path().join("disk");
        std::fs::create_dir(&disk).unwrap();
        let mut arguments: Vec<String> = arguments.into_iter().map(Into::into).collect();
        arguments.extend(["--state-dir".to_owned(), disk.to_str().unwrap().to_owned()]);
        let (process, port) = launch(&arguments, &[], &log, 0, Some(&disk));
        Self { process, port, arguments, variables: Vec::new(), log, small_disk: Some(disk), _dir: dir }
    }

    /// A file on that disk, as its process sees it.
    pub(crate) fn on_small_disk(&self, name: &str) -> PathBuf {
        let disk = self.small_disk.as_ref().expect("it was started on one");
        let root = PathBuf::from(format!("/proc/{}/root", self.process.id()));
        root.join(disk.strip_prefix("/").unwrap()).join(name)
    }

    /// Kills it at once.
    pub(crate) fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Starts it again after its end, on a new port with the same arguments.
    pub(crate) fn restart(&mut self) {
        self.restart_on(0);
    }

    /// Starts it again after its end, where its scraper looks for it.
    pub(crate) fn restart_on_same_port(&mut self) {
        self.restart_on(self.port);
    }

    fn restart_on(&mut self, port: u16) {
        assert!(self.process.exited().is_some(), "end it before it is started again");
        (self.process, self.port) =
            launch(&self.arguments, &self.variables, &self.log, port, self.small_disk.as_deref());
    }

    /// Asks it to end by SIGTERM; how it ended, and how long that took.
    pub(crate) fn stop(&mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        self.process.signal(Signal::TERM);
        let status = self.process.wait(Duration::from_secs(30));
        (status, asked.elapsed())
    }

    /// TCP port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// When nobody answers.
    pub(crate) fn get(&self, path: &str) -> std::io::Result<Reply> {
        Request::new("GET", path).send(self.port)
    }

    /// The page of metrics, when it is answered: not before the replay after a restart is done.
    ///
    /// # Errors
    /// What came instead.
    pub(crate) fn try_metrics(&self) -> Result<Metrics, String> {
        Metrics::of(self.port).map_err(|why| format!("{why}; log:\n{}", self.output()))
    }

    /// The page of metrics, waited for.
    pub(crate) fn metrics(&self) -> Metrics {
        eventually("/metrics answers", Duration::from_secs(300), || self.try_metrics())
    }

    /// Waits until the page of metrics is as `expected` says; the page.
    pub(crate) fn metrics_when(
        &self,
        what: &str,
        mut expected: impl FnMut(&Metrics) -> Result<(), String>,
    ) -> Metrics {
        eventually(what, Duration::from_secs(300), || {
            let metrics = self.try_metrics()?;
            expected(&metrics).map(|()| metrics).map_err(|why| format!("{why}; its log:\n{}", self.output()))
        })
    }

    /// What it, and its predecessors, wrote to standard error.
    pub(crate) fn output(&self) -> String {
        self.process.output()
    }
}

/// Runs `leasewatch` with these arguments to its end.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    command(Path::new(env!("CARGO_BIN_EXE_leasewatch"))).args(arguments).output().expect("run leasewatch")
}

/// `leasewatch analyze --format prom` on these arguments.
pub(crate) fn analyze<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Metrics {
    let mut all: Vec<std::ffi::OsString> = vec!["analyze".into(), "--format".into(), "prom".into()];
    all.extend(arguments.into_iter().map(|argument| argument.as_ref().to_os_string()));
    let output = run(all);
    assert!(output.status.success(), "analyze: {}", String::from_utf8_lossy(&output.stderr));
    Metrics::parse(std::str::from_utf8(&output.stdout).expect("the page is UTF-8"))
}

fn launch(
    arguments: &[String],
    variables: &[(String, String)],
    log: &Path,
    port: u16,
    small_disk: Option<&Path>,
) -> (Process, u16) {
    let seen = std::fs::read_to_string(log).map_or(0, |text| text.len());
    let program = Path::new(env!("CARGO_BIN_EXE_leasewatch"));
    let mut command = match small_disk {
        None => command(program),
        Some(disk) => {
            let mut command = command_mounting("mount -t tmpfs -o size=64m tmpfs \"$0\"", disk);
            command.arg(program);
            command
        }
    };
    command
        .args(["serve", "--web.listen-address", &format!("127.0.0.1:{port}")])
        .args(arguments)
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let mut process = Process::start("leasewatch", &mut command, log);
    let port = eventually("leasewatch listens", Duration::from_secs(300), || {
        let output = process.output();
        let ended = process.exited();
        match (listening(&output[seen..]), ended) {
            (Some(port), _) => Ok(port),
            (None, Some(status)) => panic!("leasewatch ended at once with {status}:\n{output}"),
            (None, None) => Err(output),
        }
    });
    (process, port)
}

/// The port in the line that says where it listens.
fn listening(output: &str) -> Option<u16> {
    let line = output.lines().find(|line| line.to_lowercase().contains("listening"))?;
    // Colours may stand between a field's name, its equals sign and its value.
    let plain: String = line.split('\u{1b}').map(uncoloured).collect();
    let (_, address) = plain.split_once("address=").or_else(|| plain.split_once("\"address\":"))?;
    let port = address.trim_start_matches('"').strip_prefix("127.0.0.1:")?;
    port.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn uncoloured(piece: &str) -> &str {
    match piece.strip_prefix('[') {
        Some(code) => code.split_once('m').map_or("", |(_, text)| text),
        None => piece,
    }
}
