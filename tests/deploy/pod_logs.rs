//! Containers' logs as the kubelet keeps them, by the glob that `deploy/kubernetes/pod-logs` ships: restarts of the
//! container, the kubelet's rotation, and pods that go.

use super::shipped;
use super::support::{Leasewatch, Metrics, lines};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The kubelet cuts what a container writes at this size.
const CUT: usize = 16 << 10;

/// Audit entries, and between them lines of the server's own log, as a container runtime writes them down.
fn output(numbers: std::ops::Range<u64>) -> String {
    let mut text = String::new();
    for number in numbers {
        let now = jiff::Timestamp::now();
        writeln!(text, "{now} stderr F {now} [INFO]  core: nothing of interest").unwrap();
        let mut entry = lines::issued(number, "app").trim_end().to_owned();
        if number % 3 == 0 {
            // Longer than the runtime takes in one piece.
            let long = format!("{{\"x\":\"{}\",", "y".repeat(2 * CUT));
            entry.replace_range(0..1, &long);
        }
        let mut rest = entry.as_str();
        while rest.len() > CUT {
            let (piece, behind) = rest.split_at(CUT);
            writeln!(text, "{now} stdout P {piece}").unwrap();
            rest = behind;
        }
        writeln!(text, "{now} stdout F {rest}").unwrap();
    }
    text
}

/// The folder of a Vault's container in a pod of this number and unique name.
fn container(root: &Path, pod: u32, unique: &str) -> PathBuf {
    let folder = root.join(format!("vault_vault-{pod}_{unique}/vault"));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn issued(leasewatch: &Leasewatch, expected: f64) -> Metrics {
    leasewatch.metrics_when("all is counted", |page| {
        let issued = page.sum("leasewatch_credentials_issued_total", &[]);
        if issued == expected { Ok(()) } else { Err(format!("{issued} of {expected}")) }
    })
}

#[test]
fn every_entry_counts_once_through_restarts_and_rotations() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("pods");
    let first = container(&root, 0, "0b1c");
    fs::write(first.join("0.log"), output(0..30)).unwrap();
    // Others' containers are not read.
    let other = root.join("vault_vault-agent-injector-77_5e5e/vault");
    fs::create_dir_all(&other).unwrap();
    fs::write(other.join("0.log"), output(900..910)).unwrap();

    let text = fs::read_to_string(shipped("deploy/kubernetes/pod-logs/leasewatch.toml")).unwrap();
    let text = text.replace("/var/log/pods", root.to_str().unwrap());
    let config = folder.path().join("leasewatch.toml");
    fs::write(&config, text).unwrap();
    let arguments =
        ["--config.file", config.to_str().unwrap(), "--state-dir", folder.path().to_str().unwrap()];
    let mut leasewatch = Leasewatch::start(arguments, &[]);
    issued(&leasewatch, 30.0);
    // The container restarts: its next log.
    fs::write(first.join("1.log"), output(30..50)).unwrap();
    issued(&leasewatch, 50.0);
    // The kubelet rotates, while leasewatch is away.
    leasewatch.kill9();
    fs::rename(first.join("1.log"), first.join("1.log.20260102-030405")).unwrap();
    fs::write(first.join("1.log"), output(50..60)).unwrap();
    leasewatch.restart();
    issued(&leasewatch, 60.0);
    // The pod goes, and another comes.
    fs::remove_dir_all(root.join("vault_vault-0_0b1c")).unwrap();
    fs::write(container(&root, 0, "77aa").join("0.log"), output(60..70)).unwrap();
    let page = issued(&leasewatch, 70.0);
    assert_eq!(page.sum("leasewatch_log_unreadable_total", &[]), 0.0);
    assert_eq!(page.sum("leasewatch_log_gaps_total", &[]), 0.0);
    assert!(leasewatch.stop().0.success());
}
