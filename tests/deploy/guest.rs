//! A guest on Vault's volume: `serve` follows a log over its rotations in a folder that it has as read-only, and no
//! system call of it even tries to change anything there.

use super::support::process::{Process, command_mounting};
use super::support::{Metrics, eventually, free_port, lines};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What is traced: all that names a file, and all that is done with an open one.
const TRACE: [&str; 7] = ["-f", "-y", "-q", "-s", "0", "-e", "trace=%file,%desc"];

/// Calls that change nothing, whatever their arguments.
const HARMLESS: [&str; 31] = [
    "access",
    "chdir",
    "close",
    "dup",
    "dup2",
    "dup3",
    "epoll_ctl",
    "execve",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fcntl",
    "fstat",
    "fstatfs",
    "getcwd",
    "getdents64",
    "getxattr",
    "inotify_add_watch",
    "inotify_rm_watch",
    "lgetxattr",
    "lseek",
    "lstat",
    "newfstatat",
    "pread64",
    "preadv",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "stat",
    "statx",
];

/// The calls in a trace that could change something under `volume`, by name; and how many others concerned it.
fn changes(trace: &str, volume: &Path) -> (BTreeSet<String>, usize) {
    let volume = volume.to_str().unwrap();
    let (mut found, mut others) = (BTreeSet::new(), 0);
    for line in trace.lines().filter(|line| line.contains(volume)) {
        let call = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
        let call = call.strip_prefix("<... ").unwrap_or(call);
        let name: String = call.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let is_harmless = match name.as_str() {
            "open" | "openat" | "openat2" => {
                let flags = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"];
                !flags.iter().any(|flag| line.contains(flag))
            }
            "mmap" => !line.contains("PROT_WRITE") || line.contains("MAP_PRIVATE"),
            other => HARMLESS.contains(&other),
        };
        if is_harmless {
            others += 1;
        } else {
            found.insert(format!("{name}: {line}"));
        }
    }
    (found, others)
}

/// A trace, once its program has ended and all of it is written.
fn whole(trace: &Path) -> String {
    eventually("the trace ends", Duration::from_secs(60), || {
        let text = String::from_utf8_lossy(&fs::read(trace).map_err(|error| error.to_string())?).into_owned();
        let is_whole = text.lines().last().is_some_and(|line| line.contains("+++ exited with"));
        if is_whole { Ok(text) } else { Err(format!("{} bytes", text.len())) }
    })
}

#[test]
fn what_changes_a_folder_is_seen_in_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (volume, trace) = (folder.path().join("volume"), folder.path().join("trace"));
    fs::create_dir(&volume).unwrap();
    let script = "cd /; : > $0/a; chmod 600 $0/a; touch $0/a; mv $0/a $0/b; ln -s x $0/c; rm $0/b; mkdir $0/d; rmdir $0/d; \
                  truncate -s 5 $0/c.log; cat $0/c.log";
    let ended = Command::new("strace")
        .args(TRACE)
        .arg("-o")
        .arg(&trace)
        .args(["--", "sh", "-c", script])
        .arg(&volume)
        .output();
    let ended = ended.unwrap_or_else(|why| panic!("strace cannot be run ({why}): run scripts/setup"));
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let (found, others) = changes(&whole(&trace), &volume);
    for call in
        ["openat", "fchmodat", "utimensat", "rename", "symlink", "unlink", "mkdir", "rmdir", "ftruncate"]
    {
        assert!(found.iter().any(|found| found.starts_with(call)), "{call} is not among {found:#?}");
    }
    assert!(others > 0);
}

#[test]
fn nothing_is_ever_changed_on_the_volume_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let (volume, trace) = (path("volume"), path("trace"));
    fs::create_dir(&volume).unwrap();
    let (audit, server) = (volume.join("audit.log"), volume.join("server.log"));
    let mut log = File::create(&audit).unwrap();
    File::create(&server).unwrap();
    let mut written = 0;
    let mut write = |log: &mut File| {
        for _ in 0..50 {
            log.write_all(lines::issued(written, "app").as_bytes()).unwrap();
            written += 1;
        }
        written
    };
    write(&mut log);
    let port = free_port();
    let mount =
        "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && ! touch \"$0/x\" 2>/dev/null";
    let mut command = command_mounting(mount, &volume);
    // The tracer is the program's child: whoever ends the program ends both.
    command.args(["strace", "-D"]).args(TRACE).arg("-o").arg(&trace).arg("--");
    command.arg(env!("CARGO_BIN_EXE_leasewatch")).arg("serve").arg("--audit-log").arg(&audit);
    command.arg("--server-log").arg(&server).arg("--state-dir").arg(path("state"));
    command.args(["--checkpoint.interval", "1s", "--web.listen-address", &format!("127.0.0.1:{port}")]);
    let mut serving = Process::start("leasewatch", &mut command, &path("out"));
    let mut counted = |all: u64| {
        eventually("all is counted", Duration::from_secs(120), || {
            assert!(serving.exited().is_none(), "{}", serving.output());
            let issued = Metrics::of(port)?.sum("leasewatch_credentials_issued_total", &[]);
            if issued == all as f64 { Ok(()) } else { Err(format!("{issued} of {all}")) }
        });
    };
    counted(50);
    // Renamed while the writer goes on in the old file, then a new one.
    fs::rename(&audit, volume.join("audit.log.1")).unwrap();
    counted(write(&mut log));
    log = File::create(&audit).unwrap();
    counted(write(&mut log));
    // Copied and cut; compressed; deleted.
    fs::copy(&audit, volume.join("audit.log.0")).unwrap();
    log = File::options().append(true).open(&audit).unwrap();
    log.set_len(0).unwrap();
    counted(write(&mut log));
    let old = fs::read(volume.join("audit.log.1")).unwrap();
    fs::write(volume.join("audit.log.1.zst"), zstd::encode_all(&old[..], 1).unwrap()).unwrap();
    fs::remove_file(volume.join("audit.log.1")).unwrap();
    counted(write(&mut log));
    fs::remove_file(&audit).unwrap();
    log = File::create(&audit).unwrap();
    counted(write(&mut log));
    serving.signal(rustix::process::Signal::TERM);
    assert!(serving.wait(Duration::from_secs(60)).success(), "{}", serving.output());

    let trace = whole(&trace);
    let (found, others) = changes(&trace, &volume);
    assert!(found.is_empty(), "{found:#?}");
    assert!(others > 50, "the trace has {others} calls about the volume alone");
    // The same trace does show what is written elsewhere.
    assert!(!changes(&trace, &path("state")).0.is_empty());
}
