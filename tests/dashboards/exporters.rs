//! Two exporters of one cluster, one beside each node, and what the panels make of both: the
//! column "over nodes" of the contract. And a count of rare events that begins with its first.

use crate::model::{Dashboard, all};
use crate::support::Prometheus;
use crate::variables::Choice;
use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

const LEASE: &str = r#"vault_namespace="root",mount="db/",engine="database",role="app""#;
const OPERATION: &str = r#"vault_namespace="root",mount="sys/",operation="audit_change",outcome="ok""#;

/// Samples of one series: its exporter, its labels, how many minutes ago it begins, and its value
/// so many minutes ago.
type Series<'a> = (&'a str, &'a str, u64, fn(u64) -> f64);

/// A past of eight hours, a sample a minute; panels look six hours back.
struct Past {
    text: String,
    now: u64,
}

impl Past {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        Self { text: String::new(), now }
    }

    /// Adds a metric, one series after the other as the format wants it.
    fn add(&mut self, name: &str, kind: &str, series: &[Series]) {
        writeln!(self.text, "# TYPE {} {kind}", name.trim_end_matches("_total")).unwrap();
        for (exporter, labels, since, value) in series {
            for ago in (0..=*since).rev() {
                let (at, value) = (self.now - ago * 60, value(ago));
                let own = if labels.is_empty() { String::new() } else { format!(",{labels}") };
                writeln!(self.text, "{name}{{job=\"leasewatch\",instance=\"{exporter}\"{own}}} {value} {at}")
                    .unwrap();
            }
        }
    }
}

/// What a panel with one number shows.
fn shown(boards: &[(String, String, Dashboard)], at: &(Prometheus, u64), board: &str, title: &str) -> f64 {
    let (prometheus, now) = at;
    let (.., board) = boards.iter().find(|(.., each)| each.uid == format!("leasewatch-{board}")).unwrap();
    let panel =
        board.panels.iter().find(|panel| panel.title == title).unwrap_or_else(|| panic!("no {title}"));
    let expression = Choice::default().fill(&panel.targets[0].expr, &board.templating.list);
    let time = now.to_string();
    let data = prometheus.api("query", &[("query", &expression), ("time", &time)]).unwrap();
    let [sample] = &data["result"].as_array().unwrap()[..] else { panic!("{title}: {data}\n{expression}") };
    sample["value"][1].as_str().unwrap().parse().unwrap()
}

#[test]
fn two_exporters_are_put_together_as_the_contract_says() {
    const ALWAYS: u64 = 480;
    let mut past = Past::new();
    let info = r#"version="0.1.0",revision="0""#;
    // Exporter c was not there six hours ago.
    past.add(
        "leasewatch_build_info",
        "gauge",
        &[("a", info, ALWAYS, |_| 1.0), ("b", info, ALWAYS, |_| 1.0), ("c", info, 60, |_| 1.0)],
    );
    // While the active node changes, both may show what is the active one's.
    past.add(
        "leasewatch_leases",
        "gauge",
        &[("a", LEASE, ALWAYS, |_| 120.0), ("b", LEASE, ALWAYS, |_| 118.0)],
    );
    // Both ask node-0.
    past.add(
        "leasewatch_vault_active",
        "gauge",
        &[
            ("a", r#"node="node-0""#, ALWAYS, |_| 1.0),
            ("b", r#"node="node-0""#, ALWAYS, |_| 1.0),
            ("b", r#"node="node-1""#, ALWAYS, |_| 0.0),
        ],
    );
    let expiring = format!("{LEASE},within=\"1h\"");
    past.add("leasewatch_leases_expiring", "gauge", &[("a", &expiring, ALWAYS, |_| 7.0)]);
    let rate = format!("{LEASE},window=\"5m\"");
    past.add(
        "leasewatch_credentials_issue_rate",
        "gauge",
        &[("a", &rate, ALWAYS, |_| 0.5), ("b", &rate, ALWAYS, |_| 0.25)],
    );
    // One a minute and two a minute.
    past.add(
        "leasewatch_credentials_issued_total",
        "counter",
        &[
            ("a", LEASE, ALWAYS, |ago| 1_000.0 - ago as f64),
            ("b", LEASE, ALWAYS, |ago| 5_000.0 - 2.0 * ago as f64),
        ],
    );
    // a: twice, by a counter that is born with the first; b: once before, once in the time;
    // c: of what it counted before it was seen nobody knows when it was.
    past.add(
        "leasewatch_privileged_operations_total",
        "counter",
        &[
            ("a", OPERATION, 30, |ago| if ago > 10 { 1.0 } else { 2.0 }),
            ("b", OPERATION, ALWAYS, |ago| if ago > 100 { 1.0 } else { 2.0 }),
            ("c", OPERATION, 60, |ago| if ago > 5 { 700.0 } else { 701.0 }),
        ],
    );
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("past.om");
    std::fs::write(&file, format!("{}# EOF\n", past.text)).unwrap();
    let at = (Prometheus::with_past("", &[&file]), past.now);

    let boards = all();
    let shown = |board, title| shown(&boards, &at, board, title);
    for (board, title, value) in [
        ("overview", "Leases out", 120.0),
        ("overview", "Active nodes", 1.0),
        ("overview", "End within 1 h", 7.0),
        ("overview", "Issued", 0.75),
        ("leases", "Leases out", 120.0),
        ("security", "Grave operations", 4.0),
        ("security", "Configuration written", 4.0),
    ] {
        let seen = shown(board, title);
        assert!((seen - value).abs() < 1e-9, "{board}, {title}: {seen} instead of {value}");
    }
    let issued = shown("issuing", "Issued in this time");
    assert!((issued - 1_080.0).abs() < 10.0, "{issued} issued in six hours, three a minute");
}
