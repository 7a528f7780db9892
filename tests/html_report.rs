//! The report as a page: complete, harmless, and the same numbers as the other forms.
#![allow(clippy::unwrap_used, reason = "a test panics to fail")]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts, far below 2^53")]

use serde_json::Value as Json;
use std::path::Path;
use std::process::Command;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/openbao-2.7.2/");

fn analyze(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_leasewatch")).arg("analyze").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Every element that is opened is closed, in order; returns their names.
fn elements(page: &str) -> Vec<String> {
    const VOID: [&str; 3] = ["meta", "br", "!doctype"];
    let (mut open, mut all) = (Vec::new(), Vec::new());
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let end = tag.find('>').unwrap();
        let inside = &tag[..end];
        let name: String = inside
            .chars()
            .skip_while(|c| *c == '/')
            .take_while(|c| !c.is_whitespace() && *c != '/')
            .collect();
        if inside.starts_with('/') {
            assert_eq!(open.pop().as_deref(), Some(name.as_str()), "{inside}");
        } else if !inside.ends_with('/') && !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        all.push(name);
        rest = &tag[end..];
    }
    assert_eq!(open, [] as [String; 0]);
    all
}

fn sum(json: &Json, metric: &str) -> u64 {
    json["metrics"][metric]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| series["value"].as_f64().unwrap() as u64)
        .sum()
}

#[test]
fn the_page_of_a_real_run_has_its_numbers_its_charts_and_nothing_foreign() {
    let server = format!("{CORPUS}server.log.zst");
    let logs = [&format!("{CORPUS}audit.log.zst"), "--server-log", &server];
    let page = analyze(&[&logs[..], &["--format", "html", "--min-score", "0"]].concat());
    let json: Json = serde_json::from_str(&analyze(&[&logs[..], &["--format", "json"]].concat())).unwrap();
    let all = elements(&page);
    assert_eq!(all.iter().filter(|name| *name == "svg").count() / 2, 6, "charts");
    for foreign in ["script", "link", "img", "iframe", "object"] {
        assert!(!all.iter().any(|name| name == foreign), "{foreign}");
    }
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("url("));
    for (metric, words) in [
        ("leasewatch_credentials_issued_total", "credentials issued"),
        ("leasewatch_credential_failures_total", "requests for them failed"),
        ("leasewatch_leases", "leases out at the end"),
        ("leasewatch_revocations_total", "leases ended"),
        ("leasewatch_revocation_failures_total", "attempts to revoke failed"),
    ] {
        let number = sum(&json, metric).to_string();
        let tile = page.split("<div class=\"tile\"><b>").find(|tile| tile.contains(words)).unwrap();
        let shown: String = tile.chars().take_while(|c| *c != '<').filter(char::is_ascii_digit).collect();
        assert_eq!(shown, number, "{words}");
    }
    // What a chart adds up to is what was counted.
    let chart = page.split("<h3>").find(|part| part.starts_with("Leases ended, by cause")).unwrap();
    let legend = &chart[chart.find("class=\"legend\"").unwrap()..];
    let numbers = legend.split("<span class=\"dim\">").skip(1);
    let total: u64 = numbers
        .map(|part| part.chars().take_while(|c| *c != '<').filter(char::is_ascii_digit).collect::<String>())
        .map(|digits| digits.parse::<u64>().unwrap())
        .sum();
    assert_eq!(total, sum(&json, "leasewatch_revocations_total"));
}

#[test]
fn names_out_of_a_log_stay_names() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("audit.log");
    let hostile = "<script>alert(1)</script>\\u001b[31m\\\"'&";
    let lines = [0, 1, 2]
        .map(|number| {
            format!(
                "{{\"time\":\"2026-01-02T03:04:0{number}Z\",\"type\":\"response\",\"auth\":{{\"client_token\":\"hmac-sha256:1\",\"display_name\":\"{hostile}\",\"policies\":[\"root\"],\"token_policies\":[\"root\"]}},\"request\":{{\"id\":\"{number}\",\"operation\":\"read\",\"mount_point\":\"database/\",\"mount_type\":\"database\",\"namespace\":{{\"id\":\"root\"}},\"path\":\"database/creds/{hostile}\",\"remote_address\":\"10.0.0.1\"}},\"response\":{{\"secret\":{{\"lease_id\":\"database/creds/{hostile}/x{number}\"}}}}}}\n"
            )
        })
        .concat();
    std::fs::write(&log, lines).unwrap();
    let path = Path::new(&log).to_str().unwrap();
    let page = analyze(&[path, "--format", "html", "--min-score", "0"]);
    assert!(page.contains("&lt;script&gt;alert(1)"), "the name is not on the page");
    assert!(!elements(&page).iter().any(|name| name == "script"));
    assert!(!page.contains('\u{1b}'));
}
