//! The world that is asked: a Prometheus with the past of a demo, which it then scrapes, and
//! with a recorded page beside it for what a demo does not have.

use crate::recorded::Recorded;
use crate::support::process::{Process, command};
use crate::support::{Prometheus, eventually};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// Against hanging; debug builds on busy machines are slow.
const LIMIT: Duration = Duration::from_secs(300);

/// Everything that runs.
pub(crate) struct World {
    pub(crate) prometheus: Prometheus,
    _demo: Process,
    _recorded: Recorded,
    _dir: TempDir,
}

impl World {
    /// The demo's series have no label `cluster`, as where nobody sets one; the recorded ones do.
    pub(crate) fn start() -> Self {
        let dir = tempfile::Builder::new().prefix("leasewatch-dashboards-").tempdir().unwrap();
        let past = dir.path().join("past.om");
        let mut start = command(Path::new(env!("CARGO_BIN_EXE_leasewatch")));
        // A day and a half: some panels look a day back.
        start
            .args(["demo", "--weeks", "0.22", "--web.listen-address", "127.0.0.1:0", "--openmetrics"])
            .arg(&past)
            .env("TMPDIR", dir.path());
        let mut demo = Process::start("leasewatch demo", &mut start, &dir.path().join("demo.log"));
        let port: u16 = eventually("the demo's page", LIMIT, || {
            let (text, ended) = (demo.output(), demo.exited());
            assert!(ended.is_none(), "it ended with {ended:?}:\n{text}");
            let page = text.lines().find_map(|line| line.strip_prefix("Page ")).ok_or(text.clone())?;
            page.trim().trim_end_matches('/').rsplit(':').next().unwrap().parse().map_err(|_| text.clone())
        });
        let recorded = Recorded::start();
        let longer_ago = dir.path().join("longer-ago.om");
        std::fs::write(&longer_ago, recorded.a_week_ago()).unwrap();
        let jobs = format!(
            "- job_name: leasewatch\n  static_configs:\n  - targets: ['127.0.0.1:{port}']\n\
             - job_name: recorded\n  static_configs:\n  - targets: ['127.0.0.1:{}']\n    labels: {{cluster: recorded}}\n",
            recorded.port()
        );
        let prometheus = Prometheus::with_past(&jobs, &[&past, &longer_ago]);
        Self { prometheus, _demo: demo, _recorded: recorded, _dir: dir }
    }
}
