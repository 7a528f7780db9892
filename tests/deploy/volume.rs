//! Volumes that are not a plain disk: one that tells of no change (a network's, an overlay seen from below), and one
//! whose server goes away. Mounted in a namespace of their own.

use super::is_root;
use super::life::Life;
use super::support::namespace::{Kind, Namespace};
use super::support::process::{Process, command};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A namespace of mounts, and a folder with one in which they are mounted.
struct Mounts {
    namespace: Namespace,
    folder: TempDir,
}

impl Mounts {
    fn new(folders: &[&str]) -> Self {
        assert!(is_root(), "mounting a file system takes root: run scripts/test as root, or with sudo");
        let folder = tempfile::tempdir().unwrap();
        for name in folders {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { namespace: Namespace::new(Kind::Mounts), folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// The same as everybody else sees it who looks into the namespace.
    fn seen(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.namespace.id()));
        root.join(self.folder.path().strip_prefix("/").unwrap()).join(name)
    }

    fn words(&self) -> Vec<String> {
        let id = self.namespace.id().to_string();
        ["nsenter", "--target", &id, "--mount", "--"].map(str::to_owned).to_vec()
    }

    fn run(&self, words: &[&str]) {
        let all = self.words();
        let output = std::process::Command::new(&all[0]).args(&all[1..]).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Serves `from` at `at` in user space: changes behind it are seen late, and are told to nobody.
    fn serve(&self, from: &str, at: &str) -> Process {
        let all = self.words();
        let mut bindfs = command(Path::new(&all[0]));
        bindfs.args(&all[1..]).args(["bindfs", "-f", "-o", "attr_timeout=1,entry_timeout=1"]);
        bindfs.args([self.path(from), self.path(at)]);
        let process = Process::start("bindfs", &mut bindfs, &self.folder.path().join("bindfs.out"));
        super::support::eventually("it is mounted", Duration::from_secs(20), || {
            let mounts = fs::read_to_string(format!("/proc/{}/mounts", self.namespace.id())).unwrap();
            if mounts.contains(&self.path(at)) { Ok(()) } else { Err(process.output()) }
        });
        process
    }

    fn life(&self, reads: &str, writes: PathBuf) -> Life {
        let mut words = self.words();
        words.extend(["sh", "-c"].map(str::to_owned));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Life::reading(&words, |_| "true".to_owned(), Path::new(&self.path(reads)), writes)
    }
}

/// Over two rotations.
fn follows(mounts: &Mounts, life: &mut Life, folder: &str) {
    for rotation in 1..3 {
        life.write(100);
        life.counts_all();
        life.write(30);
        let at = |name: &str| mounts.seen(folder).join(name);
        if at("audit.log.1").exists() {
            fs::rename(at("audit.log.1"), at("audit.log.2")).unwrap();
        }
        fs::rename(at("audit.log"), at("audit.log.1")).unwrap();
        life.reopen();
        life.write(20 * rotation);
        life.counts_all();
    }
}

#[test]
fn a_volume_that_tells_of_no_change_is_followed() {
    let mounts = Mounts::new(&["server", "mounted"]);
    let _bindfs = mounts.serve("server", "mounted");
    let mut life = mounts.life("mounted/audit.log", mounts.seen("server/audit.log"));
    life.counts_all();
    follows(&mounts, &mut life, "server");
    assert_eq!(life.page().unwrap().sum("leasewatch_log_gaps_total", &[]), 0.0);
}

/// A log in the writable layer of a container, read from beside it: the kernel tells whoever watches the layer nothing.
#[test]
fn an_overlay_is_followed_from_within_and_from_below() {
    for reads in ["merged", "upper"] {
        let mounts = Mounts::new(&["lower", "upper", "work", "merged"]);
        // An overlay cannot lie on every file system; a tmpfs can hold its layers.
        let whole = mounts.path("");
        mounts.run(&["mount", "-t", "tmpfs", "none", &whole]);
        for name in ["lower", "upper", "work", "merged"] {
            fs::create_dir(mounts.seen(name)).unwrap();
        }
        let layers = format!(
            "lowerdir={},upperdir={},workdir={}",
            mounts.path("lower"),
            mounts.path("upper"),
            mounts.path("work")
        );
        mounts.run(&["mount", "-t", "overlay", "none", "-o", &layers, &mounts.path("merged")]);
        let mut life = mounts.life(&format!("{reads}/audit.log"), mounts.seen("merged/audit.log"));
        life.counts_all();
        follows(&mounts, &mut life, "merged");
        assert_eq!(life.page().unwrap().sum("leasewatch_log_gaps_total", &[]), 0.0, "{reads}");
    }
}

#[test]
fn a_server_of_files_that_goes_away_is_told_and_nothing_is_lost() {
    let mounts = Mounts::new(&["server", "mounted"]);
    let mut bindfs = mounts.serve("server", "mounted");
    let mut life = mounts.life("mounted/audit.log", mounts.seen("server/audit.log"));
    life.write(100);
    life.counts_all();
    bindfs.kill9();
    life.write(100);
    life.says(&["The log cannot be read", "mounted/audit.log", "Remedy: "]);
    mounts.run(&["umount", "--lazy", &mounts.path("mounted")]);
    // Between two mounts there is an empty folder.
    life.says(&["mount its volume"]);
    life.write(100);
    let at = |name: &str| mounts.seen("server").join(name);
    fs::rename(at("audit.log"), at("audit.log.1")).unwrap();
    life.reopen();
    life.write(50);
    bindfs = mounts.serve("server", "mounted");
    life.counts_all();
    life.says(&["The log can be read again"]);
    let page = life.page().unwrap();
    assert_eq!(page.sum("leasewatch_log_gaps_total", &[]), 0.0, "{}", life.output());
    drop(bindfs);
}
