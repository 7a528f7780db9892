//! A flood: names by the hundred thousand that a client invents, of roles, mounts, namespaces and users. Series and
//! memory stay within what the settings say.

use super::support::Metrics;
use super::support::corpus::said;
use super::support::leasewatch::run;
use super::support::lines;
use std::fs::File;
use std::io::{BufWriter, Write as _};

/// A name of its own for each line. `HOSTILE_NAMES` is a million in the long run.
const NAMES: u64 = 60_000;

fn names() -> u64 {
    std::env::var("HOSTILE_NAMES").map_or(NAMES, |text| text.parse().expect("a number"))
}

/// One response of each kind whose names nobody has seen: issued, refused, a failed login, a login.
fn line(number: u64) -> String {
    let issued = lines::issued(number, &format!("role-{number}"));
    let invented = issued
        .replace("\"database/\"", &format!("\"mount-{number}/\""))
        .replace("database/creds/", &format!("mount-{number}/creds/"))
        .replace(
            "\"namespace\":{\"id\":\"root\"}",
            &format!("\"namespace\":{{\"id\":\"n{number}\",\"path\":\"ns-{number}/\"}}"),
        )
        .replace("63d5afda-00b7-d9b3-91d3-aeb5e3107633", &format!("{number:08x}-00b7-d9b3-91d3-aeb5e3107633"))
        .replace("\"display_name\":\"approle\"", &format!("\"display_name\":\"user-{number}\""))
        .replace("127.0.1.3", &format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255));
    match number % 3 {
        0 => invented,
        1 => invented.replace(
            "\"type\":\"response\"",
            "\"error\":\"1 error occurred:\\n\\t* permission denied\\n\\n\",\"type\":\"response\"",
        ),
        _ => invented.replace("\"operation\":\"read\"", "\"operation\":\"update\"").replace(
            &format!("\"path\":\"mount-{number}/creds/role-{number}\""),
            &format!("\"path\":\"auth/userpass-{number}/login/user-{number}\""),
        ),
    }
}

#[test]
fn invented_names_make_neither_series_nor_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.log");
    let mut log = BufWriter::new(File::create(&path).unwrap());
    // What is there before the flood keeps its place.
    for number in 0..20 {
        log.write_all(lines::issued(number, "app").as_bytes()).unwrap();
    }
    for number in 20..names() {
        log.write_all(line(number).as_bytes()).unwrap();
    }
    log.flush().unwrap();
    let (path, budget) = (path.to_str().unwrap(), "50");
    let page = said(run([
        "analyze",
        path,
        "--format",
        "prom",
        "--labels.budget",
        budget,
        "--ledger.capacity",
        "1000",
    ]));
    let metrics = Metrics::parse(&page);
    assert_eq!(metrics.sum("leasewatch_credentials_issued_total", &[("role", "app")]), 20.0);
    let issued = metrics.sum("leasewatch_credentials_issued_total", &[]);
    let expected = (20..names()).filter(|number| number % 3 == 0).count() as f64 + 20.0;
    assert_eq!(issued, expected, "every one is counted, under whatever name");
    let series = metrics.series.len();
    assert!(series < 4_000, "{series} series");
    for word in ["user-", "10.0.", "-00b7-d9b3"] {
        assert!(!page.contains(word), "{word} names a client on the page");
    }
    assert!(
        metrics.sum("leasewatch_ledger_evictions_total", &[]) > 0.0,
        "leases beyond the capacity are counted"
    );
}
