//! `PostgreSQL` with a superuser `vault_admin`: the database whose users the secrets engine makes.

use super::process::{Process, command, command_as, on_free_port};
use super::program;
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The unprivileged user that `PostgreSQL` insists on when we are root.
const USER: &str = "postgres";

/// A running server. Its data go with it.
pub(crate) struct Postgres {
    process: Process,
    port: u16,
    dir: TempDir,
}

impl Postgres {
    /// Makes an empty database server and starts it.
    pub(crate) fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-pg-").tempdir().unwrap();
        if root() {
            let chown = Command::new("chown").arg(USER).arg(dir.path()).status().unwrap();
            assert!(chown.success(), "give {} to {USER}", dir.path().display());
        }
        let init = as_user(&tool("initdb"))
            .args(["--username=vault_admin", "--auth=trust", "--no-sync", "--encoding=UTF8", "-D"])
            .arg(dir.path().join("data"))
            .output()
            .unwrap();
        assert!(init.status.success(), "initdb: {}", String::from_utf8_lossy(&init.stderr));
        let (process, port) = on_free_port(|port| launch(dir.path(), port), ready);
        Self { process, port, dir }
    }

    /// Stops it as `pg_ctl stop -m immediate` does: no farewell to its clients.
    pub(crate) fn stop(&mut self) {
        self.process.signal(Signal::QUIT);
        self.process.wait(Duration::from_secs(30));
    }

    /// Starts it again after `stop`, on the same port and data.
    pub(crate) fn restart(&mut self) {
        assert!(self.process.exited().is_some(), "stop it before it is started again");
        let port = self.port;
        self.process = launch(self.dir.path(), port);
        super::eventually("PostgreSQL is back", Duration::from_secs(300), || ready(port));
    }

    /// TCP port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The `connection_url` of a database configuration.
    pub(crate) fn connection_url(&self) -> String {
        format!(
            "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/postgres?sslmode=disable",
            self.port
        )
    }

    /// Runs SQL as the superuser; what it prints, unaligned and without headings.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let output = as_user(&tool("psql"))
            .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "vault_admin"])
            .args(["-p", &self.port.to_string(), "-c", statement, "postgres"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{statement}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_string()
    }
}

fn launch(dir: &Path, port: u16) -> Process {
    let mut command = as_user(&tool("postgres"));
    command
        .arg("-D")
        .arg(dir.join("data"))
        .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-F", "-N", "200", "-k"])
        .arg(dir);
    Process::start("postgres", &mut command, &dir.join("postgres.log"))
}

fn ready(port: u16) -> Result<(), String> {
    let output = Command::new(tool("pg_isready"))
        .args(["-h", "127.0.0.1", "-p", &port.to_string()])
        .output()
        .map_err(|why| why.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stdout).into()) }
}

fn root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A command as the user that `PostgreSQL` accepts: ourselves, unless we are root.
fn as_user(path: &Path) -> Command {
    let mut command = if root() { command_as(USER, path) } else { command(path) };
    // The folder from which the tests run may be closed to that user.
    command.current_dir("/");
    command
}

fn tool(name: &str) -> PathBuf {
    // Debian keeps the server's programs, one folder a version, away from PATH.
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .collect();
    found.sort();
    found.reverse();
    found.push(Path::new("/usr/local/bin").join(name));
    program("PostgreSQL's server", &found)
}
