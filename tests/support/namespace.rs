//! A namespace of the kernel, held open by a process that does nothing, and gone with it.

use super::process::{Process, command};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// Which kind.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Of mounts, which nobody outside sees.
    Mounts,
    /// Of network interfaces, with their addresses and ports.
    Network,
}

impl Kind {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Mounts => &["--mount", "--propagation", "private"],
            Self::Network => &["--net"],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Mounts => "mnt",
            Self::Network => "net",
        }
    }
}

pub(crate) struct Namespace {
    kind: Kind,
    holder: Process,
    _dir: TempDir,
}

impl Namespace {
    pub(crate) fn new(kind: Kind) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut command = command(Path::new("unshare"));
        command.args(kind.options()).args(["--", "sleep", "infinity"]);
        let mut holder = Process::start("unshare", &mut command, &dir.path().join("log"));
        let own = fs::read_link(path(kind, std::process::id())).unwrap();
        super::eventually("a namespace", Duration::from_secs(30), || {
            if let Some(status) = holder.exited() {
                panic!(
                    "no namespace can be made ({status}): {}\nThis test needs one: run it as root in a container \
                     that may (CAP_SYS_ADMIN), or let users have namespaces (kernel.unprivileged_userns_clone)",
                    holder.output()
                );
            }
            let now = fs::read_link(path(kind, holder.id())).map_err(|error| error.to_string())?;
            if now == own { Err("it is the test's own still".to_owned()) } else { Ok(()) }
        });
        Self { kind, holder, _dir: dir }
    }

    /// Of the process that holds it.
    pub(crate) fn id(&self) -> u32 {
        self.holder.id()
    }

    /// By which it is entered.
    pub(crate) fn path(&self) -> PathBuf {
        path(self.kind, self.id())
    }
}

fn path(kind: Kind, id: u32) -> PathBuf {
    format!("/proc/{id}/ns/{}", kind.name()).into()
}
