//! A child process of a test: started with its output in a file, signalled and ended by
//! its own id alone, and gone with the test, even if the test is killed.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running child process.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

/// A command that the kernel kills when the thread that starts it ends, so that an
/// interrupted test run leaves no server behind. Start servers from a thread that outlives them.
pub(crate) fn command(program: &Path) -> Command {
    guarded(program, &[])
}

/// The same as another user; only root can.
pub(crate) fn command_as(user: &str, program: &Path) -> Command {
    guarded(program, &["--reuid", user, "--regid", user, "--init-groups"])
}

/// A command with mounts of its own, which `mount` makes of `folder` (as `$0`); the program and its
/// arguments are to follow. Whoever is not root is it there alone, where the kernel lets users do that.
pub(crate) fn command_mounting(mount: &str, folder: &Path) -> Command {
    let mut command = guarded(Path::new("unshare"), &[]);
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "--", "sh", "-c"]);
    command.arg(format!("{mount} && exec setpriv --pdeathsig KILL -- \"$@\"")).arg(folder);
    command
}

fn guarded(program: &Path, options: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).args(options).arg("--").arg(program);
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        // The developer's own Vault must not leak into a test.
        if ["VAULT_", "BAO_", "LEASEWATCH_", "OTEL_", "PG"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command
}

impl Process {
    /// Starts it with standard output and standard error appended to `log`.
    pub(crate) fn start(name: &'static str, command: &mut Command, log: &Path) -> Self {
        let out = File::options().create(true).append(true).open(log).expect("open the child's log");
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .spawn()
            .unwrap_or_else(|why| panic!("start {name} with {command:?}: {why}"));
        Self { name, child, log: log.to_path_buf() }
    }

    /// Process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal; to an ended process it is nothing.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.child.try_wait().unwrap().is_none() {
            kill_process(Pid::from_child(&self.child), signal).expect("signal a child");
        }
    }

    /// Kills it at once and waits until it is gone.
    pub(crate) fn kill9(&mut self) {
        // An error means that it has ended already.
        let _ = self.child.kill();
        self.child.wait().expect("wait for a child");
    }

    /// Its exit status, once it has ended.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.exited() {
                return status;
            }
            assert!(Instant::now() < end, "{} did not end in {limit:?}:\n{}", self.name, self.output());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What it has written.
    pub(crate) fn output(&self) -> String {
        std::fs::read(&self.log)
            .map_or_else(|why| why.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Starts a server on a free port: `start` begins it, `ready` says `Ok` once it answers.
/// A server that ends before it is ready (its port was taken meanwhile) is started anew.
pub(crate) fn on_free_port(
    mut start: impl FnMut(u16) -> Process,
    mut ready: impl FnMut(u16) -> Result<(), String>,
) -> (Process, u16) {
    let mut last = String::new();
    for _ in 0..5 {
        let port = super::free_port();
        let mut process = start(port);
        let end = Instant::now() + Duration::from_secs(300);
        while process.exited().is_none() {
            match ready(port) {
                Ok(()) => return (process, port),
                Err(why) if Instant::now() > end => {
                    panic!("{} is not ready: {why}\n{}", process.name, process.output())
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
        last = process.output();
    }
    panic!("a server ended while it started, five times:\n{last}");
}
